/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: what tokens are minted from. By the file's `type`; each type is a file of its own with
 * the functions of struct credential_type. A credential that cannot act as an administrator is
 * refused with the reason, not tried.
 */
#ifndef CLOUDINVITE_GOOGLE_CREDENTIAL_H
#define CLOUDINVITE_GOOGLE_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "google/http.h"
#include "settings/settings.h"

struct credential;

struct credential_minted {
	char *access_token; /* owned by the caller, wiped before it is freed */
	int64_t expires_in; /* seconds */
};

struct credential_type {
	const char *name; /* the file's "type" */
	/* Mints. `skew`: seconds that our clock is ahead of Google's, as far as known. */
	bool (*mint)(struct credential *c, struct http *http, int64_t skew,
		struct credential_minted *out, struct fault *fault);
	void (*free)(void *data);
};

struct credential {
	const struct credential_type *type;
	void *data;	     /* the type's own */
	char identity[256];  /* for people: "inviter@project.iam.gserviceaccount.com as admin@example.com" */
	char client_id[64];  /* the numeric id for domain-wide delegation, "" if unknown */
	char key_id[128];    /* "" if none */
	char hash[65];	     /* of content, subject, scope and token endpoint: the cache's key */
	const char *token_endpoint;
};

/* Reads settings->credentials. FAULT_CREDENTIALS says what is wrong with the file. */
struct credential *credential_load(const struct settings *settings, struct fault *fault);
/* Whether the file has been replaced since (device, inode, mtime, size). */
bool credential_changed(const struct credential *c, const struct settings *settings);
void credential_free(struct credential *c);

#endif
