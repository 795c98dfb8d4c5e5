/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends one event to systemd's journal by its native protocol: a datagram of fields to search by.
 */
#ifndef CLOUDINVITE_BASE_JOURNAL_H
#define CLOUDINVITE_BASE_JOURNAL_H

#include <stdbool.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* The person and the action that an event is about; NULL or "" if not known. An address must be
 * masked (log_address). */
struct journal_about {
	const char *person;
	const char *reason;
	const char *actor;
	const char *host;
};

/* An event that has a MESSAGE_ID. */
struct journal_id {
	const char *event;
	const char *id; /* 32 hexadecimal digits */
};

/* `id` is the MESSAGE_ID, or NULL. `message` must be one safe line (str_safe); the fields are made
 * safe here. Never waits. False if there is no journal, or if it does not accept the datagram. */
bool journal_send(const char *socket_path, int priority, const char *event, const char *id,
	const char *message, const struct journal_about *about);

#endif
