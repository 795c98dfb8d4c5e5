/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd is told (sd_notify's protocol: one datagram to $NOTIFY_SOCKET). By hand, because
 * libsystemd brings four compression and crypto libraries into a program that holds a credential
 * and is to be small. Without a socket nothing is said.
 */
#ifndef CLOUDINVITE_WORKER_NOTIFY_H
#define CLOUDINVITE_WORKER_NOTIFY_H

#include <stdint.h>

/* Assignments as sd_notify(3) has them: "READY=1\nSTATUS=idle". Failures are silent: whoever misses
 * a message acts on it by itself. */
void notify_send(const char *assignments);
/* READY=1 with what it does now, as one safe line. */
void notify_ready(const char *status);
/* RELOADING=1 with the time that systemd 253 and later wants; notify_ready ends it. */
void notify_reloading(void);
/* What the unit's WatchdogSec is, in milliseconds; 0: none, or not meant for us. */
int64_t notify_watchdog_ms(void);

#endif
