/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When mail may go out: "Mon-Fri 08:00-18:00 Europe/Berlin". Several windows are separated by
 * commas; days (one, a range, several) may be left out for every day; the zone is one of the tz
 * database or UTC, and a window without one has that of the next window that has one. A window that
 * ends before it begins ends on the next day. "" is always open.
 */
#ifndef CLOUDINVITE_SETTINGS_WINDOW_H
#define CLOUDINVITE_SETTINGS_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* What is wrong with `spec` ("has no time zone"), NULL if it is right; `remedy` is a sentence. */
const char *window_check(const char *spec, const char **remedy);

/* Whether a window is open at `wall` (seconds since the epoch). `*next_change` (may be NULL) is
 * when that changes, at the latest a week ahead: then ask again. INT64_MAX for "".
 *
 * Zones are libc's, which knows only that of the process. So TZ is changed while this runs (some
 * 20 µs): by pointing `environ` elsewhere and back, never by setenv, so that another thread's
 * getenv (libcurl's resolver) meets a whole environment at any moment. Not for use by two threads,
 * nor while another one calls localtime. */
bool window_open(const char *spec, int64_t wall, int64_t *next_change);

#endif
