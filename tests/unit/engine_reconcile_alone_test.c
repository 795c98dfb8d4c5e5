/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconcile alone: the functions of the ledger and of the send journal are defined here. They
 * answer what a test wants, and note that they were called.
 */
#include "engine/engine_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define NOW  INT64_C(1000000) /* the host's clock */
#define DATE INT64_C(2000000) /* Google's */
#define LAG  GOOGLE_LAG_S

static struct {
	const char *fails; /* the function that fails, … */
	int later;	   /* … after so many calls that do not */
	int64_t google_now, begun;
	int reconciling;
	struct ledger_reconcile stored;
	struct send_journal journal;
	bool ended;	       /* by an administrator */
	const char *elsewhere; /* the ledger's count of mails elsewhere; NULL: none */
	char calls[1024];
} answers;
static struct engine engine;

/* A call that only reads: it is not noted. */
static bool asked(const char *function)
{
	return !answers.fails || strcmp(answers.fails, function) != 0 || answers.later-- > 0;
}

__attribute__((format(printf, 2, 3))) static bool called(
	const char *function, const char *format, ...)
{
	size_t n = strlen(answers.calls);
	va_list list;

	va_start(list, format);
	n += (size_t)snprintf(answers.calls + n, sizeof(answers.calls) - n, "%s", n > 0 ? " " : "");
	(void)vsnprintf(answers.calls + n, sizeof(answers.calls) - n, format, list);
	va_end(list);
	return asked(function);
}

/* ---- what reconcile calls ---- */

int64_t clock_wall(void)
{
	return NOW;
}

int64_t engine_google_now(const struct engine *e)
{
	(void)e;
	return answers.google_now;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	(void)format;
	called("log", "%s:%s",
		level == LOG_LEVEL_ERROR  ? "error"
		: level == LOG_LEVEL_NOTE ? "note"
					  : "log",
		event);
}

void log_fault(enum log_level level, const char *event, const struct fault *f)
{
	(void)f;
	called("log", "%s:%s", level == LOG_LEVEL_WARN ? "warn" : "log", event);
}

bool ledger_begin(struct ledger *l, struct fault *fault)
{
	(void)l, (void)fault;
	return called("begin", "begin");
}

bool ledger_end(struct ledger *l, bool good, struct fault *fault)
{
	(void)l, (void)fault;
	return called("end", "%s", good ? "commit" : "rollback") && good;
}

const char *ledger_id(const struct ledger *l)
{
	(void)l;
	return "this";
}

bool ledger_take_new_id(struct ledger *l, struct fault *fault)
{
	(void)l, (void)fault;
	return called("id", "id");
}

bool ledger_set(struct ledger *l, const char *key, const char *value, struct fault *fault)
{
	(void)l, (void)fault;
	assert_string_equal(key, "mails_elsewhere");
	return called("set", "set:%s", value ? value : "none");
}

int ledger_get(struct ledger *l, const char *key, char *out, size_t size, struct fault *fault)
{
	(void)l, (void)fault;
	assert_string_equal(key, "mails_elsewhere");
	if (!asked("get"))
		return -1;
	str_copy(out, size, answers.elsewhere ? answers.elsewhere : "2 1999000");
	return !!answers.elsewhere;
}

bool ledger_count(struct ledger *l, enum counter counter, int64_t n, struct fault *fault)
{
	const char *word = counter == COUNTER_FOREIGN_MAILS	  ? "foreign"
			   : counter == COUNTER_UNEXPLAINED_MAILS ? "unexplained"
								  : "another";

	(void)l, (void)fault;
	return called("count", "%s:%d", word, (int)n);
}

int64_t ledger_sends_begun(struct ledger *l, struct fault *fault)
{
	(void)l, (void)fault;
	return asked("begun") ? answers.begun : -1;
}

int64_t ledger_count_sends(struct ledger *l, int sends, struct fault *fault)
{
	(void)l, (void)fault;
	return called("sends", "sends:%d", sends) ? answers.begun + sends : -1;
}

int ledger_reconciling(struct ledger *l, struct ledger_reconcile *out, struct fault *fault)
{
	(void)l, (void)fault;
	*out = answers.stored;
	return asked("reconciling") ? answers.reconciling : -1;
}

bool ledger_reconcile(
	struct ledger *l, const struct ledger_reconcile *r, const char *actor, struct fault *fault)
{
	(void)l, (void)fault;
	assert_string_equal(actor, "test");
	return called("reconcile", "%s:%lld%s", r->cause, (long long)r->mail_date,
		r->list_read ? ":read" : "");
}

int ledger_reconciled(struct ledger *l, const char *cause, const char *actor, struct fault *fault)
{
	(void)l, (void)cause, (void)actor, (void)fault;
	return called("reconciled", "over") ? !answers.ended : -1;
}

bool send_journal_open(
	struct send_journal *journal, const struct settings *settings, struct fault *fault)
{
	(void)settings, (void)fault;
	*journal = answers.journal;
	return asked("journal");
}

void send_journal_write(struct send_journal *journal, const struct settings *settings,
	const char *ledger, int64_t sends, int64_t mail_date)
{
	(void)settings;
	assert_ptr_equal(journal, &engine.journal);
	called("write", "write:%s:%d:%lld", ledger, (int)sends, (long long)mail_date);
}

/* ---- fixture ---- */

static void begin(void)
{
	memset(&answers, 0, sizeof(answers));
	engine = (struct engine){.actor = "test", .now = NOW};
	answers.journal = (struct send_journal){.ledger = "this", .sends = 5, .mail_date = 77};
	answers.begun = 5;
}

static int begin_test(void **state)
{
	(void)state;
	begin();
	return 0;
}

static void assert_called(const char *calls)
{
	assert_string_equal(answers.calls, calls);
}

/* ---- the send journal ---- */

static void a_ledger_is_compared_with_the_send_journal_at_the_opening(void **state)
{
	static const struct {
		const char *ledger;
		int64_t sends, stored_date; /* -1: not reconciling */
		const char *calls;
	} rows[] = {
		{"", 9, -1, ""},
		{"this", 4, -1, ""},
		{"this", 5, -1, ""},
		{"this", 6, -1, "begin restored:77 error:reconcile id commit write:this:5:77"},
		{"that", 5, -1, "begin other_ledger:77 error:reconcile id commit write:this:5:77"},
		{"that", 6, -1, "begin other_ledger:77 error:reconcile id commit write:this:5:77"},
		{"this", 6, 50, "begin restored:77 id commit write:this:5:77"},
		{"this", 6, 99, "begin restored:99 id commit write:this:5:77"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		engine.now = 0;
		str_copy(answers.journal.ledger, sizeof(answers.journal.ledger), rows[n].ledger);
		answers.journal.sends = rows[n].sends;
		answers.reconciling = rows[n].stored_date >= 0;
		answers.stored = (struct ledger_reconcile){
			.mail_date = rows[n].stored_date, .list_read = true};
		assert_true(reconcile_open(&engine, NULL));
		assert_called(rows[n].calls);
		assert_int_equal(engine.reconciling, rows[n].calls[0] != '\0');
		if (engine.reconciling)
			assert_int_equal(engine.reconcile.since, NOW);
	}
}

static void each_cause_has_its_sentence(void **state)
{
	(void)state;
	answers.journal.sends = 6;
	assert_true(reconcile_open(&engine, NULL));
	assert_string_equal(engine.reconcile.cause, "restored");
	assert_non_null(strstr(engine.reconcile.text, "from a backup and does not know"));
	str_copy(answers.journal.ledger, sizeof(answers.journal.ledger), "that");
	assert_true(reconcile_open(&engine, NULL));
	assert_non_null(strstr(engine.reconcile.text, "Another ledger sent mails"));
}

static void a_journal_that_cannot_be_kept_is_said_to_the_dispatcher(void **state)
{
	(void)state;
	answers.fails = "journal";
	answers.journal = (struct send_journal){.fd = -1};
	assert_true(reconcile_open(&engine, NULL));
	assert_called("warn:send_journal");
	begin();
	engine.admin = true;
	answers.fails = "journal";
	assert_true(reconcile_open(&engine, NULL));
	assert_called("");
}

static void an_opening_fails_with_the_ledger(void **state)
{
	static const struct {
		const char *fails;
		int later;
	} rows[] = {{"reconciling", 0}, {"begun", 0}, {"begin", 0}, {"reconcile", 0}, {"id", 0},
		{"end", 0}, {"begun", 1}};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		answers.journal.sends = 6;
		answers.fails = rows[n].fails;
		answers.later = rows[n].later;
		if (reconcile_open(&engine, NULL))
			fail_msg("%s fails", rows[n].fails);
		if (n < 2)
			assert_called("");
	}
}

static void a_ledger_that_has_sent_nothing_is_compared_too(void **state)
{
	(void)state;
	answers.begun = answers.journal.sends = 0;
	assert_true(reconcile_open(&engine, NULL));
	assert_called("");
	answers.journal.sends = 1;
	assert_true(reconcile_open(&engine, NULL));
	assert_called("begin restored:77 error:reconcile id commit write:this:0:77");
}

static void intents_are_counted_and_then_told_to_the_journal(void **state)
{
	static const struct {
		int intents;
		bool realigns;
		int64_t google, date;
		const char *counted, *told;
	} rows[] = {
		{0, false, DATE, 77, "", ""},
		{1, false, DATE, 77, "sends:1", "write:this:6:2000000"},
		{2, false, 0, 77, "sends:2", "write:this:7:77"},
		{0, true, DATE, 0, "", "write:this:3:2000000"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		engine.intents = rows[n].intents;
		engine.realigns = rows[n].realigns;
		engine.sends_begun = 3;
		engine.journal.mail_date = rows[n].date;
		answers.google_now = rows[n].google;
		assert_true(reconcile_count_intents(&engine, NULL));
		assert_called(rows[n].counted);
		answers.calls[0] = '\0';
		reconcile_write_journal(&engine);
		assert_called(rows[n].told);
	}
	engine.intents = 1;
	answers.fails = "sends";
	assert_false(reconcile_count_intents(&engine, NULL));
	engine.intents = 0;
	engine.sends_begun = 0;
	assert_true(reconcile_count_intents(&engine, NULL));
}

static void a_copy_over_the_open_ledger_is_noticed(void **state)
{
	static const struct {
		int64_t begun;
		bool reconciling;
		const char *calls;
	} rows[] = {
		{5, false, ""},
		{6, false, ""},
		{4, true, ""},
		{4, false, "restored:77 error:reconcile id"},
		{0, false, "restored:77 error:reconcile id"},
	};
	static const char *const functions[] = {"begun", "reconcile", "id"};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows) + ARRAY_SIZE(functions); n++) {
		bool good = n < ARRAY_SIZE(rows);
		size_t row = good ? n : 3;

		begin();
		engine.journal = answers.journal;
		answers.begun = rows[row].begun;
		engine.reconciling = rows[row].reconciling;
		engine.sends_begun = 8;
		answers.fails = good ? NULL : functions[n - ARRAY_SIZE(rows)];
		assert_int_equal(reconcile_check_ledger(&engine, NULL), good);
		if (!good)
			continue;
		assert_called(rows[row].calls);
		assert_int_equal(engine.realigns, rows[row].calls[0] != '\0');
		assert_int_equal(engine.sends_begun, engine.realigns ? rows[row].begun : 8);
	}
}

/* ---- what Google shows ---- */

/* A person with so many mails, of which `ours` are ours, and what Google shows at DATE. */
static bool observe(int64_t mails, int64_t ours, int64_t shown)
{
	const struct person before = {.mails = mails, .our_mails = ours};
	const struct evidence seen = {.shown = true,
		.state = INVITATION_INVITED,
		.mails = shown,
		.updated = DATE - 60,
		.date = DATE,
		.now = NOW};

	return reconcile_observed(&engine, &before, &seen, NULL);
}

static void mails_of_others_are_counted(void **state)
{
	static const struct {
		int64_t mails, ours, shown;
		const char *calls;
	} rows[] = {
		{1, 0, 1, ""},
		{0, 0, 1, "foreign:1"},
		{-1, 0, 2, "foreign:2"},
		{2, 1, 5, "unexplained:3"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		engine.reconciling = true; /* so it need not begin */
		assert_true(observe(rows[n].mails, rows[n].ours, rows[n].shown));
		assert_called(rows[n].calls);
	}
}

static void three_people_within_72_hours_begin_it(void **state)
{
	static const struct {
		const char *stored, *calls;
	} rows[] = {
		{NULL, "foreign:1 set:1 2000000"},
		{"1 1999000", "foreign:1 set:2 1999000"},
		{"1 2000000", "foreign:1 set:2 2000000"},
		{"1 2000001", "foreign:1 set:1 2000000"}, /* of another clock */
		{"1 1740801", "foreign:1 set:2 1740801"}, /* not quite 72 hours */
		{"1 1740800", "foreign:1 set:1 2000000"},
		{"2 1999000", "foreign:1 set:none mails_elsewhere:2000000 error:reconcile"},
		{"3 1999000", "foreign:1 set:none mails_elsewhere:2000000 error:reconcile"},
		{"4 1999000", "foreign:1 set:1 2000000"},
		{"0 1999000", "foreign:1 set:1 2000000"},
		{"-1 1999000", "foreign:1 set:1 2000000"},
		{"2 x", "foreign:1 set:1 2000000"},
		{"x 1999000", "foreign:1 set:1 2000000"},
		{"2 -1", "foreign:1 set:1 2000000"},
		{"2", "foreign:1 set:1 2000000"},
		{"", "foreign:1 set:1 2000000"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		engine.reconcile.mail_date = DATE + 9; /* of one that is over */
		answers.elsewhere = rows[n].stored;
		assert_true(observe(0, 0, 1));
		assert_called(rows[n].calls);
		if (engine.reconciling)
			assert_true(str_starts(engine.reconcile.text, "Google shows mails"));
		assert_int_equal(engine.reconciling, !!strstr(rows[n].calls, "mails_elsewhere"));
	}
}

static void a_count_fails_with_the_ledger(void **state)
{
	static const struct {
		const char *fails, *stored;
	} rows[] = {{"count", NULL}, {"get", NULL}, {"set", NULL}, {"set", "2 1999000"},
		{"reconcile", "2 1999000"}};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		answers.fails = rows[n].fails;
		answers.elsewhere = rows[n].stored;
		assert_false(observe(0, 0, 1));
		assert_false(engine.reconciling);
	}
}

/* ---- until it is over ---- */

static void what_the_ledger_says_counts(void **state)
{
	(void)state;
	answers.reconciling = 1;
	answers.stored.mail_date = 9;
	assert_true(reconcile_refresh(&engine, NULL));
	assert_true(engine.reconciling);
	assert_int_equal(engine.reconcile.mail_date, 9);
	answers.reconciling = 0;
	assert_true(reconcile_refresh(&engine, NULL));
	assert_false(engine.reconciling);
	answers.fails = "reconciling";
	assert_false(reconcile_refresh(&engine, NULL));
}

static void the_list_is_read_once(void **state)
{
	(void)state;
	assert_false(reconcile_wants_resync(&engine));
	assert_true(reconcile_list_read(&engine, NULL));
	assert_called("");
	engine.reconciling = true;
	assert_true(reconcile_wants_resync(&engine));
	assert_true(reconcile_list_read(&engine, NULL));
	assert_called(":0:read");
	assert_false(reconcile_wants_resync(&engine));
	assert_true(reconcile_list_read(&engine, NULL));
	assert_called(":0:read");
	engine.reconcile.list_read = false;
	answers.fails = "reconcile";
	assert_false(reconcile_list_read(&engine, NULL));
}

static void the_clock_is_asked_for_when_nothing_else_brings_a_reply(void **state)
{
	(void)state;
	for (int broken = 0; broken <= 6; broken++) {
		begin();
		engine.reconciling = broken != 1;
		engine.reconcile.list_read = broken != 2;
		answers.google_now = broken == 3 ? DATE : 0;
		engine.draining = broken == 4;
		engine.paused = broken == 5;
		engine.admin = broken == 6;
		assert_int_equal(reconcile_needs_clock(&engine), broken == 0);
	}
}

static void it_lasts_72_hours_by_googles_clock(void **state)
{
	static const struct {
		int64_t google, mail, until, wait_ms;
	} rows[] = {
		{0, DATE, LAG, -1},
		{DATE, 0, LAG, -1},
		{DATE, DATE, LAG, LAG * 1000},
		{DATE, DATE + 9, LAG, LAG * 1000},
		{DATE + 1, DATE, LAG - 1, (LAG - 1) * 1000},
		{DATE + LAG - 61, DATE, 61, 61000},
		{DATE + LAG - 60, DATE, 60, 60000},
		{DATE + LAG - 1, DATE, 60, 1000},
		{DATE + LAG, DATE, 600, -1},
		{DATE + LAG + 1, DATE, 600, -1},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		engine.reconciling = true;
		engine.reconcile.mail_date = rows[n].mail;
		answers.google_now = rows[n].google;
		assert_int_equal(reconcile_until(&engine), NOW + rows[n].until);
		assert_int_equal(reconcile_wait_ms(&engine), rows[n].wait_ms);
		engine.reconciling = false;
		assert_int_equal(reconcile_wait_ms(&engine), -1);
	}
}

static void it_is_over_when_the_list_was_read_and_the_time_is_over(void **state)
{
	static const struct {
		bool reconciling, list_read;
		int64_t google, mail;
		const char *calls;
	} rows[] = {
		{false, true, DATE + LAG, DATE, ""},
		{true, true, DATE + LAG, DATE, "over note:reconciled"},
		{true, false, DATE + LAG, DATE, ""}, {true, true, DATE + LAG - 1, DATE, ""},
		{true, true, 0, DATE, ""}, {true, true, 0, 0, ""},
		{true, true, DATE, 0, ":2000000:read"}, /* the time begins now */
		{true, true, DATE, DATE, ""},
		{true, true, DATE, DATE + 1, ":2000000:read"}, /* of another clock */
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		engine.reconciling = rows[n].reconciling;
		engine.reconcile.list_read = rows[n].list_read;
		engine.reconcile.mail_date = rows[n].mail;
		answers.google_now = rows[n].google;
		assert_true(reconcile_decide(&engine, NULL));
		assert_called(rows[n].calls);
		assert_int_equal(
			engine.reconciling, rows[n].reconciling && rows[n].calls[0] != 'o');
	}
	answers.fails = "reconcile";
	engine.reconcile.mail_date = 0;
	assert_false(reconcile_decide(&engine, NULL));
	begin();
	engine.reconciling = engine.reconcile.list_read = true;
	engine.reconcile.mail_date = DATE;
	answers.google_now = DATE + LAG;
	answers.fails = "reconciled";
	assert_false(reconcile_decide(&engine, NULL));
	engine.reconciling = answers.ended = true;
	answers.fails = NULL;
	assert_true(reconcile_decide(&engine, NULL));
}

#define ALONE(test) cmocka_unit_test_setup(test, begin_test)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ALONE(a_ledger_is_compared_with_the_send_journal_at_the_opening),
		ALONE(each_cause_has_its_sentence),
		ALONE(a_journal_that_cannot_be_kept_is_said_to_the_dispatcher),
		ALONE(an_opening_fails_with_the_ledger),
		ALONE(a_ledger_that_has_sent_nothing_is_compared_too),
		ALONE(intents_are_counted_and_then_told_to_the_journal),
		ALONE(a_copy_over_the_open_ledger_is_noticed),
		ALONE(mails_of_others_are_counted),
		ALONE(three_people_within_72_hours_begin_it),
		ALONE(a_count_fails_with_the_ledger),
		ALONE(what_the_ledger_says_counts),
		ALONE(the_list_is_read_once),
		ALONE(the_clock_is_asked_for_when_nothing_else_brings_a_reply),
		ALONE(it_lasts_72_hours_by_googles_clock),
		ALONE(it_is_over_when_the_list_was_read_and_the_time_is_over),
	};

	return cmocka_run_group_tests_name("engine: reconcile alone", tests, NULL, NULL);
}
