/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: what tokens are minted from. The file's `type` or the settings (`key`, `credentials
 * = metadata:`) choose one; each type is a file of its own with the functions of struct
 * credential_type. A credential that cannot act as an administrator is refused with the reason, and
 * not tried.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_CREDENTIAL_H
#define CLOUDINVITE_GOOGLE_AUTH_CREDENTIAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "google/http/http.h"
#include "settings/settings.h"

struct credential;

struct credential_minted {
	char *access_token; /* owned by the caller, wiped before it is freed */
	int64_t expires_in; /* seconds */
};

struct credential_type {
	const char *name; /* the file's "type"; for types without a file, the setting's word */
	/* Reads what it needs from the file's JSON (NULL for a type without a file) and from
	 * c->settings; fills in data, identity and the ids. Does not use the network. */
	bool (*load)(struct credential *c, const json_t *file, struct fault *fault);
	/* Mints a token, waiting for the network; http_interrupt() ends it early. */
	bool (*mint)(struct credential *c, struct http *http, struct credential_minted *out,
		struct fault *fault);
	void (*free)(void *data);
	bool login;   /* a person's login: it has no issuer, key or delegation */
	int requests; /* the most requests, one after the other, that a mint makes; 0: two */
};

struct credential {
	const struct credential_type *type;
	void *data;	     /* private to the type */
	char identity[520];  /* for messages: "inviter@project.iam.gserviceaccount.com as
				admin@example.com" */
	char issuer[256];    /* the service account, "" if there is none */
	char subject[256];   /* the administrator to act as; "" if a login does not name one */
	char client_id[128]; /* the numeric id for domain-wide delegation, or the OAuth client of a
				login; "" if unknown */
	char key_id[128];    /* "" if none */
	char hash[65];	     /* of everything that decides what the token may do: the cache's key */
	char quota_project[64]; /* for x-goog-user-project: the setting's or the file's, or "" */
	char *path; /* the file, for messages too; for a type without one, the setting's value (a
		       key without its PIN) */
	const struct settings *settings;
	const char *scope; /* what its tokens may do */
	bool source;	   /* acts as itself: it only asks IAM to sign for another account */
	char *token_endpoint;
	struct stat stamp; /* the file as it was read; zeros without one */
	bool cache_said;   /* token.c has logged that tokens are not cached */
};

/* Loads the credential that the settings name. The fault is FAULT_CREDENTIALS. `settings` must
 * outlive it. */
struct credential *credential_load(const struct settings *settings, struct fault *fault);
/* Loads the file again if it has been replaced (device, inode, mtime, size): true if *c is now
 * another credential. One that cannot be used is logged once, and the old one stays. */
bool credential_refresh(struct credential **c);
void credential_free(struct credential *c);
/* For sentences: the subject, or a general word. `c` may be NULL. */
const char *credential_administrator(const struct credential *c);

/* The credential inside another one's file (`source_credentials`), which only asks IAM to sign: its
 * tokens have the scope for that, and it acts as itself. `outer` must outlive it. */
struct credential *credential_load_source(const struct credential *outer,
	const struct credential_type *type, const json_t *file, struct fault *fault);

/* For credential.c: a credential without a type; NULL if out of memory. `source`: it only asks IAM
 * to sign. */
struct credential *credential_new(const struct settings *settings, const char *path, bool source);
/* Reads the members that every type's file may have: the universe and the quota project.
 * FAULT_CREDENTIALS. */
bool credential_read_common(struct credential *c, const json_t *file, struct fault *fault);

/* The types, each in the file of its name. */
extern const struct credential_type credential_service_account;
extern const struct credential_type credential_authorized_user;
extern const struct credential_type credential_impersonated;
extern const struct credential_type credential_external_account;
extern const struct credential_type credential_metadata; /* metadata_account.c */
extern const struct credential_type credential_hsm;

#endif
