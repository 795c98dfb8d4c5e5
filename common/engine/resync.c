/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resync, instead of polling: `list` shows 200 people a call, so that the answers of invited
 * people, and new unmanaged accounts of people in the ledger, cost a few calls a day. Where fewer
 * people are open than the list has pages, a `get` for each of them is cheaper.
 */
#include "engine/engine_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/minmax.h"
#include "base/str.h"

#define PAGE_SIZE    200
#define BY_GET_MAX   1000 /* beyond it pages are few in comparison, and memory is bounded */
#define RETRY_S	     120
#define RETRY_LAST_S 3600
#define ASKED_LAST_S 86400
#define PAGES_MAX    100000

/* ---- the page ---- */

static bool observe_page(struct engine *e, struct fault *fault)
{
	for (size_t n = 0; n < e->resync.page_count; n++) {
		const struct invitation *row = &e->resync.page[n];
		const struct evidence seen =
			engine_evidence(row, e->resync.call.reply.date, e->now);

		if (!observe_invitation(e, row->address, &seen, true, fault))
			return false;
	}
	return true;
}

/* get: that Google does not show a person says nothing about people who are in a resync. */
static bool observe_one(struct engine *e, struct fault *fault)
{
	const struct google_reply *reply = &e->resync.call.reply;
	const struct evidence seen = engine_evidence(&reply->invitation, reply->date, e->now);

	return !reply->shown ||
	       observe_invitation(e, e->resync.people[e->resync.people_at], &seen, false, fault);
}

/* ---- begin and end ---- */

bool resync_read_number(
	struct engine *e, const char *key, int64_t fallback, int64_t *out, struct fault *fault)
{
	char value[32];
	long long number;
	int found = ledger_get(e->ledger, key, value, sizeof(value), fault);

	*out = found > 0 && str_number(value, 0, INT64_MAX, &number) ? number : fallback;
	return found >= 0;
}

bool resync_write_number(struct engine *e, const char *key, int64_t number, struct fault *fault)
{
	char value[32];

	str_format(value, sizeof(value), "%lld", (long long)number);
	return ledger_set(e->ledger, key, value, fault);
}

/* The first resync comes a whole interval after the first start: until then there is nothing to
 * learn. */
static bool read_next(struct engine *e, struct fault *fault)
{
	int64_t last;

	if (!resync_read_number(e, "resync_at", 0, &last, fault))
		return false;
	if (last == 0 || last > e->now) {
		last = e->now;
		if (!resync_write_number(e, "resync_at", last, fault) ||
			!resync_write_number(e, "resync_done", last, fault))
			return false;
	}
	e->resync.next_at = last + e->settings->resync_interval;
	return true;
}

static bool add_open(const struct person *p, void *ctx)
{
	struct resync *s = ctx;

	if (s->people_count == BY_GET_MAX)
		return false;
	str_copy(s->people[s->people_count++], sizeof(s->people[0]), p->address);
	return true;
}

/* The people that a resync could tell anything about, if they are fewer than the list has pages. */
static bool choose_way(struct engine *e, struct fault *fault)
{
	bool turning_up = e->settings->discovered != DISCOVERED_IGNORE;
	struct ledger_summary summary;
	struct resync *s = &e->resync;
	int64_t pages, open;

	if (!resync_read_number(e, "resync_pages", 1, &pages, fault) ||
		!ledger_summarise(e->ledger, e->now, &summary, fault))
		return false;
	open = summary.people[PERSON_INVITED] +
	       (turning_up ? summary.people[PERSON_NOT_INVITABLE] : 0);
	s->by_get = open < pages && open <= BY_GET_MAX && !reconcile_wants_resync(e);
	if (!s->by_get)
		return true;
	s->people = calloc((size_t)open + 1, sizeof(s->people[0]));
	if (!s->people)
		return fault_no_memory(fault, FAULT_STORAGE);
	return ledger_each_person(e->ledger, PERSON_INVITED, NULL, (int)open, add_open, s, fault) &&
	       (!turning_up || s->people_count >= open ||
		       ledger_each_person(e->ledger, PERSON_NOT_INVITABLE, NULL,
			       (int)open - s->people_count, add_open, s, fault));
}

static void clear_reply(struct resync *s)
{
	free(s->page);
	free(s->next_token);
	s->page = NULL;
	s->page_count = 0;
	s->next_token = NULL;
}

void resync_free(struct engine *e)
{
	struct resync *s = &e->resync;

	clear_reply(s);
	free(s->page_token);
	free(s->people);
	*s = (struct resync){.call = s->call};
}

static bool begin(struct engine *e, struct fault *fault)
{
	int64_t at = e->resync.next_at;
	int failures = e->resync.failures;

	resync_free(e);
	e->resync.next_at = at;
	e->resync.failures = failures;
	if (!choose_way(e, fault))
		return false;
	e->resync.under_way = true;
	e->resync.reconciles = reconcile_wants_resync(e);
	if (e->resync.by_get)
		log_event(LOG_LEVEL_INFO, "resync", "checking %d people individually",
			e->resync.people_count);
	else
		log_event(LOG_LEVEL_INFO, "resync", "reading the list of invitations");
	return true;
}

void resync_for_backlog(struct engine *e, int64_t people)
{
	resync_free(e);
	e->resync.next_at = e->now;
	e->resync.under_way = true;
	e->resync.backlog = people;
	e->resync.reconciles = reconcile_wants_resync(e);
	log_event(LOG_LEVEL_NOTE, "resync",
		"more than %lld people to look at: reading the list of invitations first",
		(long long)people - 1);
}

/* `whole`: to its end; only then it tells who is not on it. */
static bool finish(struct engine *e, bool whole, struct fault *fault)
{
	e->resync.step = RESYNC_OVER;
	if (whole && e->resync.reconciles && !reconcile_list_read(e, fault))
		return false;
	if (whole && e->resync.backlog > 0 && !resync_write_number(e, "backlog_at", e->now, fault))
		return false;
	return resync_write_number(e, "resync_at", e->now, fault) &&
	       (!whole || resync_write_number(e, "resync_done", e->now, fault)) &&
	       (e->resync.by_get ||
		       resync_write_number(e, "resync_pages", e->resync.pages + 1, fault));
}

bool resync_is_wanted(const struct engine *e)
{
	return e->settings->resync_interval != 0 || reconcile_wants_resync(e);
}

bool resync_check(struct engine *e, struct fault *fault)
{
	struct resync *s = &e->resync;
	bool wanted = reconcile_wants_resync(e);

	if (!resync_is_wanted(e) || s->call.phase != CALL_IDLE)
		return true;
	if (s->next_at == 0 && !read_next(e, fault))
		return false;
	/* One that has failed is tried again in its own time. */
	if (wanted && !s->under_way && s->next_at > e->now + RETRY_S)
		s->next_at = e->now;
	if (e->now < s->next_at)
		return true;
	if (!s->under_way && !begin(e, fault))
		return false;
	if (s->by_get && s->people_at == s->people_count)
		return finish(e, true, fault);
	s->call.phase = CALL_WANTED;
	return true;
}

/* ---- the calls ---- */

static void copy_page(struct resync *s, const struct google_reply *reply)
{
	clear_reply(s);
	s->page = calloc(reply->page_count + 1, sizeof(*s->page));
	s->next_token = reply->next_page_token ? strdup(reply->next_page_token) : NULL;
	if (!s->page || (reply->next_page_token && !s->next_token)) {
		fault_no_memory(&s->call.reply.fault, FAULT_TRANSIENT);
		return;
	}
	s->page_count = reply->page_count;
	if (s->page_count > 0)
		memcpy(s->page, reply->page, s->page_count * sizeof(*s->page));
}

static void on_resync_reply(void *ctx, const struct google_reply *reply)
{
	struct engine *e = ctx;
	struct resync *s = &e->resync;

	engine_replied(e, s->by_get ? GOOGLE_GET : GOOGLE_LIST, reply, &s->call.reply);
	if (!s->by_get && reply->fault.kind == FAULT_NONE)
		copy_page(s, reply);
	s->call.phase = CALL_REPLIED;
}

static void start(struct engine *e)
{
	struct resync *s = &e->resync;
	struct google_call call = {.method = GOOGLE_LIST,
		.list_page_size = PAGE_SIZE,
		.list_page_token = s->page_token};

	if (s->by_get)
		call = (struct google_call){
			.method = GOOGLE_GET, .address = s->people[s->people_at]};
	s->call.phase = CALL_IN_FLIGHT;
	/* gcc -fanalyzer sees an array of resyncs in `e`, and none of its members set: calloc has.
	 */
	s->call.permit = s->call.next_permit;
	s->call.permit_open = true;
	e->in_flight++;
	google_start(e->google, &call, on_resync_reply, e);
}

/* A refused list is about the setup; a refused next page is an old page token, whatever the code:
 * if it is the setup, the first page will say so. A refused get is only one person less. */
static bool refused(struct engine *e, const struct fault *why, struct fault *fault)
{
	struct resync *s = &e->resync;

	if (why->kind == FAULT_REJECTED && s->by_get) {
		s->step = RESYNC_NEXT;
		return true;
	}
	if ((why->kind == FAULT_REJECTED || why->kind == FAULT_SETUP) && s->page_token) {
		s->step = RESYNC_RESTART;
		return true;
	}
	s->step = RESYNC_RETRY;
	if (e->resync.call.reply.quota)
		gate_throttled(e, &e->resync.call.reply);
	if (why->kind == FAULT_TRANSIENT || why->kind == FAULT_STOPPED)
		return true;
	return gate_refused(e, s->by_get ? GOOGLE_GET : GOOGLE_LIST, why, fault);
}

/* Each page must lead to another one. */
static bool goes_in_circles(const struct resync *s)
{
	return s->pages >= PAGES_MAX ||
	       (s->page_token && strcmp(s->page_token, s->next_token) == 0);
}

static bool give_up(struct engine *e, struct fault *fault)
{
	log_event(LOG_LEVEL_WARN, "resync", "the list does not end: stopped after %d pages",
		e->resync.pages + 1);
	return finish(e, false, fault);
}

bool resync_replied(struct engine *e, struct fault *fault)
{
	struct resync *s = &e->resync;

	if (s->call.permit_open && !rate_limit_release(e->ledger, s->call.permit, false, fault))
		return false;
	if (s->call.reply.fault.kind != FAULT_NONE)
		return refused(e, &s->call.reply.fault, fault);
	e->succeeded = true;
	s->step = RESYNC_NEXT;
	if (s->by_get)
		return observe_one(e, fault);
	if (!observe_page(e, fault))
		return false;
	if (!s->next_token)
		return finish(e, true, fault);
	return !goes_in_circles(s) || give_up(e, fault);
}

static void step_on(struct resync *s)
{
	free(s->page_token);
	s->page_token = s->next_token;
	s->next_token = NULL;
	s->pages++;
	s->people_at++;
	s->failures = 0;
}

/* Longer each time, and at least as long as Google asks for. */
static int64_t retry_at(struct engine *e)
{
	int64_t wait = backoff(RETRY_S, RETRY_LAST_S, e->resync.failures++);

	return e->now + max_i64(wait, min_i64(e->resync.call.reply.retry_after, ASKED_LAST_S));
}

/* From the first page on: what was read before is in the ledger. */
static void begin_again(struct engine *e)
{
	struct resync *s = &e->resync;
	int64_t next = retry_at(e), backlog = s->backlog;
	int failures = s->failures;

	resync_free(e);
	s->next_at = next;
	s->failures = failures;
	s->under_way = backlog > 0;
	s->backlog = backlog;
}

static void be_over(struct engine *e)
{
	resync_free(e);
	e->resync.next_at = e->now + e->settings->resync_interval;
}

void resync_apply(struct engine *e)
{
	struct resync *s = &e->resync;

	if (s->call.phase == CALL_REPLIED) {
		s->call.phase = CALL_IDLE;
		s->call.permit_open = false;
	}
	switch (s->step) {
	case RESYNC_STAY:
		break;
	case RESYNC_NEXT:
		step_on(s);
		break;
	case RESYNC_RETRY:
		s->next_at = retry_at(e);
		break;
	case RESYNC_RESTART:
		begin_again(e);
		break;
	case RESYNC_OVER:
		be_over(e);
		break;
	}
	s->step = RESYNC_STAY;
	clear_reply(s);
	/* gcc -fanalyzer: as in start(). */
	if (s->call.granted)
		start(e);
}
