/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyless delegation: the account that acts as the administrator has no key on this host. Another
 * principal, the source, asks IAM to sign for it with a token of its own. The types differ only in
 * how the source gets that token.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_KEYLESS_H
#define CLOUDINVITE_GOOGLE_AUTH_KEYLESS_H

#include <stdbool.h>

#include "google/auth/credential.h"
#include "google/auth/iam.h"

struct keyless {
	/* Fetches `token`, and fills in the source's name if it is known only now. */
	bool (*fetch)(struct credential *c, struct http *http, struct keyless *k, struct fault *f);
	void (*free_source)(void *source);
	void *source;	       /* where the source's token comes from; private to the type */
	char *token;	       /* only while a token is minted */
	char source_name[256]; /* for messages */
	char member[512];      /* struct iam_signer's */
	const char *quota_project;
	char **delegates; /* struct iam_signer's; or NULL */
};

/* The account that signs: from the file's service_account_impersonation_url (which must be IAM's),
 * from the settings' service_account, or from both. `file` may be NULL. Fills in issuer and
 * identity. */
bool keyless_account(struct credential *c, const json_t *file, struct fault *fault);
/* The file's `delegates`. */
bool keyless_delegates(
	struct keyless *k, const struct credential *c, const json_t *file, struct fault *fault);

/* For struct credential_type. At most three requests for the source's token, one to sign and one to
 * exchange, and the last two once more with the right time. */
#define KEYLESS_REQUESTS 7
bool keyless_mint(struct credential *c, struct http *http, struct credential_minted *out,
	struct fault *fault);
void keyless_free(void *data);

#endif
