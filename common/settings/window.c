/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Send windows. A time is open if it is in an interval of a window on any of the days around it;
 * intervals are computed with libc's time zones, so changes to summer time are right.
 */
#include "settings/window.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "settings/timezone.h"

#define SPEC_MAX    512
#define WINDOWS_MAX 16
#define WEEK	    ((int64_t)7 * 24 * 3600)
/* Yesterday's window may still be open, and the next one begins within a week. */
#define DAYS_AROUND 9

#define EVERY_DAY 0x7fu

struct window {
	unsigned days;	/* bit 0 is Sunday, as in struct tm */
	int begin, end; /* minutes of the day, 0 to 1440 */
	char zone[TIMEZONE_MAX];
};

struct windows {
	struct window all[WINDOWS_MAX];
	size_t count;
};

/* ---- the text ---- */

static int day_number(const char *s, size_t n)
{
	static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

	for (int i = 0; i < 7; i++)
		if (n == 3 && ascii_lower(s[0]) == names[i][0] &&
			ascii_lower(s[1]) == names[i][1] && ascii_lower(s[2]) == names[i][2])
			return i;
	return -1;
}

/* Parses "Mon" or "Fri-Mon". */
static bool parse_days(const char *word, unsigned *days)
{
	size_t first = strcspn(word, "-");
	int from = day_number(word, first);
	int to = word[first] == '-' ? day_number(word + first + 1, strlen(word + first + 1)) : from;

	if (from < 0 || to < 0)
		return false;
	for (int day = from;; day = (day + 1) % 7) {
		*days |= 1u << day;
		if (day == to)
			return true;
	}
}

/* Parses "08:00" at `s`, up to the character `end`. */
static bool parse_minute(const char *s, char end, int *minute)
{
	if (!ascii_is_digit(s[0]) || !ascii_is_digit(s[1]) || s[2] != ':' ||
		!ascii_is_digit(s[3]) || !ascii_is_digit(s[4]) || s[5] != end)
		return false;
	int hours = (s[0] - '0') * 10 + s[1] - '0';
	int minutes = (s[3] - '0') * 10 + s[4] - '0';
	*minute = hours * 60 + minutes;
	return minutes < 60 && *minute <= 24 * 60;
}

static bool parse_hours(const char *word, struct window *w)
{
	return parse_minute(word, '-', &w->begin) && parse_minute(word + 6, '\0', &w->end) &&
	       w->begin != w->end && w->begin < 24 * 60;
}

static const char *parse_word(const char *word, struct window *w, const char **remedy)
{
	if (parse_days(word, &w->days)) {
		if (w->end == 0)
			return NULL;
	} else if (ascii_is_digit(word[0])) {
		if (w->end == 0 && parse_hours(word, w))
			return NULL;
	} else if (w->zone[0] == '\0' && w->end != 0) {
		*remedy = "Write a time zone from /usr/share/zoneinfo, such as Europe/Berlin, or "
			  "UTC. (If that directory is empty, install the package tzdata.)";
		if (str_copy(w->zone, sizeof(w->zone), word) && timezone_known(word))
			return NULL;
		return "names a time zone that this host does not have";
	}
	return "is not a send window";
}

static const char *parse_window(char *text, struct window *w, const char **remedy)
{
	const char *wrong = NULL;

	for (char *word = str_trim(text); *word != '\0' && !wrong;) {
		size_t n = strcspn(word, " \t");
		char *next = word + n + strspn(word + n, " \t");

		word[n] = '\0';
		wrong = parse_word(word, w, remedy);
		word = next;
	}
	if (!wrong && w->end == 0)
		wrong = "is not a send window";
	if (w->days == 0)
		w->days = EVERY_DAY;
	return wrong;
}

/* A window without a zone has the zone of the next one that names one. */
static bool spread_zones(struct windows *w)
{
	const char *zone = NULL;

	for (size_t i = w->count; i-- > 0;) {
		if (w->all[i].zone[0] != '\0')
			zone = w->all[i].zone;
		else if (!zone)
			return false;
		else
			str_copy(w->all[i].zone, TIMEZONE_MAX, zone);
	}
	return true;
}

static const char *parse(const char *spec, struct windows *w, const char **remedy)
{
	char copy[SPEC_MAX];

	*remedy = "Write days, hours and time zone, such as: Mon-Fri 08:00-18:00 Europe/Berlin. "
		  "Separate several windows by commas.";
	if (!str_copy(copy, sizeof(copy), spec))
		return "is too long";
	for (char *next = copy; next;) {
		char *text = next;
		const char *wrong;

		next = strchr(text, ',');
		if (next)
			*next++ = '\0';
		if (w->count == WINDOWS_MAX)
			return "has too many windows";
		wrong = parse_window(text, &w->all[w->count++], remedy);
		if (wrong)
			return wrong;
	}
	return spread_zones(w) ? NULL : "has no time zone";
}

const char *window_check(const char *spec, const char **remedy)
{
	struct windows w = {.count = 0};

	return *spec == '\0' ? NULL : parse(spec, &w, remedy);
}

/* ---- the time ---- */

struct interval {
	int64_t begin, end;
};

static int64_t moment(const struct tm *day, int offset, int minute)
{
	struct tm tm = {
		.tm_year = day->tm_year,
		.tm_mon = day->tm_mon,
		.tm_mday = day->tm_mday + offset,
		.tm_hour = minute / 60,
		.tm_min = minute % 60,
		.tm_isdst = -1,
	};
	return mktime(&tm);
}

static bool on_day(const struct tm *day, int offset, unsigned days)
{
	struct tm noon = {
		.tm_year = day->tm_year,
		.tm_mon = day->tm_mon,
		.tm_mday = day->tm_mday + offset,
		.tm_hour = 12,
		.tm_isdst = -1,
	};

	return mktime(&noon) != -1 && (days >> noon.tm_wday & 1) != 0;
}

/* The times around `wall` at which the window is open. */
static size_t intervals_of(const struct window *w, int64_t wall, struct interval *out)
{
	char **saved = timezone_enter(w->zone);
	time_t now = wall;
	struct tm today;
	size_t count = 0;
	int days = localtime_r(&now, &today) ? DAYS_AROUND : 0;

	for (int offset = -1; offset < days - 1; offset++) {
		if (!on_day(&today, offset, w->days))
			continue;
		int last = w->end > w->begin ? offset : offset + 1;
		out[count++] = (struct interval){
			moment(&today, offset, w->begin),
			moment(&today, last, w->end),
		};
	}
	timezone_leave(saved);
	return count;
}

static size_t all_intervals(const struct windows *w, int64_t wall, struct interval *out)
{
	size_t count = 0;

	for (size_t i = 0; i < w->count; i++)
		count += intervals_of(&w->all[i], wall, out + count);
	return count;
}

/* Windows that touch or overlap count as one. */
static int64_t open_until(const struct interval *all, size_t count, int64_t wall)
{
	int64_t end = wall;
	bool longer = true;

	while (longer) {
		longer = false;
		for (size_t i = 0; i < count; i++)
			if (all[i].begin <= end && all[i].end > end) {
				end = all[i].end;
				longer = true;
			}
	}
	return end;
}

bool window_open(const char *spec, int64_t wall, int64_t *next_change)
{
	struct windows w = {.count = 0};
	struct interval all[WINDOWS_MAX * DAYS_AROUND];
	const char *remedy;
	int64_t next = INT64_MAX;
	bool open = *spec == '\0';

	if (!open) {
		/* A window that cannot be parsed stays closed. */
		size_t count = !parse(spec, &w, &remedy) ? all_intervals(&w, wall, all) : 0;
		int64_t until = open_until(all, count, wall);

		open = until > wall;
		next = wall + WEEK;
		if (open && until < next)
			next = until;
		for (size_t i = 0; i < count && !open; i++)
			if (all[i].begin > wall && all[i].begin < next)
				next = all[i].begin;
	}
	if (next_change)
		*next_change = next;
	return open;
}
