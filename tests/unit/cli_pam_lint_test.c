/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "tests/unit/pam_tree.h"

#define LINE "session optional pam_cloudinvite.so"

/* A short form of Debian's files. */
static void debian(struct folder *f)
{
	folder_write(f, "etc/pam.d/common-session",
		"session [default=1] pam_permit.so\nsession requisite pam_deny.so\n"
		"session required pam_permit.so\nsession required pam_unix.so\n" LINE "\n");
	folder_write(f, "etc/pam.d/sshd",
		"auth required pam_unix.so\nsession required pam_selinux.so close\n"
		"session required pam_loginuid.so\n@include common-session\n"
		"session required pam_selinux.so open\n");
	folder_write(f, "etc/pam.d/su", "auth required pam_unix.so\n@include common-session\n");
	folder_write(f, "etc/pam.d/sddm", "auth required pam_unix.so\nsession required pam_u.so\n");
}

/* The problems that are reported if the service sshd has this text. */
static struct said review(struct folder *f, const char *sshd)
{
	folder_write(f, "etc/pam.d/sshd", sshd);
	return pam_tree_review(f, NULL);
}

static void debians_profile_has_no_findings(void **state)
{
	struct folder *f = *state;

	debian(f);
	assert_string_equal(pam_tree_review(f, "/var/spool/cloudinvite").text, "");
}

static void fedoras_postlogin_has_no_findings(void **state)
{
	struct folder *f = *state;

	folder_write(f, "etc/pam.d/postlogin",
		"session optional pam_umask.so silent\n"
		"session [success=1 default=ignore] pam_succeed_if.so service !~ gdm* quiet\n"
		"session [default=1] pam_lastlog.so nowtmp showfailed\n"
		"session optional pam_lastlog.so silent noupdate showfailed\n" LINE "\n");
	folder_write(f, "etc/pam.d/password-auth",
		"session [success=1 default=ignore] pam_succeed_if.so service in crond quiet\n"
		"session required pam_unix.so\n");
	assert_string_equal(review(f, "session required pam_selinux.so close\n"
				      "session required pam_loginuid.so\n"
				      "session required pam_selinux.so open env_params\n"
				      "session include password-auth\n"
				      "session include postlogin\n")
				    .text,
		"");
}

static void required_without_the_file_is_the_worst(void **state)
{
	struct folder *f = *state;
	struct said said;

	said = review(f, "session required pam_cloudinvite.so\n");
	assert_string_equal(said.text, "pam_required@sshd:1 ");
	assert_int_equal(said.bad, 1);
	unlink(folder_path(f, "lib/pam_cloudinvite.so"));
	assert_string_equal(
		review(f, "session required pam_cloudinvite.so\n").text, "pam_no_module@sshd:1 ");
	assert_string_equal(review(f, LINE "\n").text, "pam_no_module@sshd:1 ");
	assert_string_equal(review(f, "session [success=ok] pam_cloudinvite.so\n").text,
		"pam_no_module@sshd:1 ");
	assert_string_equal(review(f, "session optional /nowhere/pam_cloudinvite.so\n").text,
		"pam_no_module@sshd:1 ");
}

static void a_module_that_others_can_write_is_reported(void **state)
{
	struct folder *f = *state;

	assert_int_equal(chmod(folder_path(f, "lib/pam_cloudinvite.so"), 0666), 0);
	assert_string_equal(review(f, LINE "\n").text, "pam_not_roots@sshd:1 ");
}

static void outside_of_session_it_does_nothing(void **state)
{
	struct folder *f = *state;

	assert_string_equal(review(f, "auth optional pam_cloudinvite.so\n" LINE "\n").text,
		"pam_wrong_type@sshd:1 ");
	assert_string_equal(review(f, "account required pam_cloudinvite.so\n").text,
		"pam_wrong_type@sshd:1 pam_required@sshd:1 ");
}

static void a_control_that_skips_or_refuses_is_reported(void **state)
{
	struct folder *f = *state;

	assert_string_equal(
		review(f, "session sufficient pam_cloudinvite.so\n").text, "pam_skips@sshd:1 ");
	assert_string_equal(
		review(f, "session [success=2 default=ignore] pam_cloudinvite.so\n").text,
		"pam_skips@sshd:1 ");
	assert_string_equal(
		review(f, "session [success=die default=ignore] pam_cloudinvite.so\n").text,
		"pam_refuses@sshd:1 ");
}

/* There, the jump over pam_deny.so lands on it. */
static void a_line_that_a_jump_skips_is_reported(void **state)
{
	struct folder *f = *state;

	assert_string_equal(review(f, "session [default=1] pam_permit.so\n" LINE "\n"
				      "session requisite pam_deny.so\n"
				      "session required pam_permit.so\n")
				    .text,
		"pam_jumped@sshd:2 ");
	assert_string_equal(review(f, "session [default=1] pam_permit.so\n"
				      "session requisite pam_deny.so\n" LINE "\n")
				    .text,
		"");
}

static void a_substack_counts_as_one_line_of_a_jump(void **state)
{
	struct folder *f = *state;

	folder_write(f, "etc/pam.d/inner",
		"session optional pam_1.so\nsession optional pam_2.so\n"
		"session sufficient pam_3.so\n");
	assert_string_equal(review(f, "session [default=1] pam_permit.so\n"
				      "session substack inner\n" LINE "\n")
				    .text,
		"");
	assert_string_equal(review(f, "session [default=2] pam_permit.so\n"
				      "session substack inner\n" LINE "\n")
				    .text,
		"pam_jumped@sshd:3 ");
}

static void a_line_that_ends_the_stack_before_ours_is_reported(void **state)
{
	struct folder *f = *state;
	struct said said = review(f, "session sufficient pam_mine.so\n" LINE "\n");

	assert_string_equal(said.text, "pam_cut_short@sshd:2 ");
	assert_int_equal(said.bad, 0);
}

static void before_selinux_and_loginuid_it_is_early(void **state)
{
	struct folder *f = *state;

	assert_string_equal(review(f, LINE "\nsession required pam_selinux.so close\n"
					   "session required pam_loginuid.so\n")
				    .text,
		"pam_early@sshd:1 ");
	assert_string_equal(review(f, "session required pam_selinux.so close\n" LINE
				      "\nsession required pam_loginuid.so\n")
				    .text,
		"pam_early@sshd:2 ");
}

static void a_second_line_in_one_session_is_reported(void **state)
{
	struct folder *f = *state;

	folder_write(f, "etc/pam.d/postlogin", LINE "\n");
	assert_string_equal(
		review(f, LINE "\nsession include postlogin\n").text, "pam_twice@postlogin:1 ");
}

static void arguments_are_read_as_the_module_reads_them(void **state)
{
	struct folder *f = *state;

	assert_string_equal(review(f, LINE " notify min_uid=2000 skip_services=a,b\n").text, "");
	assert_string_equal(review(f, LINE " notfy\n").text, "pam_argument@sshd:1 ");
	assert_string_equal(review(f, LINE " spool=relative\n").text, "pam_argument@sshd:1 ");
	assert_string_equal(
		review(f, LINE " notify message_file=/etc/invited\n").text, "pam_argument@sshd:1 ");
	assert_string_equal(
		review(f, LINE " notify message_file=/var/spool/cloudinvite/invited\n").text, "");
	folder_write(f, "etc/pam.d/sshd", LINE " spool=/srv/spool\n");
	assert_string_equal(pam_tree_review(f, "/srv/spool").text, "");
	assert_string_equal(pam_tree_review(f, "/var/spool/cloudinvite").text, "pam_spool@sshd:1 ");
}

static void a_file_that_sudo_and_cron_share_is_reported_once(void **state)
{
	struct folder *f = *state;

	folder_write(f, "etc/pam.d/system-auth", LINE "\n");
	folder_write(f, "etc/pam.d/sudo", "session include system-auth\n");
	folder_write(f, "etc/pam.d/common-session-pc", LINE "\n");
	assert_string_equal(review(f, "session include system-auth\n").text,
		"pam_overwritten@common-session-pc:1 pam_shared@system-auth:1 ");
}

static void a_service_that_pam_refuses_is_reported_if_it_has_our_line(void **state)
{
	struct folder *f = *state;

	folder_write(f, "etc/pam.d/others", "session include nowhere\n");
	assert_string_equal(
		review(f, LINE "\nsession include nowhere\n").text, "pam_unreadable@sshd:2 ");
}

/* ---- services ---- */

static bool add_service(const struct pam_service *service, void *ctx)
{
	static const char *const words[] = {"absent", "present", "skipped"};
	char *text = ctx;
	size_t n = strlen(text);

	return str_format(text + n, 256 - n, "%s:%s%s ", service->name, words[service->presence],
		service->login ? "" : "(other)");
}

static void each_login_service_has_a_presence(void **state)
{
	struct folder *f = *state;
	const struct pam_site site = {.root = f->path, .module = ""};
	struct fault fault = {.kind = FAULT_NONE};
	char text[256] = "";

	debian(f);
	folder_write(f, "etc/pam.d/app", LINE " skip_services=app\n");
	assert_true(pam_each_service(&site, add_service, text, &fault));
	assert_string_equal(text, "app:skipped(other) sddm:absent sshd:present su:skipped(other) ");
}

/* useradd -u 100001, max_uid = 200000, and a module that follows login.defs: no login is seen. */
static void a_range_that_is_narrower_than_the_settings_is_dangerous(void **state)
{
	static const struct {
		const char *login_defs, *arguments;
		int64_t min, max;
		const char *found;
	} rows[] = {
		{"", "", 1000, 60000, ""},
		{"", "", 1000, 200000, "pam_max_uid@sshd:1 "},
		{"", "", 500, 60000, "pam_min_uid@sshd:1 "},
		{"UID_MAX 200000\n", "", 1000, 200000, ""},
		{"  UID_MAX\t50000\n#UID_MAX 70000\n", "", 1000, 60000, "pam_max_uid@sshd:1 "},
		{"UID_MAX 1\nUID_MAX 60000\nUID_MIN 2000\n", "", 1000, 60000,
			"pam_min_uid@sshd:1 "},
		{"", " max_uid=200000", 1000, 200000, ""},
		{"UID_MIN 2000\n", " min_uid=1000 max_uid=60000", 1000, 60000, ""},
		{"", " max_uid=199999 min_uid=1001", 1000, 200000,
			"pam_max_uid@sshd:1 pam_min_uid@sshd:1 "},
	};
	struct folder *f = *state;
	struct settings settings = {.network_users = false};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[128];
		struct said said;

		folder_write(f, "etc/login.defs", rows[i].login_defs);
		str_format(line, sizeof(line), LINE "%s\n", rows[i].arguments);
		folder_write(f, "etc/pam.d/sshd", line);
		settings.min_uid = rows[i].min;
		settings.max_uid = rows[i].max;
		said = pam_tree_review_with(f, NULL, &settings);
		if (strcmp(said.text, rows[i].found) != 0)
			fail_msg("row %zu: '%s'", i, said.text);
		assert_int_equal(said.bad > 0, rows[i].found[0] != '\0');
	}
	settings = (struct settings){.min_uid = 1000, .max_uid = 60000, .network_users = true};
	folder_write(f, "etc/login.defs", "");
	folder_write(f, "etc/pam.d/sshd", LINE "\n");
	assert_string_equal(
		pam_tree_review_with(f, NULL, &settings).text, "pam_network_users@sshd:1 ");
	folder_write(f, "etc/pam.d/sshd", LINE " network_users\n");
	assert_string_equal(pam_tree_review_with(f, NULL, &settings).text, "");
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, pam_tree_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(debians_profile_has_no_findings),
		TREE_TEST(a_range_that_is_narrower_than_the_settings_is_dangerous),
		TREE_TEST(fedoras_postlogin_has_no_findings),
		TREE_TEST(required_without_the_file_is_the_worst),
		TREE_TEST(a_module_that_others_can_write_is_reported),
		TREE_TEST(outside_of_session_it_does_nothing),
		TREE_TEST(a_control_that_skips_or_refuses_is_reported),
		TREE_TEST(a_line_that_a_jump_skips_is_reported),
		TREE_TEST(a_substack_counts_as_one_line_of_a_jump),
		TREE_TEST(a_line_that_ends_the_stack_before_ours_is_reported),
		TREE_TEST(before_selinux_and_loginuid_it_is_early),
		TREE_TEST(a_second_line_in_one_session_is_reported),
		TREE_TEST(arguments_are_read_as_the_module_reads_them),
		TREE_TEST(a_file_that_sudo_and_cron_share_is_reported_once),
		TREE_TEST(a_service_that_pam_refuses_is_reported_if_it_has_our_line),
		TREE_TEST(each_login_service_has_a_presence),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
