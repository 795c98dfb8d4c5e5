/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's log: one datagram to /dev/log, which is sent or dropped.
 *
 * pam_syslog is not used. It waits without end while the log's socket is full (a log daemon that
 * has stopped), leaves a descriptor and the time zone's state in the host process, and takes a
 * lock.
 */
#ifndef CLOUDINVITE_PAM_LOG_H
#define CLOUDINVITE_PAM_LOG_H

#include <security/pam_modules.h>

/* A line as pam_syslog would write it, but without the time, which the log daemon adds. `priority`
 * is one of syslog.h; the facility is authpriv. */
void log_line(pam_handle_t *pamh, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
