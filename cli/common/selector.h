/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selectors: people as administrators name them: an address, a user, or USER@HOST.
 */
#ifndef CLOUDINVITE_CLI_COMMON_SELECTOR_H
#define CLOUDINVITE_CLI_COMMON_SELECTOR_H

#include <stdbool.h>

#include "base/fault.h"
#include "ledger/ledger.h"
#include "settings/settings.h"

/* One address of one person. An address on one of our domains, or of somebody known, is taken as
 * it is; then users that were seen; then any plain address. Faults: USAGE when it is neither or
 * stands for several addresses (the remedy lists them), POLICY when the account has no address. */
bool selector_resolve(struct ledger *l, const struct settings *settings, const char *typed,
	char address[ADDRESS_MAX + 1], struct fault *fault);

/* Several of them, in the order in which they were typed; the same address only once. */
struct target {
	const char *typed;
	char address[ADDRESS_MAX + 1]; /* valid where there is no fault */
	struct fault fault;
};
/* The list (to be freed) and its length; NULL after memory ran out. */
struct target *selector_resolve_all(
	struct ledger *l, const struct settings *settings, char **typed, int n, int *count);
/* Prints the faults among them; the worst exit code. For verbs that do all or nothing. */
int selector_print_faults(const struct target *list, int count);

/* Every sighting that the text may stand for: of a user, of a user on a host, or those that lead to
 * an address. `each` as in ledger_each_sighting. */
bool selector_each_sighting(struct ledger *l, const char *typed,
	bool (*each)(const struct ledger_sighting *s, void *ctx), void *ctx, struct fault *fault);

/* Splits USER@HOST at the last @; false if there is none or a part is empty or too long. */
bool selector_split(const char *typed, char user[USER_MAX + 1], char host[HOST_MAX + 1]);

#endif
