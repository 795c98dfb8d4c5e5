/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mktime finds the right second on days that have 23 or 25 hours.
 */
#include "engine/send_day.h"

#include <time.h>

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

int64_t send_day_start(int64_t now)
{
	return midnight(now, 0);
}

int64_t send_day_end(int64_t now)
{
	return midnight(now, 1);
}
