/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults and the log: a reader learns what happened and what to do, in one line that no outside
 * text can break, and that contains no complete address.
 */
#include "base/str.h"
#include "tests/unit/child.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

/* ---- faults ---- */

static void a_fault_has_kind_code_what_and_remedy(void **state)
{
	struct fault f = {0};

	(void)state;
	assert_false(
		fault_set(&f, FAULT_SETTINGS, "bad_number", "%s:%d: '%s'", "x.conf", 12, "many"));
	assert_false(fault_remedy(&f, "Write a number from %d to %d.", 0, 600));
	assert_int_equal(f.kind, FAULT_SETTINGS);
	assert_string_equal(f.code, "bad_number");
	assert_string_equal(f.what, "x.conf:12: 'many'");
	assert_string_equal(f.remedy, "Write a number from 0 to 600.");
	fault_set(&f, FAULT_TRANSIENT, NULL, "another");
	assert_string_equal(f.code, "");
	assert_string_equal(f.remedy, "");
	fault_clear(&f);
	assert_int_equal(f.kind, FAULT_NONE);
	assert_string_equal(f.what, "");
}

static void the_fault_may_be_null(void **state)
{
	(void)state;
	assert_false(fault_set(NULL, FAULT_TRANSIENT, "x", "y"));
	assert_false(fault_remedy(NULL, "z"));
	fault_clear(NULL);
}

static void a_fault_breaks_no_terminal_and_no_line(void **state)
{
	char longest[2000];
	struct fault f = {0};

	(void)state;
	fault_set(&f, FAULT_REJECTED, "x", "%s", "\033[2J\nroot:x:0:0 \xff");
	assert_string_equal(f.what, "\\x1b[2J\\x0aroot:x:0:0 \\xff");
	fault_remedy(&f, "%s", "a\rb");
	assert_string_equal(f.remedy, "a\\x0db");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	fault_set(&f, FAULT_REJECTED, longest, "%s", longest);
	assert_int_equal(strlen(f.code), sizeof(f.code) - 1);
	assert_int_equal(strlen(f.what), sizeof(f.what) - 1);
	assert_true(str_ends(f.what, "\xe2\x80\xa6"));
}

static void a_fault_can_be_set_again_with_a_prefix(void **state)
{
	struct fault f = {0};

	(void)state;
	fault_set(&f, FAULT_STORAGE, "disk", "No space left on device");
	fault_set(&f, f.kind, "disk", "ledger.db: %s", f.what);
	assert_string_equal(f.what, "ledger.db: No space left on device");
}

static void exit_codes_are_those_of_the_design(void **state)
{
	static const struct {
		enum fault_kind kind;
		const char *word;
		int code;
	} cases[] = {
		{FAULT_NONE, "none", 0},
		{FAULT_USAGE, "usage", 2},
		{FAULT_SETTINGS, "settings", 3},
		{FAULT_CREDENTIALS, "credentials", 4},
		{FAULT_TRANSIENT, "transient", 5},
		{FAULT_AMBIGUOUS, "ambiguous", 5},
		{FAULT_STOPPED, "stopped", 5},
		{FAULT_SETUP, "setup", 6},
		{FAULT_REJECTED, "rejected", 6},
		{FAULT_POLICY, "policy", 7},
		{FAULT_STORAGE, "storage", 8},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(fault_kind_word(cases[i].kind), cases[i].word);
		assert_int_equal(fault_exit_code(cases[i].kind), cases[i].code);
	}
}

/* ---- the log: standard error is a file meanwhile ---- */

static int real_stderr = -1;

static void listen(struct folder *f)
{
	const char *path = folder_write(f, "log", "");
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	real_stderr = dup(STDERR_FILENO);
	assert_true(fd >= 0 && real_stderr >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
	log_start("cloudinvite-collector", LOG_LEVEL_INFO);
}

/* The log's output; the caller frees it. */
static char *heard(struct folder *f)
{
	assert_int_equal(dup2(real_stderr, STDERR_FILENO), STDERR_FILENO);
	close(real_stderr);
	return folder_read(f, "log");
}

static void a_line_has_time_program_event_and_sentence(void **state)
{
	struct folder *f = *state;
	int64_t at;
	char *line, *rest;

	listen(f);
	errno = EPROTO;
	log_event(LOG_LEVEL_NOTE, "invited", "%d people", 3);
	assert_int_equal(errno, EPROTO);
	line = heard(f);
	rest = strchr(line, ' ');
	assert_non_null(rest);
	*rest = '\0';
	assert_true(clock_parse_rfc3339(line, &at));
	assert_true(clock_wall() - at < 60);
	assert_string_equal(rest + 1, "cloudinvite-collector: invited: 3 people\n");
	free(line);
}

static void lines_above_the_level_are_dropped(void **state)
{
	struct folder *f = *state;
	char *said;

	listen(f);
	log_event(LOG_LEVEL_DEBUG, "hidden", "nobody wants to know");
	log_event(LOG_LEVEL_INFO, "plain", "yes");
	log_start("cloudinvite", LOG_LEVEL_ERROR);
	log_event(LOG_LEVEL_WARN, "hidden", "no more");
	said = heard(f);
	assert_null(strstr(said, "hidden"));
	assert_non_null(strstr(said, "plain: yes\n"));
	free(said);
}

static void whatever_is_logged_it_is_one_line_of_bounded_length(void **state)
{
	struct folder *f = *state;
	char longest[5000], *said;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	listen(f);
	log_event(LOG_LEVEL_INFO, "odd", "%s", "a\nfake: line\r\033[31m\xff");
	log_event(LOG_LEVEL_INFO, "long", "%s", longest);
	said = heard(f);
	assert_non_null(strstr(said, "odd: a\\x0afake: line\\x0d\\x1b[31m\\xff\n"));
	assert_int_equal(strcspn(strchr(said, '\n') + 1, "\n") + 1, strlen(strchr(said, '\n') + 1));
	assert_true(strlen(said) < 1300);
	assert_true(str_ends(said, "\xe2\x80\xa6\n"));
	free(said);
}

static void a_fault_is_logged_with_its_remedy(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	char *said;

	listen(f);
	fault_set(&fault, FAULT_SETUP, "api_disabled", "the API is disabled");
	log_fault(LOG_LEVEL_ERROR, "guard_tripped", &fault);
	fault_remedy(&fault, "Enable it.");
	log_fault(LOG_LEVEL_ERROR, "guard_tripped", &fault);
	said = heard(f);
	assert_non_null(strstr(said, "guard_tripped: setup: the API is disabled\n"));
	assert_non_null(strstr(said, "guard_tripped: setup: the API is disabled. Enable it.\n"));
	free(said);
}

static void only_the_journal_reads_prefixes(void **state)
{
	struct folder *f = *state;
	char stream[64], *said;
	struct stat st;

	listen(f);
	log_journal_at("/nonexistent"); /* then it goes to the stream */
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	str_format(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_start("cloudinvite", LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_WARN, "one", "to the journal");
	/* As inherited from a parent with another stream. */
	assert_int_equal(setenv("JOURNAL_STREAM", "8:4711", 1), 0);
	log_start("cloudinvite", LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_WARN, "two", "to a file");
	unsetenv("JOURNAL_STREAM");
	log_journal_at(JOURNAL_SOCKET);
	said = heard(f);
	assert_int_equal(strncmp(said, "<4>one: to the journal\n", 23), 0);
	assert_non_null(strstr(said, "Z cloudinvite: two: to a file\n"));
	free(said);
}

static void log_to_a_full_disk(void *ctx)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)ctx;
	MUST(fd >= 0);
	MUST(dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	errno = EPROTO;
	log_event(LOG_LEVEL_ERROR, "x", "y");
	MUST(errno == EPROTO);
	close(STDERR_FILENO);
	log_event(LOG_LEVEL_ERROR, "x", "y");
	MUST(errno == EPROTO);
}

static void a_log_that_cannot_be_written_stops_no_program(void **state)
{
	(void)state;
	child_run(log_to_a_full_disk, NULL);
}

static void addresses_are_masked_unless_the_settings_say_otherwise(void **state)
{
	const char *a, *b, *c, *d;

	(void)state;
	a = log_address("alice@example.com");
	b = log_address("bob@example.com");
	c = log_address("carol@example.com");
	d = log_address("dave@example.com");
	/* Four in one call are four different texts. */
	assert_string_equal(a, "a***e@example.com");
	assert_string_equal(b, "b***b@example.com");
	assert_string_equal(c, "c***l@example.com");
	assert_string_equal(d, "d***e@example.com");
	log_show_addresses(true);
	assert_string_equal(log_address("alice@example.com"), "alice@example.com");
	log_show_addresses(false);
	assert_string_equal(log_address("alice@example.com"), "a***e@example.com");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_has_kind_code_what_and_remedy),
		cmocka_unit_test(the_fault_may_be_null),
		cmocka_unit_test(a_fault_breaks_no_terminal_and_no_line),
		cmocka_unit_test(a_fault_can_be_set_again_with_a_prefix),
		cmocka_unit_test(exit_codes_are_those_of_the_design),
		IN_FOLDER(a_line_has_time_program_event_and_sentence),
		IN_FOLDER(lines_above_the_level_are_dropped),
		IN_FOLDER(whatever_is_logged_it_is_one_line_of_bounded_length),
		IN_FOLDER(a_fault_is_logged_with_its_remedy),
		IN_FOLDER(only_the_journal_reads_prefixes),
		cmocka_unit_test(a_log_that_cannot_be_written_stops_no_program),
		cmocka_unit_test(addresses_are_masked_unless_the_settings_say_otherwise),
	};

	return cmocka_run_group_tests_name("base: fault and log", tests, NULL, NULL);
}
