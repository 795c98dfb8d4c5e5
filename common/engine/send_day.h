/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The day of [invitations] sends_per_day, in this host's time zone.
 */
#ifndef CLOUDINVITE_ENGINE_SEND_DAY_H
#define CLOUDINVITE_ENGINE_SEND_DAY_H

#include <stdint.h>

/* The midnight before, or at, and the one after `now`; seconds since the epoch. */
int64_t send_day_start(int64_t now);
int64_t send_day_end(int64_t now);

#endif
