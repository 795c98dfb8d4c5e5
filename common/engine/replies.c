/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every reply says about the whole, about whatever call it is: Google's clock, whether Google
 * can be reached, whether the setup is accepted.
 */
#include "engine/engine_internal.h"

#include "base/clock.h"
#include "base/minmax.h"

#define OLD_MS	     INT64_C(300000)
#define ASK_AGAIN_MS 1000

int64_t engine_google_now(const struct engine *e)
{
	return google_clock_now(&e->clock, clock_boot_ms());
}

int64_t engine_google_latest(const struct engine *e)
{
	return google_clock_latest(&e->clock, clock_boot_ms(), clock_wall());
}

int64_t engine_mail_clock(const struct engine *e)
{
	int64_t google = engine_google_now(e);

	return google != 0 ? google : e->now;
}

bool engine_is_old(int64_t begun_ms)
{
	return clock_boot_ms() - begun_ms > OLD_MS;
}

int64_t engine_repeat_permit(struct engine *e, int64_t *permit)
{
	int64_t fresh = 0, wait_ms = 0;
	int got = rate_limit_acquire(e->ledger, e->settings, e->admin, 1, &fresh, &wait_ms, NULL);

	if (got <= 0)
		return wait_ms > 0 ? wait_ms : ASK_AGAIN_MS;
	/* If this fails, the permit comes back as that of a program that died. */
	(void)rate_limit_release(e->ledger, *permit, false, NULL);
	rate_limit_write_last(e->ledger, e->settings, fresh);
	*permit = fresh;
	return 0;
}

/* A reply may have waited for this program, which stood still, while its Date grew old. */
static int64_t hear_date(struct engine *e, int64_t date)
{
	int64_t now = clock_boot_ms();

	google_clock_hear(&e->clock, date, now);
	return date == 0 ? 0 : min_i64(date, google_clock_earliest(&e->clock, now));
}

static void note_reach(struct engine *e, const struct google_reply *reply)
{
	enum fault_kind kind = reply->fault.kind;

	if (kind == FAULT_TRANSIENT && !reply->quota)
		e->transient_in_a_row++;
	else if (kind != FAULT_STOPPED && kind != FAULT_AMBIGUOUS)
		e->transient_in_a_row = e->rested_for = e->rests = 0;
}

static void note_gate(
	struct gate *gate, enum google_method method, const struct google_reply *reply)
{
	if (reply->fault.kind == FAULT_AMBIGUOUS ||
		(method == GOOGLE_SEND && reply->fault.kind == FAULT_NONE && !reply->confirmed)) {
		gate->ambiguous++;
		return;
	}
	if (reply->fault.kind != FAULT_NONE)
		return;
	breaker_record_success(&gate->breaker, method);
	if (method == gate->refused)
		gate->streak = 0;
	if (method == GOOGLE_SEND)
		gate->ambiguous = 0;
}

void engine_replied(struct engine *e, enum google_method method, const struct google_reply *reply,
	struct google_reply *kept)
{
	*kept = *reply;
	kept->date = hear_date(e, reply->date);
	kept->page = NULL;
	kept->page_count = 0;
	kept->next_page_token = NULL;
	e->in_flight--;
	if (e->replies++ == 0)
		e->replied_ms = clock_boot_ms();
	e->counts.calls[method]++;
	e->counts.faults += reply->fault.kind != FAULT_NONE;
	e->failure = e->failure || reply->fault.kind != FAULT_NONE;
	note_reach(e, reply);
	note_gate(&e->gate, method, reply);
}
