/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row of a sighting, and what its end means for others.
 */
#ifndef CLOUDINVITE_LEDGER_SIGHTING_H
#define CLOUDINVITE_LEDGER_SIGHTING_H

#include "ledger/sqlite.h"

#define SIGHTING_COLUMNS                                                                     \
	"id, host, account, uid, trigger, first_day, local, shell, member_of, first_name, "  \
	"last_name, gone_day IS NOT NULL, verdict, from_template, address, rule, sentence, " \
	"last_mapped"

/* The rule of an account with a new name, until its next verdict: the person of the old name hears
 * of it then. */
#define SIGHTING_RENAMED "renamed"

/* Reads SIGHTING_COLUMNS; false with a fault if they contain an unknown word. */
bool sighting_row(struct query *q, struct ledger_sighting *out);
/* 1, 0, -1. */
int sighting_find(struct ledger *l, const char *host, const char *user, struct ledger_sighting *out,
	struct fault *fault);
/* Accounts of its host that collided with it over the address are evaluated again. */
bool sighting_clear_collision(
	struct ledger *l, const struct ledger_sighting *s, struct fault *fault);
/* It is no longer mapped to its address: sighting_clear_collision and person_unlink. The row
 * must be changed already. */
bool sighting_unlink(struct ledger *l, const struct ledger_sighting *s, enum person_reason why,
	const char *cause, struct fault *fault);
/* Deletes the row. Its history stays with the address to which it was mapped, if there is one. */
bool sighting_delete(struct ledger *l, const struct ledger_sighting *s, struct fault *fault);

#endif
