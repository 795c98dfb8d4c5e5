/* SPDX-License-Identifier: Apache-2.0 */
/* Shows L15 (common/ledger/README.md). */
/*
 * Opening a ledger: what is made, what is refused, and with which sentence.
 */
#include "base/str.h"
#include "child.h"
#include "ledger_site.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/array.h"
#include "base/privdrop.h"
#include "ledger/schema.h"

#define NOBODY 65534

static void refuses(struct site *site, enum ledger_open_mode mode, const char *code)
{
	struct ledger *l;

	fault_clear(&site->fault);
	l = site_open(site, mode);
	if (l)
		ledger_close(l);
	assert_null(l);
	assert_true(site_fault(site, code));
}

static void opens(struct site *site, enum ledger_open_mode mode)
{
	struct ledger *l = site_open(site, mode);

	GOOD(site, l);
	ledger_close(l);
}

/* ---- made ---- */

static void a_new_ledger_is_for_its_owner_alone_whatever_the_umask(void **state)
{
	static const mode_t masks[] = {0, 077, 0777};
	static const char *const files[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm"};
	struct site *site = *state;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		mode_t before = umask(masks[i]);

		site->ledger = site_open(site, LEDGER_CREATE);
		umask(before);
		GOOD(site, site->ledger);
		saw(site, "web1", "alice");
		for (size_t k = 0; k < ARRAY_SIZE(files); k++) {
			assert_int_equal(stat(folder_path(site->folder, files[k]), &st), 0);
			assert_int_equal(st.st_mode & 07777, 0600);
		}
		ledger_close(site->ledger);
		site->ledger = NULL;
		assert_int_equal(unlink(site_file(site)), 0);
	}
}

static void a_ledger_keeps_its_id_and_no_two_have_the_same(void **state)
{
	struct site *site = *state;
	char first[33];

	site->ledger = site_open(site, LEDGER_CREATE);
	GOOD(site, site->ledger);
	str_copy(first, sizeof(first), ledger_id(site->ledger));
	assert_int_equal(strspn(first, "0123456789abcdef"), 32);
	assert_int_equal(ledger_schema(site->ledger), schema_newest);
	ledger_close(site->ledger);

	site->ledger = site_open(site, LEDGER_READ);
	GOOD(site, site->ledger);
	assert_string_equal(ledger_id(site->ledger), first);
	ledger_close(site->ledger);

	assert_int_equal(unlink(site_file(site)), 0);
	site->ledger = site_open(site, LEDGER_CREATE);
	GOOD(site, site->ledger);
	assert_string_not_equal(ledger_id(site->ledger), first);
}

static int64_t engine_says(struct site *site, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t number;

	assert_int_equal(sqlite3_prepare_v2(site->ledger->db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	number = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return number;
}

static void the_engine_is_durable_forgets_for_good_and_trusts_no_file(void **state)
{
	struct site *site = *state;
	unsigned char header[20];
	int fd;

	site->ledger = site_open(site, LEDGER_CREATE);
	GOOD(site, site->ledger);
	assert_int_equal(engine_says(site, "PRAGMA application_id"), LEDGER_APPLICATION_ID);
	assert_int_equal(engine_says(site, "PRAGMA synchronous"), 2);
	assert_int_equal(engine_says(site, "PRAGMA secure_delete"), 1);
	assert_int_equal(engine_says(site, "PRAGMA foreign_keys"), 1);
	assert_int_equal(engine_says(site, "PRAGMA trusted_schema"), 0);
	assert_int_not_equal(
		sqlite3_exec(site->ledger->db, "SELECT load_extension('x')", NULL, NULL, NULL),
		SQLITE_OK);
	assert_non_null(strstr(sqlite3_errmsg(site->ledger->db), "not authorized"));
	fd = open(site_file(site), O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, header, sizeof(header)), sizeof(header));
	close(fd);
	assert_int_equal(header[18], 2); /* write-ahead log, as the file itself says */
	assert_int_equal(header[19], 2);
}

static bool opens_alone(struct site *site, int number)
{
	struct ledger *l = site_open(site, LEDGER_CREATE);
	char name[32], id[33];
	FILE *file;

	if (!l) {
		print_message("# %s | %s\n", site->fault.code, site->fault.what);
		return false;
	}
	str_copy(id, sizeof(id), ledger_id(l));
	ledger_close(l);
	str_format(name, sizeof(name), "id.%d", number);
	file = fopen(folder_path(site->folder, name), "we");
	return file && fputs(id, file) >= 0 && fclose(file) == 0;
}

static void programs_that_start_at_once_make_one_ledger(void **state)
{
	struct site *site = *state;

	for (int round = 0; round < 25; round++) {
		char *first, *other, name[32];

		at_once(site, 6, opens_alone);
		first = folder_read(site->folder, "id.0");
		assert_int_equal(strlen(first), 32);
		for (int i = 1; i < 6; i++) {
			str_format(name, sizeof(name), "id.%d", i);
			other = folder_read(site->folder, name);
			assert_string_equal(first, other);
			free(other);
		}
		free(first);
		assert_int_equal(site_number(site, "SELECT count(*) FROM ledger_info"), 1);
		assert_int_equal(unlink(site_file(site)), 0);
	}
}

static void what_a_stopped_maker_left_is_made_whole(void **state)
{
	struct site *site = *state;

	folder_write(site->folder, "ledger.db", "");
	assert_int_equal(chmod(site_file(site), 0600), 0);
	refuses(site, LEDGER_READ, "ledger_missing");
	opens(site, LEDGER_CREATE);
	opens(site, LEDGER_READ);
}

/* ---- refused ---- */

static void a_ledger_that_is_not_there_is_missed_not_made(void **state)
{
	struct site *site = *state;

	refuses(site, LEDGER_READ, "ledger_missing");
	refuses(site, LEDGER_WRITE, "ledger_missing");
	assert_int_equal(access(site_file(site), F_OK), -1);
	str_format(site->where, sizeof(site->where), "sqlite:%s/no/such/ledger.db",
		site->folder->path);
	refuses(site, LEDGER_CREATE, "ledger_unreachable");
	assert_non_null(strstr(site->fault.remedy, "--prepare"));
}

static void another_engine_is_refused(void **state)
{
	struct site *site = *state;

	str_copy(site->where, sizeof(site->where), "postgresql://db.example.com/cloudinvite");
	refuses(site, LEDGER_CREATE, "ledger_engine");
	assert_null(strstr(site->fault.what, "db.example.com")); /* it may hold a password */
}

static void links_and_devices_are_no_ledger(void **state)
{
	struct site *site = *state;
	char target[128];

	str_format(target, sizeof(target), "%s/elsewhere", site->folder->path);
	assert_int_equal(symlink(target, site_file(site)), 0);
	refuses(site, LEDGER_CREATE, "ledger_no_file");
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(unlink(site_file(site)), 0);
	assert_int_equal(mkfifo(site_file(site), 0600), 0);
	refuses(site, LEDGER_CREATE, "ledger_no_file");
}

static void a_ledger_that_others_may_read_is_refused(void **state)
{
	struct site *site = *state;

	opens(site, LEDGER_CREATE);
	assert_int_equal(chmod(site_file(site), 0640), 0);
	refuses(site, LEDGER_WRITE, "ledger_open_to_others");
	assert_non_null(strstr(site->fault.remedy, "--prepare"));
}

/* Its programs have accounts of their own, and share it by one group; no other counts. */
static void a_ledger_is_open_to_its_group_and_to_no_other(void **state)
{
	static const struct {
		bool ours;
		mode_t mode;
		bool good;
	} cases[] = {{true, 0660, true}, {true, 0640, true}, {true, 0661, false},
		{true, 0664, false}, {true, 0670, false}, {false, 0660, false},
		{false, 0640, false}, {false, 0600, true}};
	struct site *site = *state;
	char user[] = "daemon";
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		skip();
	assert_true(passwd_find(user, &uid, &gid, NULL));
	site->settings.ledger_user = user;
	opens(site, LEDGER_CREATE);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(chown(site_file(site), 0, cases[i].ours ? gid : gid + 1), 0);
		assert_int_equal(chmod(site_file(site), cases[i].mode), 0);
		if (cases[i].good)
			opens(site, LEDGER_WRITE);
		else
			refuses(site, LEDGER_WRITE, "ledger_open_to_others");
	}
}

/* Else an account could put one of its own in the place of the one that all share. */
static void in_a_directory_of_root_s_no_account_makes_a_ledger(void *ctx)
{
	struct site *site = ctx;

	MUST(setgroups(0, NULL) == 0 && setresgid(1, 1, 1) == 0 && setresuid(1, 1, 1) == 0);
	MUST(!site_open(site, LEDGER_CREATE));
	MUST(strcmp(site->fault.code, "ledger_missing") == 0);
}

static void only_the_directory_s_owner_makes_a_ledger(void **state)
{
	struct site *site = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(site->folder->path, 01777), 0);
	child_run(in_a_directory_of_root_s_no_account_makes_a_ledger, site);
	assert_int_equal(access(site_file(site), F_OK), -1);
}

static void a_foreign_database_is_left_alone(void **state)
{
	struct site *site = *state;

	site_sql(site, "CREATE TABLE theirs (x)");
	assert_int_equal(chmod(site_file(site), 0600), 0);
	refuses(site, LEDGER_CREATE, "ledger_foreign");
	assert_int_equal(site_number(site, "SELECT count(*) FROM sqlite_master"), 1);
	site_sql(site, "PRAGMA user_version = 7; PRAGMA application_id = 5");
	refuses(site, LEDGER_WRITE, "ledger_foreign");
}

static void a_newer_ledger_is_refused_with_both_versions(void **state)
{
	struct site *site = *state;

	opens(site, LEDGER_CREATE);
	site_sql(site, "PRAGMA user_version = 99");
	refuses(site, LEDGER_READ, "ledger_newer");
	refuses(site, LEDGER_WRITE, "ledger_newer");
	assert_non_null(strstr(site->fault.what, "99"));
	assert_int_equal(site_number(site, "PRAGMA user_version"), 99);
}

static void a_file_that_was_put_in_its_place_is_noticed(void **state)
{
	struct site *site = *state;
	char aside[PATH_MAX];

	site->ledger = site_open(site, LEDGER_CREATE);
	GOOD(site, site->ledger);
	assert_false(ledger_moved(site->ledger));
	str_copy(aside, sizeof(aside), folder_path(site->folder, "aside.db"));
	assert_int_equal(rename(site_file(site), aside), 0);
	assert_true(ledger_moved(site->ledger));
	folder_write(site->folder, "ledger.db", "");
	assert_true(ledger_moved(site->ledger));
	assert_int_equal(rename(aside, site_file(site)), 0);
	assert_false(ledger_moved(site->ledger));
}

static void another_customer_s_ledger_is_refused(void **state)
{
	struct site *site = *state;

	opens(site, LEDGER_CREATE);
	site->ledger = site_open(site, LEDGER_WRITE);
	GOOD(site, site->ledger);
	put_new(site, "alice@example.com", PERSON_NOT_INVITABLE);
	ledger_close(site->ledger);
	site->ledger = NULL;
	str_copy(site->customer, sizeof(site->customer), "C07654321");
	refuses(site, LEDGER_WRITE, "ledger_customer");
	refuses(site, LEDGER_READ, "ledger_customer");
	assert_non_null(strstr(site->fault.what, "C01234567"));
	str_copy(site->customer, sizeof(site->customer), "my_customer");
	refuses(site, LEDGER_WRITE, "ledger_customer");
	str_copy(site->customer, sizeof(site->customer), "C01234567");
	opens(site, LEDGER_WRITE);
}

static void the_customer_may_be_named_after_the_collector_has_begun(void **state)
{
	struct site *site = *state;

	site->customer[0] = '\0';
	site->ledger = site_open(site, LEDGER_CREATE);
	GOOD(site, site->ledger);
	put_new(site, "alice@example.com", PERSON_QUEUED);
	ledger_close(site->ledger);
	str_copy(site->customer, sizeof(site->customer), "my_customer");
	opens(site, LEDGER_WRITE);
	str_copy(site->customer, sizeof(site->customer),
		"C07654321"); /* no person has been checked yet */
	opens(site, LEDGER_READ);
	assert_int_equal(site_number(site, "SELECT customer = 'my_customer' FROM ledger_info"), 1);
	opens(site, LEDGER_WRITE);
	assert_int_equal(site_number(site, "SELECT customer = 'C07654321' FROM ledger_info"), 1);

	site->ledger = site_open(site, LEDGER_WRITE);
	GOOD(site,
		ledger_send_begin(site->ledger, "alice@example.com", 1000, "t", &site->fault) > 0);
	ledger_close(site->ledger);
	site->ledger = NULL;
	str_copy(site->customer, sizeof(site->customer), "C09999999");
	refuses(site, LEDGER_WRITE, "ledger_customer");
	site->customer[0] = '\0'; /* a collector whose settings name none still may */
	opens(site, LEDGER_WRITE);
}

/* ---- damaged, full, read-only, locked ---- */

static void overwrite(struct site *site, off_t from, size_t n)
{
	unsigned char junk[16384];
	int fd = open(site_file(site), O_WRONLY | O_CLOEXEC);

	memset(junk, 0xa5, sizeof(junk));
	assert_true(fd >= 0 && n <= sizeof(junk));
	assert_int_equal(pwrite(fd, junk, n, from), n);
	close(fd);
}

static void a_damaged_ledger_says_so(void **state)
{
	struct site *site = *state;
	struct ledger_summary summary;
	int64_t size;

	opens(site, LEDGER_CREATE);
	overwrite(site, 0, 16); /* no SQLite file any more */
	refuses(site, LEDGER_WRITE, "ledger_damaged");
	assert_int_equal(unlink(site_file(site)), 0);

	opens(site, LEDGER_CREATE);
	size = site_number(site, "PRAGMA page_count") * site_number(site, "PRAGMA page_size");
	for (int64_t at = 4096; at < size; at += 4096) /* the tables, not the first page */
		overwrite(site, at, 4096);
	fault_clear(&site->fault);
	site->ledger = site_open(site, LEDGER_WRITE);
	if (site->ledger)
		assert_false(ledger_summarise(site->ledger, 0, &summary, &site->fault));
	assert_true(site_fault(site, "ledger_damaged"));
}

/* Writes until it fails; how many commits it took. */
static int fill_up(struct site *site)
{
	char user[32];
	int commits = 0;

	for (;; commits++) {
		struct sighting s;

		if (!ledger_begin(site->ledger, &site->fault))
			return commits;
		for (int i = 0; i < 100; i++) {
			str_format(user, sizeof(user), "user%d", commits * 100 + i);
			s = account("web1", user);
			if (ledger_account_seen(site->ledger, &s, &site->fault) < 0)
				break;
		}
		if (site->fault.kind != FAULT_NONE || !ledger_commit(site->ledger, &site->fault)) {
			ledger_rollback(site->ledger);
			return commits;
		}
	}
}

/* The mounts are this process's own, and a new folder lies beneath them for each test. */
static void mount_over(struct site *site, const char *options)
{
	if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
		mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("none", site->folder->path, "tmpfs", 0, options) == 0)
		return;
	print_message("# SKIP no file system can be mounted here: %s\n", strerror(errno));
	skip();
}

static int unmount(void **state)
{
	struct site *site = *state;

	ledger_close(site->ledger);
	site->ledger = NULL;
	(void)umount(site->folder->path); /* not mounted: the test was skipped */
	return site_free(state);
}

static void a_full_disk_loses_nothing_and_is_named(void **state)
{
	struct site *site = *state;
	int commits;

	mount_over(site, "size=1m");
	site->ledger = site_open(site, LEDGER_CREATE);
	GOOD(site, site->ledger);
	commits = fill_up(site);
	assert_true(site_fault(site, "ledger_full"));
	assert_true(commits > 1);

	/* With room again it goes on, through the same handle. */
	assert_int_equal(mount("none", site->folder->path, "tmpfs", MS_REMOUNT, "size=64m"), 0);
	assert_int_equal(site_number(site, "SELECT count(*) FROM sighting"), commits * 100);
	assert_int_equal(
		site_number(site, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
	fault_clear(&site->fault);
	assert_int_equal(saw(site, "web1", "after"), 1);
}

static void a_read_only_disk_is_named(void **state)
{
	struct person p = somebody("alice@example.com", PERSON_QUEUED);
	struct site *site = *state;

	mount_over(site, "size=8m");
	site->ledger = site_open(site, LEDGER_CREATE);
	GOOD(site, site->ledger);
	put(site, &p);
	ledger_close(site->ledger);
	assert_int_equal(
		mount("none", site->folder->path, "none", MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
		0);
	fault_clear(&site->fault);
	site->ledger = site_open(site, LEDGER_WRITE);
	if (site->ledger)
		assert_false(ledger_person_put(site->ledger, &p, "", "", &site->fault));
	assert_true(site_fault(site, "ledger_read_only"));
}

static bool is_denied(struct site *site, int number)
{
	struct ledger *l;

	(void)number;
	if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
		return false;
	l = site_open(site, LEDGER_READ);
	return !l && site_fault(site, "ledger_unreachable");
}

static void a_user_who_cannot_read_it_is_told_who_can(void **state)
{
	struct site *site = *state;

	if (geteuid() != 0) {
		print_message("# SKIP only root can change the user\n");
		skip();
	}
	opens(site, LEDGER_CREATE);
	assert_int_equal(chmod(site->folder->path, 0755), 0);
	at_once(site, 1, is_denied);
}

static void a_lock_is_waited_for_five_seconds_not_for_ever(void **state)
{
	struct site *site = *state;
	sqlite3 *other = NULL;
	int64_t start;

	site->ledger = site_open(site, LEDGER_CREATE);
	GOOD(site, site->ledger);
	assert_int_equal(sqlite3_open(site_file(site), &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	start = clock_boot_ms();
	assert_false(ledger_begin(site->ledger, &site->fault));
	assert_true(site_fault(site, "ledger_locked"));
	assert_in_range(clock_boot_ms() - start, 4000, 8000);
	assert_int_equal(person(site, "nobody@example.com").address[0], '\0'); /* reading goes on */
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(saw(site, "web1", "alice"), 1);
}

static void a_ledger_that_was_replaced_is_not_written_any_more(void **state)
{
	struct site *site = *state;
	char copy[128];

	site->ledger = site_open(site, LEDGER_CREATE);
	GOOD(site, site->ledger);
	saw(site, "web1", "alice");
	str_format(copy, sizeof(copy), "%s/copy", site->folder->path);
	folder_write(site->folder, "copy", "");
	assert_int_equal(rename(copy, site_file(site)), 0);
	assert_false(ledger_begin(site->ledger, &site->fault));
	assert_true(site_fault(site, "ledger_replaced"));
}

/* ---- migrations ---- */

#define PRESENT 2

static bool not_empty(struct ledger *l, void *ctx, struct fault *fault)
{
	(void)l;
	(void)ctx;
	(void)fault;
	return false; /* only an empty file may ask for this */
}

static bool nothing_else(struct ledger *l, int64_t from, void *ctx, struct fault *fault)
{
	(void)l;
	(void)ctx;
	(void)fault;
	return from >= PRESENT;
}

/* Two steps beyond the present schema, as a later version would have them. */
static struct migration later[PRESENT + 2] = {
	[PRESENT] = {.sql = {"CREATE TABLE second (x INTEGER); INSERT INTO second VALUES (1)"}},
	[PRESENT + 1] = {.sql = {"ALTER TABLE second ADD COLUMN y INTEGER DEFAULT 5"}},
};

static int present_steps(void **state)
{
	assert_int_equal(schema_newest, PRESENT);
	for (int i = 0; i < PRESENT; i++)
		later[i] = schema_migrations[i];
	return site_new(state);
}

static bool migrate(struct ledger *l, const struct migration *steps, int more, struct fault *fault)
{
	static const struct schema_hooks hooks = {.created = not_empty, .migrated = nothing_else};

	return schema_migrate(l, steps, PRESENT + more, &hooks, fault);
}

static void an_older_ledger_goes_up_step_by_step(void **state)
{
	struct site *site = *state;

	GOOD(site, migrate(site->ledger, later, 1, &site->fault));
	assert_int_equal(ledger_schema(site->ledger), PRESENT + 1);
	GOOD(site, migrate(site->ledger, later, 2, &site->fault));
	assert_int_equal(ledger_schema(site->ledger), PRESENT + 2);
	assert_int_equal(site_number(site, "SELECT x + y FROM second"), 6);
	assert_int_equal(site_number(site, "PRAGMA user_version"), PRESENT + 2);
	refuses(site, LEDGER_WRITE, "ledger_newer"); /* and the present program keeps away */
}

static void a_step_that_fails_leaves_the_ledger_as_it_was(void **state)
{
	static const char third[] =
		"CREATE TABLE third (x INTEGER); INSERT INTO nowhere VALUES (1)";
	const struct migration good = later[PRESENT + 1];
	struct site *site = *state;

	later[PRESENT + 1] = (struct migration){.sql = {third}};
	assert_false(migrate(site->ledger, later, 2, &site->fault));
	assert_int_equal(site_number(site, "PRAGMA user_version"), PRESENT);
	assert_int_equal(site_number(site, "SELECT count(*) FROM sqlite_master"
					   " WHERE name IN ('second', 'third')"),
		0);
	later[PRESENT + 1] = good;
	GOOD(site, migrate(site->ledger, later, 2, &site->fault));
}

static bool migrates(struct site *site, int number)
{
	struct ledger *l = site_open(site, LEDGER_WRITE);
	bool good;

	(void)number;
	if (!l) /* others were quick: the ledger is newer already */
		return strcmp(site->fault.code, "ledger_newer") == 0;
	good = migrate(l, later, 2, &site->fault);
	ledger_close(l);
	return good;
}

static void of_programs_that_start_at_once_one_makes_each_step(void **state)
{
	struct site *site = *state;

	ledger_close(site->ledger);
	site->ledger = NULL;
	for (int round = 0; round < 5; round++) {
		at_once(site, 6, migrates);
		assert_int_equal(site_number(site, "SELECT count(*) FROM second"), 1);
		assert_int_equal(site_number(site, "PRAGMA user_version"), PRESENT + 2);
		site_sql(site, "DROP TABLE second; PRAGMA user_version = 2");
	}
}

static void a_reader_asks_for_the_services_when_the_ledger_is_older(void **state)
{
	struct site *site = *state;
	char sql[64];

	ledger_close(site->ledger);
	site->ledger = NULL;
	str_format(sql, sizeof(sql), "PRAGMA user_version = %d", schema_newest - 1);
	site_sql(site, sql);
	refuses(site, LEDGER_READ, "ledger_older");
	assert_non_null(strstr(site->fault.remedy, "Restart the services"));
}

#define MOUNTED(test)  cmocka_unit_test_setup_teardown(test, site_prepare, unmount)
#define FRESH(test)    cmocka_unit_test_setup_teardown(test, site_prepare, site_free)
#define MIGRATED(test) cmocka_unit_test_setup_teardown(test, present_steps, site_free)
#define MADE(test)     cmocka_unit_test_setup_teardown(test, site_new, site_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_new_ledger_is_for_its_owner_alone_whatever_the_umask),
		FRESH(a_ledger_keeps_its_id_and_no_two_have_the_same),
		FRESH(the_engine_is_durable_forgets_for_good_and_trusts_no_file),
		FRESH(programs_that_start_at_once_make_one_ledger),
		FRESH(what_a_stopped_maker_left_is_made_whole),
		FRESH(a_ledger_that_is_not_there_is_missed_not_made),
		FRESH(another_engine_is_refused),
		FRESH(links_and_devices_are_no_ledger),
		FRESH(a_ledger_that_others_may_read_is_refused),
		FRESH(a_ledger_is_open_to_its_group_and_to_no_other),
		FRESH(only_the_directory_s_owner_makes_a_ledger),
		FRESH(a_foreign_database_is_left_alone),
		FRESH(a_newer_ledger_is_refused_with_both_versions),
		FRESH(a_file_that_was_put_in_its_place_is_noticed),
		FRESH(another_customer_s_ledger_is_refused),
		FRESH(the_customer_may_be_named_after_the_collector_has_begun),
		FRESH(a_damaged_ledger_says_so),
		MOUNTED(a_full_disk_loses_nothing_and_is_named),
		MOUNTED(a_read_only_disk_is_named),
		FRESH(a_user_who_cannot_read_it_is_told_who_can),
		FRESH(a_lock_is_waited_for_five_seconds_not_for_ever),
		FRESH(a_ledger_that_was_replaced_is_not_written_any_more),
		MIGRATED(an_older_ledger_goes_up_step_by_step),
		MIGRATED(a_step_that_fails_leaves_the_ledger_as_it_was),
		MIGRATED(of_programs_that_start_at_once_one_makes_each_step),
		MADE(a_reader_asks_for_the_services_when_the_ledger_is_older),
	};

	return cmocka_run_group_tests_name("ledger: opening", tests, NULL, NULL);
}
