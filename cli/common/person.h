/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One person on the screen: state, mails, what happens next, and the accounts that lead to the
 * address.
 */
#ifndef CLOUDINVITE_CLI_COMMON_PERSON_H
#define CLOUDINVITE_CLI_COMMON_PERSON_H

#include <stdbool.h>

#include "cli/common/screen.h"
#include "cli/common/service_state.h"

#define PERSON_INDENT 2
#define PERSON_VALUE  13 /* the column where values begin */

/* A named value: "  state        queued: first check". */
void person_line(struct screen *s, const char *name, enum style style, const char *value);
/* Shows address, state, mails, next attempt, next step and last fault. */
void person_show(struct screen *s, const struct person *p, const struct service_state *service);
/* Shows the accounts that lead to the address. False: fault. */
bool person_accounts(
	struct screen *s, const struct store *store, const char *address, struct fault *fault);
/* Shows the commands that help. */
void person_commands(struct screen *s, const struct person *p, const struct service_state *service);

#endif
