/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who else reaches the metadata server. Any user of this host who can connect to it gets the
 * machine's token, and with it the administrator's rights. Only root can find out, by becoming
 * another user. `cloudinvite-dispatcher --prepare` does that before each start, and stores the
 * result in the file RUN.metadata beside the run directory, which is root's, so the service's
 * account cannot change it.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_METADATA_EXPOSURE_H
#define CLOUDINVITE_GOOGLE_AUTH_METADATA_EXPOSURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "settings/settings.h"

enum metadata_exposure {
	METADATA_UNKNOWN, /* even root got no answer, or it has not been tested since the host
			     booted */
	METADATA_EXPOSED, /* any user gets an answer */
	METADATA_PROTECTED,
};

/* The file's path. */
bool metadata_exposure_path(const struct settings *s, char *out, size_t size);
/* Writes it into the open directory `dir` under the file's own name. -1 and errno. */
int metadata_exposure_write(
	int dir, const struct settings *s, enum metadata_exposure reach, const char *why);
/* What is known since the host booted about the endpoint in the settings. `why`: a few words for
 * messages. */
enum metadata_exposure metadata_exposure_read(const struct settings *s, char *why, size_t size);

/* Whether the machine's tokens may be used: METADATA_PROTECTED, or metadata_exposed = accept. */
bool metadata_exposure_allows(const struct settings *s, struct fault *fault);

#endif
