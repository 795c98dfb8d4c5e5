/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose fault is it? Google's 400, 403 and 404 may mean the person or the whole set-up, and nobody
 * knows which is which (docs/google.md 2). So a refusal is followed by the control call,
 * `list` of one row: refused too, it is the set-up, otherwise the person. And when five people in a
 * row are refused alike, it is not the people: that is a brake.
 */
#include "invite/inside.h"

#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "telemetry/counters.h"

#define PROBE_FIRST_S 60
#define PROBE_LAST_S  3600

/* ---- the call ---- */

bool control_fresh(const struct invite *i)
{
	return i->control.passed && clock_boot_ms() - i->control.passed_ms < CONTROL_FRESH_MS;
}

void control_want(struct invite *i)
{
	if (i->control.call.phase == ERRAND_IDLE)
		i->control.call.phase = ERRAND_WANTED;
}

static void control_done(void *ctx, const struct google_reply *reply)
{
	struct invite *i = ctx;

	invite_took(i, GOOGLE_LIST, reply, &i->control.call.answer);
	i->control.call.phase = ERRAND_ANSWERED;
	if (reply->fault.kind != FAULT_NONE)
		return;
	i->control.passed = true;
	i->control.passed_ms = clock_boot_ms();
	i->control.ambiguous = 0;
}

void control_start(struct invite *i)
{
	const struct google_call call = {.method = GOOGLE_LIST, .list_page_size = 1};

	i->control.call.phase = ERRAND_CALLING;
	i->control.call.slot = i->control.call.next_slot;
	i->control.call.slot_open = true;
	i->calling++;
	google_start(i->google, &call, control_done, i);
}

/* ---- the set-up ---- */

/* The ledger never lets it replace a pause of the operator or of a brake. */
static bool pause_setup(struct invite *i, const struct fault *why, struct fault *fault)
{
	bool already = i->paused && strcmp(i->pause.kind, "setup") == 0;
	struct ledger_pause pause = {
		.since = already ? i->pause.since : i->now,
		.probes = i->control.streak,
		.probe_at = i->now + backoff(PROBE_FIRST_S, PROBE_LAST_S, i->control.streak),
	};

	str_copy(pause.kind, sizeof(pause.kind), "setup");
	str_copy(pause.text, sizeof(pause.text), why->what);
	str_copy(pause.remedy, sizeof(pause.remedy), why->remedy);
	str_copy(pause.actor, sizeof(pause.actor), i->actor);
	if (!ledger_pause(i->ledger, &pause, fault))
		return false;
	if (!i->paused) {
		i->pause = pause;
		log_fault(LOG_LEVEL_ERROR, "paused", why);
	} else if (already) {
		i->pause = pause;
	}
	i->paused = true;
	return true;
}

bool control_refused(
	struct invite *i, enum google_method method, const struct fault *why, struct fault *fault)
{
	/* The other calls that were under way say the same: one pause, one step of the backing off.
	 */
	if (i->paused)
		return true;
	if (!pause_setup(i, why, fault))
		return false;
	i->control.refused = method;
	i->control.streak++;
	return true;
}

static bool probe_failed(struct invite *i, const struct fault *why, struct fault *fault)
{
	if (!pause_setup(i, why, fault))
		return false;
	i->control.streak++;
	return true;
}

static bool probe_passed(struct invite *i, struct fault *fault)
{
	int resumed = ledger_resume(i->ledger, "setup", i->actor, fault);

	if (resumed > 0) {
		i->paused = false;
		log_event(LOG_LEVEL_NOTE, "resumed", "Google accepts the configuration again");
	}
	return resumed >= 0;
}

void control_throttled(struct invite *i, const struct google_reply *reply)
{
	i->throttled = true;
	if (reply->retry_after > i->retry_after)
		i->retry_after = reply->retry_after;
}

bool control_answered(struct invite *i, enum doubt *doubt, struct fault *fault)
{
	const struct errand *call = &i->control.call;
	const struct fault *why = &call->answer.fault;
	bool probing = i->paused && strcmp(i->pause.kind, "setup") == 0;
	bool later = why->kind == FAULT_TRANSIENT || why->kind == FAULT_STOPPED;

	*doubt = why->kind == FAULT_NONE ? DOUBT_PERSON : later ? DOUBT_LATER : DOUBT_SETUP;
	if (call->answer.quota)
		control_throttled(i, &call->answer);
	if (call->slot_open && !rate_limit_release(i->ledger, call->slot, false, fault))
		return false;
	if (why->kind == FAULT_NONE)
		return !probing || probe_passed(i, fault);
	if (probing)
		return why->kind == FAULT_STOPPED || probe_failed(i, why, fault);
	return later || control_refused(i, GOOGLE_LIST, why, fault);
}

/* ---- the pause ---- */

/* Resumed by the administrator: the count begins anew. */
static void release_brakes(struct control *control)
{
	control->braked = false;
	for (int method = 0; method < GOOGLE_METHODS; method++)
		control->brakes[method].count = 0;
}

bool control_look(struct invite *i, struct fault *fault)
{
	int paused = ledger_paused(i->ledger, &i->pause, fault);

	if (paused < 0)
		return false;
	i->paused = paused > 0;
	if (!i->paused && i->control.braked)
		release_brakes(&i->control);
	if (!i->paused || strcmp(i->pause.kind, "setup") != 0) {
		i->control.probe_now = false;
		return true;
	}
	if (!i->draining && !i->solo && (i->control.probe_now || i->pause.probe_at <= i->now)) {
		i->control.probe_now = false;
		control_want(i);
	}
	return true;
}

int64_t control_probe_at(const struct invite *i)
{
	return i->paused && strcmp(i->pause.kind, "setup") == 0 ? i->pause.probe_at : 0;
}

/* ---- what every answer says about the whole ---- */

void control_noted(struct invite *i, enum google_method method, const struct google_reply *reply)
{
	struct control *control = &i->control;

	if (reply->fault.kind == FAULT_AMBIGUOUS ||
		(method == GOOGLE_SEND && reply->fault.kind == FAULT_NONE && !reply->confirmed)) {
		control->ambiguous++;
		return;
	}
	if (reply->fault.kind != FAULT_NONE)
		return;
	control->brakes[method].count = 0;
	if (method == control->refused)
		control->streak = 0;
	if (method == GOOGLE_SEND)
		control->ambiguous = 0;
}

bool control_holds_sends(const struct invite *i)
{
	return i->control.ambiguous >= AMBIGUOUS_SENDS;
}

/* ---- the brake ---- */

static void brake_add(struct brake *brake, const struct course *c)
{
	if (strcmp(brake->code, c->answer.fault.code) != 0)
		brake->count = 0;
	str_copy(brake->code, sizeof(brake->code), c->answer.fault.code);
	for (int n = 0; n < brake->count; n++)
		if (strcmp(brake->people[n], c->person.address) == 0)
			return;
	if (brake->count < BRAKE_PEOPLE)
		str_copy(
			brake->people[brake->count++], sizeof(brake->people[0]), c->person.address);
}

/* Whoever has failed for the same reason is not to blame after all. */
static bool uncharge(struct invite *i, const char *address, const char *code, struct fault *fault)
{
	struct person p;
	int found = ledger_lease(i->ledger, address, i->owner, i->now, i->now + LEASE_S, &p, fault);

	if (found < 0)
		return false;
	if (found == 0)
		return true;
	if (p.state != PERSON_FAILED || strcmp(p.fault_code, code) != 0)
		return ledger_release(i->ledger, i->owner, address, fault);
	p.state = PERSON_QUEUED;
	p.priority = PRIO_RETRY;
	p.next_attempt = i->now;
	p.attempts = 0;
	p.fault_code[0] = p.fault_text[0] = '\0';
	str_copy(p.reason, sizeof(p.reason), "breaker");
	return ledger_person_put(
		i->ledger, &p, "breaker: the same rejection for five people", i->actor, fault);
}

static bool pull_brake(struct invite *i, const struct course *c, struct fault *fault)
{
	const char *word = google_method_word(c->step);
	struct ledger_pause pause = {.since = i->now};
	char sentences[sizeof(pause.text) + sizeof(pause.remedy) + 2];

	str_copy(pause.kind, sizeof(pause.kind), "breaker");
	str_format(pause.text, sizeof(pause.text),
		"%s: the same rejection for %d people in a row: %.200s", word, BRAKE_PEOPLE,
		c->answer.fault.what);
	str_format(pause.remedy, sizeof(pause.remedy),
		"Find out what they have in common (cloudinvite %s ADDRESS), then run: cloudinvite "
		"resume.",
		c->step == GOOGLE_SEND ? "check" : word);
	str_copy(pause.actor, sizeof(pause.actor), i->actor);
	if (!ledger_pause(i->ledger, &pause, fault))
		return false;
	i->pause = pause;
	i->paused = true;
	i->control.braked = true;
	counter_add(COUNTER_BREAKER_TRIPS, 0, 0, 1);
	log_about(LOG_LEVEL_ERROR, "guard_tripped",
		&(struct journal_about){.reason = c->answer.fault.code, .actor = i->actor}, "%s",
		str_sentences(sentences, sizeof(sentences), pause.text, pause.remedy));
	return true;
}

bool control_person_failed(
	struct invite *i, const struct course *c, bool *braked, struct fault *fault)
{
	struct brake *brake = &i->control.brakes[c->step];

	*braked = false;
	brake_add(brake, c);
	if (brake->count < BRAKE_PEOPLE)
		return true;
	*braked = true;
	for (int n = 0; n < brake->count; n++)
		if (strcmp(brake->people[n], c->person.address) != 0 &&
			!uncharge(i, brake->people[n], brake->code, fault))
			return false;
	return (i->paused && (strcmp(i->pause.kind, "breaker") == 0 ||
				     strcmp(i->pause.kind, "account_changes") == 0)) ||
	       pull_brake(i, c, fault);
}
