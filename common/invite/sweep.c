/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep, instead of polling: `list` shows 200 people a call, so that what became of the
 * invited, and who of those that we know has turned up unmanaged, costs a few calls a day. Where
 * fewer people are open than the list has pages, each is asked about by `get` instead.
 */
#include "invite/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define PAGE_SIZE    200
#define BY_GET_MAX   1000 /* beyond it pages are few in comparison, and memory is bounded */
#define RETRY_S	     120
#define RETRY_LAST_S 3600
#define ASKED_LAST_S 86400
#define PAGES_MAX    100000

/* ---- the page ---- */

static bool see_page(struct invite *i, struct fault *fault)
{
	for (size_t n = 0; n < i->sweep.page_count; n++) {
		const struct invitation *row = &i->sweep.page[n];
		const struct evidence e = {.shown = true,
			.state = row->state,
			.mails = row->mails,
			.updated = row->updated,
			.date = i->sweep.call.answer.date,
			.now = i->now};

		if (!shown_saw(i, row->address, &e, true, fault))
			return false;
	}
	return true;
}

/* get: not shown is no news about anybody whom the sweep looks at. */
static bool see_one(struct invite *i, struct fault *fault)
{
	const struct google_reply *a = &i->sweep.call.answer;
	const struct evidence e = {.shown = a->shown,
		.state = a->invitation.state,
		.mails = a->invitation.mails,
		.updated = a->invitation.updated,
		.date = a->date,
		.now = i->now};

	return !a->shown || shown_saw(i, i->sweep.people[i->sweep.people_at], &e, false, fault);
}

/* ---- begin and end ---- */

bool sweep_read_number(
	struct invite *i, const char *key, int64_t fallback, int64_t *out, struct fault *fault)
{
	char value[32];
	long long number;
	int found = ledger_get(i->ledger, key, value, sizeof(value), fault);

	*out = found > 0 && str_number(value, 0, INT64_MAX, &number) ? number : fallback;
	return found >= 0;
}

bool sweep_write_number(struct invite *i, const char *key, int64_t number, struct fault *fault)
{
	char value[32];

	str_format(value, sizeof(value), "%lld", (long long)number);
	return ledger_set(i->ledger, key, value, fault);
}

/* The first sweep comes a whole period after the first start: until then there is nobody to sweep.
 */
static bool read_next(struct invite *i, struct fault *fault)
{
	int64_t last;

	if (!sweep_read_number(i, "resync_at", 0, &last, fault))
		return false;
	if (last == 0 || last > i->now) {
		last = i->now;
		if (!sweep_write_number(i, "resync_at", last, fault) ||
			!sweep_write_number(i, "resync_done", last, fault))
			return false;
	}
	i->sweep.next_at = last + i->settings->resync_interval;
	return true;
}

static bool add_open(const struct person *p, void *ctx)
{
	struct sweep *s = ctx;

	if (s->people_count == BY_GET_MAX)
		return false;
	str_copy(s->people[s->people_count++], sizeof(s->people[0]), p->address);
	return true;
}

/* Those whom a sweep could tell anything about, if they are fewer than the list has pages. */
static bool choose_way(struct invite *i, struct fault *fault)
{
	bool turning_up = i->settings->discovered != DISCOVERED_IGNORE;
	struct ledger_summary summary;
	struct sweep *s = &i->sweep;
	int64_t pages, open;

	if (!sweep_read_number(i, "resync_pages", 1, &pages, fault) ||
		!ledger_summarise(i->ledger, i->now, &summary, fault))
		return false;
	open = summary.people[PERSON_INVITED] +
	       (turning_up ? summary.people[PERSON_NOT_INVITABLE] : 0);
	s->by_get = open < pages && open <= BY_GET_MAX && !reconcile_wants_sweep(i);
	if (!s->by_get)
		return true;
	s->people = calloc((size_t)open + 1, sizeof(s->people[0]));
	if (!s->people)
		return fault_no_memory(fault, FAULT_STORAGE);
	return ledger_each_person(i->ledger, PERSON_INVITED, NULL, (int)open, add_open, s, fault) &&
	       (!turning_up || s->people_count >= open ||
		       ledger_each_person(i->ledger, PERSON_NOT_INVITABLE, NULL,
			       (int)open - s->people_count, add_open, s, fault));
}

static void clear_answer(struct sweep *s)
{
	free(s->page);
	free(s->next_token);
	s->page = NULL;
	s->page_count = 0;
	s->next_token = NULL;
}

void sweep_free(struct invite *i)
{
	struct sweep *s = &i->sweep;

	clear_answer(s);
	free(s->page_token);
	free(s->people);
	*s = (struct sweep){.call = s->call};
}

static bool begin(struct invite *i, struct fault *fault)
{
	int64_t at = i->sweep.next_at;
	int troubles = i->sweep.troubles;

	sweep_free(i);
	i->sweep.next_at = at;
	i->sweep.troubles = troubles;
	if (!choose_way(i, fault))
		return false;
	i->sweep.under_way = true;
	i->sweep.reconciles = reconcile_wants_sweep(i);
	if (i->sweep.by_get)
		log_event(LOG_LEVEL_INFO, "resync", "checking %d people individually",
			i->sweep.people_count);
	else
		log_event(LOG_LEVEL_INFO, "resync", "reading the list of invitations");
	return true;
}

void sweep_for_bulk(struct invite *i, int64_t people)
{
	sweep_free(i);
	i->sweep.next_at = i->now;
	i->sweep.under_way = true;
	i->sweep.bulk = people;
	i->sweep.reconciles = reconcile_wants_sweep(i);
	log_event(LOG_LEVEL_NOTE, "resync",
		"more than %lld people to look at: reading the list of invitations first",
		(long long)people - 1);
}

/* `whole`: to its end; only then it tells who is not on it. */
static bool finish(struct invite *i, bool whole, struct fault *fault)
{
	i->sweep.step = SWEEP_OVER;
	if (whole && i->sweep.reconciles && !reconcile_swept(i, fault))
		return false;
	if (whole && i->sweep.bulk > 0 && !bulk_over(i, fault))
		return false;
	return sweep_write_number(i, "resync_at", i->now, fault) &&
	       (!whole || sweep_write_number(i, "resync_done", i->now, fault)) &&
	       (i->sweep.by_get ||
		       sweep_write_number(i, "resync_pages", i->sweep.pages + 1, fault));
}

bool sweep_wanted(const struct invite *i)
{
	return i->settings->resync_interval != 0 || reconcile_wants_sweep(i);
}

bool sweep_look(struct invite *i, struct fault *fault)
{
	struct sweep *s = &i->sweep;

	bool wanted = reconcile_wants_sweep(i);

	if (!sweep_wanted(i) || s->call.phase != ERRAND_IDLE)
		return true;
	if (s->next_at == 0 && !read_next(i, fault))
		return false;
	/* One that has failed is tried again in its own time. */
	if (wanted && !s->under_way && s->next_at > i->now + RETRY_S)
		s->next_at = i->now;
	if (i->now < s->next_at)
		return true;
	if (!s->under_way && !begin(i, fault))
		return false;
	if (s->by_get && s->people_at == s->people_count)
		return finish(i, true, fault);
	s->call.phase = ERRAND_WANTED;
	return true;
}

/* ---- the calls ---- */

static void copy_page(struct sweep *s, const struct google_reply *reply)
{
	clear_answer(s);
	s->page = calloc(reply->page_count + 1, sizeof(*s->page));
	s->next_token = reply->next_page_token ? strdup(reply->next_page_token) : NULL;
	if (!s->page || (reply->next_page_token && !s->next_token)) {
		fault_no_memory(&s->call.answer.fault, FAULT_TRANSIENT);
		return;
	}
	s->page_count = reply->page_count;
	if (s->page_count > 0)
		memcpy(s->page, reply->page, s->page_count * sizeof(*s->page));
}

static void sweep_done(void *ctx, const struct google_reply *reply)
{
	struct invite *i = ctx;
	struct sweep *s = &i->sweep;

	invite_took(i, s->by_get ? GOOGLE_GET : GOOGLE_LIST, reply, &s->call.answer);
	if (!s->by_get && reply->fault.kind == FAULT_NONE)
		copy_page(s, reply);
	s->call.phase = ERRAND_ANSWERED;
}

static void start(struct invite *i)
{
	struct sweep *s = &i->sweep;
	struct google_call call = {.method = GOOGLE_LIST,
		.list_page_size = PAGE_SIZE,
		.list_page_token = s->page_token};

	if (s->by_get)
		call = (struct google_call){
			.method = GOOGLE_GET, .address = s->people[s->people_at]};
	s->call.phase = ERRAND_CALLING;
	/* gcc -fanalyzer sees an array of sweeps in `i`, and none of its members set: calloc has.
	 */
	s->call.slot = s->call.next_slot;
	s->call.slot_open = true;
	i->calling++;
	google_start(i->google, &call, sweep_done, i);
}

/* A refused list is the set-up; a refused next page an old page token, whatever the code: if it is
 * the set-up, the first page will say so. A refused get is only one person less. */
static bool refused(struct invite *i, const struct fault *why, struct fault *fault)
{
	struct sweep *s = &i->sweep;

	if (why->kind == FAULT_REJECTED && s->by_get) {
		s->step = SWEEP_ON;
		return true;
	}
	if ((why->kind == FAULT_REJECTED || why->kind == FAULT_SETUP) && s->page_token) {
		s->step = SWEEP_ANEW;
		return true;
	}
	s->step = SWEEP_RETRY;
	if (i->sweep.call.answer.quota)
		control_throttled(i, &i->sweep.call.answer);
	if (why->kind == FAULT_TRANSIENT || why->kind == FAULT_STOPPED)
		return true;
	return control_refused(i, s->by_get ? GOOGLE_GET : GOOGLE_LIST, why, fault);
}

/* Each page must lead to another one. */
static bool goes_in_circles(const struct sweep *s)
{
	return s->pages >= PAGES_MAX ||
	       (s->page_token && strcmp(s->page_token, s->next_token) == 0);
}

static bool give_up(struct invite *i, struct fault *fault)
{
	log_event(LOG_LEVEL_WARN, "resync", "the list does not end: stopped after %d pages",
		i->sweep.pages + 1);
	return finish(i, false, fault);
}

bool sweep_answered(struct invite *i, struct fault *fault)
{
	struct sweep *s = &i->sweep;

	if (s->call.slot_open && !rate_limit_release(i->ledger, s->call.slot, false, fault))
		return false;
	if (s->call.answer.fault.kind != FAULT_NONE)
		return refused(i, &s->call.answer.fault, fault);
	i->succeeded = true;
	s->step = SWEEP_ON;
	if (s->by_get)
		return see_one(i, fault);
	if (!see_page(i, fault))
		return false;
	if (!s->next_token)
		return finish(i, true, fault);
	return !goes_in_circles(s) || give_up(i, fault);
}

static void step_on(struct sweep *s)
{
	free(s->page_token);
	s->page_token = s->next_token;
	s->next_token = NULL;
	s->pages++;
	s->people_at++;
	s->troubles = 0;
}

/* Longer each time, and at least as long as Google asks for. */
static int64_t retry_at(struct invite *i)
{
	int64_t wait = backoff(RETRY_S, RETRY_LAST_S, i->sweep.troubles++);
	int64_t asked = i->sweep.call.answer.retry_after;

	asked = asked < ASKED_LAST_S ? asked : ASKED_LAST_S;
	return i->now + (asked > wait ? asked : wait);
}

/* From the first page on: what was read before is in the ledger. */
static void begin_anew(struct invite *i)
{
	struct sweep *s = &i->sweep;
	int64_t next = retry_at(i), bulk = s->bulk;
	int troubles = s->troubles;

	sweep_free(i);
	s->next_at = next;
	s->troubles = troubles;
	s->under_way = bulk > 0;
	s->bulk = bulk;
}

static void be_over(struct invite *i)
{
	sweep_free(i);
	i->sweep.next_at = i->now + i->settings->resync_interval;
}

void sweep_settle(struct invite *i)
{
	struct sweep *s = &i->sweep;

	if (s->call.phase == ERRAND_ANSWERED) {
		s->call.phase = ERRAND_IDLE;
		s->call.slot_open = false;
	}
	switch (s->step) {
	case SWEEP_STAY:
		break;
	case SWEEP_ON:
		step_on(s);
		break;
	case SWEEP_RETRY:
		s->next_at = retry_at(i);
		break;
	case SWEEP_ANEW:
		begin_anew(i);
		break;
	case SWEEP_OVER:
		be_over(i);
		break;
	}
	s->step = SWEEP_STAY;
	clear_answer(s);
	/* gcc -fanalyzer: as in start(). */
	if (s->call.granted)
		start(i);
}
