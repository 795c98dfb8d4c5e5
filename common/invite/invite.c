/* SPDX-License-Identifier: Apache-2.0 */
#include "invite/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LAST_MS	 60000

/* ---- opening ---- */

static struct invite *invite_new(const struct settings *settings)
{
	struct invite *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->parallel = settings->parallel > 0 ? (int)settings->parallel : 1;
	i->room = wave_room(settings);
	i->courses = calloc((size_t)i->room, sizeof(*i->courses));
	if (!i->courses) {
		free(i);
		return NULL;
	}
	i->settings = settings;
	i->witness.fd = -1;
	return i;
}

struct invite *invite_open(const struct settings *settings, struct ledger *ledger,
	struct google *google, const struct invite_options *options, struct fault *fault)
{
	struct invite *i = invite_new(settings);

	if (!i) {
		fault_no_memory(fault, FAULT_STORAGE);
		return NULL;
	}
	i->ledger = ledger;
	i->google = google;
	i->admin = options->admin;
	i->control.probe_now = !options->admin;
	i->arrivals = !options->admin;
	str_copy(i->owner, sizeof(i->owner), options->owner);
	str_copy(i->actor, sizeof(i->actor), options->actor);
	/* Leases of this name are those of a predecessor that is dead: the lock says that there is
	 * only one. What it was sending becomes unconfirmed. */
	if (!ledger_release(ledger, i->owner, NULL, fault) || !reconcile_open(i, fault) ||
		(!i->admin && !ledger_reschedule(ledger, i->now, 0, fault))) {
		invite_close(i);
		return NULL;
	}
	return i;
}

void invite_close(struct invite *i)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!i)
		return;
	i->draining = true; /* the last round starts nothing */
	if (i->calling > 0)
		google_stop(i->google);
	if (i->answered > 0 && !round_run(i, &fault))
		log_fault(LOG_LEVEL_ERROR, "ledger", &fault);
	if (!ledger_release(i->ledger, i->owner, NULL, &fault))
		log_fault(LOG_LEVEL_WARN, "ledger", &fault);
	sweep_free(i);
	witness_close(&i->witness);
	free(i->courses);
	free(i);
}

/* ---- replies ---- */

int64_t invite_google_now(const struct invite *i)
{
	if (i->google_date == 0)
		return 0;
	return i->google_date + (clock_boot_ms() - i->google_date_ms) / 1000;
}

static void note_reach(struct invite *i, const struct google_reply *reply)
{
	enum fault_kind kind = reply->fault.kind;

	if (kind == FAULT_TRANSIENT && !reply->quota)
		i->later_in_a_row++;
	else if (kind != FAULT_STOPPED && kind != FAULT_AMBIGUOUS)
		i->later_in_a_row = i->rested_for = i->rests = 0;
}

void invite_took(struct invite *i, enum google_method method, const struct google_reply *reply,
	struct google_reply *kept)
{
	*kept = *reply;
	kept->page = NULL;
	kept->page_count = 0;
	kept->next_page_token = NULL;
	i->calling--;
	if (i->answered++ == 0)
		i->answered_ms = clock_boot_ms();
	i->counts.calls[method]++;
	i->counts.faults += reply->fault.kind != FAULT_NONE;
	i->trouble = i->trouble || reply->fault.kind != FAULT_NONE;
	if (reply->date != 0) {
		i->google_date = reply->date;
		i->google_date_ms = clock_boot_ms();
	}
	note_reach(i, reply);
	control_noted(i, method, reply);
}

/* ---- a turn ---- */

/* True if it waits for something else than before. */
static bool note_waiting(struct invite *i)
{
	char text[sizeof(i->waits_for)] = "idle";

	if (i->draining)
		str_copy(text, sizeof(text), "stopping");
	else if (i->backoff_ms > 0)
		str_copy(text, sizeof(text), "ledger error");
	else if (i->paused)
		str_format(text, sizeof(text), "paused: %s", i->pause.kind);
	else if (i->rests > 0)
		str_copy(text, sizeof(text), "Google cannot be reached");
	else if (i->slots_at_ms > clock_boot_ms())
		str_copy(text, sizeof(text), "waiting for the rate limit");
	else if (i->reconciling)
		str_copy(text, sizeof(text), "reconcile: no invitations are sent");
	if (strcmp(text, i->waits_for) == 0)
		return false;
	str_copy(i->waits_for, sizeof(i->waits_for), text);
	return true;
}

/* A ledger that fails (disk full, locked) is left alone for a while; answers wait meanwhile. */
static void back_off(struct invite *i)
{
	i->backoff_ms =
		i->backoff_ms == 0 ? BACKOFF_FIRST_MS : backoff(i->backoff_ms, BACKOFF_LAST_MS, 1);
	i->next_ms = clock_boot_ms() + i->backoff_ms;
}

static bool round_needed(const struct invite *i)
{
	if (i->backoff_ms > 0)
		return clock_boot_ms() >= i->next_ms;
	return (i->answered > 0 && wave_gathers_ms(i) == 0) || clock_boot_ms() >= i->next_ms;
}

static int wait_ms(const struct invite *i, int max_wait_ms)
{
	int64_t wait = i->next_ms - clock_boot_ms();

	if (i->answered > 0 && i->backoff_ms == 0 && wave_gathers_ms(i) < wait)
		wait = wave_gathers_ms(i);
	if (max_wait_ms >= 0 && wait > max_wait_ms)
		return max_wait_ms;
	return wait < 0 ? 0 : wait > INT32_MAX ? INT32_MAX : (int)wait;
}

bool invite_turn(struct invite *i, const int *fds, int nfds, int max_wait_ms, struct fault *fault)
{
	bool ok = true, changed = i->changed, tell;

	if (round_needed(i)) {
		ok = round_run(i, fault);
		if (ok)
			i->backoff_ms = 0;
		else
			back_off(i);
	}
	/* Who watches it is told before it waits, and so is the collector when nothing is under way
	 * that would end the wait soon. */
	tell = note_waiting(i) || (!changed && i->changed && i->calling == 0);
	google_poll(i->google, fds, nfds, tell ? 0 : wait_ms(i, max_wait_ms));
	wave_go_on(i);
	return ok;
}

bool invite_idle(struct invite *i)
{
	if (i->calling > 0 || i->answered > 0)
		return false;
	return i->draining ? i->busy == 0 : clock_boot_ms() < i->next_ms;
}

void invite_release_memory(struct invite *i)
{
	round_release_memory(i);
}

void invite_drain(struct invite *i)
{
	i->draining = true;
	i->next_ms = 0;
}

void invite_counts(const struct invite *i, struct invite_counts *out)
{
	*out = i->counts;
}

const char *invite_waits_for(const struct invite *i)
{
	return i->waits_for[0] != '\0' ? i->waits_for : "idle";
}

bool invite_changed(struct invite *i)
{
	bool changed = i->changed;

	i->changed = false;
	return changed;
}
