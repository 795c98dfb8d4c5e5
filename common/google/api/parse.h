/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the body of a 2xx reply. It is strict where a wrong reading would have an effect, and
 * ignores members that are not documented.
 */
#ifndef CLOUDINVITE_GOOGLE_API_PARSE_H
#define CLOUDINVITE_GOOGLE_API_PARSE_H

#include <stddef.h>

#include "google/api/google.h"

/* What a reply points to: freed after the callback. */
struct reply_storage {
	struct invitation *page;
	char *next_page_token;
};

/* Fills in the members of `out` that belong to the call's method. A body that does not match the
 * reference is FAULT_TRANSIENT (FAULT_AMBIGUOUS for send). */
void parse_reply(const struct google_call *call, const char *body, size_t len,
	struct reply_storage *memory, struct google_reply *out);
void reply_storage_free(struct reply_storage *memory);

#endif
