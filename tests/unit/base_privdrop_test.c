/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts: root's rights are given up for good, and the actor is a name that cannot be forged.
 */
#include "tests/unit/child.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "base/array.h"
#include "base/privdrop.h"

#define NEEDS_ROOT()                \
	do {                        \
		if (geteuid() != 0) \
			skip();     \
	} while (0)

/* In a child: mounts a passwd file over the real one, for this process only. */
static void own_passwd(struct folder *f, const char *passwd)
{
	folder_write(f, "passwd", passwd);
	MUST(unshare(CLONE_NEWNS) == 0);
	MUST(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0);
	MUST(mount(f->file, "/etc/passwd", "none", MS_BIND, NULL) == 0);
}

#define PASSWD                                           \
	"root:x:0:0:root:/root:/bin/bash\n"              \
	"toor:x:0:0::/root:/bin/bash\n"                  \
	"broken line\n"                                  \
	"cloudinvite:x:4711:4712::/:/usr/sbin/nologin\n" \
	"cloudinvite2:x:5:5::/:/usr/sbin/nologin\n"      \
	"wheel:x:6:0::/:/usr/sbin/nologin\n"             \
	"\033[31mred:x:6000:6000::/:/bin/sh\n"

/* ---- looking up ---- */

static void root_is_found_and_a_missing_account_is_a_fault_with_a_remedy(void **state)
{
	struct fault fault = {0};
	uid_t uid = 42;
	gid_t gid = 42;

	(void)state;
	assert_true(passwd_find("root", &uid, &gid, &fault));
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 0);
	uid = 42;
	assert_false(passwd_find("no-such\naccount", &uid, &gid, &fault));
	assert_int_equal(uid, 42);
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	assert_non_null(strstr(fault.what, "no-such\\x0aaccount"));
	assert_non_null(strstr(fault.remedy, "useradd"));
	assert_false(passwd_find("", &uid, &gid, &fault));
	assert_false(passwd_find("roo", &uid, &gid, &fault));
	assert_false(passwd_find("root:x", &uid, &gid, &fault));
}

/* ---- changing the account ---- */

static void become_the_service(void *ctx)
{
	struct fault fault = {0};
	gid_t groups[16];
	uid_t r, e, s;

	own_passwd(ctx, PASSWD);
	MUST(setgroups(3, (gid_t[]){0, 4, 27}) == 0);
	(void)umask(0);
	MUST(drop_privileges("cloudinvite", NULL, &fault));
	MUST(getresuid(&r, &e, &s) == 0 && r == 4711 && e == 4711 && s == 4711);
	MUST(getresgid(&r, &e, &s) == 0 && r == 4712 && e == 4712 && s == 4712);
	MUST(getgroups(16, groups) == 1 && groups[0] == 4712);
	MUST(umask(0) == 077);
	MUST(prctl(PR_GET_DUMPABLE) == 0);
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	MUST(setuid(0) == -1 && seteuid(0) == -1 && setgid(0) == -1);
	MUST(open("/etc/shadow", O_RDONLY | O_CLOEXEC) == -1);
	/* A second call changes nothing. */
	MUST(drop_privileges("cloudinvite", NULL, &fault));
	MUST(drop_privileges("root", NULL, &fault));
	MUST(geteuid() == 4711);
}

static void root_becomes_the_service_for_good(void **state)
{
	NEEDS_ROOT();
	child_run(become_the_service, *state);
}

static void become_one_that_shares(void *ctx)
{
	struct fault fault = {0};
	gid_t groups[16];

	own_passwd(ctx, PASSWD);
	MUST(setgroups(3, (gid_t[]){0, 4, 27}) == 0);
	MUST(!drop_privileges("cloudinvite", "nobody-at-all", &fault));
	MUST(strcmp(fault.code, "no_such_user") == 0);
	MUST(!drop_privileges("cloudinvite", "root", &fault));
	MUST(!drop_privileges("cloudinvite", "wheel", &fault));
	MUST(strcmp(fault.code, "user_is_root") == 0);
	MUST(geteuid() == 0);
	MUST(drop_privileges("cloudinvite", "cloudinvite2", &fault));
	MUST(geteuid() == 4711 && getegid() == 4712);
	MUST(getgroups(16, groups) == 2);
	MUST((groups[0] == 4712 && groups[1] == 5) || (groups[0] == 5 && groups[1] == 4712));
	MUST(umask(0) == 007);
}

static void an_account_that_shares_files_has_that_group_only(void **state)
{
	NEEDS_ROOT();
	child_run(become_one_that_shares, *state);
}

static void become_root_by_another_name(void *ctx)
{
	struct fault fault = {0};

	own_passwd(ctx, PASSWD);
	MUST(!drop_privileges("toor", NULL, &fault));
	MUST(fault.kind == FAULT_SETTINGS);
	MUST(strcmp(fault.code, "user_is_root") == 0);
	MUST(fault.remedy[0]);
	fault_clear(&fault);
	MUST(!drop_privileges("nobody-at-all", NULL, &fault));
	MUST(strcmp(fault.code, "no_such_user") == 0);
	MUST(!drop_privileges("", NULL, &fault));
	MUST(!drop_privileges("broken line", NULL, &fault));
	MUST(geteuid() == 0);
	/* If the settings say root, it stays root. */
	MUST(drop_privileges("root", NULL, &fault));
	MUST(geteuid() == 0);
}

static void an_alias_of_root_or_nobody_is_refused(void **state)
{
	NEEDS_ROOT();
	child_run(become_root_by_another_name, *state);
}

static void become_nothing(void *ctx)
{
	struct fault fault = {0};

	(void)ctx;
	if (geteuid() == 0)
		MUST(setresuid(65534, 65534, 65534) == 0);
	uid_t before = geteuid();
	MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	MUST(drop_privileges("no-such-account", NULL, &fault));
	MUST(geteuid() == before);
	MUST(prctl(PR_GET_DUMPABLE) == 0);
}

static void another_user_stays_and_tracing_is_disabled(void **state)
{
	(void)state;
	child_run(become_nothing, NULL);
}

static pid_t start_as_nobody(bool shut)
{
	int told[2];
	pid_t child;
	char byte;

	MUST(pipe(told) == 0);
	child = fork();
	if (child == 0) {
		MUST(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
		MUST(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
		MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
		if (shut)
			disable_tracing();
		MUST(write(told[1], "x", 1) == 1);
		pause();
		_exit(0);
	}
	MUST(child > 0 && read(told[0], &byte, 1) == 1);
	return child;
}

static bool opens(pid_t pid, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	return open(path, flags | O_CLOEXEC) >= 0;
}

/* What the collector's unit hides could be seen through the dispatcher's /proc/PID/root, unless
 * that is closed. The process that does not close it shows that this test can fail. */
static void look_into_another(void *ctx)
{
	pid_t open_one = start_as_nobody(false), shut_one = start_as_nobody(true);

	(void)ctx;
	MUST(setgroups(0, NULL) == 0);
	MUST(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
	MUST(opens(open_one, "root/etc/passwd", O_RDONLY));
	MUST(!opens(shut_one, "root/etc/passwd", O_RDONLY));
	MUST(!opens(shut_one, "mem", O_RDWR));
	MUST(!opens(shut_one, "environ", O_RDONLY));
	MUST(!opens(shut_one, "fd/0", O_RDONLY));
	MUST(kill(open_one, SIGKILL) == 0 && kill(shut_one, SIGKILL) == 0);
}

static void a_process_of_the_same_account_cannot_trace_it(void **state)
{
	NEEDS_ROOT();
	child_run(look_into_another, *state);
}

/* ---- the actor ---- */

/* Without a login uid (as here, in the namespace) the real uid counts. */
static void no_login_uid(struct folder *f)
{
	folder_write(f, "loginuid", "4294967295");
	MUST(mount(f->file, "/proc/self/loginuid", "none", MS_BIND, NULL) == 0);
}

static void ask_as_many(void *ctx)
{
	static const char *const invented[] = {"", "-rf", "a b", "al\nice", "\033[2J", "a/b",
		"123456789012345678901234567890123", "$(id)", "\xc3\xa4"};
	struct folder *f = ctx;
	char actor[64], tiny[4];

	own_passwd(f, PASSWD);
	no_login_uid(f);
	unsetenv("SUDO_USER");
	audit_actor(actor, sizeof(actor));
	MUST(strcmp(actor, "root") == 0);
	MUST(setenv("SUDO_USER", "alice", 1) == 0);
	audit_actor(actor, sizeof(actor));
	MUST(strcmp(actor, "alice (sudo)") == 0);
	MUST(setenv("SUDO_USER", "12345678901234567890123456789.-_", 1) == 0);
	audit_actor(actor, sizeof(actor));
	MUST(strcmp(actor, "12345678901234567890123456789.-_ (sudo)") == 0);
	MUST(setenv("SUDO_USER", "alice", 1) == 0);
	audit_actor(tiny, sizeof(tiny));
	MUST(strcmp(tiny, "ali") == 0);
	for (size_t i = 0; i < ARRAY_SIZE(invented); i++) {
		MUST(setenv("SUDO_USER", invented[i], 1) == 0);
		audit_actor(actor, sizeof(actor));
		MUST(strcmp(actor, "root") == 0);
	}
	/* A user other than root could set the variable. */
	MUST(setenv("SUDO_USER", "alice", 1) == 0);
	MUST(setresuid(6000, 6000, 6000) == 0);
	audit_actor(actor, sizeof(actor));
	MUST(strcmp(actor, "\\x1b[31mred") == 0);
}

static void the_actor_is_the_account_or_the_user_that_sudo_names(void **state)
{
	NEEDS_ROOT();
	child_run(ask_as_many, *state);
}

static void ask_with_a_login_uid(void *ctx)
{
	struct folder *f = ctx;
	char actor[64];

	own_passwd(f, PASSWD);
	folder_write(f, "loginuid", "4711");
	MUST(mount(f->file, "/proc/self/loginuid", "none", MS_BIND, NULL) == 0);
	MUST(setenv("SUDO_USER", "alice", 1) == 0);
	audit_actor(actor, sizeof(actor));
	MUST(strcmp(actor, "cloudinvite (as root)") == 0);
	folder_write(f, "loginuid", "777777");
	audit_actor(actor, sizeof(actor));
	MUST(strcmp(actor, "uid 777777 (as root)") == 0);
}

static void the_login_uid_counts_more_than_what_the_environment_says(void **state)
{
	NEEDS_ROOT();
	child_run(ask_with_a_login_uid, *state);
}

/* ---- root without capabilities ---- */

static void is_bare(void *ctx)
{
	struct folder *f = ctx;
	struct fault fault = {.kind = FAULT_NONE};
	uid_t uid = geteuid();

	MUST(drop_capabilities(&fault));
	MUST(geteuid() == uid && getuid() == uid);
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	for (unsigned long cap = 0; uid == 0 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		MUST(prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0);
	/* Its own file can still be written, and no other. */
	folder_write(f, "own", "text");
	MUST(setuid(12345) == -1 && errno == EPERM);
	MUST(chown(folder_path(f, "own"), 12345, 12345) == -1 && errno == EPERM);
}

static void root_without_capabilities_can_only_use_its_own_files(void **state)
{
	child_run(is_bare, *state);
}

/* ---- the host ---- */

static void name_the_host(void *ctx)
{
	char host[64], tiny[5];

	(void)ctx;
	MUST(unshare(CLONE_NEWUTS) == 0);
	MUST(sethostname("Web-01.Example.COM", 18) == 0);
	local_hostname(host, sizeof(host));
	MUST(strcmp(host, "web-01.example.com") == 0);
	local_hostname(tiny, sizeof(tiny));
	MUST(strlen(tiny) < sizeof(tiny));
	MUST(sethostname("a\nb", 3) == 0);
	local_hostname(host, sizeof(host));
	MUST(strcmp(host, "a\\x0ab") == 0);
	MUST(sethostname("", 0) == 0);
	local_hostname(host, sizeof(host));
	MUST(strcmp(host, "localhost") == 0);
}

static void a_host_is_its_name_in_small_letters(void **state)
{
	NEEDS_ROOT();
	child_run(name_the_host, *state);
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(root_is_found_and_a_missing_account_is_a_fault_with_a_remedy),
		T(root_becomes_the_service_for_good),
		T(an_account_that_shares_files_has_that_group_only),
		T(an_alias_of_root_or_nobody_is_refused),
		T(another_user_stays_and_tracing_is_disabled),
		T(a_process_of_the_same_account_cannot_trace_it),
		T(root_without_capabilities_can_only_use_its_own_files),
		T(the_actor_is_the_account_or_the_user_that_sudo_names),
		T(the_login_uid_counts_more_than_what_the_environment_says),
		T(a_host_is_its_name_in_small_letters),
	};

	return cmocka_run_group_tests_name("base: identity", tests, NULL, NULL);
}
