/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two moments of /etc/pam.d, line by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/pam/snapshot.h"

#define SU	 "/etc/pam.d/su: auth required pam_unix.so\n"
#define SSHD	 "/etc/pam.d/sshd: session optional pam_x.so\n"
#define OTHER	 "/etc/pam.d/su: session optional pam_x.so\n"
#define EMPTY	 "/etc/pam.d/su: \n"
#define SU_GONE	 "/etc/pam.d/su: - auth required pam_unix.so\n"
#define SSHD_NEW "/etc/pam.d/sshd: + session optional pam_x.so\n"

static void expect(const char *before, const char *after, const char *difference)
{
	struct pam_snapshot a = {.lines.data = NULL}, b = {.lines.data = NULL};
	struct strbuf out = {.data = NULL};

	assert_true(!before || strbuf_add(&a.lines, before));
	assert_true(!after || strbuf_add(&b.lines, after));
	assert_true(pam_snapshot_compare(&a, &b, &out));
	assert_string_equal(out.data ? out.data : "", difference);
	strbuf_free(&out);
	pam_snapshot_free(&a);
	pam_snapshot_free(&b);
}

static void compare_of_equal_snapshots_gives_nothing(void **state)
{
	(void)state;
	expect(NULL, NULL, "");
	expect(SU SSHD, SU SSHD, "");
	expect(SU OTHER, OTHER SU, "");
}

static void compare_names_what_is_gone_and_what_is_new(void **state)
{
	(void)state;
	expect(SU, SU SSHD, SSHD_NEW);
	expect(SSHD SU, SSHD, SU_GONE);
	expect(SU, SSHD, SU_GONE SSHD_NEW);
	expect(NULL, SSHD, SSHD_NEW);
	expect(SU, NULL, SU_GONE);
}

static void compare_tells_the_same_line_of_two_files_apart(void **state)
{
	(void)state;
	expect(OTHER, OTHER SSHD, SSHD_NEW);
	expect(OTHER, SSHD, "/etc/pam.d/su: - session optional pam_x.so\n" SSHD_NEW);
}

static void compare_counts_lines_that_stand_more_than_once(void **state)
{
	(void)state;
	expect(SU, SU SU, "/etc/pam.d/su: + auth required pam_unix.so\n");
	expect(SU SU SU, SU, SU_GONE SU_GONE);
	expect(EMPTY SU, EMPTY SU EMPTY, "/etc/pam.d/su: + \n");
}

static void compare_does_not_take_the_beginning_of_a_line_for_the_line(void **state)
{
	(void)state;
	expect("/etc/pam.d/a: session x\n", "/etc/pam.d/a: session x y\n",
		"/etc/pam.d/a: - session x\n/etc/pam.d/a: + session x y\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compare_of_equal_snapshots_gives_nothing),
		cmocka_unit_test(compare_names_what_is_gone_and_what_is_new),
		cmocka_unit_test(compare_tells_the_same_line_of_two_files_apart),
		cmocka_unit_test(compare_counts_lines_that_stand_more_than_once),
		cmocka_unit_test(compare_does_not_take_the_beginning_of_a_line_for_the_line),
	};

	return cmocka_run_group_tests_name("cli: PAM snapshot", tests, NULL, NULL);
}
