/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the clocks, and times as text. All calculations are in UTC with 64 bits: settings, ledger
 * and Google may give any number, so none of them may overflow.
 */
#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/str.h"

#define MINUTE	     ((int64_t)60)
#define HOUR	     (60 * MINUTE)
#define DAY	     (24 * HOUR)
#define WEEK	     (7 * DAY)
#define DURATION_MAX (3650 * DAY)

int64_t clock_wall(void)
{
	struct timespec now;

	/* The time is never 0: wherever a time is stored, 0 means "never". */
	return clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 0 ? (int64_t)now.tv_sec : 1;
}

int64_t clock_boot_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_BOOTTIME, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_boot_id(char out[37])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, 36) : 0;

	out[n == 36 ? 36 : 0] = '\0';
	file_close(&fd);
}

char *clock_rfc3339(int64_t wall, char out[CLOCK_TEXT_SIZE])
{
	time_t t = (time_t)wall;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
	return out;
}

char *clock_day(int64_t wall, char out[CLOCK_TEXT_SIZE])
{
	clock_rfc3339(wall, out);
	out[strcspn(out, "T")] = '\0';
	return out;
}

int64_t clock_day_start(int64_t wall)
{
	int64_t rest = wall % DAY;

	/* Such a time is not one; the first day has no midnight. */
	if (wall < INT64_MIN + DAY)
		return INT64_MIN;
	return wall - (rest < 0 ? rest + DAY : rest);
}

/* Reads `count` digits at *s and moves *s past them. */
static bool digits(const char **s, int count, int *out)
{
	*out = 0;
	for (int i = 0; i < count; i++, (*s)++) {
		if (!ascii_is_digit(**s))
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return true;
}

static bool literal(const char **s, char c)
{
	if (ascii_lower(**s) != ascii_lower(c))
		return false;
	(*s)++;
	return true;
}

/* Reads "Z" or "+01:00" as the seconds to subtract. */
static bool offset(const char **s, int64_t *out)
{
	int sign, hours, minutes;

	*out = 0;
	if (literal(s, 'Z'))
		return true;
	sign = **s == '+' ? 1 : **s == '-' ? -1 : 0;
	if (sign == 0)
		return false;
	(*s)++;
	if (!digits(s, 2, &hours) || !literal(s, ':') || !digits(s, 2, &minutes) || hours > 23 ||
		minutes > 59)
		return false;
	*out = sign * (hours * HOUR + minutes * MINUTE);
	return true;
}

static bool fraction(const char **s)
{
	int n = 0;

	if (**s != '.')
		return true;
	for ((*s)++; ascii_is_digit(**s); (*s)++)
		n++;
	return n >= 1 && n <= 9;
}

static int days_of_month(int year, int month)
{
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool clock_parse_rfc3339(const char *s, int64_t *out)
{
	struct tm tm = {0};
	int64_t shift, t;
	bool leap;

	if (!digits(&s, 4, &tm.tm_year) || !literal(&s, '-') || !digits(&s, 2, &tm.tm_mon) ||
		!literal(&s, '-') || !digits(&s, 2, &tm.tm_mday) || !literal(&s, 'T') ||
		!digits(&s, 2, &tm.tm_hour) || !literal(&s, ':') || !digits(&s, 2, &tm.tm_min) ||
		!literal(&s, ':') || !digits(&s, 2, &tm.tm_sec) || !fraction(&s) ||
		!offset(&s, &shift) || *s != '\0')
		return false;
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
		tm.tm_mday > days_of_month(tm.tm_year, tm.tm_mon) || tm.tm_hour > 23 ||
		tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	leap = tm.tm_sec == 60;
	t = (int64_t)timegm(&tm) - shift;
	/* timegm has turned a leap second into the first second of the next day; it is valid
	 * only there. */
	if (leap && clock_day_start(t) != t)
		return false;
	*out = t;
	return true;
}

bool clock_parse_duration(const char *s, int64_t *seconds)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', MINUTE}, {'h', HOUR}, {'d', DAY}, {'w', WEEK}};
	int64_t value = 0, unit = 1;

	if (!ascii_is_digit(*s))
		return false;
	for (; ascii_is_digit(*s); s++) {
		value = value * 10 + (*s - '0');
		if (value > DURATION_MAX)
			return false;
	}
	if (*s) {
		unit = 0;
		for (size_t i = 0; i < ARRAY_SIZE(units); i++)
			if (*s == units[i].letter)
				unit = units[i].seconds;
		if (unit == 0 || s[1] != '\0')
			return false;
	}
	if (value > DURATION_MAX / unit)
		return false;
	*seconds = value * unit;
	return true;
}

char *clock_duration(int64_t seconds, char out[CLOCK_TEXT_SIZE])
{
	static const struct {
		int64_t seconds;
		char letter;
	} units[] = {{DAY, 'd'}, {HOUR, 'h'}, {MINUTE, 'm'}, {1, 's'}};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (seconds != 0 && seconds % units[i].seconds == 0) {
			str_format(out, CLOCK_TEXT_SIZE, "%lld%c",
				(long long)(seconds / units[i].seconds), units[i].letter);
			return out;
		}
	}
	str_copy(out, CLOCK_TEXT_SIZE, "0");
	return out;
}

/* In the largest unit of which there are at least two (minutes: at least one), rounded down. */
static void spell(int64_t seconds, char *out, size_t size)
{
	if (seconds < 90)
		str_format(out, size, "%lld s", (long long)seconds);
	else if (seconds < 2 * HOUR)
		str_format(out, size, "%lld min", (long long)(seconds / MINUTE));
	else if (seconds < 2 * DAY)
		str_format(out, size, "%lld h", (long long)(seconds / HOUR));
	else
		str_format(out, size, "%lld days", (long long)(seconds / DAY));
}

char *clock_relative(int64_t wall, int64_t now, char out[CLOCK_TEXT_SIZE])
{
	int64_t ahead;
	char text[24];

	/* The ledger may hold any number. */
	if (__builtin_sub_overflow(wall, now, &ahead) || ahead == INT64_MIN)
		ahead = wall < now ? -INT64_MAX : INT64_MAX;
	if (ahead > -5 && ahead < 5) {
		str_copy(out, CLOCK_TEXT_SIZE, ahead > 0 ? "now" : "just now");
		return out;
	}
	spell(ahead < 0 ? -ahead : ahead, text, sizeof(text));
	str_format(out, CLOCK_TEXT_SIZE, ahead < 0 ? "%s ago" : "in %s", text);
	return out;
}
