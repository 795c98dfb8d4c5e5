/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subject token: a statement of another issuer (a Kubernetes cluster, a CI, another cloud)
 * about who we are. It comes from a file or a URL, as `credential_source` of an external_account
 * file describes. It is read each time, because the issuer replaces it.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_SUBJECT_TOKEN_H
#define CLOUDINVITE_GOOGLE_AUTH_SUBJECT_TOKEN_H

#include <jansson.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "google/auth/credential.h"

#define SUBJECT_HEADERS_MAX 16

struct subject_source {
	char *file, *url;     /* one of them; the other is NULL */
	bool local_plaintext; /* the URL is plain HTTP to [google] metadata_endpoint */
	char *field; /* the member that holds the token; NULL: the whole text is the token */
	char *headers[SUBJECT_HEADERS_MAX + 1];
};

/* Reads `credential_source`; executable, aws and certificate sources are refused with the
 * reason. */
bool subject_source_read(struct subject_source *out, const struct credential *c,
	const json_t *source, struct fault *fault);
void subject_source_free(struct subject_source *s);

/* Appends the token. */
bool subject_token(const struct subject_source *s, const struct credential *c, struct http *http,
	struct strbuf *out, struct fault *fault);

#endif
