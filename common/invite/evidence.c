/* SPDX-License-Identifier: Apache-2.0 */
#include "invite/evidence.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"

#define MINUTE INT64_C(60)
#define HOUR   (60 * MINUTE)

static void become(struct person *p, enum person_state state, const char *reason)
{
	p->state = state;
	p->next_attempt = 0;
	str_copy(p->reason, sizeof(p->reason), reason);
}

static void close_intent(struct person *p)
{
	p->intent_at = 0;
	p->intent_date = 0;
	p->intent_mails = -1;
	p->resend = false;
	p->attempts = 0;
	p->fault_code[0] = '\0';
	p->fault_text[0] = '\0';
}

static void say(struct evidence_meaning *out, const char *event, const struct evidence *e)
{
	out->event = event;
	if (e->shown)
		str_format(out->cause, sizeof(out->cause), "Google shows %s, %lld mail%s",
			invitation_state_word(e->state), (long long)e->mails,
			e->mails == 1 ? "" : "s");
	else
		str_copy(out->cause, sizeof(out->cause), "Google does not show the person");
}

/* ---- an open intent: did the mail go out? ---- */

static bool intent_open(const struct person *p)
{
	return p->intent_at != 0 && (p->state == PERSON_UNCONFIRMED || p->state == PERSON_SENDING ||
					    p->state == PERSON_HELD);
}

static bool invited_or_later(enum invitation_state state)
{
	return state == INVITATION_INVITED || state == INVITATION_ACCEPTED ||
	       state == INVITATION_DECLINED;
}

/* Somebody who was INVITED or DECLINED when the administrator sent again is so still: then only the
 * count tells. */
static bool proves_sent(const struct person *p, const struct evidence *e)
{
	if (!e->shown)
		return false;
	if (p->intent_mails >= 0 && e->mails > p->intent_mails)
		return true;
	return !p->resend && invited_or_later(e->state);
}

/* Google's clock against Google's clock; ours only where it never said its own, and then no second
 * mail may hang on it. */
static bool lag_is_over(const struct person *p, const struct evidence *e, bool *by_google)
{
	*by_google = e->date != 0 && p->intent_date != 0;
	if (*by_google)
		return e->date - p->intent_date >= GOOGLE_LAG_S;
	return e->now - p->intent_at >= GOOGLE_LAG_S;
}

static bool proves_unsent(const struct person *p, const struct evidence *e, bool by_google)
{
	return by_google && e->shown && e->state == INVITATION_NOT_YET_SENT &&
	       p->intent_mails >= 0 && e->mails == p->intent_mails;
}

static void settle_sent(struct person *p, const struct evidence *e, struct evidence_meaning *out)
{
	int64_t mailed = p->intent_date;

	become(p, PERSON_INVITED, "resolved");
	p->our_mails++;
	close_intent(p);
	p->intent_date = mailed;
	out->journal = "resolved_sent";
	say(out, "resolved", e);
}

/* Where Google's clock was not known when the intent was committed (or was another one), the time
 * begins now: later than the mail, if there was one. */
static void date_intent(struct person *p, const struct evidence *e)
{
	if (e->date != 0 && (p->intent_date == 0 || e->date < p->intent_date))
		p->intent_date = e->date;
}

static void settle(struct person *p, const struct evidence *e, struct evidence_meaning *out)
{
	bool by_google;

	date_intent(p, e);
	if (proves_sent(p, e)) {
		settle_sent(p, e, out);
	} else if (p->state == PERSON_HELD) {
		return;
	} else if (!lag_is_over(p, e, &by_google)) {
		p->next_attempt = evidence_settle_due(p, e->now);
	} else if (proves_unsent(p, e, by_google)) {
		become(p, PERSON_QUEUED, "resolved_unsent");
		p->next_attempt = e->now;
		p->priority = PRIO_RETRY;
		close_intent(p);
		out->journal = "resolved_unsent";
		say(out, "resolved", e);
	} else {
		become(p, PERSON_HELD, "unconfirmed");
		say(out, "held", e);
	}
}

/* ---- the state that Google shows ---- */

/* Whether a reading of NOT_YET_SENT is younger than the mail: it counts it, or it is too late, by
 * Google's clock, to be old news. */
static bool withdrawn(const struct person *p, const struct evidence *e)
{
	return (e->mails > 0 && e->mails >= p->mails) ||
	       (e->date != 0 && p->intent_date != 0 && e->date - p->intent_date >= GOOGLE_LAG_S);
}

static void saw_not_yet_sent(
	struct person *p, const struct evidence *e, struct evidence_meaning *out)
{
	if (p->state != PERSON_INVITED || !withdrawn(p, e))
		return;
	become(p, PERSON_CANCELLED, "elsewhere");
	say(out, "cancelled", e);
}

/* INVITED is old news for those who have answered or were cancelled since, unless it counts a mail
 * that came later. */
static void saw_invited(struct person *p, const struct evidence *e, struct evidence_meaning *out)
{
	bool settled = p->state == PERSON_ACCEPTED || p->state == PERSON_DECLINED ||
		       p->state == PERSON_CANCELLED;

	if (p->state == PERSON_INVITED || (settled && (p->mails < 0 || e->mails <= p->mails)) ||
		p->state == PERSON_ACCEPTED)
		return;
	become(p, PERSON_INVITED, "by_others");
	close_intent(p);
	p->intent_date = e->date;
	say(out, "decision", e);
}

static void saw_answer(struct person *p, const struct evidence *e, struct evidence_meaning *out)
{
	enum person_state state =
		e->state == INVITATION_ACCEPTED ? PERSON_ACCEPTED : PERSON_DECLINED;

	if (p->state == state || p->state == PERSON_ACCEPTED)
		return;
	become(p, state, "answered");
	close_intent(p);
	say(out, person_state_word(state), e);
}

static void saw(struct person *p, const struct evidence *e, struct evidence_meaning *out)
{
	bool open = intent_open(p);

	/* With --resend, what was so before the mail proves nothing about it. And nobody comes back
	 * from `gone` but by a sighting. */
	if ((open && p->resend) || p->state == PERSON_GONE)
		return;
	if (e->state == INVITATION_NOT_YET_SENT)
		saw_not_yet_sent(p, e, out);
	else if (e->state == INVITATION_INVITED)
		saw_invited(p, e, out);
	else if (e->state == INVITATION_ACCEPTED || e->state == INVITATION_DECLINED)
		saw_answer(p, e, out);
}

void evidence_apply(struct person *p, const struct evidence *e, struct evidence_meaning *out)
{
	struct person before = *p;

	*out = (struct evidence_meaning){.changed = false};
	if (intent_open(p))
		settle(p, e, out);
	if (e->shown) {
		saw(p, e, out);
		p->mails = e->mails > p->mails ? e->mails : p->mails;
	}
	out->changed = p->state != before.state || p->next_attempt != before.next_attempt ||
		       p->intent_date != before.intent_date || p->mails != before.mails ||
		       strcmp(p->reason, before.reason) != 0;
}

bool evidence_mailed_elsewhere(const struct person *before, const struct evidence *e)
{
	int64_t known = before->mails > 0 ? before->mails : 0;

	if (!e->shown || e->date == 0 || e->mails <= known || before->intent_at != 0)
		return false;
	/* Of whom nothing was known, only INVITED says when the mail was. */
	if (before->mails < 0 && (e->state != INVITATION_INVITED || e->updated == 0))
		return false;
	return e->updated == 0 || e->date - e->updated < GOOGLE_LAG_S;
}

int64_t evidence_settle_due(const struct person *p, int64_t now)
{
	static const int64_t ages[] = {60, 15 * MINUTE, 2 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR,
		GOOGLE_LAG_S + 5 * MINUTE};

	if (p->intent_at > now) /* our clock was ahead then */
		return now + 2 * HOUR;
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++)
		if (p->intent_at + ages[i] > now)
			return p->intent_at + ages[i];
	return now + 6 * HOUR;
}
