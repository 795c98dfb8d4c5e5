/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of history that the ledger writes itself.
 */
#ifndef CLOUDINVITE_LEDGER_HISTORY_H
#define CLOUDINVITE_LEDGER_HISTORY_H

#include "ledger/sqlite.h"

/* The number of entries that are kept of the events that a user can cause, for each account and
 * for each person; see docs/security.md, "What users can make us write". */
#define HISTORY_AT_WILL 50

/* An entry about a person. */
bool history_person(struct ledger *l, int64_t at, const char *address, const char *what,
	const char *cause, const char *actor, struct fault *fault);
/* An entry about an account: only the day is stored. */
bool history_sighting(struct ledger *l, int64_t id, const char *user, const char *host,
	const char *what, const char *cause, const char *actor, struct fault *fault);
/* An entry about the ledger as a whole. */
bool history_whole(struct ledger *l, const char *what, const char *cause, const char *actor,
	struct fault *fault);

#endif
