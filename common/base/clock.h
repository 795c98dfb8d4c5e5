/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: three clocks, each for one purpose, and the formats of settings, JSON and HTTP.
 */
#ifndef CLOUDINVITE_BASE_CLOCK_H
#define CLOUDINVITE_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds since the epoch: for what people read and what must survive a reboot. May jump; never
 * 0. */
int64_t clock_wall(void);
/* Milliseconds since boot, including suspend: for waiting and for the rate limit. Never jumps. */
int64_t clock_boot_ms(void);
/* The kernel's boot id (36 characters and NUL); empty if there is none. */
void clock_boot_id(char out[37]);

#define CLOCK_TEXT_SIZE 32
/* 2026-11-23T04:28:01Z; returns out. */
char *clock_rfc3339(int64_t wall, char out[CLOCK_TEXT_SIZE]);
/* 2026-11-23; returns out. */
char *clock_day(int64_t wall, char out[CLOCK_TEXT_SIZE]);
/* The first second (UTC) of the day of `wall`. */
int64_t clock_day_start(int64_t wall);
/* RFC 3339 with `Z` or an offset, and up to 9 fractional digits, which are cut off. A leap
 * second becomes the first second of the next day. False if malformed, or if it is not a date. */
bool clock_parse_rfc3339(const char *s, int64_t *out);
/* "90s", "2m", "24h", "30d", "1w", "0"; a bare number means seconds. 0 <= result <= 10 years. */
bool clock_parse_duration(const char *s, int64_t *seconds);
/* In the largest of days, hours, minutes and seconds that divides it: 120 becomes "2m". Returns
 * out. */
char *clock_duration(int64_t seconds, char out[CLOCK_TEXT_SIZE]);
/* For readers: "just now", "in 3 min", "2 h ago", "5 days ago". Returns out. */
char *clock_relative(int64_t wall, int64_t now, char out[CLOCK_TEXT_SIZE]);

#endif
