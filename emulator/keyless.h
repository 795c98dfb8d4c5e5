/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the tenant that serves clients without a key: the machine of the metadata server, the
 * identity providers whose tokens STS accepts, and which principal may sign as which service
 * account.
 */
#ifndef CLOUDINVITE_EMULATOR_KEYLESS_H
#define CLOUDINVITE_EMULATOR_KEYLESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "doc_error.h"
#include "keyring.h"
#include "table.h"

#define INSTANCE_ACCOUNT OWN_PROJECT_NUMBER "-compute@developer.gserviceaccount.com"
#define SCOPE_CLOUD	 "https://www.googleapis.com/auth/cloud-platform"
#define SCOPE_IAM	 "https://www.googleapis.com/auth/iam"
#define POOL_PREFIX	 "//iam.googleapis.com/"
#define OWN_POOL                                                                             \
	POOL_PREFIX "projects/" OWN_PROJECT_NUMBER "/locations/global/workloadIdentityPools" \
		    "/cloudinvite"
#define OWN_PROVIDER OWN_POOL "/providers/emulated"
#define OWN_ISSUER   "https://issuer.emulated.example"

/* The machine or pod that the metadata server serves. */
struct instance {
	char *service_account; /* NULL: none is attached */
	char *scopes;	       /* of its tokens, space-separated */
	char *universe;	       /* NULL: an old metadata server, which does not know the path */
	struct table tokens; /* borrowed struct access by scopes: tokens that are given out again */
};

/* roles/iam.serviceAccountTokenCreator. */
struct token_creator {
	char *principal; /* an e-mail address, principal://… or principalSet://…/POOL/ and a star */
	char *account; /* the service account that it may act as */
};

struct identity_provider {
	char *audience; /* "//iam.googleapis.com/projects/N/locations/global/…/providers/P" */
	char *issuer;
	char **allowed_audiences; /* none: the provider's own name, with or without "https:" */
	size_t n_allowed_audiences;
	bool disabled;
	struct signing_key *keys;
	size_t n_keys;
};

struct keyless {
	struct instance instance;
	struct token_creator *creators;
	size_t n_creators;
	struct identity_provider *providers;
	size_t n_providers;
};

/* A machine whose account may sign as the emulator's own service account, and a provider whose
 * subject "rehearsal" may do so too. */
void keyless_defaults(struct keyless *k, const struct keyring *own);
void keyless_free(struct keyless *k);

/* Sets what the document's members "instance", "token_creators" and "identity_providers" name. */
bool keyless_read(
	struct keyless *k, const struct keyring *own, json_t *document, struct doc_error *c);
/* Sets these three in `document`. */
void keyless_write(const struct keyless *k, json_t *document);

/* {"kid", "public_key"}: a PEM. */
bool signing_key_read(
	struct signing_key *key, json_t *object, const char *where, struct doc_error *c);
json_t *signing_key_write(const struct signing_key *key);

bool keyless_may_act(const struct keyless *k, const char *principal, const char *account);
const struct identity_provider *keyless_provider(const struct keyless *k, const char *audience);
/* "principal://iam.googleapis.com/…/subject/SUB"; the caller frees. */
char *keyless_principal(const struct identity_provider *p, const char *subject);

/* Empties the list, for readers of new values. */
void keyless_clear_creators(struct keyless *k);
void keyless_clear_providers(struct keyless *k);

#endif
