/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment that remains for the libraries of a program that runs as a service's account.
 */
#include "tests/unit/child.h"

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/environment.h"
#include "base/privdrop.h"

#define NEEDS_ROOT()                \
	do {                        \
		if (geteuid() != 0) \
			skip();     \
	} while (0)

#define SERVICE 4711
#define PASSWD	"root:x:0:0:root:/root:/bin/bash\ncloudinvite:x:4711:4711::/:/usr/sbin/nologin\n"

static void write_at(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	MUST(fd >= 0 && fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0 && close(fd) == 0);
}

static void make_at(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	MUST(mkdir(path, 0700) == 0 && chown(path, uid, gid) == 0 && chmod(path, mode) == 0);
}

/* In a child: /mnt is a directory of root's outside of /tmp, with one path of each kind. */
static void own_places(struct folder *f)
{
	folder_write(f, "passwd", PASSWD);
	MUST(unshare(CLONE_NEWNS) == 0);
	MUST(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0);
	MUST(mount(f->file, "/etc/passwd", "none", MS_BIND, NULL) == 0);
	MUST(mount("none", "/mnt", "tmpfs", 0, "mode=0755") == 0);
	write_at("/mnt/roots", 0, 0, 0644);
	write_at("/mnt/services", SERVICE, 0, 0644);
	write_at("/mnt/groups", 0, SERVICE, 0664);
	write_at("/mnt/other-groups", 0, 50, 0664);
	write_at("/mnt/everybodys", 0, 0, 0666);
	make_at("/mnt/open", 0, 0, 01777);
	write_at("/mnt/open/roots", 0, 0, 0644);
	make_at("/mnt/state", SERVICE, SERVICE, 0700);
	MUST(symlink("/mnt/state/later", "/mnt/link") == 0);
	write_at("/mnt/state/later", 0, 0, 0644);
}

static void become_service(void)
{
	struct fault fault = {0};

	MUST(drop_privileges("cloudinvite", NULL, &fault) && geteuid() == SERVICE);
}

static void check_paths(void *ctx)
{
	static const struct {
		const char *value;
		bool good;
	} rows[] = {
		{"", true},
		{"all+none", true},
		{"relative/path", true},
		{"8:12345", true},
		{"/", true},
		{"/mnt/roots", true},
		{"/mnt/other-groups", true},
		{"/mnt/missing", true},
		{"/mnt/missing/further/", true},
		{"device:/dev/null", true},
		{"/usr/lib:/mnt/roots", true},
		{"/mnt/services", false},
		{"/mnt/groups", false},
		{"/mnt/everybodys", false},
		{"/mnt/open/roots", false},
		{"/mnt/open/missing", false},
		{"/mnt/state", false},
		{"/mnt/state/", false},
		{"/mnt/state/missing/further", false},
		{"//mnt//state", false},
		{"/mnt/../mnt/state", false},
		{"/mnt/link", false},
		{"/usr/lib:/mnt/state", false},
		{"::/mnt/state:", false},
		{"conf:/mnt/state/x", false},
	};

	own_places(ctx);
	MUST(setgroups(0, NULL) == 0 && setresgid(SERVICE, SERVICE, SERVICE) == 0);
	MUST(setresuid(SERVICE, SERVICE, SERVICE) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (environment_is_roots(rows[i].value) != rows[i].good) {
			fprintf(stderr, "# '%s'\n", rows[i].value);
			_exit(1);
		}
}

static void a_path_counts_if_root_alone_can_write_all_of_it(void **state)
{
	NEEDS_ROOT();
	child_run(check_paths, *state);
}

static void must_be(const char *name, const char *value)
{
	const char *is = getenv(name);

	MUST(value ? is && strcmp(is, value) == 0 : !is);
}

static void must_have_no_home(void)
{
	must_be("HOME", ENVIRONMENT_NO_HOME);
	must_be("XDG_CONFIG_HOME", ENVIRONMENT_NO_HOME);
	must_be("XDG_DATA_HOME", ENVIRONMENT_NO_HOME);
	must_be("XDG_CACHE_HOME", ENVIRONMENT_NO_HOME);
	must_be("XDG_STATE_HOME", ENVIRONMENT_NO_HOME);
	must_be("XDG_RUNTIME_DIR", ENVIRONMENT_NO_HOME);
	MUST(access(ENVIRONMENT_NO_HOME, F_OK) != 0);
}

static void put_variables(void)
{
	static const char *const names[] = {"SOFTHSM2_CONF", "OPENSSL_CONF", "TSS2_FAPICONF",
		"HOSTALIASES", "GCONV_PATH", "A_VENDORS_OWN", "PKCS11_MODULE_PATH"};

	MUST(clearenv() == 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		MUST(setenv(names[i], "/mnt/state/evil", 1) == 0);
	MUST(setenv("OPENSC_CONF", "/mnt/roots", 1) == 0);
	MUST(setenv("TPM2OPENSSL_TCTI", "device:/dev/null", 1) == 0);
	MUST(setenv("CREDENTIALS_DIRECTORY", "/mnt/state", 1) == 0);
	MUST(setenv("NOTIFY_SOCKET", "/mnt/open/notify", 1) == 0);
	MUST(setenv("HOME", "/mnt/state", 1) == 0);
	MUST(setenv("XDG_DATA_DIRS", "/mnt/state", 1) == 0);
	MUST(setenv("NO_COLOR", "1", 1) == 0);
}

static void close_variables(void *ctx)
{
	own_places(ctx);
	put_variables();
	become_service();
	must_have_no_home();
	must_be("SOFTHSM2_CONF", NULL);
	must_be("OPENSSL_CONF", NULL);
	must_be("TSS2_FAPICONF", NULL);
	must_be("HOSTALIASES", NULL);
	must_be("GCONV_PATH", NULL);
	must_be("A_VENDORS_OWN", NULL);
	must_be("PKCS11_MODULE_PATH", NULL);
	must_be("XDG_DATA_DIRS", NULL);
	must_be("OPENSC_CONF", "/mnt/roots");
	must_be("TPM2OPENSSL_TCTI", "device:/dev/null");
	must_be("CREDENTIALS_DIRECTORY", "/mnt/state");
	must_be("NOTIFY_SOCKET", "/mnt/open/notify");
	must_be("NO_COLOR", "1");
}

static void root_that_becomes_the_service_leaves_its_environment(void **state)
{
	NEEDS_ROOT();
	child_run(close_variables, *state);
}

static void start_directly(void *ctx)
{
	own_places(ctx);
	put_variables();
	MUST(setgroups(0, NULL) == 0 && setresgid(SERVICE, SERVICE, SERVICE) == 0);
	MUST(setresuid(SERVICE, SERVICE, SERVICE) == 0);
	become_service();
	must_have_no_home();
	must_be("SOFTHSM2_CONF", NULL);
}

static void started_as_the_service_it_is_the_same(void **state)
{
	NEEDS_ROOT();
	child_run(start_directly, *state);
}

static void stay_another(void *ctx)
{
	struct fault fault = {0};

	own_places(ctx);
	put_variables();
	MUST(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
	MUST(drop_privileges("cloudinvite", NULL, &fault) && geteuid() == 65534);
	must_be("HOME", "/mnt/state");
	must_be("SOFTHSM2_CONF", "/mnt/state/evil");
}

static void others_keep_theirs_for_their_browser(void **state)
{
	NEEDS_ROOT();
	child_run(stay_another, *state);
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_path_counts_if_root_alone_can_write_all_of_it),
		T(root_that_becomes_the_service_leaves_its_environment),
		T(started_as_the_service_it_is_the_same),
		T(others_keep_theirs_for_their_browser),
	};

	return cmocka_run_group_tests_name("base: environment", tests, NULL, NULL);
}
