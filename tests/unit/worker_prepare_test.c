/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I18 (docs/design.md, "Invariants"). */
#include "base/str.h"
#include "child.h"

#include <grp.h>

#include "base/array.h"
#include "base/privdrop.h"
#include "worker/prepare.h"

#define STRANGER 54321

/* Settings whose directories are in the folder, as deep as the usual ones. */
struct place {
	struct folder *folder;
	struct settings settings;
	char paths[4][128];
	char ledger[160];
	char collector[16], dispatcher[16], user[16]; /* user: the ledger's */
	struct fault fault;
};

static int place_new(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	static const char *const names[] = {
		"var/spool/cloudinvite", "var/lib/cloudinvite", "var/cache/cloudinvite", "run"};
	void *folder = NULL;

	assert_non_null(p);
	folder_new(&folder);
	p->folder = folder;
	for (int i = 0; i < 4; i++)
		str_copy(p->paths[i], sizeof(p->paths[i]), folder_path(p->folder, names[i]));
	str_copy(p->collector, sizeof(p->collector), "daemon");
	str_copy(p->dispatcher, sizeof(p->dispatcher), "bin");
	str_copy(p->user, sizeof(p->user), "games");
	str_format(p->ledger, sizeof(p->ledger), "sqlite:%s/ledger.db", p->paths[1]);
	p->settings = (struct settings){.spool = p->paths[0],
		.state = p->paths[1],
		.tokens = p->paths[2],
		.run = p->paths[3],
		.ledger = p->ledger,
		.collector_user = p->collector,
		.dispatcher_user = p->dispatcher,
		.ledger_user = p->user};
	*state = p;
	return 0;
}

/* Only root can make them. */
static struct place *place_of(void **state)
{
	if (geteuid() != 0)
		skip();
	return *state;
}

static int place_free(void **state)
{
	struct place *p = *state;
	void *folder = p->folder;

	folder_free(&folder);
	free(p);
	return 0;
}

static void prepared(struct place *p)
{
	if (!prepare_directories(&p->settings, &p->fault))
		fail_msg("%s | %s", p->fault.what, p->fault.remedy);
}

static bool refused(struct place *p, const char *code)
{
	p->fault = (struct fault){.kind = FAULT_NONE};
	return !prepare_directories(&p->settings, &p->fault) && p->fault.kind == FAULT_STORAGE &&
	       strcmp(p->fault.code, code) == 0;
}

static void is(struct place *p, const char *name, mode_t kind, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat st;

	assert_int_equal(lstat(folder_path(p->folder, name), &st), 0);
	if ((st.st_mode & S_IFMT) != kind || st.st_uid != uid || st.st_gid != gid ||
		(st.st_mode & 07777) != mode)
		fail_msg("%s: %u:%u %07o", name, st.st_uid, st.st_gid, st.st_mode);
}

static void directory_is(struct place *p, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	is(p, name, S_IFDIR, uid, gid, mode);
}

static void file_is(struct place *p, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	is(p, name, S_IFREG, uid, gid, mode);
}

struct who {
	uid_t uid;
	gid_t gid;
};

static struct who who(const char *user)
{
	struct who found = {.uid = 0};

	assert_true(passwd_find(user, &found.uid, &found.gid, NULL));
	return found;
}

static void all_are_right(struct place *p)
{
	struct who collector = who(p->collector), dispatcher = who(p->dispatcher);
	struct who ledger = who(p->user);

	directory_is(p, "var", 0, 0, 0755);
	directory_is(p, "var/spool", 0, 0, 0755);
	directory_is(p, "var/spool/cloudinvite", 0, 0, 0700);
	directory_is(p, "var/spool/cloudinvite/new", 0, 0, 0700);
	directory_is(p, "var/spool/cloudinvite/seen", 0, 0, 0700);
	directory_is(p, "var/spool/cloudinvite/bad", 0, 0, 0700);
	directory_is(p, "var/lib/cloudinvite", 0, ledger.gid, 03770);
	file_is(p, "var/lib/cloudinvite/ledger.db", 0, ledger.gid, 0660);
	directory_is(p, "var/lib/cloudinvite/collector", collector.uid, collector.gid, 0700);
	directory_is(p, "var/lib/cloudinvite/private", dispatcher.uid, dispatcher.gid, 0700);
	directory_is(p, "var/cache/cloudinvite", dispatcher.uid, dispatcher.gid, 0700);
	directory_is(p, "run", 0, ledger.gid, 0750);
	file_is(p, "run/collector.lock", collector.uid, collector.gid, 0600);
	file_is(p, "run/collector.wake", collector.uid, ledger.gid, 0640);
	file_is(p, "run/dispatcher.lock", dispatcher.uid, dispatcher.gid, 0600);
	file_is(p, "run/dispatcher.wake", dispatcher.uid, ledger.gid, 0640);
	file_is(p, "run/commands.wake", ledger.uid, ledger.gid, 0640);
}

static void everything_is_made_with_its_owner_and_mode(void **state)
{
	struct place *p = place_of(state);

	prepared(p);
	all_are_right(p);
}

static void the_umask_changes_nothing(void **state)
{
	struct place *p = place_of(state);
	mode_t old = umask(0777);

	prepared(p);
	umask(old);
	all_are_right(p);
}

static void a_worker_that_is_root_has_root_s_directories(void **state)
{
	struct place *p = place_of(state);

	str_copy(p->collector, sizeof(p->collector), "root");
	str_copy(p->dispatcher, sizeof(p->dispatcher), "root");
	str_copy(p->user, sizeof(p->user), "root");
	prepared(p);
	all_are_right(p);
}

static void a_second_time_changes_nothing_and_a_wrong_mode_is_repaired(void **state)
{
	struct place *p = place_of(state);
	char *text;

	prepared(p);
	folder_write(p->folder, "var/lib/cloudinvite/ledger.db", "precious");
	folder_write(p->folder, "var/lib/cloudinvite/private/login.json", "precious");
	prepared(p);
	assert_int_equal(chmod(folder_path(p->folder, "var/spool/cloudinvite/new"), 02777), 0);
	assert_int_equal(chmod(folder_path(p->folder, "var/lib/cloudinvite"), 0755), 0);
	assert_int_equal(chown(folder_path(p->folder, "var/spool/cloudinvite/seen"), 1, 1), 0);
	prepared(p);
	all_are_right(p);
	text = folder_read(p->folder, "var/lib/cloudinvite/ledger.db");
	assert_string_equal(text, "precious");
	free(text);
}

/* What an account has made in its own directories is not touched, and links there have no
 * effect. */
static void what_an_account_owns_is_not_touched(void **state)
{
	static const char *const places[] = {"var/lib/cloudinvite/private/login.json",
		"var/lib/cloudinvite/collector/host", "var/cache/cloudinvite/last-mail"};
	struct place *p = place_of(state);
	char target[256];

	prepared(p);
	str_copy(target, sizeof(target), folder_write(p->folder, "target", "root's"));
	assert_int_equal(chmod(target, 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		assert_int_equal(symlink(target, folder_path(p->folder, places[i])), 0);
	prepared(p);
	file_is(p, "target", 0, 0, 0600);
}

/* The accounts can replace the ledger with anything as long as it is not root's. */
static void a_ledger_that_is_not_a_plain_file_of_one_name_is_refused(void **state)
{
	struct place *p = place_of(state);
	char target[256], ledger[256];

	prepared(p);
	str_copy(target, sizeof(target), folder_write(p->folder, "target", "root's"));
	assert_int_equal(chmod(target, 0600), 0);
	str_copy(ledger, sizeof(ledger), folder_path(p->folder, "var/lib/cloudinvite/ledger.db"));
	for (int planted = 0; planted < 3; planted++) {
		assert_int_equal(remove(ledger), 0);
		if (planted == 0)
			assert_int_equal(symlink(target, ledger), 0);
		else if (planted == 1)
			assert_int_equal(link(target, ledger), 0);
		else
			assert_int_equal(mkfifo(ledger, 0600), 0);
		assert_true(refused(p, "ledger_no_file"));
		assert_true(p->fault.remedy[0] != '\0');
		file_is(p, "target", 0, 0, 0600);
	}
}

/* A ledger that an account has made, and one from a backup, become root's. */
static void a_ledger_of_another_owner_becomes_root_s(void **state)
{
	struct place *p = place_of(state);

	prepared(p);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(
			chown(folder_path(p->folder, "var/lib/cloudinvite/ledger.db"), i, i), 0);
		assert_int_equal(chmod(p->folder->file, 0600), 0);
		prepared(p);
		all_are_right(p);
	}
}

/* Only root can have put it into root's run directory; a program could not use it. */
static void what_is_not_a_file_of_the_run_directory_is_replaced(void **state)
{
	struct place *p = place_of(state);

	prepared(p);
	assert_int_equal(unlink(folder_path(p->folder, "run/collector.wake")), 0);
	assert_int_equal(mkfifo(p->folder->file, 0600), 0);
	assert_int_equal(unlink(folder_path(p->folder, "run/dispatcher.lock")), 0);
	assert_int_equal(symlink("/etc/passwd", p->folder->file), 0);
	assert_int_equal(chown(folder_path(p->folder, "run/commands.wake"), 0, 0), 0);
	prepared(p);
	all_are_right(p);
}

static void a_directory_of_another_owner_is_refused_and_left_unchanged(void **state)
{
	static const char *const names[] = {"var/lib/cloudinvite", "var/lib/cloudinvite/private",
		"var/lib/cloudinvite/collector", "var/cache/cloudinvite", "var/spool/cloudinvite",
		"var/spool/cloudinvite/new", "run"};
	struct place *p = place_of(state);

	prepared(p);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct stat was;

		assert_int_equal(stat(folder_path(p->folder, names[i]), &was), 0);
		assert_int_equal(chown(p->folder->file, STRANGER, STRANGER), 0);
		/* The contents of a directory that others own are not trusted either. */
		if (!refused(p, "wrong_owner") && !refused(p, "prepare"))
			fail_msg("%s was taken", names[i]);
		assert_non_null(strstr(p->fault.what, "54321"));
		assert_true(p->fault.remedy[0] != '\0');
		directory_is(p, names[i], STRANGER, STRANGER, was.st_mode & 07777);
		assert_int_equal(
			chown(folder_path(p->folder, names[i]), was.st_uid, was.st_gid), 0);
	}
}

static void a_link_or_a_file_in_its_place_is_refused(void **state)
{
	struct place *p = place_of(state);

	prepared(p);
	assert_int_equal(rmdir(folder_path(p->folder, "var/cache/cloudinvite")), 0);
	assert_int_equal(symlink("/etc", p->folder->file), 0);
	assert_true(refused(p, "prepare"));
	assert_non_null(strstr(p->fault.what, "is not a directory"));
	assert_int_equal(unlink(folder_path(p->folder, "var/cache/cloudinvite")), 0);
	folder_write(p->folder, "var/cache/cloudinvite", "");
	assert_true(refused(p, "prepare"));
}

/* Its name could be given to another directory between two system calls. */
static void a_place_that_others_can_change_is_refused(void **state)
{
	static const mode_t modes[] = {0777, 0757};
	struct place *p = place_of(state);

	prepared(p);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(chmod(folder_path(p->folder, "var/lib"), modes[i]), 0);
		assert_true(refused(p, "prepare"));
		assert_non_null(strstr(p->fault.what, "can be changed"));
	}
	assert_int_equal(chmod(folder_path(p->folder, "var/lib"), 01777), 0);
	prepared(p);
}

/* The sticky bit keeps names from being removed, not from being made: a link on the path would be
 * followed. */
static void a_place_that_a_group_can_change_is_refused(void **state)
{
	struct place *p = place_of(state);

	prepared(p);
	assert_int_equal(chown(folder_path(p->folder, "var/lib"), 0, 1), 0);
	assert_int_equal(chmod(p->folder->file, 01775), 0);
	assert_true(refused(p, "prepare"));
	assert_non_null(strstr(p->fault.what, "can be changed"));
}

static void an_account_that_is_not_there_is_named(void **state)
{
	struct place *p = place_of(state);
	char *const names[] = {p->collector, p->dispatcher, p->user};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char before[16];

		str_copy(before, sizeof(before), names[i]);
		str_copy(names[i], sizeof(p->user), "no-such-user");
		assert_false(prepare_directories(&p->settings, &p->fault));
		assert_non_null(strstr(p->fault.what, "no-such-user"));
		assert_true(p->fault.remedy[0] != '\0');
		str_copy(names[i], sizeof(p->user), before);
	}
	assert_int_equal(access(folder_path(p->folder, "run"), F_OK), -1);
}

static void not_as_root(void *ctx)
{
	struct place *p = ctx;

	MUST(chmod(p->folder->path, 0755) == 0);
	MUST(setgroups(1, (gid_t[]){who(p->user).gid}) == 0);
	MUST(setgid(1) == 0 && setuid(1) == 0);
	MUST(prepare_directories(&p->settings, &p->fault));
	p->settings.tokens = p->user;
	MUST(!prepare_directories(&p->settings, &p->fault));
	MUST(strstr(p->fault.remedy, "root"));
}

static void without_root_only_what_is_there_will_do(void **state)
{
	struct place *p = place_of(state);

	prepared(p);
	child_run(not_as_root, p);
	all_are_right(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_new, place_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_is_made_with_its_owner_and_mode),
		TEST(the_umask_changes_nothing),
		TEST(a_worker_that_is_root_has_root_s_directories),
		TEST(a_second_time_changes_nothing_and_a_wrong_mode_is_repaired),
		TEST(what_an_account_owns_is_not_touched),
		TEST(a_ledger_that_is_not_a_plain_file_of_one_name_is_refused),
		TEST(a_ledger_of_another_owner_becomes_root_s),
		TEST(what_is_not_a_file_of_the_run_directory_is_replaced),
		TEST(a_directory_of_another_owner_is_refused_and_left_unchanged),
		TEST(a_link_or_a_file_in_its_place_is_refused),
		TEST(a_place_that_others_can_change_is_refused),
		TEST(a_place_that_a_group_can_change_is_refused),
		TEST(an_account_that_is_not_there_is_named),
		TEST(without_root_only_what_is_there_will_do),
	};

	return cmocka_run_group_tests_name("worker: --prepare", tests, NULL, NULL);
}
