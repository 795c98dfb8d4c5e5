/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world: one customer of Google and what the emulator knows about it. A reset replaces it
 * whole.
 */
#ifndef CLOUDINVITE_EMULATOR_WORLD_H
#define CLOUDINVITE_EMULATOR_WORLD_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accounts.h"
#include "faults.h"
#include "keyless.h"
#include "keyring.h"
#include "logins.h"
#include "moment.h"
#include "quota.h"
#include "route.h"
#include "switches.h"

#define SCOPE_FULL     "https://www.googleapis.com/auth/cloud-identity.userinvitations"
#define SCOPE_READONLY SCOPE_FULL ".readonly"
#define WORLD_HIDDEN   (MOMENT_SECOND * 48 * 3600) /* get and list do not show what is younger */

enum domain_kind { DOMAIN_VERIFIED, DOMAIN_ALIAS };
extern const char *const domain_kind_words[];

struct domain {
	char *name;
	enum domain_kind kind;
	int64_t verified;
};

enum user_status { USER_ACTIVE, USER_DELETED, USER_PURGED, USER_RESTRICTED };
extern const char *const user_status_words[];

/* A managed user who can be the `sub` of an assertion. */
struct admin {
	char *address;
	bool super;
	enum user_status status;
};

struct service_account {
	char *email;
	char *client_id;
	bool deleted;
	struct signing_key *keys;
	size_t n_keys;
};

/* Domain-wide delegation: what a client may ask for in the name of users. */
struct grant {
	char *client_id;
	char **scopes;
	size_t n_scopes;
};

struct mail {
	char *to;
	int64_t at;
	int64_t number; /* 1 is this person's first */
};

/* An access token and whom it speaks for. */
struct access {
	char *token;
	char *principal;
	bool service_account; /* not a user: no customer of its own */
	char *scopes;	      /* space-separated */
	int64_t expires;
};

struct world {
	char *customer;
	char *project;
	char *project_number;
	struct domain *domains;
	size_t n_domains;
	struct admin *admins;
	size_t n_admins;
	struct service_account *service_accounts;
	size_t n_service_accounts;
	struct grant *grants;
	size_t n_grants;
	struct accounts accounts;
	struct logins logins;
	struct keyless keyless;
	struct mail *mails;
	size_t n_mails, mails_room;
	struct table tokens; /* struct access by token */
	int64_t clock_offset;
	uint64_t operations; /* the number of the last one */
	struct switches switches;
	struct quota quota;
	struct faults faults;
	int latency_ms[ROUTES];
};

/* The default world: example.com, its alias domain, one super administrator, one who is none, and
 * the emulator's own service account with both scopes granted. */
struct world *world_new(const struct keyring *own);
void world_free(struct world *w);

/* The emulator's clock. */
int64_t world_now(const struct world *w);

const struct domain *world_domain(const struct world *w, const char *address);
const struct admin *world_admin(const struct world *w, const char *address);
const struct service_account *world_service_account(const struct world *w, const char *email);
/* The key that Google keeps for the account, made when it is needed first. */
const struct signing_key *world_managed_key(
	struct world *w, struct keyring *own, const struct service_account *account);
/* Whether every one of the space-separated scopes is granted to the client. */
bool world_granted(const struct world *w, const char *client_id, const char *scopes);

/* isInvitableUser; `account` may be NULL. */
bool world_invitable(const struct world *w, const struct account *account);
/* Whether get and list show it: consumer or transferred, and 48 h old like its domain. */
bool world_shown(const struct world *w, const struct account *account, int64_t now);
/* An invitation goes out: state, count, mailbox. */
void world_mail(struct world *w, struct account *account);

/* A new random token. The strings are copied. Valid until the world ends. */
struct access *world_token(
	struct world *w, const char *principal, bool service_account, const char *scopes);

/* The same for a principal that is no person, of at least so many bytes: STS gives long ones. */
struct access *world_federated_token(
	struct world *w, const char *principal, const char *scopes, size_t least);

/* Emptying, for readers of new values. */
void world_clear_domains(struct world *w);
void world_clear_admins(struct world *w);
void world_clear_service_accounts(struct world *w);
void world_clear_grants(struct world *w);
void world_clear_accounts(struct world *w); /* and the mailbox */
void world_clear_tokens(struct world *w);

#endif
