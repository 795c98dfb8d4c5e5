/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: what tokens are minted from. By the file's `type`, or by the settings (`key`,
 * `credentials = metadata:`); each type is a file of its own with the functions of struct
 * credential_type. A credential that cannot act as an administrator is refused with the reason, not
 * tried.
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
	const char *name; /* the file's "type"; for those without a file, the setting's word */
	/* Takes what it needs from the file's JSON (NULL for a type without a file) and from
	 * c->settings; fills in data, identity and the ids. Touches no network. */
	bool (*load)(struct credential *c, const json_t *file, struct fault *fault);
	/* Mints, waiting for the network; http_interrupt() ends it early. */
	bool (*mint)(struct credential *c, struct http *http, struct credential_minted *out,
		struct fault *fault);
	void (*free)(void *data);
	bool login;   /* of a person: it has no issuer, key or delegation */
	int requests; /* so many, one after the other, a mint may take; 0: two */
};

struct credential {
	const struct credential_type *type;
	void *data;		/* the type's own */
	char identity[520];	/* for people: "inviter@project.iam.gserviceaccount.com as
				   admin@example.com" */
	char issuer[256];	/* the service account, "" if there is none */
	char subject[256];	/* the administrator acted as; "" where a login does not say */
	char client_id[128];	/* the numeric id for domain-wide delegation, or the OAuth client's
				   of a login; "" if unknown */
	char key_id[128];	/* "" if none */
	char hash[65];		/* of all that decides what the token may do: the cache's key */
	char quota_project[64]; /* for x-goog-user-project: the setting's or the file's; or "" */
	char *path; /* the file, for people too; of a type without one, the setting's value (a
		       key's without its PIN) */
	const struct settings *settings;
	const char *scope; /* what its tokens are for */
	bool source;	   /* acts as itself: it only asks IAM to sign for another account */
	char *token_endpoint;
	struct stat stamp; /* the file as it was read; zeros without one */
	bool cache_said;   /* token.c has said that tokens are not kept */
};

/* Reads what the settings name. FAULT_CREDENTIALS says what is wrong with it. `settings` must
 * outlive it. */
struct credential *credential_load(const struct settings *settings, struct fault *fault);
/* Reads the file again if it has been replaced since (device, inode, mtime, size): true if *c is
 * another one now. One that cannot be used is said once, and the old one kept. */
bool credential_refresh(struct credential **c);
void credential_free(struct credential *c);
/* For sentences: the subject, or a word for whoever it is. `c` may be NULL. */
const char *credential_administrator(const struct credential *c);

/* The credential inside the file of another one (`source_credentials`), which only asks IAM to
 * sign: its tokens have the scope for that, and it acts as nobody else. `outer` must outlive it. */
struct credential *credential_load_source(const struct credential *outer,
	const struct credential_type *type, const json_t *file, struct fault *fault);

/* For credential.c. One without a type, or NULL without memory; `source`: it only asks IAM to sign.
 */
struct credential *credential_new(const struct settings *settings, const char *path, bool source);
/* Reads what any type's file may say: the universe and the quota project. FAULT_CREDENTIALS. */
bool credential_read_common(struct credential *c, const json_t *file, struct fault *fault);

/* The types, each in the file of its name. */
extern const struct credential_type credential_service_account;
extern const struct credential_type credential_authorized_user;
extern const struct credential_type credential_impersonated;
extern const struct credential_type credential_external_account;
extern const struct credential_type credential_metadata; /* metadata_account.c */
extern const struct credential_type credential_hsm;

#endif
