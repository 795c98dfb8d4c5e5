/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rotation: the refresh token that Google has put in the place of the one in a credential's file.
 * It is kept in the state directory as `private/refresh-<hash>.json` (0600, replaced atomically).
 * The hash is of the file's own token, so that a file that is put in its place later counts more
 * than what was kept for the one before it.
 */
#ifndef CLOUDINVITE_GOOGLE_ROTATION_H
#define CLOUDINVITE_GOOGLE_ROTATION_H

#include <stdbool.h>

#include "base/fault.h"
#include "settings/settings.h"

struct rotation {
	char name[80]; /* of the file */
};

/* For the token that a credential's file has. */
bool rotation_of(struct rotation *r, const char *client_id, const char *refresh_token);
/* The token that counts now, for secret_free(); NULL where the file's own still does. */
char *rotation_read(const struct rotation *r, const struct settings *settings);
/* On the disk when it returns; false with FAULT_STORAGE. */
bool rotation_write(const struct rotation *r, const struct settings *settings,
	const char *refresh_token, struct fault *fault);
/* After the login that it belonged to has been replaced by another. */
void rotation_forget(const struct rotation *r, const struct settings *settings);

#endif
