/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones: those of the tz database, "UTC", and "" for this host's (/etc/localtime). The
 * variable TZ of the environment never counts: the day of a ledger must not depend on who runs a
 * command.
 *
 * libc knows only the zone of the process, so TZ is changed while these functions run (some 20 µs).
 * It is done by pointing `environ` elsewhere and back, never by setenv, so that another thread's
 * getenv (libcurl's resolver) always finds a complete environment. Not to be called from two
 * threads, nor while another thread calls localtime.
 */
#ifndef CLOUDINVITE_SETTINGS_TIMEZONE_H
#define CLOUDINVITE_SETTINGS_TIMEZONE_H

#include <stdbool.h>
#include <stdint.h>

#define TIMEZONE_MAX 64

/* Whether this host has that zone. False for "". */
bool timezone_known(const char *zone);

/* From now on localtime and mktime have that zone, which is known or "". Returns what
 * timezone_leave() needs. */
char **timezone_enter(const char *zone);
void timezone_leave(char **saved);

/* The first second of the day of `wall` in that zone, or of the day that comes `days` days later.
 */
int64_t timezone_midnight(const char *zone, int64_t wall, int days);

#endif
