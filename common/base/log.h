/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of the programs (the PAM module has its own): one line for each event. If the journal
 * reads standard error, the event goes there with its fields (base/journal.h), or, if that fails,
 * as a line with systemd's <N> prefix. Otherwise it is a line with the time on standard error.
 * Never pass a secret or an unmasked address (log_address masks).
 */
#ifndef CLOUDINVITE_BASE_LOG_H
#define CLOUDINVITE_BASE_LOG_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/journal.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_NOTE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/* Call once, at start. `program` must outlive the log. Lines above `level` are dropped. */
void log_start(const char *program, enum log_level level);
/* The events that have a MESSAGE_ID in the journal. A row without an event ends the table, which
 * must outlive the log. */
void log_message_ids(const struct journal_id *ids);
/* For a program at a terminal: what log_about logs also goes to the journal, so that decisions are
 * found there together with their results. */
void log_decisions(void);
/* Where the journal is, for tests. */
void log_journal_at(const char *socket_path);
/* Whether addresses are written in full ([privacy] log_addresses = full). */
void log_show_addresses(bool full);

/* `event` is one stable word ("invited", "guard_tripped", …); a sentence follows. Control
 * characters are made visible, and more than 1,000 bytes are cut. Keeps errno. */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, with fields for the journal. */
void log_about(enum log_level level, const char *event, const struct journal_about *about,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Logs a fault with its remedy. */
void log_fault(enum log_level level, const char *event, const struct fault *f);

/* The address as the log may show it: masked or in full. Valid until the fourth next call. */
const char *log_address(const char *address);

#endif
