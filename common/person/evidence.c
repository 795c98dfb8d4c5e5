/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First the question that an open intent asks: did the mail go out? Then the state that Google
 * shows.
 */
#include "base/array.h"
#include "base/minmax.h"
#include "base/str.h"
#include "person/step_internal.h"

#define MINUTE INT64_C(60)
#define HOUR   (60 * MINUTE)

static void set_state(struct person *p, enum person_state state, enum person_reason reason)
{
	p->state = state;
	p->reason = reason;
	p->next_attempt = 0;
}

static void close_intent(struct person *p)
{
	step_clear_intent(p);
	step_clear_fault(p);
	p->resend = false;
}

static void describe(struct person_step *step, enum audit_event event, const struct evidence *e)
{
	step->event = event;
	if (e->shown)
		str_format(step->cause, sizeof(step->cause), "Google shows %s, %lld mail%s",
			invitation_state_word(e->state), (long long)e->mails,
			e->mails == 1 ? "" : "s");
	else
		str_copy(step->cause, sizeof(step->cause), "Google does not show the person");
}

/* ---- an open intent: did the mail go out? ---- */

static bool invited_or_later(enum invitation_state state)
{
	return state == INVITATION_INVITED || state == INVITATION_ACCEPTED ||
	       state == INVITATION_DECLINED;
}

/* At a resend the person was INVITED or DECLINED before: then only the count tells. */
static bool proves_sent(const struct person *p, const struct evidence *e)
{
	if (!e->shown)
		return false;
	if (p->intent_mails >= 0 && e->mails > p->intent_mails)
		return true;
	return !p->resend && invited_or_later(e->state);
}

/* Compares two Date headers of Google (date_intent() has noted one if there is another). The host's
 * clock counts only if Google never sent one; in that case *by_google is false, and the result must
 * not justify a second mail. */
static bool lag_is_over(const struct person *p, const struct evidence *e, bool *by_google)
{
	*by_google = e->date != 0;
	if (*by_google)
		return e->date - p->intent_date >= GOOGLE_LAG_S;
	return e->now - p->intent_at >= GOOGLE_LAG_S;
}

/* A count that was not known at the intent (-1) is none of Google's. */
static bool proves_unsent(const struct person *p, const struct evidence *e, bool by_google)
{
	return by_google && e->shown && e->state == INVITATION_NOT_YET_SENT &&
	       e->mails == p->intent_mails;
}

static void on_proved_sent(struct person_step *step, const struct evidence *e)
{
	int64_t mailed = step->next.intent_date;

	set_state(&step->next, PERSON_INVITED, REASON_RESOLVED);
	step->next.our_mails++;
	close_intent(&step->next);
	step->next.intent_date = mailed;
	step->outcome = SEND_RESOLVED_SENT;
	describe(step, AUDIT_RESOLVED, e);
}

static void on_proved_unsent(struct person_step *step, const struct evidence *e)
{
	set_state(&step->next, PERSON_QUEUED, REASON_RESOLVED_UNSENT);
	step->next.next_attempt = e->now;
	step->next.priority = PRIO_RETRY;
	close_intent(&step->next);
	step->outcome = SEND_RESOLVED_UNSENT;
	describe(step, AUDIT_RESOLVED, e);
}

/* If Google's clock was not known when the intent was committed, or was another one, the time
 * begins now: later than the mail, if there was one. */
static void date_intent(struct person *p, const struct evidence *e)
{
	if (e->date != 0 && (p->intent_date == 0 || e->date < p->intent_date))
		p->intent_date = e->date;
}

static void resolve_intent(struct person_step *step, const struct evidence *e)
{
	struct person *p = &step->next;
	bool by_google;

	date_intent(p, e);
	if (proves_sent(p, e)) {
		on_proved_sent(step, e);
		return;
	}
	if (p->state == PERSON_HELD)
		return;
	if (!lag_is_over(p, e, &by_google)) {
		p->next_attempt = evidence_next_check(p, e->now);
	} else if (proves_unsent(p, e, by_google)) {
		on_proved_unsent(step, e);
	} else {
		set_state(p, PERSON_HELD, REASON_UNCONFIRMED);
		describe(step, AUDIT_HELD, e);
	}
}

/* ---- the state that Google shows ---- */

/* Whether a reading of NOT_YET_SENT is younger than the mail: it counts the mail, or it is too late
 * by Google's clock to be old. */
static bool is_withdrawn(const struct person *p, const struct evidence *e)
{
	return (e->mails > 0 && e->mails >= p->mails) ||
	       (p->intent_date != 0 && e->date - p->intent_date >= GOOGLE_LAG_S);
}

static void on_shown_not_sent(struct person_step *step, const struct evidence *e)
{
	if (step->next.state != PERSON_INVITED || !is_withdrawn(&step->next, e))
		return;
	set_state(&step->next, PERSON_CANCELLED, REASON_ELSEWHERE);
	describe(step, AUDIT_CANCELLED, e);
}

/* INVITED is old for people who have declined or were cancelled since, unless it counts a mail that
 * came later. */
static void on_shown_invited(struct person_step *step, const struct evidence *e)
{
	struct person *p = &step->next;
	bool over = p->state == PERSON_DECLINED || p->state == PERSON_CANCELLED;

	if (p->state == PERSON_INVITED || p->state == PERSON_ACCEPTED ||
		(over && (p->mails < 0 || e->mails <= p->mails)))
		return;
	set_state(p, PERSON_INVITED, REASON_BY_OTHERS);
	close_intent(p);
	p->intent_date = e->date;
	describe(step, AUDIT_DECISION, e);
}

static void on_shown_answer(struct person_step *step, const struct evidence *e)
{
	bool accepted = e->state == INVITATION_ACCEPTED;
	enum person_state state = accepted ? PERSON_ACCEPTED : PERSON_DECLINED;

	if (step->next.state == state || step->next.state == PERSON_ACCEPTED)
		return;
	set_state(&step->next, state, REASON_ANSWERED);
	close_intent(&step->next);
	describe(step, accepted ? AUDIT_ACCEPTED : AUDIT_DECLINED, e);
}

static void on_shown(struct person_step *step, const struct evidence *e)
{
	/* At a resend, what was so before the mail proves nothing about it. An intent that is still
	 * open here is a resend's, or Google shows a state that says nothing. */
	if (step->next.intent_at != 0)
		return;
	switch (e->state) {
	case INVITATION_NOT_YET_SENT:
		on_shown_not_sent(step, e);
		break;
	case INVITATION_INVITED:
		on_shown_invited(step, e);
		break;
	case INVITATION_ACCEPTED:
	case INVITATION_DECLINED:
		on_shown_answer(step, e);
		break;
	case INVITATION_UNSPECIFIED:
	case INVITATION_OTHER:
		break;
	}
}

bool evidence_count(struct person *p, const struct evidence *e)
{
	if (!e->shown || e->mails <= p->mails)
		return false;
	p->mails = e->mails;
	return true;
}

bool evidence_apply(struct person_step *step, const struct evidence *e)
{
	struct person before = step->next, *p = &step->next;
	bool counted;

	if (p->intent_at != 0)
		resolve_intent(step, e);
	if (e->shown)
		on_shown(step, e);
	counted = evidence_count(p, e);
	return counted || p->state != before.state || p->next_attempt != before.next_attempt ||
	       p->intent_date != before.intent_date;
}

bool evidence_mailed_elsewhere(const struct person *before, const struct evidence *e)
{
	int64_t known = max_i64(before->mails, 0);

	if (!e->shown || e->date == 0 || e->mails <= known || before->intent_at != 0)
		return false;
	/* If nothing was known of the person, only INVITED says when the mail was. */
	if (before->mails < 0 && (e->state != INVITATION_INVITED || e->updated == 0))
		return false;
	return e->updated == 0 || e->date - e->updated < GOOGLE_LAG_S;
}

int64_t evidence_next_check(const struct person *p, int64_t now)
{
	static const int64_t ages[] = {MINUTE, 15 * MINUTE, 2 * HOUR, 12 * HOUR, 24 * HOUR,
		48 * HOUR, GOOGLE_LAG_S + 5 * MINUTE};

	if (p->intent_at > now) /* the host's clock was ahead then */
		return now + 2 * HOUR;
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++)
		if (p->intent_at + ages[i] > now)
			return p->intent_at + ages[i];
	return now + 6 * HOUR;
}
