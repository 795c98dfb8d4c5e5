/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trigger: why an account was reported. It is in the name of an arrival in the spool, in the
 * sightings of the ledger, and in the setting `triggers`.
 */
#ifndef CLOUDINVITE_BASE_TRIGGER_H
#define CLOUDINVITE_BASE_TRIGGER_H

#include <stdbool.h>

enum trigger {
	TRIGGER_LOGIN,
	TRIGGER_CREATED, /* the account was created */
	TRIGGER_MANUAL,	 /* by an administrator */
	TRIGGER_DELETED, /* the account was deleted; never that of a sighting */
};
#define TRIGGERS 4

/* "login", "created", "manual", "deleted". */
const char *trigger_word(enum trigger trigger);
/* False if `word` is none of these; *out is then unchanged. */
bool trigger_parse(const char *word, enum trigger *out);

#endif
