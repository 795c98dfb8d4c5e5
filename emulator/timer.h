/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timer: resumes connections that wait (latency, delay, slow), so that a waiting connection
 * does not block others.
 */
#ifndef CLOUDINVITE_EMULATOR_TIMER_H
#define CLOUDINVITE_EMULATOR_TIMER_H

#include <microhttpd.h>
#include <stdint.h>

struct timer;

struct timer *timer_start(void);
/* Suspends the connection and resumes it after so many milliseconds; at once if the timer is
 * stopped. */
void timer_wait(struct timer *t, struct MHD_Connection *connection, int64_t ms);
/* Resumes all connections; from now on none waits. Call it before MHD_stop_daemon, which does not
 * allow suspended connections. */
void timer_stop(struct timer *t);
void timer_free(struct timer *t);

#endif
