/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world as a JSON document: what PUT /emulator/state takes, GET gives, and a scenario file
 * holds.
 */
#ifndef CLOUDINVITE_EMULATOR_STATE_H
#define CLOUDINVITE_EMULATOR_STATE_H

#include <jansson.h>
#include <stdbool.h>

#include "complaint.h"
#include "keyring.h"
#include "world.h"

/* Sets what the document names and leaves the rest. After a complaint the world is half-changed. */
bool state_read(struct world *w, const struct keyring *own, json_t *document, struct complaint *c);
json_t *state_write(const struct world *w);

/* Parts of it, each an endpoint of its own. */
bool clock_read(struct world *w, json_t *object, struct complaint *c);
json_t *clock_write(const struct world *w);
bool latency_read(struct world *w, json_t *document, struct complaint *c);
json_t *latency_write(const struct world *w);
/* An account or an array of them; all or nothing. */
bool accounts_read(struct world *w, json_t *document, struct complaint *c);
json_t *account_write(const struct account *account);

/* A member that is RFC 3339, or an age ("72h"): that long before now. Absent: *out stays. */
bool member_moment(json_t *object, const char *name, int64_t now, int64_t *out, const char *where,
	struct complaint *c);

#endif
