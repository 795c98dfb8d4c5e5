/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping: the addresses to which the present accounts of this host lead under the present rules.
 * The ledger is not read, so blocklist and collisions are not considered.
 */
#ifndef CLOUDINVITE_CLI_COMMON_MAPPING_H
#define CLOUDINVITE_CLI_COMMON_MAPPING_H

#include <stdbool.h>

#include "people/account.h"
#include "people/verdict.h"
#include "settings/settings.h"

struct mapping {
	const struct settings *settings;
	struct account_table accounts;
	struct group_table *groups;
	struct address_map *map;
};

/* Reads passwd, group and map file. `settings` must outlive it. Call mapping_close() also after
 * false. */
bool mapping_open(struct mapping *m, const struct settings *settings, struct fault *fault);
void mapping_close(struct mapping *m);
/* Whether the uid is in the range of people. */
bool mapping_counts(const struct mapping *m, const struct account *account);
/* Whether its uid is above max_uid although its shell allows logins. */
bool mapping_is_above(const struct mapping *m, const struct account *account);
void mapping_evaluate(
	const struct mapping *m, const struct account *account, struct verdict *verdict);

#endif
