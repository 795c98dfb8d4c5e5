/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the room: the lines of history that the ledger writes by itself.
 */
#ifndef CLOUDINVITE_LEDGER_HISTORY_H
#define CLOUDINVITE_LEDGER_HISTORY_H

#include "ledger/sqlite.h"

/* So many lines of the kinds that an account's user causes are kept, of one account and of one
 * person; see docs/security.md, "What users can make us write". */
#define HISTORY_AT_WILL 50

/* A line of somebody's story. */
bool history_person(struct ledger *l, int64_t at, const char *address, const char *what,
	const char *cause, const char *actor, struct fault *fault);
/* A line about an account: only the day is kept. */
bool history_sighting(struct ledger *l, int64_t id, const char *user, const char *host,
	const char *what, const char *cause, const char *actor, struct fault *fault);
/* A line about the ledger as a whole. */
bool history_whole(struct ledger *l, const char *what, const char *cause, const char *actor,
	struct fault *fault);

#endif
