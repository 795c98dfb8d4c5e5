/* SPDX-License-Identifier: Apache-2.0 */
#include "invite/policy.h"

#include <time.h>

static bool mails_used_up(const struct policy_facts *f)
{
	return f->person->mails >= f->settings->max_mails && !f->person->resend;
}

static bool held_as_discovered(const struct policy_facts *f)
{
	return f->person->discovered && f->settings->discovered != DISCOVERED_SEND;
}

struct ruling policy_rule(const struct policy_facts *f)
{
	bool free_to_go = f->by_name || f->person->approved;

	if (mails_used_up(f))
		return (struct ruling){RULING_HOLD, "max_mails", 0};
	if (!free_to_go && held_as_discovered(f))
		return (struct ruling){RULING_HOLD, "discovered", 0};
	if (!free_to_go && f->settings->mode == MODE_DRY_RUN)
		return (struct ruling){RULING_HOLD, "dry_run", 0};
	if (!f->by_name && f->window_opens != 0)
		return (struct ruling){RULING_WAIT, "send_window", f->window_opens};
	if (f->sends_today >= f->settings->sends_per_day)
		return (struct ruling){RULING_WAIT, "daily_limit", policy_midnight_after(f->now)};
	return (struct ruling){RULING_SEND, "", 0};
}

/* mktime finds the right second on days that have 23 or 25 hours. */
static int64_t midnight(int64_t now, int days)
{
	time_t t = (time_t)now;
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return now - now % 86400 + days * INT64_C(86400);
	tm.tm_mday += days;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm);
}

int64_t policy_midnight_before(int64_t now)
{
	return midnight(now, 0);
}

int64_t policy_midnight_after(int64_t now)
{
	return midnight(now, 1);
}
