/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schedule alone: the functions that it calls are defined here. They answer what a test wants,
 * and note that they were called.
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

#define NOW	INT64_C(1000000) /* the host's clock */
#define NOW_MS	INT64_C(5000000) /* the boot's clock */
#define NEVER	INT64_MAX
#define PLACES	300
#define UNREACH 6
#define NOBODY	(-1)

static struct {
	const char *fails; /* the function that fails */
	bool coming, scans_first, holds_sends, resync_wanted;
	int due, places; /* people to be claimed, free places for jobs */
	int idle;	 /* so many of the first people want no call */
	char running;	 /* the address of a person who has a job already */
	struct rate_limit_status limit;
	int permits;
	int64_t wait_ms, next_due, probe_at, reconcile_ms;
	char calls[8192];
} answers;
static struct engine engine;
static struct settings settings;

__attribute__((format(printf, 2, 3))) static bool called(
	const char *function, const char *format, ...)
{
	size_t n = strlen(answers.calls);
	va_list list;

	va_start(list, format);
	n += (size_t)snprintf(answers.calls + n, sizeof(answers.calls) - n, "%s", n > 0 ? " " : "");
	(void)vsnprintf(answers.calls + n, sizeof(answers.calls) - n, format, list);
	va_end(list);
	return !answers.fails || strcmp(answers.fails, function) != 0;
}

static char name_of(const struct job *j)
{
	return (char)('a' + (j - engine.jobs));
}

/* ---- what the schedule calls ---- */

#define ANSWERS(type, function, answer)       \
	type function(const struct engine *e) \
	{                                     \
		(void)e;                      \
		return answers.answer;        \
	}

ANSWERS(bool, backlog_is_coming, coming)
ANSWERS(bool, backlog_scans_first, scans_first)
ANSWERS(bool, gate_holds_sends, holds_sends)
ANSWERS(int64_t, gate_probe_at, probe_at)
ANSWERS(bool, resync_is_wanted, resync_wanted)
ANSWERS(int64_t, reconcile_wait_ms, reconcile_ms)

int64_t clock_boot_ms(void)
{
	return NOW_MS;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	(void)format;
	called("log", "%s:%s", level == LOG_LEVEL_WARN ? "warn" : "log", event);
}

bool ledger_clamp_schedule(struct ledger *l, int64_t now, struct fault *fault)
{
	(void)l, (void)fault;
	assert_int_equal(now, NOW);
	return called("clamp", "clamp");
}

bool rate_limit_status(struct ledger *l, const struct settings *s, struct rate_limit_status *out,
	struct fault *fault)
{
	(void)l, (void)s, (void)fault;
	*out = answers.limit;
	return called("status", "status");
}

int ledger_claim(struct ledger *l, int64_t now, enum priority last, const char *owner,
	int64_t lease_until, struct person *out, int max, struct fault *fault)
{
	int got = answers.due < max ? answers.due : max;

	(void)l, (void)fault;
	assert_int_equal(now, NOW);
	assert_int_equal(lease_until, NOW + LEASE_S);
	assert_string_equal(owner, "test");
	for (int n = 0; n < got; n++)
		out[n] = (struct person){.address = {(char)('0' + n)}, .first_day = n};
	return called("claim", "claim:%d:%d", max, (int)last) ? got : -1;
}

bool job_exists(const struct engine *e, const char *address)
{
	assert_ptr_equal(e, &engine);
	return address[0] == answers.running;
}

struct job *job_take_free(struct engine *e)
{
	return e->used < answers.places ? &e->jobs[e->used++] : NULL;
}

bool job_claimed(struct job *j, const struct person *p, struct fault *fault)
{
	(void)fault;
	j->phase = JOB_READY;
	j->action = p->first_day < answers.idle ? ACTION_NONE : ACTION_CHECK;
	return called("claimed", "claimed:%c", name_of(j));
}

enum person_action job_wants(const struct job *j)
{
	return j->granted ? ACTION_NONE : j->action;
}

bool job_may_go_on(struct job *j, struct fault *fault)
{
	(void)fault;
	return called("on", "on:%c", name_of(j));
}

bool job_granted(struct job *j, int64_t permit, struct fault *fault)
{
	(void)fault;
	j->granted = true;
	return called("granted", "%c:%d", name_of(j), (int)permit);
}

bool job_release(struct job *j, struct fault *fault)
{
	(void)fault;
	j->action = ACTION_NONE;
	return called("release", "back:%c", name_of(j));
}

void gate_want_control(struct engine *e)
{
	if (e->gate.call.phase == CALL_IDLE)
		e->gate.call.phase = CALL_WANTED;
}

int rate_limit_acquire(struct ledger *l, const struct settings *s, bool admin, int want,
	int64_t *permits, int64_t *wait_ms, struct fault *fault)
{
	int got = answers.permits < want ? answers.permits : want;

	(void)l, (void)fault;
	assert_ptr_equal(s, &settings);
	for (int n = 0; n < got; n++)
		permits[n] = n + 1;
	if (got < want)
		*wait_ms = answers.wait_ms;
	return called("acquire", "acquire:%d%s", want, admin ? ":admin" : "") ? got : -1;
}

bool ledger_next_due(struct ledger *l, int64_t *due, struct fault *fault)
{
	(void)l, (void)fault;
	*due = answers.next_due;
	return called("due", "due");
}

/* ---- fixture ---- */

static void begin(void)
{
	static struct job jobs[PLACES];

	memset(&answers, 0, sizeof(answers));
	memset(&settings, 0, sizeof(settings));
	memset(jobs, 0, sizeof(jobs));
	engine = (struct engine){.settings = &settings,
		.owner = "test",
		.jobs = jobs,
		.room = 80,
		.parallel = 32,
		.now = NOW};
	answers.places = PLACES;
	answers.reconcile_ms = -1;
}

static int begin_test(void **state)
{
	(void)state;
	begin();
	return 0;
}

/* A job that wants this call: s(end), c(heck); in capital letters it was only just claimed. */
static void add_jobs(const char *actions)
{
	for (; *actions != '\0'; actions++) {
		struct job *j = &engine.jobs[engine.used++];
		bool send = *actions == 's' || *actions == 'S';

		j->engine = &engine;
		j->phase = *actions == 's' || *actions == 'c' ? JOB_READY : JOB_FREE;
		j->action = send ? ACTION_SEND : ACTION_CHECK;
	}
	/* Beyond the last one there is none, whatever stands there. */
	engine.jobs[engine.used].phase = JOB_READY;
	engine.jobs[engine.used].action = ACTION_CHECK;
}

struct row {
	const char *what;
	int wanted; /* people; 0: 3, NOBODY: 0 */
	int claimed, busy, in_flight, transient;
	bool draining, paused, coming, scans_first, holds, no_resync;
	const char *jobs;
	enum call_phase control, resync;
	int64_t permits_at, due, probe_at, resync_at, reconcile; /* 0: never */
	const char *calls;
	int64_t next; /* after NOW_MS, or NEVER */
};

static void set_up(const struct row *row)
{
	begin();
	add_jobs(row->jobs ? row->jobs : "");
	engine.wanted = row->wanted == NOBODY ? 0 : row->wanted > 0 ? row->wanted : 3;
	engine.claimed = row->claimed;
	engine.busy = row->busy;
	engine.in_flight = row->in_flight;
	engine.transient_in_a_row = row->transient;
	engine.draining = row->draining;
	engine.paused = row->paused;
	engine.gate.call.phase = row->control;
	engine.resync.call.phase = row->resync;
	engine.resync.next_at = row->resync_at;
	engine.permits_at_ms = row->permits_at;
	answers.coming = row->coming;
	answers.scans_first = row->scans_first;
	answers.resync_wanted = !row->no_resync;
	answers.holds_sends = row->holds;
	answers.next_due = row->due;
	answers.probe_at = row->probe_at;
	answers.reconcile_ms = row->reconcile != 0 ? row->reconcile : -1;
}

static void assert_called(const char *what, const char *calls)
{
	if (strcmp(answers.calls, calls) != 0)
		fail_msg("%s: %s", what, answers.calls);
}

/* ---- who comes next ---- */

static void people_are_claimed_as_the_rate_limit_lets_them_come_to_their_end(void **state)
{
	static const struct {
		int room, busy;
		int64_t rate, effective, used;
		const char *calls;
	} rows[] = {
		{80, 0, 0, 0, 0, "clamp claim:64:2"},
		{65, 1, 0, 0, 0, "clamp claim:64:2"},
		{64, 1, 0, 0, 0, "clamp claim:63:2"},
		{5, 5, 0, 0, 0, "clamp"},
		{5, 5, 600, 600, 0, "clamp"},
		{5, 4, 600, 600, 0, "clamp status claim:1:2"},
		{40, 0, 100, 40, 1, "clamp status claim:11:2"},
		{40, 0, 100, 100, 0, "clamp status claim:30:2"},
		{40, 0, 100, 100, 60, "clamp status claim:10:2"},
		{40, 4, 100, 100, 60, "clamp status claim:6:2"},
		{40, 0, 100, 25, 0, "clamp status claim:7:2"},
		{7, 4, 100, 100, 0, "clamp status claim:3:2"},
		{80, 0, 600, 600, 0, "clamp status claim:64:2"},
		{40, 0, 1, 1, 1, "clamp status claim:1:2"},
		{40, 1, 1, 1, 1, "clamp status"},
		{40, 1, 100, 13, 5, "clamp status claim:1:2"},
		{40, 1, 100, 13, 7, "clamp status"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		engine.room = rows[n].room;
		engine.busy = rows[n].busy;
		settings.requests_per_minute = rows[n].rate;
		answers.limit = (struct rate_limit_status){
			.effective = rows[n].effective, .used = rows[n].used};
		assert_true(schedule_claim(&engine, NULL));
		assert_called("a row", rows[n].calls);
	}
}

static void people_are_claimed_while_somebody_may_go_on(void **state)
{
	static const struct row rows[] = {
		{"usually", .claimed = 3, .calls = "clamp claim:64:2"},
		{"the list is read first", .scans_first = true, .calls = "clamp claim:64:1"},
		{"draining", .draining = true, .calls = "clamp"},
		{"paused", .paused = true, .calls = "clamp"},
		{"a backlog is coming", .coming = true, .calls = "clamp"},
		{"no permits", .permits_at = NOW_MS + 1, .calls = "clamp"},
		{"permits", .permits_at = NOW_MS, .calls = "clamp claim:64:2"},
		{"calls are under way", .in_flight = 1, .calls = "clamp claim:64:2"},
		{"before the last failure", .transient = UNREACH - 1, .in_flight = 1,
			.calls = "clamp claim:64:2"},
		{"unreachable", .transient = UNREACH, .calls = "clamp claim:1:2"},
		{"for longer", .transient = UNREACH + 1, .calls = "clamp claim:1:2"},
		{"one finds out", .transient = UNREACH, .in_flight = 1, .calls = "clamp"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		set_up(&rows[n]);
		assert_true(schedule_claim(&engine, NULL));
		assert_called(rows[n].what, rows[n].calls);
		assert_int_equal(engine.claimed, 0);
		assert_int_equal(engine.wanted != 0, !!strchr(rows[n].calls, ':'));
	}
}

static void who_is_claimed_gets_a_job_and_goes_on(void **state)
{
	static const struct {
		int idle, places;
		char running; /* the host slept, and the lease of this person's job ended */
		const char *calls;
	} rows[] = {
		{1, PLACES, 0, "clamp claim:64:2 claimed:a claimed:b on:b claimed:c on:c"},
		{0, 1, 0, "clamp claim:64:2 claimed:a on:a"},
		{0, PLACES, '1', "clamp claim:64:2 claimed:a on:a claimed:b on:b"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		answers.due = 3;
		answers.idle = rows[n].idle;
		answers.places = rows[n].places;
		answers.running = rows[n].running;
		assert_true(schedule_claim(&engine, NULL));
		assert_called("a row", rows[n].calls);
		assert_int_equal(engine.wanted, 64);
		assert_int_equal(engine.claimed, 3);
	}
	begin();
	answers.due = 80;
	assert_true(schedule_claim(&engine, NULL));
	assert_int_equal(engine.claimed, 64);
	assert_int_equal(engine.used, 64);
}

static void a_claim_fails_as_a_whole(void **state)
{
	static const char *const functions[] = {"clamp", "status", "claim", "claimed", "on"};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(functions); n++) {
		begin();
		settings.requests_per_minute = 600;
		answers.limit.effective = 600;
		answers.due = 1;
		answers.fails = functions[n];
		if (schedule_claim(&engine, NULL))
			fail_msg("%s fails", functions[n]);
		assert_int_equal(engine.claimed, 0);
	}
}

/* ---- permits ---- */

static void so_many_permits_are_wanted_as_calls_can_begin(void **state)
{
	static const struct row rows[] = {
		{"nothing", .calls = ""},
		{"jobs", .jobs = "scc", .calls = "acquire:3"},
		{"and global calls", .jobs = "scc", .control = CALL_WANTED, .resync = CALL_WANTED,
			.calls = "acquire:5"},
		{"which are under way", .jobs = "scc", .control = CALL_IN_FLIGHT,
			.resync = CALL_IN_FLIGHT, .calls = "acquire:3"},
		{"two connections", .jobs = "cc", .in_flight = 30, .calls = "acquire:2"},
		{"one", .jobs = "cc", .in_flight = 31, .calls = "acquire:1"},
		{"none", .jobs = "cc", .in_flight = 32, .calls = ""},
		{"too many calls", .jobs = "cc", .in_flight = 33, .calls = ""},
		{"the control call and a check", .jobs = "ssc", .holds = true,
			.calls = "acquire:2"},
		{"unreachable", .jobs = "cc", .transient = UNREACH, .calls = "acquire:1"},
		{"unreachable, no job", .transient = UNREACH, .calls = ""},
		{"one of two finds out", .jobs = "cc", .transient = UNREACH, .in_flight = 1,
			.calls = ""},
		{"one finds out", .jobs = "c", .transient = UNREACH, .in_flight = 1, .calls = ""},
		{"permits", .jobs = "cc", .permits_at = NOW_MS, .calls = "acquire:2"},
		{"no permits", .jobs = "cc", .permits_at = NOW_MS + 1, .calls = ""},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		set_up(&rows[n]);
		assert_true(schedule_permits(&engine, NULL));
		assert_called(rows[n].what, rows[n].calls);
	}
}

static void no_batch_has_more_permits_than_its_table(void **state)
{
	(void)state;
	for (int jobs = 256; jobs <= 257; jobs++) {
		begin();
		engine.parallel = 1000;
		for (int n = 0; n < jobs; n++)
			add_jobs("c");
		assert_true(schedule_permits(&engine, NULL));
		assert_string_equal(answers.calls, "acquire:256");
	}
}

static void the_control_call_comes_first_then_sends_then_questions_then_the_resync(void **state)
{
	static const struct {
		int permits;
		const char *calls;
		bool control, resync;
	} rows[] = {
		{6, "acquire:6 b:2 d:3 a:4 c:5", true, true},
		{5, "acquire:6 b:2 d:3 a:4 c:5", true, false},
		{3, "acquire:6 b:2 d:3", true, false},
		{1, "acquire:6", true, false},
		{0, "acquire:6", false, false},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		add_jobs("cscs");
		engine.last_permit = 77;
		engine.gate.call.phase = engine.resync.call.phase = CALL_WANTED;
		answers.permits = rows[n].permits;
		assert_true(schedule_permits(&engine, NULL));
		assert_string_equal(answers.calls, rows[n].calls);
		assert_int_equal(engine.last_permit, rows[n].permits > 0 ? rows[n].permits : 77);
		assert_int_equal(engine.gate.call.granted, rows[n].control);
		assert_int_equal(engine.resync.call.granted, rows[n].resync);
		if (rows[n].control)
			assert_int_equal(engine.gate.call.next_permit, 1);
		if (rows[n].resync)
			assert_int_equal(engine.resync.call.next_permit, 6);
	}
}

static void a_call_that_is_not_wanted_gets_no_permit(void **state)
{
	(void)state;
	add_jobs("c");
	engine.admin = true;
	engine.gate.call.phase = CALL_IN_FLIGHT;
	answers.permits = 3;
	assert_true(schedule_permits(&engine, NULL));
	assert_string_equal(answers.calls, "acquire:1:admin a:1");
	assert_false(engine.gate.call.granted);
	assert_false(engine.resync.call.granted);
}

static void who_was_only_just_claimed_goes_back_without_a_permit(void **state)
{
	(void)state;
	settings.requests_per_minute = 1;
	add_jobs("CcS");
	answers.permits = 0;
	assert_true(schedule_permits(&engine, NULL));
	assert_string_equal(answers.calls, "acquire:3 back:c back:a");
	begin();
	add_jobs("CcS");
	assert_true(schedule_permits(&engine, NULL));
	assert_string_equal(answers.calls, "acquire:3");
}

static void too_few_permits_say_when_there_are_more(void **state)
{
	static const struct {
		int permits;
		int64_t wait_ms, at;
	} rows[] = {
		{2, 500, 77}, /* enough */
		{1, 500, NOW_MS + 500},
		{0, 500, NOW_MS + 500},
		{1, 20, NOW_MS + 20},
		{1, 0, NOW_MS + 20},
		{1, 21, NOW_MS + 21},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		add_jobs("cc");
		engine.permits_at_ms = 77;
		answers.permits = rows[n].permits;
		answers.wait_ms = rows[n].wait_ms;
		assert_true(schedule_permits(&engine, NULL));
		assert_int_equal(engine.permits_at_ms, rows[n].at);
	}
}

static void permits_fail_as_a_whole(void **state)
{
	static const struct {
		const char *fails, *jobs;
		int permits;
	} rows[] = {
		{"acquire", "c", 1},
		{"granted", "c", 1},
		{"granted", "s", 1},
		{"release", "C", 0},
		{"release", "S", 0},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		begin();
		settings.requests_per_minute = 10;
		add_jobs(rows[n].jobs);
		engine.resync.call.phase = CALL_WANTED;
		answers.permits = rows[n].permits;
		answers.fails = rows[n].fails;
		if (schedule_permits(&engine, NULL))
			fail_msg("row %zu", n);
	}
}

/* ---- waiting ---- */

static void all_rest_together_ever_longer_while_nothing_gets_through(void **state)
{
	static const int64_t seconds[] = {15, 30, 60, 120, 240, 300, 300};

	(void)state;
	engine.transient_in_a_row = UNREACH - 1;
	schedule_rest(&engine);
	assert_int_equal(engine.permits_at_ms, 0);
	for (size_t n = 0; n < ARRAY_SIZE(seconds); n++) {
		engine.transient_in_a_row++;
		for (int again = 0; again < 2; again++) { /* the second time nothing is new */
			schedule_rest(&engine);
			assert_int_equal(engine.permits_at_ms, NOW_MS + seconds[n] * 1000);
			assert_int_equal(engine.rests, n + 1);
			assert_int_equal(engine.rested_for, engine.transient_in_a_row);
		}
		assert_string_equal(answers.calls, "warn:unreachable");
	}
	engine.permits_at_ms = NOW_MS + 400000; /* Google has asked for more */
	engine.transient_in_a_row++;
	schedule_rest(&engine);
	assert_int_equal(engine.permits_at_ms, NOW_MS + 400000);
}

static void plan(const struct row *row)
{
	set_up(row);
	assert_true(schedule_plan(&engine, NULL));
	if (engine.next_ms != (row->next == NEVER ? NEVER : NOW_MS + row->next))
		fail_msg("%s: %lld", row->what, (long long)(engine.next_ms - NOW_MS));
}

#define HOLDS(rows)                                      \
	for (size_t n_ = 0; n_ < ARRAY_SIZE(rows); n_++) \
	plan(&(rows)[n_])

static void who_can_go_on_goes_on_at_once_or_with_the_next_permit(void **state)
{
	static const struct row rows[] = {
		{"all who were wanted have come: there may be more", .claimed = 3},
		{"the next permit comes later", .claimed = 3, .permits_at = NOW_MS + 9, .next = 9},
		{"the next permit has come", .claimed = 3, .permits_at = NOW_MS - 9},
		{"no person was asked for", .wanted = NOBODY},
		{"no person was asked for: a job", .wanted = NOBODY, .busy = 1, .next = NEVER},
		{"no person was asked for: draining", .wanted = NOBODY, .draining = true,
			.next = NEVER},
		{"no person was asked for: paused", .wanted = NOBODY, .paused = true,
			.next = NEVER},
		{"all connections are taken", .claimed = 3, .in_flight = 32, .next = NEVER},
		{"more than all", .claimed = 3, .in_flight = 33, .next = NEVER},
		{"but one", .claimed = 3, .in_flight = 31},
		{"one call finds out", .wanted = 1, .claimed = 1, .in_flight = 1,
			.transient = UNREACH, .next = NEVER},
		{"no call finds out", .wanted = 1, .claimed = 1, .transient = UNREACH},
		{"a job is ready", .jobs = "c"},
		{"a job is not", .jobs = "C", .next = NEVER},
		{"a send waits for the control call", .jobs = "s", .holds = true,
			.control = CALL_IN_FLIGHT, .next = NEVER},
		{"a send asks for the control call", .jobs = "s", .holds = true},
		{"a check waits for no control call", .jobs = "sc", .holds = true,
			.control = CALL_IN_FLIGHT},
		{"the control call waits", .control = CALL_WANTED},
		{"the resync waits", .resync = CALL_WANTED},
	};

	(void)state;
	HOLDS(rows);
}

static void the_earliest_of_what_comes_without_a_reply_counts(void **state)
{
	static const struct row rows[] = {
		{"nothing", .next = NEVER},
		{"a person is due", .due = NOW + 7, .next = 7000},
		{"a person is due, and has a lease", .due = NOW, .next = 5000},
		{"long since", .due = NOW - 7, .next = 5000},
		{"since the epoch", .wanted = 1, .due = 1, .next = 5000},
		{"all who are due were claimed", .claimed = 3, .due = NOW - 7},
		{"with a job, if no person was asked for", .wanted = NOBODY, .busy = 1,
			.due = NOW + 7, .next = NEVER},
		{"a probe", .paused = true, .probe_at = NOW + 60, .next = 60000},
		{"a probe is late", .paused = true, .probe_at = NOW - 1, .next = 0},
		{"a probe, draining", .draining = true, .probe_at = NOW + 60, .next = NEVER},
		{"a probe is under way", .probe_at = NOW + 60, .control = CALL_IN_FLIGHT,
			.next = NEVER},
		{"a resync", .resync_at = NOW + 100, .next = 100000},
		{"a resync is late", .resync_at = NOW - 100, .next = 0},
		{"no resync", .resync_at = NOW + 100, .no_resync = true, .next = NEVER},
		{"a resync, draining", .draining = true, .resync_at = NOW + 100, .next = NEVER},
		{"a resync, paused", .paused = true, .resync_at = NOW + 100, .next = NEVER},
		{"a resync is under way", .resync_at = NOW + 100, .resync = CALL_IN_FLIGHT,
			.next = NEVER},
		{"reconcile", .reconcile = 1234, .next = 1234},
		{"reconcile, paused", .paused = true, .reconcile = 1234, .next = 1234},
		{"reconcile, draining", .draining = true, .reconcile = 1234, .next = NEVER},
		{"first a person", .due = NOW + 1, .probe_at = NOW + 2, .resync_at = NOW + 3,
			.reconcile = 4000, .next = 1000},
		{"first a probe", .due = NOW + 4, .probe_at = NOW + 1, .resync_at = NOW + 3,
			.reconcile = 4000, .next = 1000},
		{"first the resync", .due = NOW + 4, .probe_at = NOW + 2, .resync_at = NOW + 1,
			.reconcile = 4000, .next = 1000},
		{"first reconcile", .due = NOW + 4, .probe_at = NOW + 2, .resync_at = NOW + 3,
			.reconcile = 1, .next = 1},
		{"first a permit", .jobs = "c", .permits_at = NOW_MS + 5, .due = NOW + 1,
			.next = 5},
		{"first a person, then a permit", .jobs = "c", .permits_at = NOW_MS + 5000,
			.due = NOW + 1, .next = 1000},
	};

	(void)state;
	HOLDS(rows);
}

static void a_plan_asks_the_ledger_only_for_those_who_are_still_to_come(void **state)
{
	(void)state;
	answers.fails = "due";
	engine.wanted = engine.claimed = 3;
	engine.in_flight = engine.parallel; /* only reconcile may be over now */
	answers.reconcile_ms = 0;
	assert_true(schedule_plan(&engine, NULL));
	assert_int_equal(engine.next_ms, NOW_MS);
	engine.claimed = 2;
	assert_false(schedule_plan(&engine, NULL));
}

#define ALONE(test) cmocka_unit_test_setup(test, begin_test)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ALONE(people_are_claimed_as_the_rate_limit_lets_them_come_to_their_end),
		ALONE(people_are_claimed_while_somebody_may_go_on),
		ALONE(who_is_claimed_gets_a_job_and_goes_on),
		ALONE(a_claim_fails_as_a_whole),
		ALONE(so_many_permits_are_wanted_as_calls_can_begin),
		ALONE(no_batch_has_more_permits_than_its_table),
		ALONE(the_control_call_comes_first_then_sends_then_questions_then_the_resync),
		ALONE(a_call_that_is_not_wanted_gets_no_permit),
		ALONE(who_was_only_just_claimed_goes_back_without_a_permit),
		ALONE(too_few_permits_say_when_there_are_more),
		ALONE(permits_fail_as_a_whole),
		ALONE(all_rest_together_ever_longer_while_nothing_gets_through),
		ALONE(who_can_go_on_goes_on_at_once_or_with_the_next_permit),
		ALONE(the_earliest_of_what_comes_without_a_reply_counts),
		ALONE(a_plan_asks_the_ledger_only_for_those_who_are_still_to_come),
	};

	return cmocka_run_group_tests_name("engine: the schedule", tests, NULL, NULL);
}
