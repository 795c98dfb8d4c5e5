/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who else reaches the metadata server: whoever on this host can connect to it has the machine's
 * token, and with it the administrator. Only root can find out (by becoming somebody else):
 * `cloudinvite-dispatcher --prepare` does before each start, and leaves what it found in the file
 * RUN.metadata beside the run directory: root's own, where the service's account can change
 * nothing.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_METADATA_EXPOSURE_H
#define CLOUDINVITE_GOOGLE_AUTH_METADATA_EXPOSURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "settings/settings.h"

enum metadata_exposure {
	METADATA_UNKNOWN, /* not even root got an answer, or nobody looked since the host has booted
			   */
	METADATA_EXPOSED, /* any user gets one */
	METADATA_PROTECTED,
};

/* The file's path. */
bool metadata_exposure_path(const struct settings *s, char *out, size_t size);
/* Writes it into the open directory `dir` under its own name. -1 and errno. */
int metadata_exposure_write(
	int dir, const struct settings *s, enum metadata_exposure reach, const char *why);
/* What has been found since the host has booted about the endpoint that is set now. `why`: a few
 * words for people. */
enum metadata_exposure metadata_exposure_read(const struct settings *s, char *why, size_t size);

/* Whether the machine's tokens may be used: METADATA_PROTECTED, or metadata_exposed = accept. */
bool metadata_exposure_allows(const struct settings *s, struct fault *fault);

#endif
