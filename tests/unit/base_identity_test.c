/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/identity.h"

#define PASSWD                                           \
	"root:x:0:0:root:/root:/bin/bash\n"              \
	"toor:x:0:0:root again:/root:/bin/bash\n"        \
	"broken line\n"                                  \
	"service:x:4711:4712::/nonexistent:/bin/false\n" \
	"alice:x:1001:1001:Alice:/home/alice:/bin/bash\n"

/* Runs in a child with a passwd of its own; 0 if all went well. */
static int in_a_child(struct folder *f, int (*what)(void))
{
	int status = -1;
	pid_t child;

	folder_write(f, "passwd", PASSWD);
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
			mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
			mount(folder_path(f, "passwd"), "/etc/passwd", NULL, MS_BIND, NULL) != 0)
			_exit(99);
		_exit(what());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int becomes_the_service(void)
{
	const gid_t many[] = {0, 4, 27};
	struct fault fault = {.kind = FAULT_NONE};
	uid_t r, e, s;
	gid_t groups[8], rg, eg, sg;

	if (setgroups(3, many) != 0 || !identity_become("service", &fault))
		return 1;
	if (getresuid(&r, &e, &s) != 0 || r != 4711 || e != 4711 || s != 4711)
		return 2;
	if (getresgid(&rg, &eg, &sg) != 0 || rg != 4712 || eg != 4712 || sg != 4712)
		return 3;
	/* Nothing of root's groups is left, and root does not come back. */
	if (getgroups(8, groups) != 1 || groups[0] != 4712)
		return 4;
	if (setuid(0) == 0 || seteuid(0) == 0)
		return 5;
	if (umask(022) != 077)
		return 6;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 7;
	/* Somebody else already: it does nothing, whatever the name. */
	return identity_become("nobody-at-all", &fault) && getuid() == 4711 ? 0 : 8;
}

static int refuses_others(void)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (identity_become("toor", &fault) || fault.kind != FAULT_SETTINGS || !fault.remedy[0])
		return 1;
	fault_clear(&fault);
	if (identity_become("missing", &fault) || strstr(fault.remedy, "missing") == NULL)
		return 2;
	fault_clear(&fault);
	if (identity_become("", &fault) || fault.kind != FAULT_SETTINGS)
		return 3;
	if (geteuid() != 0)
		return 4;
	/* A site that says root means it. */
	return identity_become("root", &fault) && geteuid() == 0 ? 0 : 5;
}

static int finds_in_the_file(void)
{
	struct fault fault = {.kind = FAULT_NONE};
	uid_t uid = 1;
	gid_t gid = 1;

	if (!identity_find("service", &uid, &gid, &fault) || uid != 4711 || gid != 4712)
		return 1;
	if (!identity_find("root", &uid, &gid, &fault) || uid != 0 || gid != 0)
		return 2;
	return identity_find("broken line", &uid, &gid, &fault) ||
			       identity_find("serv", &uid, &gid, &fault)
		       ? 3
		       : 0;
}

static int names_the_actor(void)
{
	char actor[64];

	/* Without a login uid (a service, a container) it is the real user, or who used sudo. */
	unsetenv("SUDO_USER");
	identity_actor(actor, sizeof(actor));
	if (strcmp(actor, "root") != 0 && strstr(actor, "(as root)") == NULL)
		return 1;
	if (strcmp(actor, "root") != 0)
		return 0;
	setenv("SUDO_USER", "alice", 1);
	identity_actor(actor, sizeof(actor));
	if (strcmp(actor, "alice (sudo)") != 0)
		return 2;
	for (const char *const *hostile = (const char *const[]){"a b", "-x", "", "a\nb", "a;b",
		     "averyveryveryveryveryverylongname", NULL};
		*hostile; hostile++) {
		setenv("SUDO_USER", *hostile, 1);
		identity_actor(actor, sizeof(actor));
		if (strcmp(actor, "root") != 0)
			return 3;
	}
	/* Nobody but root is believed about who used sudo. */
	setenv("SUDO_USER", "alice", 1);
	if (setresuid(4711, 4711, 4711) != 0)
		return 4;
	identity_actor(actor, sizeof(actor));
	return strcmp(actor, "service") == 0 ? 0 : 5;
}

static void root_becomes_the_service_for_good(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_a_child(*state, becomes_the_service), 0);
}

static void root_by_another_name_and_nobody_are_refused(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_a_child(*state, refuses_others), 0);
}

static void accounts_are_found_in_the_file(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_a_child(*state, finds_in_the_file), 0);
}

static void the_actor_is_who_asked(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_a_child(*state, names_the_actor), 0);
}

static void the_host_has_a_name_in_lower_case(void **state)
{
	char name[256], tiny[4];

	(void)state;
	identity_host(name, sizeof(name));
	assert_true(name[0] != '\0');
	for (const char *p = name; *p; p++)
		assert_int_equal(*p, text_lower(*p));
	identity_host(tiny, sizeof(tiny));
	assert_true(strlen(tiny) < sizeof(tiny));
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(root_becomes_the_service_for_good),
		T(root_by_another_name_and_nobody_are_refused),
		T(accounts_are_found_in_the_file),
		T(the_actor_is_who_asked),
		T(the_host_has_a_name_in_lower_case),
	};

	return cmocka_run_group_tests_name("base identity", tests, NULL, NULL);
}
