/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IAM Service Account Credentials API: it signs with a service account's key, which never
 * leaves Google, for principals that are the account's token creators.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_IAM_H
#define CLOUDINVITE_GOOGLE_AUTH_IAM_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "google/auth/assertion.h"
#include "google/auth/credential.h"

/* The principal that asks for the signature. */
struct iam_signer {
	const char *name;	   /* for messages */
	const char *member;	   /* the form of IAM policies: "serviceAccount:…" */
	const char *token;	   /* with IAM_SCOPE, or cloud-platform */
	const char *quota_project; /* "" if none */
	/* "projects/-/serviceAccounts/…": each may sign for the next one, and the last one for the
	 * account. NULL-terminated. */
	char *const *delegates;
};

#define IAM_ACCOUNT "projects/-/serviceAccounts/"
/* Whether it can be the name of a service account and a segment of a path. */
bool iam_account_valid(const char *account);

/* Appends the claims as a JWT signed by c->issuer. */
bool iam_sign_jwt(const struct credential *c, struct http *http, const struct iam_signer *by,
	const struct assertion *what, struct strbuf *out, struct fault *fault);

#endif
