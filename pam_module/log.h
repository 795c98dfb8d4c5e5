/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the module says to the system log: one datagram to /dev/log that is sent or dropped.
 *
 * Not pam_syslog: that waits without end while the log's socket is full (a log daemon that is
 * stopped), keeps a descriptor and the time zone's state in the host process, and takes a lock.
 */
#ifndef CLOUDINVITE_PAM_LOG_H
#define CLOUDINVITE_PAM_LOG_H

#include <security/pam_modules.h>

/* A line as pam_syslog would write it, but for the time, which the log daemon knows itself.
 * `priority` is of syslog.h; the facility is authpriv. */
void log_line(pam_handle_t *pamh, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
