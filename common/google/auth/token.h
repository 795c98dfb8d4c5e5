/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens: minted from a credential, cached on disk for all processes of this host.
 *
 * One token for credential + subject + scope + token endpoint: the file `token-<hash>.json` in the
 * tokens directory (0600, replaced atomically), and a lock beside it, so that of any number of
 * processes one mints and the others read. A token counts as stale 3 min 45 s before it ends
 * (docs: the smallest metadata-server cache hands tokens out until 4 min before). A key file that
 * was replaced has another hash, so a rotated key is picked up without a restart.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_TOKEN_H
#define CLOUDINVITE_GOOGLE_AUTH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "google/auth/credential.h"
#include "google/http/http.h"
#include "settings/settings.h"

#define TOKEN_SLACK 225 /* seconds */

struct token {
	char *value;
	int64_t expires;    /* seconds since the epoch, our clock */
	int64_t minted_at;  /* the same */
	char minted_by[64]; /* program and pid */
	bool minted;	    /* just now, by this call */
};

/* A usable token: from disk, or minted. `refused`: a value that Google has just refused (401), or
 * NULL: it is not taken from the cache again. On success the caller owns out->value (token_clear).
 * Waits for the network, or for another process that mints; http_interrupt() ends it early. A cache
 * that cannot be used is said once, and done without. */
bool token_get(struct credential *c, struct http *http, const struct settings *settings,
	const char *refused, struct token *out, struct fault *fault);
/* What the cache holds, stale or not, without minting: for `cloudinvite token`. False with
 * FAULT_NONE if nothing. */
bool token_peek(const struct credential *c, const struct settings *settings, struct token *out,
	struct fault *fault);
/* Whether it can still be used for a request. */
bool token_fresh(const struct token *t);
void token_clear(struct token *t);

#endif
