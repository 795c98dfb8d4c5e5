/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events for which an administrator may have to account. Each has a MESSAGE_ID in systemd's
 * journal, which config/journal explains (`journalctl -x`).
 */
#ifndef CLOUDINVITE_TELEMETRY_EVENTS_H
#define CLOUDINVITE_TELEMETRY_EVENTS_H

#include "base/journal.h"

/* For log_message_ids. */
extern const struct journal_id event_ids[];

#endif
