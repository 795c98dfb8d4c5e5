/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selectors: how administrators name people: an address, a user, or USER@HOST.
 */
#ifndef CLOUDINVITE_CLI_COMMON_SELECTOR_H
#define CLOUDINVITE_CLI_COMMON_SELECTOR_H

#include <stdbool.h>

#include "base/fault.h"
#include "ledger/ledger.h"
#include "settings/settings.h"

/* Finds the one address of one person. An address in one of our domains, or of a person in the
 * ledger, is used as it is; then come users that were seen; then any plain address. Faults: USAGE
 * if it is none of these or stands for several addresses (the remedy lists them), POLICY if the
 * account has no address. */
bool selector_resolve(struct ledger *l, const struct settings *settings, const char *typed,
	char address[ADDRESS_MAX + 1], struct fault *fault);

/* One of several, in the order in which they were typed, without duplicates. */
struct target {
	const char *typed;
	char address[ADDRESS_MAX + 1]; /* valid if there is no fault */
	struct fault fault;
};
/* The list (to be freed) and its length; NULL if memory ran out. */
struct target *selector_resolve_all(
	struct ledger *l, const struct settings *settings, char **typed, int n, int *count);
/* Prints the faults among them and returns the worst exit code. For verbs that do all or
 * nothing. */
int selector_print_faults(const struct target *list, int count);

/* Calls `each` for every sighting that the text may stand for: of a user, of a user on a host, or
 * those that lead to an address. `each` as in ledger_each_sighting. */
bool selector_each_sighting(struct ledger *l, const char *typed,
	bool (*each)(const struct ledger_sighting *s, void *ctx), void *ctx, struct fault *fault);

/* Splits USER@HOST at the last @; false if there is none or a part is empty or too long. */
bool selector_split(const char *typed, char user[USER_MAX + 1], char host[HOST_MAX + 1]);

#endif
