/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every reply says about the whole, about whatever call it is: Google's clock, whether Google
 * can be reached, whether the setup is accepted.
 */
#include "engine/engine_internal.h"

#include "base/clock.h"

int64_t engine_google_now(const struct engine *e)
{
	if (e->google_date == 0)
		return 0;
	return e->google_date + (clock_boot_ms() - e->google_date_ms) / 1000;
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
	kept->page = NULL;
	kept->page_count = 0;
	kept->next_page_token = NULL;
	e->in_flight--;
	if (e->replies++ == 0)
		e->replied_ms = clock_boot_ms();
	e->counts.calls[method]++;
	e->counts.faults += reply->fault.kind != FAULT_NONE;
	e->failure = e->failure || reply->fault.kind != FAULT_NONE;
	if (reply->date != 0) {
		e->google_date = reply->date;
		e->google_date_ms = clock_boot_ms();
	}
	note_reach(e, reply);
	note_gate(&e->gate, method, reply);
}
