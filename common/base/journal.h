/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event to systemd's journal, by its native protocol: a datagram of fields to search by. Events
 * that somebody may have to account for have a MESSAGE_ID each, which config/journal explains
 * (`journalctl -x`).
 */
#ifndef CLOUDINVITE_BASE_JOURNAL_H
#define CLOUDINVITE_BASE_JOURNAL_H

#include <stdbool.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Whom and what an event is about; NULL or "" where that is not known. No address in full:
 * log_address masks. */
struct journal_about {
	const char *person;
	const char *reason;
	const char *actor;
	const char *host;
};

/* 32 hexadecimal digits, or NULL: the event has none. */
const char *journal_message_id(const char *event);

/* `message` must be one safe line (str_safe); the fields are made safe here. Never waits. False:
 * there is no journal, or it does not take it. */
bool journal_send(const char *socket_path, int priority, const char *event, const char *message,
	const struct journal_about *about);

#endif
