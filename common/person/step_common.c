/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several events do to the next person.
 */
#include "base/str.h"
#include "person/step_internal.h"

void step_move(struct person_step *step, enum person_state state, enum person_reason reason,
	int64_t next_attempt)
{
	step->next.state = state;
	step->next.reason = reason;
	step->next.next_attempt = next_attempt;
	step->store = true;
}

void step_cause(struct person_step *step, const char *what, const char *text)
{
	if (text && text[0] != '\0')
		str_format(step->cause, sizeof(step->cause), "%s: %.150s", what, text);
	else
		str_copy(step->cause, sizeof(step->cause), what);
}

bool step_awaits_sighting(const struct person *p)
{
	return p->reason == REASON_MANUAL || p->reason == REASON_DISCOVERED ||
	       p->reason == REASON_ADDRESS_CHANGED || p->state == PERSON_NOT_INVITABLE ||
	       p->state == PERSON_FAILED;
}

void step_clear_fault(struct person *p)
{
	p->attempts = 0;
	p->fault_code[0] = '\0';
	p->fault_text[0] = '\0';
}

void step_set_fault(struct person *p, const char *code, const char *text)
{
	str_copy(p->fault_code, sizeof(p->fault_code), code);
	str_copy(p->fault_text, sizeof(p->fault_text), text);
}

void step_clear_intent(struct person *p)
{
	p->intent_at = 0;
	p->intent_date = 0;
	p->intent_mails = -1;
}
