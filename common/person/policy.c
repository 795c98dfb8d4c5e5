/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of the rules: what an administrator must decide comes before what passes with time, so
 * that a person who is deferred is never held afterwards for a reason that was there before.
 */
#include "person/policy.h"

struct policy_decision policy_decide(
	const struct person *p, const struct send_policy *policy, bool manual)
{
	bool released = manual || p->approved;

	if (p->mails >= policy->max_mails && !p->resend)
		return (struct policy_decision){POLICY_HOLD, REASON_MAX_MAILS, 0};
	if (!released && p->discovered && policy->discovered != DISCOVERY_SEND)
		return (struct policy_decision){POLICY_HOLD, REASON_DISCOVERED, 0};
	if (!released && p->address_changed)
		return (struct policy_decision){POLICY_HOLD, REASON_ADDRESS_CHANGED, 0};
	if (!manual && policy->dry_run)
		return (struct policy_decision){POLICY_HOLD, REASON_DRY_RUN, 0};
	if (!manual && policy->window_opens != 0)
		return (struct policy_decision){
			POLICY_DEFER, REASON_SEND_WINDOW, policy->window_opens};
	if (policy->sent_today >= policy->daily_limit)
		return (struct policy_decision){POLICY_DEFER, REASON_DAILY_LIMIT, policy->day_ends};
	if (policy->reconciling && !p->resend)
		return (struct policy_decision){
			POLICY_DEFER, REASON_RECONCILE, policy->reconcile_until};
	return (struct policy_decision){POLICY_SEND, REASON_NONE, 0};
}
