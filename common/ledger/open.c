/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a ledger: the owner and mode of the file, SQLite's settings, and whether it is our
 * ledger.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "ledger/guard.h"
#include "ledger/person.h"
#include "ledger/sqlite.h"
#include "ledger/stored_counters.h"

#define SCHEME	  "sqlite:"
#define BUSY_MS	  5000
#define WAL_TRIES 100 /* of 50 ms */

/* ---- the file ---- */

static bool err_system(const char *path, const char *doing, struct fault *fault)
{
	int error = errno;

	fault_set(fault, FAULT_STORAGE, "ledger_unreachable", "%s: %s: %s", path, doing,
		strerror(error));
	if (error == EACCES || error == EPERM)
		return fault_remedy(
			fault, "Run it as root, or as one of the accounts that [worker] names.");
	if (error == ENOENT || error == ENOTDIR)
		return fault_remedy(fault,
			"To create its directory, run as root: cloudinvite-collector --prepare");
	return fault_remedy(fault, "Check the file system that it is on.");
}

static bool err_missing(const char *path, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_missing", "%s: there is no ledger yet", path);
	return fault_remedy(fault, "The services create it when they start: systemctl start "
				   "cloudinvite-collector cloudinvite-dispatcher");
}

static bool directory_of(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	errno = ENAMETOOLONG;
	return str_format(out, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* The entry in the directory must be on the disk too, or a power cut would lose the whole
 * ledger. */
static bool sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	file_close(&fd);
	return rc == 0;
}

/* The file is created before SQLite opens it, so that no other account can read it at any
 * moment, whatever the umask. A ledger that accounts share is created by root (--prepare) and
 * stays root's: in a directory of another owner none is created here. */
static bool create_file(const char *path, struct fault *fault)
{
	char directory[PATH_MAX];
	struct stat st;
	bool good;
	int fd;

	if (access(path, F_OK) == 0 || errno != ENOENT)
		return true; /* check_file reports what it is */
	if (!directory_of(path, directory) || stat(directory, &st) != 0)
		return err_system(path, "cannot be created", fault);
	if (st.st_uid != geteuid())
		return err_missing(path, fault);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST || err_system(path, "cannot be created", fault);
	good = fchmod(fd, 0600) == 0 && fsync(fd) == 0 && sync_directory(directory);
	if (!good)
		err_system(path, "cannot be created", fault);
	file_close(&fd);
	return good;
}

/* The group of the ledger may read and write it. No other group may read about people. */
static bool is_closed(const struct stat *st, const char *ledger_user)
{
	uid_t uid;
	gid_t gid;

	if ((st->st_mode & 077) == 0)
		return true;
	return (st->st_mode & 017) == 0 && ledger_user &&
	       passwd_find(ledger_user, &uid, &gid, NULL) && st->st_gid == gid;
}

/* By name only: closing a descriptor of a ledger that this process has open twice would drop the
 * locks of the other one. */
static bool check_file(struct ledger *l, const char *ledger_user, struct fault *fault)
{
	struct stat st;

	if (lstat(l->path, &st) != 0)
		return errno == ENOENT ? err_missing(l->path, fault)
				       : err_system(l->path, "cannot be opened", fault);
	if (!S_ISREG(st.st_mode)) {
		fault_set(
			fault, FAULT_STORAGE, "ledger_no_file", "%s: is not a plain file", l->path);
		return fault_remedy(
			fault, "Set [storage] ledger to the file itself, not to a link.");
	}
	if (!is_closed(&st, ledger_user)) {
		fault_set(fault, FAULT_STORAGE, "ledger_open_to_others",
			"%s: other users can read the ledger, which contains names of people "
			"(group %u, mode %04o)",
			l->path, (unsigned)st.st_gid, (unsigned)st.st_mode & 07777);
		return fault_remedy(fault, "As root, run cloudinvite-collector --prepare: it "
					   "corrects owner, group and mode.");
	}
	l->device = st.st_dev;
	l->inode = st.st_ino;
	return true;
}

/* ---- SQLite ---- */

/* Two programs that create the same ledger may meet here, where SQLite does not always wait. */
static bool write_ahead(struct ledger *l, struct fault *fault)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	int rc = SQLITE_BUSY;

	for (int i = 0; i < WAL_TRIES; i++) {
		rc = sqlite3_exec(l->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
		if ((rc & 0xff) != SQLITE_BUSY)
			break;
		nanosleep(&pause, NULL);
	}
	return rc == SQLITE_OK || sql_fault(l, rc, fault);
}

/* Once in a process, before SQLite is used; later calls have no effect. Only one thread of a
 * program uses SQLite, and its memory is not counted: without locks and counts for each
 * allocation it is a quarter faster. Pages of the cache are allocated one by one, so that
 * ledger_release_memory can free them; SQLite would keep the first twenty. */
static void set_up_process(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

/* The cache holds what one transaction changes, so that nothing is written before the commit.
 * ledger_release_memory frees it. */
static bool set_up_engine(struct ledger *l, struct fault *fault)
{
	sqlite3_extended_result_codes(l->db, 1);
	sqlite3_busy_timeout(l->db, BUSY_MS);
	return guard_configure(l, fault) &&
	       sql_execute(l,
		       "PRAGMA synchronous = FULL; PRAGMA foreign_keys = "
		       "ON; PRAGMA secure_delete = ON;"
		       "PRAGMA cell_size_check = ON; PRAGMA cache_size = "
		       "-2048; PRAGMA temp_store = "
		       "MEMORY; PRAGMA mmap_size = 0",
		       fault);
}

static bool open_engine(struct ledger *l, struct fault *fault)
{
	int flags = (l->reading ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
		    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	int rc;

	set_up_process();
	rc = sqlite3_open_v2(l->path, &l->db, flags, NULL);

	if (rc != SQLITE_OK)
		return sql_fault(l, rc, fault);
	return set_up_engine(l, fault);
}

/* ---- whose ledger it is ---- */

static bool err_not_ours(struct ledger *l, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_foreign",
		"%s: is a database, but not a cloudinvite ledger", l->path);
	return fault_remedy(fault, "Set [storage] ledger to another file.");
}

struct content {
	int64_t application, version, tables;
};

/* All three from one snapshot: another program may be creating the ledger at this moment. */
static bool read_content(struct ledger *l, struct content *content, struct fault *fault)
{
	struct query q;
	bool good;

	if (!snapshot_begin(l, fault))
		return false;
	good = schema_read(l, &content->application, &content->version, fault);
	if (good) {
		query_start_plain(&q, l, "SELECT count(*) FROM sqlite_schema", fault);
		good = query_one(&q, &content->tables) > 0;
	}
	snapshot_end(l);
	return good;
}

/* An empty file was created by root, or by a program that was stopped before it created the
 * schema. For a program that does not create a ledger it is a missing one. */
static bool check_schema(struct ledger *l, enum ledger_open_mode mode, struct fault *fault)
{
	struct content is;

	if (!read_content(l, &is, fault))
		return false;
	if (is.application == 0 && is.version == 0 && is.tables == 0)
		return mode == LEDGER_CREATE || err_missing(l->path, fault);
	if (is.application != LEDGER_APPLICATION_ID)
		return err_not_ours(l, fault);
	if (is.version > schema_newest || (l->reading && is.version < schema_newest))
		return schema_other_version(l, is.version, fault);
	l->schema = (int)is.version;
	return true;
}

static bool new_id(char id[33], struct fault *fault)
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
		fault_set(fault, FAULT_STORAGE, "no_random",
			"cannot get random bytes from the kernel: %s", strerror(errno));
		return fault_remedy(fault, "Try again.");
	}
	hex_encode(id, bytes, sizeof(bytes));
	return true;
}

static bool insert_info(struct ledger *l, void *ctx, struct fault *fault)
{
	const struct settings *settings = ctx;
	struct query q;
	char id[33];

	if (!new_id(id, fault))
		return false;
	query_start(&q, l,
		"INSERT INTO ledger_info (id, ledger, customer, created_day) VALUES (1, ?, ?, ?)",
		fault);
	query_text(&q, id);
	query_text(&q, settings->customer);
	query_number(&q, clock_day_start(clock_wall()));
	return query_run(&q);
}

static bool upgrade(struct ledger *l, int64_t from, void *ctx, struct fault *fault)
{
	(void)ctx;
	return from > 1 || stored_counters_migrate_v1(l, fault);
}

/* Whether the state of a person depends on an answer that Google gave for the recorded customer. */
static int has_results(struct ledger *l, struct fault *fault)
{
	int64_t asked = 0;
	struct query q;

	query_start(&q, l,
		"SELECT EXISTS (SELECT 1 FROM send) OR EXISTS (SELECT 1 FROM count_person"
		" WHERE n > 0 AND state NOT IN ('queued', 'held', 'gone'))",
		fault);
	return query_one(&q, &asked) < 0 ? -1 : (int)asked;
}

static bool err_customer(
	struct ledger *l, const char *recorded, const char *wanted, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_customer",
		"%s: is the ledger of customer '%s', but the settings have '%s'", l->path, recorded,
		wanted);
	return fault_remedy(fault,
		"Check [google] customer for a typing error. To keep this ledger, set customer = "
		"%s. For another customer, set [storage] ledger to a new file.",
		recorded);
}

static bool set_customer(struct ledger *l, const char *customer, struct fault *fault)
{
	struct query q;

	if (!txn_begin(l, fault))
		return false;
	query_start(&q, l, "UPDATE ledger_info SET customer = ?", fault);
	query_text(&q, customer);
	return txn_end(l, query_run(&q), fault);
}

/* The customer of the settings is stored as long as nothing depends on the recorded one: the
 * collector may have created the ledger before the customer was set. */
static bool check_customer(struct ledger *l, const struct settings *settings, struct fault *fault)
{
	char recorded[64] = "";
	struct query q;
	int asked;

	query_start(&q, l, "SELECT ledger, customer FROM ledger_info", fault);
	if (query_row(&q) > 0) {
		row_text(&q, l->id, sizeof(l->id));
		row_text(&q, recorded, sizeof(recorded));
	}
	if (!query_end(&q))
		return false;
	if (settings->customer[0] == '\0' || strcmp(recorded, settings->customer) == 0)
		return true;
	asked = recorded[0] != '\0' ? has_results(l, fault) : 0;
	if (asked != 0)
		return asked > 0 && err_customer(l, recorded, settings->customer, fault);
	return l->reading || set_customer(l, settings->customer, fault);
}

/* A program that ended without closing the ledger left a log. */
static bool has_log(const char *path)
{
	char log[PATH_MAX];
	struct stat st;

	return str_format(log, sizeof(log), "%s-wal", path) && stat(log, &st) == 0 &&
	       st.st_size > 0;
}

/* ---- the handle ---- */

static struct ledger *new_handle(const char *where, struct fault *fault)
{
	struct ledger *l;

	if (!str_starts(where, SCHEME "/")) {
		fault_set(fault, FAULT_SETTINGS, "ledger_engine",
			"[storage] ledger: this version supports SQLite only");
		fault_remedy(fault, "Set ledger = sqlite:/var/lib/cloudinvite/ledger.db");
		return NULL;
	}
	l = calloc(1, sizeof(*l));
	if (l)
		l->path = strdup(where + strlen(SCHEME));
	if (!l || !l->path) {
		fault_no_memory(fault, FAULT_STORAGE);
		ledger_close(l);
		return NULL;
	}
	l->facts_read = INT64_MAX;
	l->schema_version = -1;
	return l;
}

struct ledger *ledger_open(
	const struct settings *settings, enum ledger_open_mode mode, struct fault *fault)
{
	/* insert_info reads the settings. */
	const struct schema_hooks hooks = {insert_info, upgrade, (void *)(uintptr_t)settings};
	struct ledger *l = new_handle(settings->ledger, fault);
	bool good;

	if (!l)
		return NULL;
	l->reading = mode == LEDGER_READ;
	if (settings->timezone)
		str_copy(l->timezone, sizeof(l->timezone), settings->timezone);
	l->unclosed = has_log(l->path);
	good = (mode != LEDGER_CREATE || create_file(l->path, fault)) &&
	       check_file(l, settings->ledger_user, fault) && open_engine(l, fault) &&
	       check_schema(l, mode, fault);
	if (good && !l->reading)
		good = write_ahead(l, fault) &&
		       schema_migrate(l, schema_migrations, schema_newest, &hooks, fault);
	l->guarded = true;
	if (good && check_customer(l, settings, fault) && (l->reading || block_copy_read(l, fault)))
		return l;
	ledger_close(l);
	return NULL;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	ledger_rollback(l);
	statements_free(l);
	sqlite3_close(l->db);
	free(l->path);
	free(l);
}

void ledger_release_memory(struct ledger *l)
{
	statements_free(l);
	(void)sqlite3_db_release_memory(l->db);
}

bool ledger_moved(const struct ledger *l)
{
	int moved = 0;

	return sqlite3_file_control(l->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
	       moved != 0;
}

int64_t ledger_bytes(const struct ledger *l)
{
	struct stat st;

	return stat(l->path, &st) == 0 ? (int64_t)st.st_size : -1;
}

const char *ledger_id(const struct ledger *l)
{
	return l->id;
}

static bool write_id(struct ledger *l, const char *id, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "UPDATE ledger_info SET ledger = ?", fault);
	query_text(&q, id);
	return query_run(&q);
}

bool ledger_take_new_id(struct ledger *l, struct fault *fault)
{
	char id[sizeof(l->id)];

	if (!new_id(id, fault) || !txn_begin(l, fault) ||
		!txn_end(l, write_id(l, id, fault), fault))
		return false;
	str_copy(l->id, sizeof(l->id), id);
	return true;
}

bool ledger_has_new_id(struct ledger *l)
{
	char id[sizeof(l->id)] = "";
	struct query q;

	query_start(&q, l, "SELECT ledger FROM ledger_info", NULL);
	if (query_row(&q) > 0)
		row_text(&q, id, sizeof(id));
	return query_end(&q) && strcmp(id, l->id) != 0;
}

int ledger_schema(const struct ledger *l)
{
	return l->schema;
}
