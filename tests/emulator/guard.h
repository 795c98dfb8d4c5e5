/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard: what Google checks before it looks at the request itself.
 */
#ifndef CLOUDINVITE_EMULATOR_GUARD_H
#define CLOUDINVITE_EMULATOR_GUARD_H

#include <stdbool.h>

#include "emulator.h"
#include "request.h"

/* Token, enabled API, scope, quota, customer and super administrator, in this order. `rpc` is the
 * method's name in errors; `writes` needs the full scope. False: `out` is the refusal. */
bool guard_pass(
	struct emulator *e, struct request *r, const char *rpc, bool writes, struct reply *out);

#endif
