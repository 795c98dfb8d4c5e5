/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard: what Google checks before it looks at the request itself.
 */
#ifndef CLOUDINVITE_EMULATOR_GUARD_H
#define CLOUDINVITE_EMULATOR_GUARD_H

#include <stdbool.h>

#include "emulator.h"
#include "request.h"

/* What the bearer token stands for; NULL: there is none, or it is unknown or has ended. */
const struct access *guard_access(const struct world *w, const char *authorization);
/* Whether the space-separated scopes have this one. */
bool guard_scope(const char *scopes, const char *scope);

/* Token, enabled API, scope, quota, customer and super administrator, in this order. `rpc` is the
 * method's name in errors; `writes` needs the full scope. False: `out` is the refusal. */
bool guard_pass(
	struct emulator *e, struct request *r, const char *rpc, bool writes, struct reply *out);

#endif
