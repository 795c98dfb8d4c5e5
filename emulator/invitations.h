/* SPDX-License-Identifier: Apache-2.0 */
/*
 * customers.userinvitations: what its files share.
 */
#ifndef CLOUDINVITE_EMULATOR_INVITATIONS_H
#define CLOUDINVITE_EMULATOR_INVITATIONS_H

#include <jansson.h>
#include <stdbool.h>

#include "emulator.h"
#include "request.h"

/* A UserInvitation. */
json_t *invitation_write(const struct tenant *tenant, const struct account *account);
/* Whether the query has only standard parameters and those of `extra` (NULL-terminated). */
bool invitations_parameters(
	struct emulator *e, const struct request *r, const char *const *extra, struct reply *out);
/* GET …/userinvitations */
void invitations_list(struct emulator *e, struct request *r, struct reply *out);

#endif
