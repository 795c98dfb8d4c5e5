/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When mail may be sent: "Mon-Fri 08:00-18:00 Europe/Berlin". Commas separate several windows.
 * Without days (one, a range, several) a window is for every day. The zone is one of the tz
 * database or UTC; a window without one has the zone of the next window that has one. A window that
 * ends before it begins ends on the next day. "" is always open.
 */
#ifndef CLOUDINVITE_SETTINGS_WINDOW_H
#define CLOUDINVITE_SETTINGS_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* What is wrong with `spec` ("has no time zone"), or NULL if it is right; `remedy` is a
 * sentence. */
const char *window_check(const char *spec, const char **remedy);

/* Whether a window is open at `wall` (seconds since the epoch). `*next_change` (may be NULL) is
 * the time at which that changes, at most a week ahead: then ask again. INT64_MAX for "". Changes
 * the zone of the process while it runs (settings/timezone.h). */
bool window_open(const char *spec, int64_t wall, int64_t *next_change);

#endif
