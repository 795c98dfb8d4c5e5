/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Security Token Service (RFC 8693): exchanges a token of a pool that Google trusts (workload
 * identity federation) for one of Google's own.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_STS_H
#define CLOUDINVITE_GOOGLE_AUTH_STS_H

#include <stdbool.h>

#include "google/auth/credential.h"

struct sts_exchange {
	const char *audience; /* the pool's provider: //iam.googleapis.com/projects/… */
	const char *subject_token_type;
	const char *subject_token;
	const char *client;  /* "id:secret", or NULL */
	const char *project; /* to which a workforce's calls are charged; "" if none */
};

/* The token has IAM_SCOPE. */
bool sts_exchange(const struct credential *c, struct http *http, const struct sts_exchange *what,
	struct credential_minted *out, struct fault *fault);

#endif
