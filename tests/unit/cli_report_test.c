/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "cli/report/report.h"

#define DAY INT64_C(86400)

static struct report_stages stages(enum person_state state, const char *reason)
{
	struct report_stages s = {.seen = 0};

	report_stage(&s, state, reason, 1);
	assert_int_equal(s.seen, 1);
	return s;
}

/* ---- stages ---- */

static void whoever_is_at_a_stage_has_passed_those_before(void **state)
{
	(void)state;
	for (int i = 0; i < PERSON_STATES; i++) {
		struct report_stages s = stages((enum person_state)i, "any");
		assert_true(s.seen >= s.unmanaged && s.unmanaged >= s.invited);
		assert_true(s.invited >= s.accepted + s.declined + s.cancelled);
		assert_true(report_open(&s) == (i == PERSON_INVITED));
	}
}

static void unmanaged_counts_people_that_google_has_shown_as_unmanaged(void **state)
{
	(void)state;
	assert_int_equal(stages(PERSON_HELD, "dry_run").unmanaged, 1);
	assert_int_equal(stages(PERSON_HELD, "discovered").unmanaged, 1);
	assert_int_equal(stages(PERSON_QUEUED, "daily_limit").unmanaged, 1);
	assert_int_equal(stages(PERSON_UNCONFIRMED, "timeout").unmanaged, 1);
	assert_int_equal(stages(PERSON_QUEUED, "first_check").unmanaged, 0);
	assert_int_equal(stages(PERSON_HELD, "collision").unmanaged, 0);
	assert_int_equal(stages(PERSON_FAILED, "refused").unmanaged, 0);
	assert_int_equal(stages(PERSON_NOT_INVITABLE, "not_invitable").unmanaged, 0);
}

static void stuck_counts_people_who_wait_for_an_administrator(void **state)
{
	(void)state;
	assert_int_equal(stages(PERSON_FAILED, "refused").stuck, 1);
	assert_int_equal(stages(PERSON_HELD, "unconfirmed").stuck, 1);
	assert_int_equal(stages(PERSON_HELD, "something_new").stuck, 1);
	assert_int_equal(stages(PERSON_HELD, "blocked").stuck, 0);
	assert_int_equal(stages(PERSON_HELD, "max_mails").stuck, 0);
	assert_int_equal(stages(PERSON_QUEUED, "retry").stuck, 0);
	assert_int_equal(stages(PERSON_DECLINED, "answered").stuck, 0);
}

/* ---- parts of the page ---- */

/* The output of one part. The caller frees it. */
static char *written(
	const struct report *r, void (*part)(const struct report *r, struct strbuf *out))
{
	struct strbuf out = {.max = REPORT_MAX};

	part(r, &out);
	assert_false(out.failed);
	return out.data;
}

static struct report *make(void)
{
	struct report *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->week_count = REPORT_WEEKS;
	for (int i = 0; i < REPORT_WEEKS_MAX; i++)
		r->weeks[i].start = (4 + 7 * i) * DAY;
	return r;
}

static void assert_part(const struct report *r,
	void (*part)(const struct report *r, struct strbuf *out), const char *has,
	const char *has_not)
{
	char *text = written(r, part);

	if (has && !strstr(text, has))
		fail_msg("'%s' is not in: %s", has, text);
	if (has_not && strstr(text, has_not))
		fail_msg("'%s' is in: %s", has_not, text);
	free(text);
}

static void an_empty_history_is_a_sentence_and_not_a_chart(void **state)
{
	struct report *r = make();

	(void)state;
	assert_part(r, report_funnel, "No people yet", "<svg");
	assert_part(r, report_weeks, "Nothing has happened in the last 12 weeks", "<svg");
	assert_part(r, report_hosts, "No accounts have been seen yet", "<svg");
	free(r);
}

static void a_single_person_is_seen_in_every_picture(void **state)
{
	struct report *r = make();

	(void)state;
	report_stage(&r->people, PERSON_INVITED, "sent", 1);
	r->people.seen = INT64_C(1000000000000);
	r->weeks[3] = (struct ledger_week){.start = 4 * DAY, .seen = 1, .invited = 1000000};
	assert_part(r, report_funnel, "1,000,000,000,000", NULL);
	assert_part(r, report_weeks, "height=\"2\"", NULL);
	assert_part(r, report_weeks, ">1M</text>", NULL);
	free(r);
}

static void a_year_of_weeks_has_no_figures_over_its_columns(void **state)
{
	struct report *r = make();

	(void)state;
	r->weeks[0].seen = 7;
	assert_part(r, report_weeks, ">7</text>", NULL);
	r->week_count = REPORT_WEEKS_MAX;
	assert_part(r, report_weeks, "<td>7</td>", "text-anchor=\"middle\"");
	free(r);
}

static void a_hostile_name_of_a_host_is_a_text(void **state)
{
	struct report *r = make();

	(void)state;
	r->host_count = 1;
	r->hosts_all = 3;
	r->hosts[0].accounts = 1;
	str_copy(r->hosts[0].name, sizeof(r->hosts[0].name), "</th><script>\x1b");
	assert_part(r, report_hosts, "&lt;/th&gt;&lt;script&gt;\\x1b", "<script");
	assert_part(r, report_hosts, "2 other hosts", NULL);
	free(r);
}

static void the_style_is_the_only_thing_that_the_policy_allows(void **state)
{
	struct strbuf out = {.max = REPORT_MAX};

	(void)state;
	report_style(&out);
	assert_non_null(strstr(out.data, "default-src 'none'; style-src 'sha256-"));
	assert_non_null(strstr(out.data, "base-uri 'none'; form-action 'none'"));
	assert_null(strstr(out.data, "url("));
	assert_null(strstr(out.data, "unsafe"));
	strbuf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_is_at_a_stage_has_passed_those_before),
		cmocka_unit_test(unmanaged_counts_people_that_google_has_shown_as_unmanaged),
		cmocka_unit_test(stuck_counts_people_who_wait_for_an_administrator),
		cmocka_unit_test(an_empty_history_is_a_sentence_and_not_a_chart),
		cmocka_unit_test(a_single_person_is_seen_in_every_picture),
		cmocka_unit_test(a_year_of_weeks_has_no_figures_over_its_columns),
		cmocka_unit_test(a_hostile_name_of_a_host_is_a_text),
		cmocka_unit_test(the_style_is_the_only_thing_that_the_policy_allows),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
