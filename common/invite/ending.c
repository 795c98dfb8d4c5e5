/* SPDX-License-Identifier: Apache-2.0 */
#include "invite/inside.h"

#include <string.h>
#include <sys/random.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/str.h"

#define RETRY_FIRST_S 30
#define RETRY_LAST_S  3600
#define ASKED_LAST_S  86400 /* nobody waits longer at Google's own word */

/* ---- writing ---- */

void ending_state(struct course *c, enum person_state state, const char *reason, int64_t due)
{
	c->after.state = state;
	c->after.next_attempt = due;
	str_copy(c->after.reason, sizeof(c->after.reason), reason);
}

void ending_clear_intent(struct person *p)
{
	p->intent_at = 0;
	p->intent_date = 0;
	p->intent_mails = -1;
}

void ending_clear_fault(struct person *p)
{
	p->attempts = 0;
	p->fault_code[0] = '\0';
	p->fault_text[0] = '\0';
}

void ending_note_fault(struct person *p, const struct fault *why)
{
	str_copy(p->fault_code, sizeof(p->fault_code), why->code);
	str_copy(p->fault_text, sizeof(p->fault_text), why->what);
}

/* A clock that jumped ahead ends leases too soon: then a send under way was taken for one whose
 * process had died, and its answer still counts. */
static bool same_step(const struct person *before, const struct person *now)
{
	return now->intent_at == before->intent_at &&
	       (now->state == before->state ||
		       (before->state == PERSON_SENDING && now->state == PERSON_UNCONFIRMED));
}

/* Whether nobody has touched the person since it was claimed: a lease that ran out, `forget`. What
 * `approve` has set meanwhile is kept. */
bool ending_still_ours(struct course *c, bool *ours, struct fault *fault)
{
	struct invite *i = c->invite;
	struct person now;
	int held = ledger_may_lease(i->ledger, c->person.address, i->owner, i->now, &now, fault);

	*ours = held > 0 && same_step(&c->person, &now);
	if (*ours) {
		c->after.approved = c->after.approved || now.approved;
		c->after.first_day = now.first_day;
		c->after.orphaned_since = now.orphaned_since;
	}
	if (held > 0 && !*ours)
		return ledger_release(i->ledger, i->owner, c->person.address, fault);
	return held >= 0;
}

/* The course ends with c->after in the ledger. */
bool ending_put(struct course *c, const char *event, struct fault *fault)
{
	struct invite *i = c->invite;
	bool ours;

	c->next = NEXT_END;
	if (!ending_still_ours(c, &ours, fault))
		return false;
	if (!ours)
		return true;
	c->event = event;
	i->changed = true;
	return ledger_person_put(i->ledger, &c->after, c->cause, i->actor, fault);
}

bool ending_send(struct course *c, const char *outcome, const char *event, struct fault *fault)
{
	return ledger_send_end(c->invite->ledger, c->person.address, outcome, fault) &&
	       ending_put(c, event, fault);
}

/* ---- ends without an effect ---- */

bool ending_back(struct course *c, struct fault *fault)
{
	struct invite *i = c->invite;

	c->next = NEXT_END;
	c->after = c->before;
	c->after.mails = c->person.mails;
	c->after.checked = c->person.checked;
	if (c->person.state == PERSON_SENDING) {
		str_copy(c->cause, sizeof(c->cause), "send: certainly without effect");
		return ending_send(c, "refused", NULL, fault);
	}
	/* That both questions are answered spares two calls. */
	if (c->after.checked != c->before.checked && !c->by_name)
		return ending_put(c, NULL, fault);
	return ledger_release(i->ledger, i->owner, c->person.address, fault);
}

static int64_t jitter(int64_t seconds)
{
	uint32_t random = 0;

	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	return seconds - seconds / 5 + (int64_t)(random % (uint32_t)(2 * seconds / 5 + 1));
}

static int64_t retry_due(const struct course *c)
{
	int64_t wait = jitter(backoff(RETRY_FIRST_S, RETRY_LAST_S, c->after.attempts - 1));

	if (c->answer.retry_after > wait)
		wait = c->answer.retry_after < ASKED_LAST_S ? c->answer.retry_after : ASKED_LAST_S;
	return c->invite->now + wait;
}

bool ending_retry(struct course *c, const struct fault *why, struct fault *fault)
{
	bool sending = c->person.state == PERSON_SENDING;

	c->fault = *why;
	if (c->by_name)
		return ending_back(c, fault);
	c->after = sending ? c->before : c->person;
	c->after.mails = c->person.mails;
	c->after.checked = c->person.checked;
	c->after.attempts++;
	c->after.priority = PRIO_RETRY;
	c->after.next_attempt = retry_due(c);
	ending_note_fault(&c->after, why);
	if (c->after.state == PERSON_QUEUED)
		str_copy(c->after.reason, sizeof(c->after.reason), "retry");
	str_format(
		c->cause, sizeof(c->cause), "%s: %.150s", google_method_word(c->step), why->what);
	return sending ? ending_send(c, "refused", "retry", fault) : ending_put(c, "retry", fault);
}

bool ending_setup(struct course *c, struct fault *fault)
{
	c->fault = c->answer.fault;
	return (c->by_name || control_refused(c->invite, c->step, &c->answer.fault, fault)) &&
	       ending_back(c, fault);
}

bool ending_quota(struct course *c, struct fault *fault)
{
	struct invite *i = c->invite;

	i->throttled = true;
	if (c->answer.retry_after > i->retry_after)
		i->retry_after = c->answer.retry_after;
	c->fault = c->answer.fault;
	return ending_back(c, fault);
}
