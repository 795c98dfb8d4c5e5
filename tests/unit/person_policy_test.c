/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I8, I10 (docs/design.md, "Invariants"). */
/* Whether a person who may be invited is mailed now. */
#include "person_rows.h"

struct policy_row {
	const char *person, *policy;
	enum policy_verdict verdict;
	enum person_reason reason;
	int64_t until; /* after ROW_NOW */
};

static void check(const struct policy_row *rows, size_t count, bool manual)
{
	for (size_t n = 0; n < count; n++) {
		struct person p = row_person(rows[n].person);
		struct send_policy policy = row_policy(rows[n].policy);
		struct policy_decision d = policy_decide(&p, &policy, manual);
		int64_t until = rows[n].until == 0 ? 0 : ROW_NOW + rows[n].until;

		if (d.verdict != rows[n].verdict || d.reason != rows[n].reason || d.until != until)
			fail_msg("'%s' under '%s': %d '%s' until now%+lld", rows[n].person,
				rows[n].policy, (int)d.verdict, reason_word(d.reason),
				(long long)(d.until - ROW_NOW));
	}
}

static void each_rule_holds_or_defers_and_the_first_one_counts(void **state)
{
	static const struct policy_row rows[] = {
		{"queued retry mails=0", "", POLICY_SEND, REASON_NONE, 0},
		{"queued retry mails=-1", "", POLICY_SEND, REASON_NONE, 0},
		/* mails of all senders */
		{"queued retry mails=1", "", POLICY_HOLD, REASON_MAX_MAILS, 0},
		{"queued retry mails=2", "", POLICY_HOLD, REASON_MAX_MAILS, 0},
		{"queued retry mails=1 approved", "", POLICY_HOLD, REASON_MAX_MAILS, 0},
		{"queued retry mails=1", "max_mails=2", POLICY_SEND, REASON_NONE, 0},
		{"queued retry mails=2", "max_mails=2", POLICY_HOLD, REASON_MAX_MAILS, 0},
		{"queued retry mails=2 resend", "max_mails=2", POLICY_SEND, REASON_NONE, 0},
		{"queued retry mails=1", "dry_run", POLICY_HOLD, REASON_MAX_MAILS, 0},
		/* what an administrator can release */
		{"queued retry discovered", "", POLICY_HOLD, REASON_DISCOVERED, 0},
		{"queued retry discovered", "discovered=ignore", POLICY_HOLD, REASON_DISCOVERED, 0},
		{"queued retry discovered", "discovered=send", POLICY_SEND, REASON_NONE, 0},
		{"queued retry discovered approved", "", POLICY_SEND, REASON_NONE, 0},
		{"queued retry discovered", "dry_run", POLICY_HOLD, REASON_DISCOVERED, 0},
		{"queued retry address_changed", "", POLICY_HOLD, REASON_ADDRESS_CHANGED, 0},
		{"queued retry address_changed", "dry_run window_opens=now+5", POLICY_HOLD,
			REASON_ADDRESS_CHANGED, 0},
		{"queued retry address_changed discovered", "", POLICY_HOLD, REASON_DISCOVERED, 0},
		{"queued retry address_changed discovered", "discovered=send", POLICY_HOLD,
			REASON_ADDRESS_CHANGED, 0},
		{"queued retry address_changed approved", "", POLICY_SEND, REASON_NONE, 0},
		{"queued retry address_changed mails=1", "", POLICY_HOLD, REASON_MAX_MAILS, 0},
		{"queued retry", "dry_run window_opens=now+5", POLICY_HOLD, REASON_DRY_RUN, 0},
		{"queued retry approved", "dry_run", POLICY_HOLD, REASON_DRY_RUN, 0},
		{"queued approved approved discovered address_changed", "dry_run", POLICY_HOLD,
			REASON_DRY_RUN, 0},
		/* what passes */
		{"queued retry approved", "window_opens=now+5", POLICY_DEFER, REASON_SEND_WINDOW,
			5},
		{"queued retry", "window_opens=now+5 sent_today=50", POLICY_DEFER,
			REASON_SEND_WINDOW, 5},
		{"queued retry", "sent_today=49", POLICY_SEND, REASON_NONE, 0},
		{"queued retry approved", "sent_today=50", POLICY_DEFER, REASON_DAILY_LIMIT, 57600},
		{"queued retry", "sent_today=51", POLICY_DEFER, REASON_DAILY_LIMIT, 57600},
		{"queued retry", "daily_limit=0", POLICY_DEFER, REASON_DAILY_LIMIT, 57600},
		{"queued retry resend mails=1", "sent_today=50", POLICY_DEFER, REASON_DAILY_LIMIT,
			57600},
		{"queued retry", "sent_today=50 reconciling", POLICY_DEFER, REASON_DAILY_LIMIT,
			57600},
		{"queued retry approved", "reconciling", POLICY_DEFER, REASON_RECONCILE, 1800},
		{"queued retry resend mails=1", "reconciling", POLICY_SEND, REASON_NONE, 0},
		/* not the policy's */
		{"queued retry", "blocked cancel_on_delete", POLICY_SEND, REASON_NONE, 0},
	};

	(void)state;
	check(rows, ARRAY_SIZE(rows), false);
}

static void a_send_by_name_is_bound_by_counts_and_reconcile_only(void **state)
{
	static const struct policy_row rows[] = {
		{"held discovered discovered", "dry_run window_opens=now+5", POLICY_SEND,
			REASON_NONE, 0},
		{"held address_changed address_changed", "", POLICY_SEND, REASON_NONE, 0},
		{"held max_mails mails=1", "", POLICY_HOLD, REASON_MAX_MAILS, 0},
		{"held dry_run", "dry_run", POLICY_SEND, REASON_NONE, 0},
		{"held dry_run", "sent_today=50", POLICY_DEFER, REASON_DAILY_LIMIT, 57600},
		{"held dry_run", "reconciling", POLICY_DEFER, REASON_RECONCILE, 1800},
		{"invited sent mails=1 resend", "reconciling", POLICY_SEND, REASON_NONE, 0},
	};

	(void)state;
	check(rows, ARRAY_SIZE(rows), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_holds_or_defers_and_the_first_one_counts),
		cmocka_unit_test(a_send_by_name_is_bound_by_counts_and_reconcile_only),
	};

	return cmocka_run_group_tests_name("person: policy", tests, NULL, NULL);
}
