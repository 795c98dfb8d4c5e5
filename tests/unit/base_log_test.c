/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <errno.h>

#include "base/fault.h"
#include "base/log.h"

/* Standard error goes into the file "log" while a test writes; what it said. */
static int saved_stderr;

static void divert(struct folder *f)
{
	int fd = open(folder_path(f, "log"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	saved_stderr = dup(STDERR_FILENO);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
}

static char *back(struct folder *f)
{
	assert_int_equal(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	close(saved_stderr);
	return folder_read(f, "log");
}

static void a_line_has_time_program_event_and_sentence(void **state)
{
	struct folder *f = *state;
	char *said;

	unsetenv("JOURNAL_STREAM");
	divert(f);
	log_start("cloudinvite-test", LOG_LEVEL_INFO);
	errno = ENOSPC;
	log_event(LOG_LEVEL_INFO, "seen", "%d new faces", 3);
	assert_int_equal(errno, ENOSPC);
	log_event(LOG_LEVEL_DEBUG, "detail", "nobody reads this");
	said = back(f);
	assert_int_equal(
		strlen(said), strlen("2026-11-23T04:28:01Z cloudinvite-test: seen: 3 new faces\n"));
	assert_string_equal(said + 20, " cloudinvite-test: seen: 3 new faces\n");
	free(said);
}

static void the_journal_gets_priorities_and_no_time(void **state)
{
	struct folder *f = *state;
	char stream[64], *said;
	struct stat st;

	divert(f);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	text_format(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_start("cloudinvite-test", LOG_LEVEL_NOTE);
	log_event(LOG_LEVEL_ERROR, "brake", "stopped");
	log_event(LOG_LEVEL_NOTE, "seen", "alice");
	log_event(LOG_LEVEL_INFO, "seen", "bob");
	said = back(f);
	assert_string_equal(said, "<3>brake: stopped\n<5>seen: alice\n");
	free(said);
}

static void somebody_elses_journal_is_none(void **state)
{
	struct folder *f = *state;
	char *said;

	setenv("JOURNAL_STREAM", "1:1", 1);
	divert(f);
	log_start("cloudinvite-test", LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_INFO, "seen", "alice");
	said = back(f);
	unsetenv("JOURNAL_STREAM");
	assert_int_not_equal(said[0], '<');
	free(said);
}

static void a_hostile_line_stays_one_line(void **state)
{
	struct folder *f = *state;
	char huge[5000], *said;

	memset(huge, 'h', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	divert(f);
	log_start("t", LOG_LEVEL_INFO);
	log_event(
		LOG_LEVEL_WARN, "bad", "%s", "x\n2026-11-23T04:28:01Z t: invited: mallory\x1b[2J");
	log_event(LOG_LEVEL_WARN, "bad", "%s", huge);
	said = back(f);
	assert_int_equal(strcspn(strchr(said, '\n') + 1, "\n"), strlen(strchr(said, '\n')) - 2);
	assert_non_null(strstr(said, "x\\x0a2026"));
	assert_null(strchr(said, '\x1b'));
	assert_true(strlen(said) < 1400);
	free(said);
}

static void addresses_are_masked_unless_asked_for(void **state)
{
	const char *first, *fourth;

	(void)state;
	log_show_addresses(false);
	first = log_address("alice@example.com");
	assert_string_equal(first, "a***e@example.com");
	log_show_addresses(true);
	log_address("b@example.com");
	log_address("c@example.com");
	fourth = log_address("alice@example.com");
	log_show_addresses(false);
	assert_string_equal(fourth, "alice@example.com");
	assert_string_equal(first, "a***e@example.com");
}

/* ---- faults -------------------------------------------------------------------------------------
 */

static void a_fault_says_what_and_what_to_do(void **state)
{
	struct folder *f = *state;
	struct fault fault;
	char *said;

	fault_clear(&fault);
	assert_int_equal(fault.kind, FAULT_NONE);
	assert_false(fault_set(&fault, FAULT_SETTINGS, "bad_number", "line %d: '%s'", 3, "many\n"));
	assert_string_equal(fault.what, "line 3: 'many\\x0a'");
	assert_string_equal(fault.remedy, "");
	assert_false(fault_remedy(&fault, "Write a %s.", "number"));
	assert_string_equal(fault.remedy, "Write a number.");
	assert_string_equal(fault.code, "bad_number");
	divert(f);
	log_start("t", LOG_LEVEL_INFO);
	log_fault(LOG_LEVEL_ERROR, "settings", &fault);
	said = back(f);
	assert_string_equal(
		said + 20, " t: settings: settings: line 3: 'many\\x0a' Write a number.\n");
	free(said);
	/* The next fault does not keep the remedy of the last, and may quote it. */
	fault_set(&fault, FAULT_LATER, NULL, "before: %s", fault.what);
	assert_string_equal(fault.what, "before: line 3: 'many\\x0a'");
	assert_string_equal(fault.remedy, "");
	assert_string_equal(fault.code, "");
	assert_false(fault_set(NULL, FAULT_LATER, "x", "y"));
	assert_false(fault_remedy(NULL, "y"));
	fault_clear(NULL);
}

static void too_long_a_fault_is_cut(void **state)
{
	struct fault fault;
	char huge[3000];

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	fault_set(&fault, FAULT_STORAGE, huge, "%s", huge);
	assert_true(strlen(fault.what) < sizeof(fault.what));
	assert_true(text_ends(fault.what, "…"));
	assert_true(strlen(fault.code) < sizeof(fault.code));
}

static void kinds_have_words_and_exit_codes(void **state)
{
	static const struct {
		enum fault_kind kind;
		const char *word;
		int code;
	} kinds[] = {{FAULT_NONE, "none", 0}, {FAULT_USAGE, "usage", 2},
		{FAULT_SETTINGS, "settings", 3}, {FAULT_CREDENTIALS, "credentials", 4},
		{FAULT_LATER, "later", 5}, {FAULT_SETUP, "setup", 6}, {FAULT_PERSON, "person", 6},
		{FAULT_POLICY, "policy", 7}, {FAULT_STORAGE, "storage", 8}};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_string_equal(fault_kind_word(kinds[i].kind), kinds[i].word);
		assert_int_equal(fault_exit_code(kinds[i].kind), kinds[i].code);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_line_has_time_program_event_and_sentence),
		T(the_journal_gets_priorities_and_no_time),
		T(somebody_elses_journal_is_none),
		T(a_hostile_line_stays_one_line),
		T(addresses_are_masked_unless_asked_for),
		T(a_fault_says_what_and_what_to_do),
		T(too_long_a_fault_is_cut),
		T(kinds_have_words_and_exit_codes),
	};

	return cmocka_run_group_tests_name("base log and faults", tests, NULL, NULL);
}
