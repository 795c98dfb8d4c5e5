/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/engine_admin.h"

bool decide(struct site *s, const char *address, struct person *p)
{
	int found = ledger_lease(s->ledger, address, "cli@here:2", clock_wall(),
		clock_wall() + ADMIN_LEASE_S, p, &s->fault);

	check(s, found >= 0);
	return found > 0;
}

/* The rules are the product's: person_step(). */
static void apply(struct site *s, const struct person *p, enum person_event_kind kind)
{
	const struct person_event event = {
		.kind = kind, .now = clock_wall(), .today = clock_day_start(clock_wall())};
	const struct send_policy policy = {.blocked = false};
	struct person_step step = person_step(p, &event, &policy);

	if (step.store)
		check(s, ledger_person_store(s->ledger, &step, p, NULL, 0, "root", &s->fault));
	else
		check(s, ledger_release(s->ledger, "cli@here:2", p->address, &s->fault));
}

static bool is_blocked(struct site *s, const char *address)
{
	return ledger_blocked(s->ledger, address, NULL, 0, &s->fault) != 0;
}

void admin_approve(struct site *s, const char *address, bool *may_mail_again)
{
	struct person p;

	*may_mail_again = false;
	if (is_blocked(s, address) || !decide(s, address, &p))
		return;
	*may_mail_again = p.state == PERSON_HELD && p.reason != REASON_MAX_MAILS && p.intent_at > 0;
	apply(s, &p, EVENT_APPROVED);
}

void admin_retry(struct site *s, const char *address)
{
	struct person p;

	if (!is_blocked(s, address) && decide(s, address, &p))
		apply(s, &p, EVENT_RETRIED);
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
	if (ledger_forget(s->ledger, address, NULL, &busy) < 0)
		assert_int_equal(busy.kind, FAULT_TRANSIENT);
}

static const char *violation_of(const struct person *p, int64_t now)
{
	bool waits = p->state == PERSON_QUEUED || p->state == PERSON_SENDING ||
		     p->state == PERSON_UNCONFIRMED;

	if (waits && p->next_attempt > now + 8 * DAY)
		return "waits longer than anything lasts";
	if (p->state == PERSON_FAILED && p->fault_text[0] == '\0')
		return "does not say what failed";
	return person_invalid(p);
}

static bool look_at(const struct person *p, void *ctx)
{
	struct looking *l = ctx;
	const char *wrong = violation_of(p, l->now);

	if (!wrong)
		return true;
	l->violations++;
	print_message("# seed %llu: %s is %s (%s), due in %lld s: %s\n",
		(unsigned long long)l->seed, p->address, person_state_word(p->state),
		person_reason_word(p), (long long)(p->next_attempt - l->now), wrong);
	return true;
}

void assert_nobody_is_forgotten(struct site *s, uint64_t seed)
{
	struct looking l = {.now = clock_wall(), .seed = seed};

	check(s, ledger_each_person(s->ledger, -1, NULL, 0, look_at, &l, &s->fault));
	assert_int_equal(l.violations, 0);
}
