/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/invite_admin.h"

bool decide(struct site *s, const char *address, struct person *p)
{
	int found = ledger_lease(s->ledger, address, "cli@here:2", clock_wall(),
		clock_wall() + ADMIN_LEASE_S, p, &s->fault);

	check(s, found >= 0);
	return found > 0;
}

static void queue_again(struct person *p, const char *reason, enum priority priority)
{
	p->state = PERSON_QUEUED;
	str_copy(p->reason, sizeof(p->reason), reason);
	p->priority = priority;
	p->next_attempt = clock_wall();
	p->attempts = 0;
}

static void put_or_release(struct site *s, struct person *p, bool put, const char *cause)
{
	if (put)
		check(s, ledger_person_put(s->ledger, p, cause, "root", &s->fault));
	else
		check(s, ledger_release(s->ledger, "cli@here:2", p->address, &s->fault));
}

void admin_approve(struct site *s, const char *address, bool *may_mail_again)
{
	struct person p;
	bool fits;

	*may_mail_again = false;
	if (!decide(s, address, &p))
		return;
	fits = p.state == PERSON_HELD && strcmp(p.reason, "max_mails") != 0 &&
	       ledger_blocked(s->ledger, address, NULL, 0, &s->fault) == 0;
	if (fits) {
		*may_mail_again = p.intent_at > 0;
		queue_again(&p, "approved", PRIO_NEW);
		p.approved = true;
		if (p.intent_at > 0) {
			p.intent_at = p.intent_date = p.checked = 0;
			p.intent_mails = -1;
		}
	}
	put_or_release(s, &p, fits, "approved");
}

void admin_retry(struct site *s, const char *address)
{
	struct person p;
	bool fits;

	if (!decide(s, address, &p))
		return;
	fits = p.state == PERSON_FAILED || p.state == PERSON_NOT_INVITABLE ||
	       p.state == PERSON_QUEUED;
	if (fits) {
		queue_again(&p, "retried", PRIO_RETRY);
		p.checked = 0;
		p.fault_code[0] = p.fault_text[0] = '\0';
	}
	put_or_release(s, &p, fits, "queued again");
}

void admin_block(struct site *s, const char *address, bool block)
{
	if (block)
		check(s, ledger_block(s->ledger, address, "test", "root", &s->fault));
	else
		check(s, ledger_unblock(s->ledger, address, "root", &s->fault) >= 0);
}

void admin_forget(struct site *s, const char *address)
{
	struct fault busy = {.kind = FAULT_NONE};
	struct person p;
	int found = ledger_person(s->ledger, address, &p, &s->fault);

	check(s, found >= 0);
	if (found == 0 || p.state == PERSON_SENDING || p.state == PERSON_UNCONFIRMED ||
		p.intent_at > 0 || p.mails > 0 || p.our_mails > 0)
		return;
	if (ledger_forget(s->ledger, address, &busy) < 0)
		assert_int_equal(busy.kind, FAULT_TRANSIENT);
}

static const char *complaint(const struct person *p, int64_t now)
{
	bool waits = p->state == PERSON_QUEUED || p->state == PERSON_SENDING ||
		     p->state == PERSON_UNCONFIRMED;
	bool intends = p->state == PERSON_SENDING || p->state == PERSON_UNCONFIRMED;

	if (p->reason[0] == '\0')
		return "does not say why";
	if (waits && p->next_attempt == 0)
		return "waits for nothing";
	if (waits && p->next_attempt > now + 8 * DAY)
		return "waits longer than anything lasts";
	if (intends != (p->intent_at != 0) && p->state != PERSON_HELD)
		return intends ? "has no intent" : "has an intent";
	if (p->state == PERSON_FAILED && p->fault_text[0] == '\0')
		return "does not say what failed";
	return NULL;
}

static bool look_at(const struct person *p, void *ctx)
{
	struct looking *l = ctx;
	const char *wrong = complaint(p, l->now);

	if (!wrong)
		return true;
	l->complaints++;
	print_message("# seed %llu: %s is %s (%s), due in %lld s: %s\n",
		(unsigned long long)l->seed, p->address, person_state_word(p->state), p->reason,
		(long long)(p->next_attempt - l->now), wrong);
	return true;
}

void assert_nobody_is_forgotten(struct site *s, uint64_t seed)
{
	struct looking l = {.now = clock_wall(), .seed = seed};

	check(s, ledger_each_person(s->ledger, -1, NULL, 0, look_at, &l, &s->fault));
	assert_int_equal(l.complaints, 0);
}
