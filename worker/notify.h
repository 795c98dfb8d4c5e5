/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to systemd (sd_notify's protocol: one datagram to $NOTIFY_SOCKET). libsystemd is not
 * used: it brings four compression and crypto libraries into a program that holds a credential and
 * should be small. Without a socket nothing is sent.
 */
#ifndef CLOUDINVITE_WORKER_NOTIFY_H
#define CLOUDINVITE_WORKER_NOTIFY_H

#include <stdint.h>

/* Assignments in the form of sd_notify(3): "READY=1\nSTATUS=idle". Failures are silent: systemd
 * acts when it misses a message. */
void notify_send(const char *assignments);
/* READY=1 with what the program does now, as one safe line. */
void notify_ready(const char *status);
/* RELOADING=1 with the time that systemd 253 and later requires; notify_ready ends it. */
void notify_reloading(void);
/* The unit's WatchdogSec in milliseconds; 0: none, or not meant for this process. */
int64_t notify_watchdog_ms(void);

#endif
