/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authorization: what Google checks before it reads the request itself.
 */
#ifndef CLOUDINVITE_EMULATOR_AUTHORIZE_H
#define CLOUDINVITE_EMULATOR_AUTHORIZE_H

#include <stdbool.h>

#include "emulator.h"
#include "request.h"

/* What the bearer token stands for; NULL: none, unknown, or expired. */
const struct access *access_lookup(const struct tenant *tenant, const char *authorization);
/* Whether the space-separated scopes include this one. */
bool scopes_include(const char *scopes, const char *scope);

/* Checks token, enabled API, scope, quota, customer and super administrator, in this order. `rpc`
 * is the method's name in errors; `writes` needs the full scope. False: `out` is the refusal. */
bool authorize(
	struct emulator *e, struct request *r, const char *rpc, bool writes, struct reply *out);

#endif
