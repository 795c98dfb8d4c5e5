/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tenant as a JSON document: the body of PUT and GET /emulator/state, and the content of a
 * scenario file.
 */
#ifndef CLOUDINVITE_EMULATOR_TENANT_JSON_H
#define CLOUDINVITE_EMULATOR_TENANT_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "doc_error.h"
#include "keyring.h"
#include "tenant.h"

/* Sets what the document names and leaves the rest. After an error the tenant is partly changed. */
bool tenant_read(
	struct tenant *tenant, const struct keyring *own, json_t *document, struct doc_error *c);
json_t *tenant_write(const struct tenant *tenant);

/* Parts of it, each an endpoint of its own. */
bool clock_read(struct tenant *tenant, json_t *object, struct doc_error *c);
json_t *clock_write(const struct tenant *tenant);
bool latency_read(struct tenant *tenant, json_t *document, struct doc_error *c);
json_t *latency_write(const struct tenant *tenant);
/* An account or an array of them; all or nothing. */
bool accounts_read(struct tenant *tenant, json_t *document, struct doc_error *c);
json_t *account_write(const struct account *account);

/* A member that is RFC 3339, or an age ("72h") before now. Absent: *out is unchanged. */
bool member_timestamp(json_t *object, const char *name, int64_t now, int64_t *out,
	const char *where, struct doc_error *c);

#endif
