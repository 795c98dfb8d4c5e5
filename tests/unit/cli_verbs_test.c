/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "cli/common/labels.h"
#include "cli/verbs.h"

static void assert_meant(const char *typed, const char *verb)
{
	const struct verb *nearest = verb_nearest(verbs, typed);

	assert_non_null(nearest);
	assert_string_equal(verb, nearest->name);
}

static void a_mistyped_verb_is_guessed(void **state)
{
	(void)state;
	assert_meant("stauts", "status");
	assert_meant("statu", "status");
	assert_meant("aprove", "approve");
	assert_meant("unblok", "unblock");
	assert_meant("hisotry", "history");
	assert_meant("expain", "explain");
	assert_meant("chekc", "check");
}

static void a_word_unlike_any_verb_has_no_suggestion(void **state)
{
	(void)state;
	assert_null(verb_nearest(verbs, "frobnicate"));
	assert_null(verb_nearest(verbs, "xyzzy"));
	assert_null(verb_nearest(verbs, ""));
	assert_null(verb_nearest(verbs, "a-very-long-word-that-is-no-verb-at-all"));
}

static void every_verb_has_a_summary_and_is_found(void **state)
{
	(void)state;
	for (const struct verb *verb = verbs; verb->name; verb++) {
		assert_ptr_equal(verb, verb_find(verbs, verb->name));
		assert_true(verb->summary[0] != '\0');
		assert_non_null(verb->usage);
		assert_non_null(verb->details);
		assert_non_null(verb->run);
	}
	assert_null(verb_find(verbs, "stat"));
}

static void verbs_of_a_group_stand_together(void **state)
{
	const char *closed[8];
	int count = 0;

	(void)state;
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (verb > verbs && strcmp(verb->group, verb[-1].group) == 0)
			continue;
		for (int i = 0; i < count; i++)
			assert_string_not_equal(closed[i], verb->group);
		closed[count++] = verb->group;
	}
}

static void the_worse_exit_code_is_the_higher(void **state)
{
	(void)state;
	assert_int_equal(1, cli_max_exit(0, 1));
	assert_int_equal(8, cli_max_exit(8, 5));
	assert_int_equal(0, cli_max_exit(0, 0));
}

static void every_state_says_what_happens_next(void **state)
{
	const struct service_state service = {.at = 1000000, .dispatcher = {.alive = true}};
	char next[320];

	(void)state;
	for (int i = 0; i < PERSON_STATES; i++) {
		const struct person p = {.state = (enum person_state)i, .next_attempt = 1000060};
		assert_true(strlen(label_next_step(next, sizeof(next), &p, &service)) > 20);
		assert_true(label_state((enum person_state)i)[0] != '\0');
	}
}

struct commands {
	int count;
	bool named;
};

static void count_command(const char *command, const char *summary, void *ctx)
{
	struct commands *c = ctx;

	assert_non_null(summary);
	c->count++;
	c->named = c->named || strstr(command, "alice@example.com");
}

static void each_held_or_failed_person_has_a_command_that_helps(void **state)
{
	static const enum person_state standing[] = {
		PERSON_FAILED, PERSON_HELD, PERSON_DECLINED, PERSON_CANCELLED, PERSON_UNCONFIRMED};
	const struct service_state service = {.at = 1000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(standing); i++) {
		struct person p = {.state = standing[i],
			.reason = REASON_DISCOVERED,
			.address = "alice@example.com"};
		struct commands commands = {.count = 0};
		label_commands(&p, &service, count_command, &commands);
		assert_true(commands.count > 0);
		assert_true(commands.named);
	}
}

static void while_paused_the_queue_says_that_it_waits_for_that(void **state)
{
	const struct service_state service = {
		.at = 1000000, .paused = true, .dispatcher = {.alive = true}};
	const struct person p = {.state = PERSON_QUEUED, .next_attempt = 999999};
	char next[320];

	(void)state;
	assert_non_null(strstr(label_next_step(next, sizeof(next), &p, &service), "pause"));
}

static void parse_json_takes_that_option_and_no_other(void **state)
{
	static const struct {
		const char *words[3];
		bool good, json;
	} rows[] = {
		{{"get"}, true, false},
		{{"get", "alice"}, true, false},
		{{"get", "--json", "alice"}, true, true},
		{{"get", "alice", "--json"}, true, true},
		{{"get", "--jso"}, true, true},
		{{"get", "-j"}, false, false},
		{{"get", "--yes"}, false, false},
	};

	(void)state;
	opterr = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *argv[4] = {NULL};
		int argc = 0;
		bool json = true;

		for (; argc < 3 && rows[i].words[argc]; argc++)
			argv[argc] = strdup(rows[i].words[argc]);
		optind = 0;
		assert_int_equal(verb_parse_json(argc, argv, &json), rows[i].good);
		assert_int_equal(json, rows[i].json);
		while (argc > 0)
			free(argv[--argc]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mistyped_verb_is_guessed),
		cmocka_unit_test(a_word_unlike_any_verb_has_no_suggestion),
		cmocka_unit_test(every_verb_has_a_summary_and_is_found),
		cmocka_unit_test(verbs_of_a_group_stand_together),
		cmocka_unit_test(the_worse_exit_code_is_the_higher),
		cmocka_unit_test(every_state_says_what_happens_next),
		cmocka_unit_test(each_held_or_failed_person_has_a_command_that_helps),
		cmocka_unit_test(while_paused_the_queue_says_that_it_waits_for_that),
		cmocka_unit_test(parse_json_takes_that_option_and_no_other),
	};

	return cmocka_run_group_tests_name("cli_verbs", tests, NULL, NULL);
}
