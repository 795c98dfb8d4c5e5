/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard: what Google checks before it looks at the request itself.
 */
#ifndef CLOUDINVITE_EMULATOR_AUTHORIZE_H
#define CLOUDINVITE_EMULATOR_AUTHORIZE_H

#include <stdbool.h>

#include "emulator.h"
#include "request.h"

/* What the bearer token stands for; NULL: there is none, or it is unknown or has ended. */
const struct access *access_lookup(const struct tenant *tenant, const char *authorization);
/* Whether the space-separated scopes have this one. */
bool scopes_include(const char *scopes, const char *scope);

/* Token, enabled API, scope, quota, customer and super administrator, in this order. `rpc` is the
 * method's name in errors; `writes` needs the full scope. False: `out` is the refusal. */
bool authorize(
	struct emulator *e, struct request *r, const char *rpc, bool writes, struct reply *out);

#endif
