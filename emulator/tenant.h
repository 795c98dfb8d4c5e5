/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tenant: one customer of Google, and everything that the emulator knows about it. A reset
 * replaces it.
 */
#ifndef CLOUDINVITE_EMULATOR_TENANT_H
#define CLOUDINVITE_EMULATOR_TENANT_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accounts.h"
#include "faults.h"
#include "keyless.h"
#include "keyring.h"
#include "logins.h"
#include "timestamp.h"
#include "quota.h"
#include "route.h"
#include "switches.h"

#define SCOPE_FULL     "https://www.googleapis.com/auth/cloud-identity.userinvitations"
#define SCOPE_READONLY SCOPE_FULL ".readonly"
#define TENANT_HIDDEN \
	(USEC_PER_SEC * 48 * 3600) /* get and list do not show accounts that are younger */

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

/* Domain-wide delegation: the scopes that a client may request on behalf of users. */
struct grant {
	char *client_id;
	char **scopes;
	size_t n_scopes;
};

struct mail {
	char *to;
	int64_t at;
	int64_t number; /* 1 is the person's first */
};

/* An access token and its principal. */
struct access {
	char *token;
	char *principal;
	bool service_account; /* not a user, so it has no customer */
	char *scopes;	      /* space-separated */
	int64_t expires;
};

struct tenant {
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

/* The default tenant: example.com, its alias domain, one super administrator, one other
 * administrator, and the emulator's own service account with both scopes granted. */
struct tenant *tenant_new(const struct keyring *own);
void tenant_free(struct tenant *tenant);

/* The emulator's clock. */
int64_t tenant_now(const struct tenant *tenant);

const struct domain *tenant_domain(const struct tenant *tenant, const char *address);
const struct admin *tenant_admin(const struct tenant *tenant, const char *address);
const struct service_account *tenant_service_account(
	const struct tenant *tenant, const char *email);
/* The key that Google holds for the account; made at the first use. */
const struct signing_key *tenant_managed_key(
	struct tenant *tenant, struct keyring *own, const struct service_account *account);
/* Whether all of the space-separated scopes are granted to the client. */
bool tenant_granted(const struct tenant *tenant, const char *client_id, const char *scopes);

/* isInvitableUser; `account` may be NULL. */
bool tenant_invitable(const struct tenant *tenant, const struct account *account);
/* Whether get and list show it: consumer or transferred, and both it and its domain 48 h old. */
bool tenant_shown(const struct tenant *tenant, const struct account *account, int64_t now);
/* Sends an invitation: changes state, count and mailbox. */
void tenant_mail(struct tenant *tenant, struct account *account);

/* A new random token. The strings are copied. Valid until the tenant is freed. */
struct access *tenant_token(
	struct tenant *tenant, const char *principal, bool service_account, const char *scopes);

/* The same for a principal that is not a person, with at least so many bytes: tokens of STS are
 * long. */
struct access *tenant_federated_token(
	struct tenant *tenant, const char *principal, const char *scopes, size_t least);

/* Empties the lists, for readers of new values. */
void tenant_clear_domains(struct tenant *tenant);
void tenant_clear_admins(struct tenant *tenant);
void tenant_clear_service_accounts(struct tenant *tenant);
void tenant_clear_grants(struct tenant *tenant);
void tenant_clear_accounts(struct tenant *tenant); /* and the mailbox */
void tenant_clear_tokens(struct tenant *tenant);

#endif
