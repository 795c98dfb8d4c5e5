/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting and parsing of times, with microseconds as Google has them.
 */
#include "timestamp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"

int64_t timestamp_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

int64_t monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Whole seconds, rounded down also before 1970, and the remaining microseconds. */
static time_t timestamp_split(int64_t timestamp, int64_t *micros)
{
	int64_t seconds = timestamp / USEC_PER_SEC;

	*micros = timestamp % USEC_PER_SEC;
	if (*micros < 0) {
		*micros += USEC_PER_SEC;
		seconds--;
	}
	return (time_t)seconds;
}

char *timestamp_rfc3339(int64_t timestamp, char out[TIMESTAMP_TEXT_SIZE])
{
	int64_t micros;
	time_t seconds = timestamp_split(timestamp, &micros);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(out, TIMESTAMP_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	if (micros != 0)
		snprintf(out + n, TIMESTAMP_TEXT_SIZE - n, ".%06dZ", (int)micros);
	else
		snprintf(out + n, TIMESTAMP_TEXT_SIZE - n, "Z");
	return out;
}

char *timestamp_http(int64_t timestamp, char out[TIMESTAMP_TEXT_SIZE])
{
	int64_t micros;
	time_t seconds = timestamp_split(timestamp, &micros);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(out, TIMESTAMP_TEXT_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return out;
}

/* ".123" gives 123000; returns the position after the digits. */
static const char *timestamp_parse_fraction(const char *s, int64_t *micros)
{
	int64_t unit = USEC_PER_SEC / 10;

	*micros = 0;
	if (*s != '.')
		return s;
	for (s++; *s >= '0' && *s <= '9'; s++) {
		*micros += unit * (*s - '0');
		unit /= 10;
	}
	return s;
}

static bool timestamp_parse_zone(const char *s, int64_t *offset)
{
	static const int64_t units[] = {0, 600, 60, 0, 10, 1}; /* minutes of each place of +hh:mm */
	int64_t minutes = 0;

	*offset = 0;
	if ((s[0] == 'Z' || s[0] == 'z') && s[1] == '\0')
		return true;
	if ((s[0] != '+' && s[0] != '-') || strlen(s) != 6 || s[3] != ':' ||
		strspn(s + 1, "0123456789:") != 5)
		return false;
	for (int i = 1; i < 6; i++) {
		if (i != 3)
			minutes += units[i] * (s[i] - '0');
	}
	*offset = USEC_PER_SEC * 60 * (s[0] == '-' ? -minutes : minutes);
	return true;
}

bool timestamp_parse(const char *s, int64_t *timestamp)
{
	struct tm tm = {0};
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t micros, offset;

	if (!rest)
		return false;
	rest = timestamp_parse_fraction(rest, &micros);
	if (!timestamp_parse_zone(rest, &offset))
		return false;
	*timestamp = (int64_t)timegm(&tm) * USEC_PER_SEC + micros - offset;
	return true;
}

bool timestamp_parse_age(const char *s, int64_t *age)
{
	static const struct {
		const char *suffix;
		int64_t unit;
	} units[] = {
		{"", USEC_PER_SEC},
		{"ms", USEC_PER_SEC / 1000},
		{"s", USEC_PER_SEC},
		{"m", USEC_PER_SEC * 60},
		{"h", USEC_PER_SEC * 3600},
		{"d", USEC_PER_SEC * 86400},
		{"w", USEC_PER_SEC * 86400 * 7},
	};
	char *end;
	long n;

	errno = 0;
	n = strtol(s, &end, 10);
	if (errno != 0 || end == s || n > 1000000000 || n < -1000000000)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].suffix) == 0) {
			*age = n * units[i].unit;
			return true;
		}
	}
	return false;
}
