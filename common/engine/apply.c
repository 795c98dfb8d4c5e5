/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Around person_step(): replies become events, settings and ledger become the policy, and a step
 * that must be stored is decided once more with what the ledger says in this transaction. The
 * function is pure, so it can be asked twice.
 */
#include "engine/engine_internal.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"

/* ---- events ---- */

enum google_method engine_method_of(enum person_action action)
{
	static const enum google_method methods[] = {
		[ACTION_NONE] = GOOGLE_CHECK,
		[ACTION_CHECK] = GOOGLE_CHECK,
		[ACTION_GET] = GOOGLE_GET,
		[ACTION_SEND] = GOOGLE_SEND,
		[ACTION_CANCEL] = GOOGLE_CANCEL,
		[ACTION_AWAIT_CONTROL] = GOOGLE_LIST,
	};

	return methods[action];
}

/* Only the delay after a failure depends on it: without random numbers it is the shortest. */
static uint32_t random_number(void)
{
	uint32_t number = 0;

	(void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
	return number;
}

struct person_event engine_event(const struct engine *e, enum person_event_kind kind)
{
	struct person_event event = {.kind = kind,
		.now = e->now,
		.today = clock_day_start(e->now),
		.google_now = engine_google_now(e)};

	if (kind == EVENT_CONTROL)
		event.random = random_number();
	return event;
}

struct evidence engine_evidence(const struct invitation *shown, int64_t date, int64_t now)
{
	struct evidence seen = {.date = date, .now = now};

	if (!shown)
		return seen;
	seen.shown = true;
	seen.state = shown->state;
	seen.mails = shown->mails;
	seen.updated = shown->updated;
	return seen;
}

static void event_of_answer(struct person_event *event, const struct google_reply *reply)
{
	switch (event->call) {
	case ACTION_CHECK:
		event->kind = EVENT_CHECKED;
		event->invitable = reply->invitable;
		break;
	case ACTION_SEND:
		event->kind = EVENT_SENT;
		event->sent.confirmed = reply->confirmed;
		event->sent.mails = reply->has_invitation ? reply->invitation.mails : -1;
		event->sent.date = reply->date;
		break;
	case ACTION_CANCEL:
		event->kind = EVENT_CANCELLED;
		break;
	case ACTION_GET:
	case ACTION_NONE:
	case ACTION_AWAIT_CONTROL:
		event->kind = EVENT_GOT;
		event->evidence = engine_evidence(
			reply->shown ? &reply->invitation : NULL, reply->date, event->now);
		break;
	}
}

static bool is_about_setup(enum fault_kind kind)
{
	return kind == FAULT_SETUP || kind == FAULT_CREDENTIALS || kind == FAULT_SETTINGS ||
	       kind == FAULT_STORAGE || kind == FAULT_POLICY;
}

void engine_event_of_reply(struct person_event *event, enum person_action call,
	const struct google_reply *reply, bool *setup)
{
	event->call = call;
	*setup = is_about_setup(reply->fault.kind);
	if (reply->fault.kind == FAULT_NONE) {
		event_of_answer(event, reply);
		return;
	}
	event->kind = EVENT_FAILED;
	event->random = random_number();
	event->failed.fault = &reply->fault;
	event->failed.quota = reply->quota;
	event->failed.retry_after = reply->retry_after;
}

/* ---- what the rules allow now ---- */

static int64_t window_opens(struct engine *e)
{
	if (e->now < e->window_from || e->now >= e->window_until) {
		bool open = window_open(e->settings->send_window, e->now, &e->window_until);

		e->window_from = e->now;
		e->window_opens = open ? 0 : e->window_until;
	}
	return e->window_opens;
}

/* The moment that tells the day: a host clock that has jumped ahead brings no second day's mails.
 */
static int64_t moment_of_day(const struct engine *e)
{
	int64_t google = engine_google_now(e);

	return google != 0 && google < e->now ? google : e->now;
}

/* Once a batch. */
static bool count_sends(struct engine *e, struct fault *fault)
{
	if (e->sends_today >= 0)
		return true;
	if (!reconcile_check_ledger(e, fault))
		return false;
	e->sends_today = ledger_sends_since(e->ledger, clock_midnight(moment_of_day(e), 0), fault);
	return e->sends_today >= 0;
}

static enum discovery_policy discovery_policy(const struct settings *settings)
{
	if (settings->discovered == DISCOVERED_IGNORE)
		return DISCOVERY_IGNORE;
	return settings->discovered == DISCOVERED_SEND ? DISCOVERY_SEND : DISCOVERY_HOLD;
}

bool engine_policy(struct engine *e, bool send, struct send_policy *policy, struct fault *fault)
{
	const struct settings *s = e->settings;
	int64_t today = moment_of_day(e);

	*policy = (struct send_policy){.dry_run = s->mode == MODE_DRY_RUN,
		.cancel_on_delete = s->cancel_on_delete,
		.discovered = discovery_policy(s),
		.max_mails = s->max_mails,
		.daily_limit = s->sends_per_day};
	if (!send)
		return true;
	if (!count_sends(e, fault))
		return false;
	policy->sent_today = e->sends_today;
	policy->day_ends = clock_midnight(today, 1) + (e->now - today); /* by the host's clock */
	policy->window_opens = window_opens(e);
	policy->reconciling = e->reconciling;
	policy->reconcile_until = e->reconciling ? reconcile_until(e) : 0;
	return true;
}

/* ---- storing ---- */

static bool is_final(enum send_outcome outcome)
{
	return outcome != SEND_NONE && outcome != SEND_BEGUN;
}

/* Another program has taken over the person, or `forget` has erased it. Only the journal of sends
 * still hears how the send ended. */
static bool let_go(struct engine *e, const struct person *p, bool leased, struct person_step *step,
	struct fault *fault)
{
	enum send_outcome outcome = step->outcome;

	*step = (struct person_step){.next = *p};
	if (is_final(outcome) && !ledger_send_end(e->ledger, p->address, outcome, fault))
		return false;
	return !leased || ledger_release(e->ledger, e->owner, p->address, fault);
}

static bool store(struct engine *e, const struct person_step *step, const struct person *stored,
	struct fault *fault)
{
	bool goes_on = step->action != ACTION_NONE;

	/* The hosts do not hear of `sending`, which lasts as long as one call. */
	e->changed = e->changed || step->next.state != PERSON_SENDING;
	if (step->outcome == SEND_BEGUN) {
		e->sends_today++;
		e->intents++;
	}
	return ledger_person_store(e->ledger, step, stored, goes_on ? e->owner : NULL,
		e->now + LEASE_S, e->actor, fault);
}

/* The block list counts for people who wait, and for the mail: others are stored without it. */
static bool step_now(struct engine *e, const struct person *p, const struct person_event *event,
	struct send_policy *policy, struct person_step *step, struct fault *fault)
{
	int blocked;

	*step = person_step(p, event, policy);
	if (!step->store || (event->kind != EVENT_PERMIT && step->next.state != PERSON_QUEUED))
		return true;
	blocked = ledger_blocked(e->ledger, p->address, NULL, 0, fault);
	if (blocked <= 0)
		return blocked == 0;
	policy->blocked = true;
	*step = person_step(p, event, policy);
	return true;
}

bool engine_step(struct engine *e, const struct person *p, const struct person_event *event,
	struct person_step *step, struct fault *fault)
{
	struct person current = *p, stored;
	struct send_policy policy;
	int held;

	if (!engine_policy(e, event->kind == EVENT_PERMIT, &policy, fault))
		return false;
	*step = person_step(p, event, &policy);
	if (!step->store)
		return step->action != ACTION_NONE ||
		       ledger_release(e->ledger, e->owner, p->address, fault);
	/* What is stored is decided with what the ledger says now. */
	held = ledger_may_lease(e->ledger, p->address, e->owner, e->now, &stored, fault);
	if (held < 0)
		return false;
	if (held == 0 || !person_still_claimed(&current, &stored))
		return let_go(e, p, held > 0, step, fault);
	if (!step_now(e, &current, event, &policy, step, fault))
		return false;
	if (step->store)
		return store(e, step, &stored, fault);
	return step->action != ACTION_NONE ||
	       ledger_release(e->ledger, e->owner, p->address, fault);
}

bool engine_step_free(struct engine *e, const struct person *p, const struct person_event *event,
	struct person_step *step, struct fault *fault)
{
	struct send_policy policy;

	return engine_policy(e, false, &policy, fault) &&
	       step_now(e, p, event, &policy, step, fault) &&
	       (!step->store || store(e, step, p->state == PERSON_UNKNOWN ? NULL : p, fault));
}

/* ---- the log ---- */

void engine_log_step(const struct engine *e, const struct person_step *step)
{
	enum audit_event event = step->event;
	bool bad = event == AUDIT_FAILED || event == AUDIT_UNCONFIRMED || event == AUDIT_RETRY;
	struct journal_about about = {.person = log_address(step->next.address),
		.reason = person_reason_word(&step->next),
		.actor = e->actor};

	if (event != AUDIT_NONE)
		log_about(bad ? LOG_LEVEL_WARN : LOG_LEVEL_NOTE, audit_event_word(event), &about,
			"%s: %s", about.person, step->cause);
}
