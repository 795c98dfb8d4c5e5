/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The refresh token that Google issued to replace the one in a credential's file. It is stored in
 * the state directory as `private/refresh-<hash>.json` (0600, replaced atomically). The hash is of
 * the file's own token, so a new credential file takes precedence over what was stored for the one
 * before it.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_REFRESH_STORE_H
#define CLOUDINVITE_GOOGLE_AUTH_REFRESH_STORE_H

#include <stdbool.h>

#include "base/fault.h"
#include "settings/settings.h"

struct refresh_store {
	char name[80]; /* the file's name */
};

/* The name for the token that a credential's file has. */
bool refresh_store_key(struct refresh_store *r, const char *client_id, const char *refresh_token);
/* The stored token, for secret_free(); NULL if the file's own token is still valid. */
char *refresh_store_read(const struct refresh_store *r, const struct settings *settings);
/* It is on the disk when it returns; false with FAULT_STORAGE. */
bool refresh_store_write(const struct refresh_store *r, const struct settings *settings,
	const char *refresh_token, struct fault *fault);
/* After another login has replaced the one that it belonged to. */
void refresh_store_remove(const struct refresh_store *r, const struct settings *settings);

#endif
