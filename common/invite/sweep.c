/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep, instead of polling: `list` shows 200 people a call, so that what became of the
 * invited, and who of those that we know has turned up unmanaged, costs a few calls a day. Where
 * fewer people are open than the list has pages, each is asked about by `get` instead. Nothing of a
 * row that matches nobody known is kept.
 */
#include "invite/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define PAGE_SIZE  200
#define BY_GET_MAX 1000 /* beyond it pages are few in comparison, and memory is bounded */
#define RETRY_S	   120
#define PAGES_MAX  100000

/* ---- one person as Google shows it ---- */

static bool on_its_way(const struct invite *i, const char *address)
{
	for (int n = 0; n < i->room; n++)
		if (i->courses[n].phase != COURSE_FREE &&
			strcmp(i->courses[n].person.address, address) == 0)
			return true;
	return false;
}

static void discover(const struct invite *i, struct person *p)
{
	bool send = i->settings->discovered == DISCOVERED_SEND;

	p->discovered = true;
	p->state = send ? PERSON_QUEUED : PERSON_HELD;
	p->class = CLASS_SWEEP;
	p->due = send ? i->now : 0;
	text_copy(p->reason, sizeof(p->reason), "discovered");
}

/* NOT_YET_SENT of somebody who had no unmanaged account: one has been opened since. */
static bool turned_up(const struct invite *i, const struct person *p, const struct evidence *e)
{
	return p->state == PERSON_NOT_INVITABLE && e->state == INVITATION_NOT_YET_SENT &&
	       i->settings->discovered != DISCOVERED_IGNORE;
}

/* Puts what the evidence makes of the person, if nobody else is at work on it. */
static bool put_evidence(
	struct invite *i, const struct person *known, const struct evidence *e, struct fault *fault)
{
	struct person p = *known, leased;
	struct evidence_meaning meaning = {.event = NULL};
	int found;

	if (turned_up(i, known, e)) {
		discover(i, &p);
		meaning = (struct evidence_meaning){.changed = true, .event = "decision"};
		text_copy(
			meaning.cause, sizeof(meaning.cause), "an unmanaged account has turned up");
	} else {
		evidence_apply(&p, e, &meaning);
	}
	if (!meaning.changed)
		return true;
	found = ledger_lease(
		i->ledger, p.address, i->owner, i->now, i->now + LEASE_S, &leased, fault);
	if (found <= 0)
		return found == 0;
	if (leased.state != known->state)
		return ledger_release(i->ledger, i->owner, p.address, fault);
	i->changed = true;
	if (meaning.event)
		log_event(LOG_LEVEL_NOTE, meaning.event, "%s: %s", log_address(p.address),
			meaning.cause);
	return reconcile_noted(i, known, e, fault) &&
	       (!meaning.journal ||
		       ledger_send_end(i->ledger, p.address, meaning.journal, fault)) &&
	       ledger_person_put(i->ledger, &p, meaning.cause, i->actor, fault);
}

static bool note_mapped(const struct ledger_sighting *s, void *ctx)
{
	bool *mapped = ctx;

	*mapped = !s->gone && s->verdict == VERDICT_MAPPED;
	return !*mapped;
}

/* Somebody whose sighting was none of the triggers, so that nobody has asked yet. */
static bool see_stranger(
	struct invite *i, const char *address, const struct evidence *e, struct fault *fault)
{
	struct person p = {
		.mails = e->mails, .intent_mails = -1, .first_day = clock_day_start(i->now)};
	bool mapped = false;

	if (e->state != INVITATION_NOT_YET_SENT || i->settings->discovered == DISCOVERED_IGNORE)
		return true;
	if (!ledger_each_sighting(i->ledger, NULL, NULL, address, note_mapped, &mapped, fault))
		return false;
	if (!mapped)
		return true;
	text_copy(p.address, sizeof(p.address), address);
	discover(i, &p);
	i->changed = true;
	return ledger_person_put(
		i->ledger, &p, "sweep: an unmanaged account was found", i->actor, fault);
}

static bool saw(struct invite *i, const char *address, const struct evidence *e, bool strangers,
	struct fault *fault)
{
	struct person p;
	int found = ledger_person(i->ledger, address, &p, fault);

	if (found < 0)
		return false;
	if (found == 0)
		return !strangers || see_stranger(i, address, e, fault);
	return on_its_way(i, address) || put_evidence(i, &p, e, fault);
}

bool sweep_saw(struct invite *i, const char *address, const struct evidence *e, struct fault *fault)
{
	i->now = e->now;
	return saw(i, address, e, false, fault);
}

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

		if (!saw(i, row->address, &e, true, fault))
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

	return !a->shown || saw(i, i->sweep.people[i->sweep.people_at], &e, false, fault);
}

/* ---- begin and end ---- */

static bool read_number(
	struct invite *i, const char *key, int64_t fallback, int64_t *out, struct fault *fault)
{
	char value[32];
	long long number;
	int found = ledger_get(i->ledger, key, value, sizeof(value), fault);

	*out = found > 0 && text_number(value, 0, INT64_MAX, &number) ? number : fallback;
	return found >= 0;
}

static bool write_number(struct invite *i, const char *key, int64_t number, struct fault *fault)
{
	char value[32];

	text_format(value, sizeof(value), "%lld", (long long)number);
	return ledger_set(i->ledger, key, value, fault);
}

/* The first sweep comes a whole period after the first start: until then there is nobody to sweep.
 */
static bool read_next(struct invite *i, struct fault *fault)
{
	int64_t last;

	if (!read_number(i, "sweep_at", 0, &last, fault))
		return false;
	if (last == 0 || last > i->now) {
		last = i->now;
		if (!write_number(i, "sweep_at", last, fault))
			return false;
	}
	i->sweep.next_at = last + i->settings->sweep_every;
	return true;
}

static bool add_open(const struct person *p, void *ctx)
{
	struct sweep *s = ctx;

	if (s->people_count == BY_GET_MAX)
		return false;
	text_copy(s->people[s->people_count++], sizeof(s->people[0]), p->address);
	return true;
}

/* Those whom a sweep could tell anything about, if they are fewer than the list has pages. */
static bool choose_way(struct invite *i, struct fault *fault)
{
	bool turning_up = i->settings->discovered != DISCOVERED_IGNORE;
	struct ledger_summary summary;
	struct sweep *s = &i->sweep;
	int64_t pages, open;

	if (!read_number(i, "sweep_pages", 1, &pages, fault) ||
		!ledger_summarise(i->ledger, i->now, &summary, fault))
		return false;
	open = summary.people[PERSON_INVITED] +
	       (turning_up ? summary.people[PERSON_NOT_INVITABLE] : 0);
	s->by_get = open < pages && open <= BY_GET_MAX && !reconcile_wants_sweep(i);
	if (!s->by_get)
		return true;
	s->people = calloc((size_t)open + 1, sizeof(s->people[0]));
	if (!s->people)
		return fault_set(fault, FAULT_STORAGE, "memory", "out of memory");
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

	sweep_free(i);
	i->sweep.next_at = at;
	if (!choose_way(i, fault))
		return false;
	i->sweep.under_way = true;
	i->sweep.reconciles = reconcile_wants_sweep(i);
	if (i->sweep.by_get)
		log_event(LOG_LEVEL_INFO, "sweep", "asks about %d people one by one",
			i->sweep.people_count);
	else
		log_event(LOG_LEVEL_INFO, "sweep", "reads the list of invitations");
	return true;
}

static bool finish(struct invite *i, struct fault *fault)
{
	i->sweep.step = SWEEP_OVER;
	if (i->sweep.reconciles && !reconcile_swept(i, fault))
		return false;
	return write_number(i, "sweep_at", i->now, fault) &&
	       (i->sweep.by_get || write_number(i, "sweep_pages", i->sweep.pages + 1, fault));
}

bool sweep_wanted(const struct invite *i)
{
	return i->settings->sweep_every != 0 || reconcile_wants_sweep(i);
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
		return finish(i, fault);
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
		fault_set(&s->call.answer.fault, FAULT_LATER, "no_memory", "out of memory");
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
	s->call.slot = s->call.next_slot;
	s->call.slot_open = true;
	i->calling++;
	google_start(i->google, &call, sweep_done, i);
}

/* A refused list is the set-up, a refused next page an old page token; a refused get is only one
 * person less. */
static bool refused(struct invite *i, const struct fault *why, struct fault *fault)
{
	struct sweep *s = &i->sweep;

	if (why->kind == FAULT_PERSON && (s->by_get || s->page_token)) {
		s->step = s->by_get ? SWEEP_ON : SWEEP_ANEW;
		return true;
	}
	s->step = SWEEP_RETRY;
	if (i->sweep.call.answer.quota)
		i->throttled = true;
	if (why->kind == FAULT_LATER || why->kind == FAULT_STOPPED)
		return true;
	return control_refused(i, s->by_get ? GOOGLE_GET : GOOGLE_LIST, why, fault);
}

bool sweep_answered(struct invite *i, struct fault *fault)
{
	struct sweep *s = &i->sweep;

	if (s->call.slot_open && !pace_end(i->ledger, s->call.slot, false, fault))
		return false;
	if (s->call.answer.fault.kind != FAULT_NONE)
		return refused(i, &s->call.answer.fault, fault);
	i->succeeded = true;
	s->step = SWEEP_ON;
	if (s->by_get)
		return see_one(i, fault);
	if (!see_page(i, fault))
		return false;
	return (s->next_token && s->pages < PAGES_MAX) || finish(i, fault);
}

static void step_on(struct sweep *s)
{
	free(s->page_token);
	s->page_token = s->next_token;
	s->next_token = NULL;
	s->pages++;
	s->people_at++;
}

void sweep_settle(struct invite *i)
{
	struct sweep *s = &i->sweep;
	int64_t next;

	if (s->call.phase == ERRAND_ANSWERED) {
		s->call.phase = ERRAND_IDLE;
		s->call.slot_open = false;
	}
	if (s->step == SWEEP_ON)
		step_on(s);
	else if (s->step == SWEEP_RETRY)
		s->next_at = i->now + RETRY_S;
	else if (s->step == SWEEP_OVER || s->step == SWEEP_ANEW) {
		next = i->now + (s->step == SWEEP_OVER ? i->settings->sweep_every : RETRY_S);
		sweep_free(i);
		s->next_at = next;
	}
	s->step = SWEEP_STAY;
	clear_answer(s);
	if (s->call.granted)
		start(i);
}
