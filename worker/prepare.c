/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --prepare makes for the accounts: the run directory with its locks, the state directory with
 * the parts of each program, the ledger, the tokens. An account owns only directories in which root
 * does nothing.
 */
#include "worker/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/instance.h"
#include "base/machine.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "worker/prepare_bounded.h"
#include "worker/prepare_directory.h"
#include "worker/prepare_spool.h"

/* ---- accounts ---- */

static bool find_account(const char *user, uid_t *uid, gid_t *gid, struct fault *fault)
{
	*uid = 0;
	*gid = 0;
	return strcmp(user, "root") == 0 || passwd_find(user, uid, gid, fault);
}

bool prepare_find_accounts(const struct settings *s, struct accounts *a, struct fault *fault)
{
	return find_account(s->collector_user, &a->collector, &a->collector_group, fault) &&
	       find_account(s->dispatcher_user, &a->dispatcher, &a->dispatcher_group, fault) &&
	       find_account(s->ledger_user, &a->ledger, &a->ledger_group, fault);
}

/* ---- run ---- */

/* Made once, so that no program ever has to make a file there, and none can be replaced by another
 * account's. The directory is root's: only root has changed what is in it. */
static bool prepare_file(int dir, const char *path, const char *name, uid_t uid, gid_t gid,
	mode_t mode, struct fault *fault)
{
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(!S_ISREG(st.st_mode) || st.st_nlink != 1) && unlinkat(dir, name, 0) != 0)
		return prepare_error(path, fault);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return prepare_error(path, fault);
	file_close(&fd);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return prepare_error(path, fault);
	if (st.st_uid == uid && st.st_gid == gid && (st.st_mode & 07777) == mode)
		return true;
	return (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0 &&
		       fchmodat(dir, name, mode, 0) == 0) ||
	       prepare_error(path, fault);
}

/* For programs that may not read the UUID of firmware or hypervisor. */
static bool prepare_machine(int dir, const char *run, struct fault *fault)
{
	char product[MACHINE_FACT_SIZE];

	machine_product("", product);
	return file_replace_at(dir, MACHINE_FILE, product, strlen(product), MACHINE_FILE_MODE) ==
		       0 ||
	       prepare_error(run, fault);
}

static bool prepare_run(const char *run, const struct accounts *a, struct fault *fault)
{
	static const struct owner_rule owner_rules[] = {
		{.prefix = "collector.lock", .drop = true, .lock = true},
		{.prefix = "dispatcher.lock", .drop = true, .lock = true},
		{.prefix = "", .drop = true}};
	const struct directory_spec want = {0, a->ledger_group, 0750, false, owner_rules, 3};
	const struct {
		const char *name;
		uid_t uid;
		gid_t gid;
		bool program; /* only a program has a lock */
	} owners[] = {{INSTANCE_COLLECTOR, a->collector, a->collector_group, true},
		{INSTANCE_DISPATCHER, a->dispatcher, a->dispatcher_group, true},
		{INSTANCE_COMMANDS, a->ledger, a->ledger_group, false}};
	int dir = prepare_open(run, &want, fault);
	char file[INSTANCE_FILE_MAX];
	bool good = dir >= 0;

	for (size_t i = 0; good && i < ARRAY_SIZE(owners); i++) {
		instance_lock_file(file, owners[i].name);
		good = !owners[i].program || prepare_file(dir, run, file, owners[i].uid,
						     owners[i].gid, INSTANCE_LOCK_MODE, fault);
		wakeup_file(file, owners[i].name);
		good = good && prepare_file(dir, run, file, owners[i].uid, a->ledger_group,
				       WAKEUP_FILE_MODE, fault);
	}
	good = good && prepare_machine(dir, run, fault);
	file_close(&dir);
	return good;
}

/* ---- ledger and state ---- */

static bool error_ledger(const char *path, const char *what, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_no_file", "%s: %s", path, what);
	return fault_remedy(fault, "Find out who created it and move it away. The next start "
				   "creates a new ledger; or restore one from a backup.");
}

static bool is_one_file(const char *path, const struct stat *st, struct fault *fault)
{
	if (!S_ISREG(st->st_mode))
		return error_ledger(path, "is not a plain file", fault);
	return st->st_nlink == 1 || error_ledger(path, "has another hard link", fault);
}

/* The sticky directory keeps the name of a file of root's. Only after that its mode may be changed
 * by name. */
static bool give_to_root(int dir, int fd, const char *path, const char *name, const struct stat *st,
	gid_t gid, struct fault *fault)
{
	struct stat now;

	if (fchownat(fd, "", 0, gid, AT_EMPTY_PATH) != 0 ||
		fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) != 0)
		return prepare_error(path, fault);
	if (now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		return error_ledger(path, "was replaced by another file in the meantime", fault);
	return fchmodat(dir, name, 0660, 0) == 0 || prepare_error(path, fault);
}

/* Until the file is root's, an account could exchange it between two system calls. So it is changed
 * through a descriptor that only names it. */
static bool own_ledger(int dir, const char *path, const char *name, gid_t gid, struct fault *fault)
{
	struct stat st = {.st_nlink = 0};
	bool good;
	int fd;

	prepare_works_at(path);
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	good = (fd >= 0 && fstat(fd, &st) == 0) || prepare_error(path, fault);

	good = good && is_one_file(path, &st, fault);
	if (good && (st.st_uid != 0 || st.st_gid != gid || (st.st_mode & 07777) != 0660))
		good = give_to_root(dir, fd, path, name, &st, gid, fault);
	file_close(&fd);
	return good;
}

/* The ledger's directory is root's, so that no account can replace the ledger. */
static bool prepare_ledger(int dir, const char *path, gid_t gid, struct fault *fault)
{
	const char *name = strrchr(path, '/') + 1;
	struct stat st;
	int fd = -1;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				0600);
		if (fd < 0 && errno != EEXIST)
			return prepare_error(path, fault);
		file_close(&fd);
	}
	return own_ledger(dir, path, name, gid, fault) &&
	       (fsync(dir) == 0 || prepare_error(path, fault));
}

/* Makes a directory of one account in the state directory. */
static bool prepare_part(
	int state, const char *path, const char *name, uid_t uid, gid_t gid, struct fault *fault)
{
	const struct owner_rule owner_rules[] = {
		{.prefix = "", .uid = uid, .gid = gid, .mode = 0600}};
	const struct directory_spec want = {uid, gid, 0700, true, owner_rules, 1};
	char whole[PATH_MAX];
	int fd;

	if (!str_format(whole, sizeof(whole), "%s/%s", path, name)) {
		errno = ENAMETOOLONG;
		return prepare_error(path, fault);
	}
	fd = prepare_at(state, name, whole, &want, fault);
	if (fd < 0)
		return false;
	file_close(&fd);
	return true;
}

/* The accounts share the files in it by its group (setgid), and none can remove another one's file
 * (sticky). */
static int open_shared(
	const char *path, const char *ledger, const struct accounts *a, struct fault *fault)
{
	const struct owner_rule owner_rules[] = {
		{.prefix = strrchr(ledger, '/') + 1, .gid = a->ledger_group, .mode = 0660},
		{.prefix = "host",
			.uid = a->collector,
			.gid = a->collector_group,
			.mode = 0600,
			.into = SETTINGS_COLLECTOR},
		{.prefix = "", .uid = a->dispatcher, .gid = a->dispatcher_group, .mode = 0600}};
	const struct directory_spec want = {
		0, a->ledger_group, 03770, false, owner_rules, ARRAY_SIZE(owner_rules)};

	return prepare_open(path, &want, fault);
}

static bool prepare_state(
	const struct settings *s, const char *ledger, const struct accounts *a, struct fault *fault)
{
	int dir = open_shared(s->state, ledger, a, fault);
	bool good = dir >= 0 &&
		    prepare_part(dir, s->state, SETTINGS_COLLECTOR, a->collector,
			    a->collector_group, fault) &&
		    prepare_part(dir, s->state, SETTINGS_PRIVATE, a->dispatcher,
			    a->dispatcher_group, fault);

	file_close(&dir);
	return good;
}

/* The ledger's directory is the state directory, or a directory like it. */
static bool prepare_ledger_place(const char *ledger, const struct accounts *a, struct fault *fault)
{
	char directory[PATH_MAX];
	bool good;
	int dir;

	if (!str_format(directory, sizeof(directory), "%.*s", (int)(strrchr(ledger, '/') - ledger),
		    ledger)) {
		errno = ENAMETOOLONG;
		return prepare_error(ledger, fault);
	}
	dir = open_shared(directory, ledger, a, fault);
	good = dir >= 0 && prepare_ledger(dir, ledger, a->ledger_group, fault);
	file_close(&dir);
	return good;
}

/* ---- tokens ---- */

static bool prepare_tokens(const char *tokens, const struct accounts *a, struct fault *fault)
{
	const struct owner_rule owner_rules[] = {
		{.prefix = "", .uid = a->dispatcher, .gid = a->dispatcher_group, .mode = 0600}};
	const struct directory_spec own = {
		a->dispatcher, a->dispatcher_group, 0700, false, owner_rules, 1};

	return prepare_as(tokens, &own, fault);
}

/* ---- everything ---- */

/* Without root nothing can be made, but what exists may be enough. */
static bool all_there(const struct settings *s, struct fault *fault)
{
	const char *const paths[] = {s->spool, s->state, s->tokens, s->run};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = open(paths[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0) {
			prepare_error(paths[i], fault);
			return fault_remedy(
				fault, "Run it as root: only root can create the directories.");
		}
		file_close(&fd);
	}
	return true;
}

/* The directories in it belonged to the old account, if there is one. */
bool prepare_spool_alone(const struct settings *s, struct fault *fault)
{
	struct old_owner old = {.name = TAKE_OVER_ACCOUNT};
	gid_t gid;

	if (geteuid() != 0)
		return all_there(s, fault);
	if (!passwd_find(old.name, &old.uid, &gid, NULL)) {
		old.name = settings_collector_user(s);
		if (!find_account(old.name, &old.uid, &gid, fault))
			return false;
	}
	return prepare_spool(s->spool, &old, fault);
}

/* The run directory comes first: it shows whether a program of an older version still runs. */
bool prepare_directories(const struct settings *s, struct fault *fault)
{
	const char *ledger = strchr(s->ledger, '/');
	struct accounts a;

	if (geteuid() != 0)
		return all_there(s, fault);
	return prepare_find_accounts(s, &a, fault) && prepare_run(s->run, &a, fault) &&
	       prepare_spool_alone(s, fault) && prepare_tokens(s->tokens, &a, fault) &&
	       prepare_state(s, ledger, &a, fault) && prepare_ledger_place(ledger, &a, fault);
}
