/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: is it the person, or the whole setup? Google's 400, 403 and 404 may mean either, and
 * nothing documents which (docs/google.md 2). So a rejection is followed by the control call,
 * `list` with one row: if that is rejected too, it is the setup, and sending pauses; otherwise it
 * is the person. When five people in a row are rejected alike, it is not the people, and the
 * breaker trips.
 */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "telemetry/counters.h"

#define PROBE_FIRST_S 60
#define PROBE_LAST_S  3600

/* ---- the control call ---- */

bool gate_control_is_fresh(const struct engine *e)
{
	return e->gate.passed && clock_boot_ms() - e->gate.passed_ms < CONTROL_FRESH_MS;
}

void gate_want_control(struct engine *e)
{
	if (e->gate.call.phase == CALL_IDLE)
		e->gate.call.phase = CALL_WANTED;
}

void gate_control_passed(struct engine *e)
{
	e->gate.passed = true;
	e->gate.passed_ms = clock_boot_ms();
	e->gate.ambiguous = 0;
}

static void on_control_reply(void *ctx, const struct google_reply *reply)
{
	struct engine *e = ctx;

	engine_replied(e, GOOGLE_LIST, reply, &e->gate.call.reply);
	e->gate.call.phase = CALL_REPLIED;
	if (reply->fault.kind == FAULT_NONE)
		gate_control_passed(e);
}

static int64_t repeat_permit(void *ctx)
{
	struct engine *e = ctx;

	return engine_repeat_permit(e, &e->gate.call.permit);
}

void gate_start_control(struct engine *e)
{
	const struct google_call call = {.method = GOOGLE_LIST,
		.list_page_size = 1,
		.begin_until_ms = google_begin_until(e->settings, e->decided_ms),
		.permit = repeat_permit,
		.permit_ctx = e};

	e->gate.call.phase = CALL_IN_FLIGHT;
	e->gate.call.permit = e->gate.call.next_permit;
	e->gate.call.permit_open = true;
	e->in_flight++;
	google_start(e->google, &call, on_control_reply, e);
}

/* ---- the setup ---- */

bool gate_is_setup_pause(const struct engine *e)
{
	return e->paused && strcmp(e->pause.kind, "setup") == 0;
}

/* The ledger never lets it replace a pause of the operator, the breaker or the change guard. */
static bool pause_setup(struct engine *e, const struct fault *why, struct fault *fault)
{
	bool already = gate_is_setup_pause(e);
	struct ledger_pause pause = {
		.since = already ? e->pause.since : e->now,
		.probes = e->gate.streak,
		.probe_at = e->now + backoff(PROBE_FIRST_S, PROBE_LAST_S, e->gate.streak),
	};

	str_copy(pause.kind, sizeof(pause.kind), "setup");
	str_copy(pause.text, sizeof(pause.text), why->what);
	str_copy(pause.remedy, sizeof(pause.remedy), why->remedy);
	str_copy(pause.actor, sizeof(pause.actor), e->actor);
	if (!ledger_pause(e->ledger, &pause, fault))
		return false;
	if (!e->paused) {
		e->pause = pause;
		log_fault(LOG_LEVEL_ERROR, "paused", why);
	} else if (already) {
		e->pause = pause;
	}
	e->paused = true;
	return true;
}

bool gate_refused(
	struct engine *e, enum google_method method, const struct fault *why, struct fault *fault)
{
	/* The other calls that were under way say the same: one pause, one step of the back-off. */
	if (e->paused)
		return true;
	if (!pause_setup(e, why, fault))
		return false;
	e->gate.refused = method;
	e->gate.streak++;
	return true;
}

static bool on_probe_failed(struct engine *e, const struct fault *why, struct fault *fault)
{
	if (!pause_setup(e, why, fault))
		return false;
	e->gate.streak++;
	return true;
}

static bool on_probe_passed(struct engine *e, struct fault *fault)
{
	int resumed = ledger_resume(e->ledger, "setup", e->actor, fault);

	if (resumed > 0) {
		e->paused = false;
		log_event(LOG_LEVEL_NOTE, "resumed", "Google accepts the configuration again");
	}
	return resumed >= 0;
}

void gate_throttled(struct engine *e, const struct google_reply *reply)
{
	e->throttled = true;
	if (reply->retry_after > e->retry_after)
		e->retry_after = reply->retry_after;
}

enum error_scope gate_scope_of(enum fault_kind kind)
{
	if (kind == FAULT_NONE)
		return SCOPE_PERSON;
	return kind == FAULT_TRANSIENT || kind == FAULT_STOPPED ? SCOPE_TRANSIENT : SCOPE_SETUP;
}

bool gate_control_replied(struct engine *e, enum error_scope *scope, struct fault *fault)
{
	const struct global_call *call = &e->gate.call;
	const struct fault *why = &call->reply.fault;
	bool probing = gate_is_setup_pause(e);

	*scope = gate_scope_of(why->kind);
	if (call->reply.quota)
		gate_throttled(e, &call->reply);
	if (call->permit_open && !rate_limit_release(e->ledger, call->permit, false, fault))
		return false;
	if (why->kind == FAULT_NONE)
		return !probing || on_probe_passed(e, fault);
	if (probing)
		return why->kind == FAULT_STOPPED || on_probe_failed(e, why, fault);
	return *scope == SCOPE_TRANSIENT || gate_refused(e, GOOGLE_LIST, why, fault);
}

/* ---- the pause ---- */

bool gate_refresh(struct engine *e, struct fault *fault)
{
	int paused = ledger_paused(e->ledger, &e->pause, fault);

	if (paused < 0)
		return false;
	e->paused = paused > 0;
	if (!e->paused && e->gate.breaker.open)
		breaker_reset(&e->gate.breaker);
	if (!gate_is_setup_pause(e)) {
		e->gate.probe_now = false;
		return true;
	}
	if (!e->draining && (e->gate.probe_now || e->pause.probe_at <= e->now)) {
		e->gate.probe_now = false;
		gate_want_control(e);
	}
	return true;
}

int64_t gate_probe_at(const struct engine *e)
{
	return gate_is_setup_pause(e) ? e->pause.probe_at : 0;
}

bool gate_holds_sends(const struct engine *e)
{
	return e->gate.ambiguous >= AMBIGUOUS_SENDS;
}

/* ---- the breaker ---- */

/* A person who has failed for the same reason is not at fault after all. Not leased: the person may
 * have a job of this engine by now, whose lease must stay. */
static bool requeue_failed(
	struct engine *e, const char *address, const char *code, struct fault *fault)
{
	struct person_event event = engine_event(e, EVENT_BREAKER);
	struct person p;
	int found = ledger_may_lease(e->ledger, address, e->owner, e->now, &p, fault);

	if (found <= 0)
		return found == 0;
	event.code = code;
	return ledger_person_apply(e->ledger, address, &event, NULL, e->actor, NULL, fault) >= 0;
}

static bool pause_breaker(
	struct engine *e, enum google_method method, const struct fault *why, struct fault *fault)
{
	const char *word = google_method_word(method);
	struct ledger_pause pause = {.since = e->now};
	char sentences[sizeof(pause.text) + sizeof(pause.remedy) + 2];

	str_copy(pause.kind, sizeof(pause.kind), "breaker");
	str_format(pause.text, sizeof(pause.text),
		"%s: the same rejection for %d people in a row: %.200s", word, BREAKER_PEOPLE,
		why->what);
	str_format(pause.remedy, sizeof(pause.remedy),
		"Find out what they have in common (cloudinvite %s ADDRESS), then run: cloudinvite "
		"resume.",
		method == GOOGLE_SEND ? "check" : word);
	str_copy(pause.actor, sizeof(pause.actor), e->actor);
	if (!ledger_pause(e->ledger, &pause, fault))
		return false;
	e->pause = pause;
	e->paused = true;
	e->gate.breaker.open = true;
	counter_add(COUNTER_BREAKER_TRIPS, 0, 0, 1);
	log_about(LOG_LEVEL_ERROR, "guard_tripped",
		&(struct journal_about){.reason = why->code, .actor = e->actor}, "%s",
		str_sentences(sentences, sizeof(sentences), pause.text, pause.remedy));
	return true;
}

bool gate_person_rejected(struct engine *e, enum google_method method, const struct person *claimed,
	const struct fault *why, bool *tripped, struct fault *fault)
{
	const struct breaker_count *count = &e->gate.breaker.methods[method];
	const char *address = claimed->address;

	/* A person who was rejected like that before tells nothing new about the setup. */
	*tripped = false;
	if (strcmp(claimed->fault_code, why->code) == 0)
		return true;
	*tripped = breaker_record_failure(&e->gate.breaker, method, address, why->code);
	if (!*tripped)
		return true;
	for (int n = 0; n < count->count; n++)
		if (strcmp(count->people[n], address) != 0 &&
			!requeue_failed(e, count->people[n], count->code, fault))
			return false;
	/* The breaker and the change guard have the same precedence: neither replaces the other. */
	if (e->paused && (strcmp(e->pause.kind, "breaker") == 0 ||
				 strcmp(e->pause.kind, "account_changes") == 0))
		return true;
	return pause_breaker(e, method, why, fault);
}
