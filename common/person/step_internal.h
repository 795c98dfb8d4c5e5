/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of person_step() share: one function for each event, and what several of them do
 * to the next person.
 */
#ifndef CLOUDINVITE_PERSON_STEP_INTERNAL_H
#define CLOUDINVITE_PERSON_STEP_INTERNAL_H

#include "person/event.h"

/* Each changes `step`, whose `next` is a copy of the person. `next` has to be stored if the
 * function sets step->store. */
typedef void person_on_event(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy);

/* ---- step_host.c ---- */
person_on_event on_sighted, on_linked, on_unlinked, on_collision, on_blocked, on_unblocked,
	on_observed;

/* ---- step_job.c ---- */
person_on_event on_claimed, on_checked, on_got, on_permit, on_sent, on_cancelled;

/* ---- step_failure.c ---- */
person_on_event on_failed, on_control, on_released, on_breaker;
/* The send may have had its effect, and `text` says why that is not known. */
void step_unconfirmed(struct person_step *step, const struct person_event *e,
	enum person_reason reason, const char *code, const char *text);
/* The job ends without an effect: back to how the person was claimed. */
void step_back(struct person_step *step, const struct person_event *e);

/* ---- step_admin.c ---- */
person_on_event on_approved, on_retried, on_send_requested, on_cancelled_by_admin;

/* ---- step_common.c ---- */
/* The person is to be stored in this state, with nothing to do before `next_attempt` (0: at all).
 */
void step_move(struct person_step *step, enum person_state state, enum person_reason reason,
	int64_t next_attempt);
/* `what: text`, or `what` alone where there is no text. */
void step_cause(struct person_step *step, const char *what, const char *text);
/* Of a person who is `discovered` or whose address_changed is set: whether the first account that
 * leads here makes a difference. */
bool step_awaits_sighting(const struct person *p);
void step_clear_fault(struct person *p);
void step_set_fault(struct person *p, const char *code, const char *text);
void step_clear_intent(struct person *p);

#endif
