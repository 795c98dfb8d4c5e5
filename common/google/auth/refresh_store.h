/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rotation: the refresh token that Google has put in the place of the one in a credential's file.
 * It is kept in the state directory as `private/refresh-<hash>.json` (0600, replaced atomically).
 * The hash is of the file's own token, so that a file that is put in its place later counts more
 * than what was kept for the one before it.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_REFRESH_STORE_H
#define CLOUDINVITE_GOOGLE_AUTH_REFRESH_STORE_H

#include <stdbool.h>

#include "base/fault.h"
#include "settings/settings.h"

struct refresh_store {
	char name[80]; /* of the file */
};

/* For the token that a credential's file has. */
bool refresh_store_key(struct refresh_store *r, const char *client_id, const char *refresh_token);
/* The token that counts now, for secret_free(); NULL where the file's own still does. */
char *refresh_store_read(const struct refresh_store *r, const struct settings *settings);
/* On the disk when it returns; false with FAULT_STORAGE. */
bool refresh_store_write(const struct refresh_store *r, const struct settings *settings,
	const char *refresh_token, struct fault *fault);
/* After the login that it belonged to has been replaced by another. */
void refresh_store_remove(const struct refresh_store *r, const struct settings *settings);

#endif
