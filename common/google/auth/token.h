/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens: minted from a credential, cached on disk for all processes of this host.
 *
 * There is one token for each credential, subject, scope and token endpoint: the file
 * `token-<hash>.json` in the tokens directory (0600, replaced atomically). A lock beside it makes
 * one process mint while the others wait and read. A token counts as stale 3 min 45 s before it
 * expires (docs: the smallest cache of a metadata server gives tokens out until 4 min before). A
 * replaced key file has another hash, so a rotated key is used without a restart.
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
	int64_t minted_at;  /* seconds since the epoch, our clock */
	char minted_by[64]; /* program and pid */
	bool minted;	    /* by this call */
};

/* Gets a usable token: from disk, or minted. `refused`: a value that Google has just refused (401),
 * which is not taken from the cache again; or NULL. On success the caller owns out->value
 * (token_clear). Waits for the network, or for another process that mints; http_interrupt() ends it
 * early. A cache that cannot be used is logged once, and then tokens are not cached. */
bool token_get(struct credential *c, struct http *http, const struct settings *settings,
	const char *refused, struct token *out, struct fault *fault);
/* What the cache holds, stale or not, without minting: for `cloudinvite token`. False with
 * FAULT_NONE if it is empty. */
bool token_peek(const struct credential *c, const struct settings *settings, struct token *out,
	struct fault *fault);
/* Whether it can still be used for a request. */
bool token_fresh(const struct token *t);
void token_clear(struct token *t);

#endif
