/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timer: wakes connections that wait (latency, delay, slow), so that one that waits holds no
 * other.
 */
#ifndef CLOUDINVITE_EMULATOR_TIMER_H
#define CLOUDINVITE_EMULATOR_TIMER_H

#include <microhttpd.h>
#include <stdint.h>

struct timer;

struct timer *timer_start(void);
/* Suspends the connection and resumes it after so many milliseconds; at once when stopping. */
void timer_wait(struct timer *t, struct MHD_Connection *connection, int64_t ms);
/* Resumes all that wait, and none waits from now on. Before MHD_stop_daemon, which cannot stand
 * suspended connections. */
void timer_stop(struct timer *t);
void timer_free(struct timer *t);

#endif
