/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The customer's state: making and freeing it, and the few rules that several endpoints need.
 */
#include "tenant.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "timestamp.h"
#include "xmalloc.h"

#define LONG_AGO (INT64_C(1577836800) * USEC_PER_SEC) /* 2020-01-01 */

const char *const domain_kind_words[] = {"verified", "alias", NULL};
const char *const user_status_words[] = {"active", "deleted", "purged", "restricted", NULL};

static void tenant_default_customer(struct tenant *tenant)
{
	tenant->customer = xstrdup("C01234567");
	tenant->project = xstrdup(OWN_PROJECT);
	tenant->project_number = xstrdup(OWN_PROJECT_NUMBER);
	tenant->n_domains = 2;
	tenant->domains = xcalloc(2 * sizeof tenant->domains[0]);
	tenant->domains[0] = (struct domain){xstrdup("example.com"), DOMAIN_VERIFIED, LONG_AGO};
	tenant->domains[1] = (struct domain){xstrdup("alias.example.com"), DOMAIN_ALIAS, LONG_AGO};
	tenant->n_admins = 2;
	tenant->admins = xcalloc(2 * sizeof tenant->admins[0]);
	tenant->admins[0] = (struct admin){xstrdup("admin@example.com"), true, USER_ACTIVE};
	tenant->admins[1] = (struct admin){xstrdup("helpdesk@example.com"), false, USER_ACTIVE};
}

static void tenant_default_credentials(struct tenant *tenant, const struct keyring *own)
{
	struct service_account *account = xcalloc(sizeof *account);
	struct grant *grant = xcalloc(sizeof *grant);

	account->email = xstrdup(OWN_EMAIL);
	account->client_id = xstrdup(OWN_CLIENT_ID);
	account->n_keys = 1;
	account->keys = xcalloc(sizeof account->keys[0]);
	account->keys[0].kid = xstrdup(own->service_kid);
	account->keys[0].key = own->service_key;
	EVP_PKEY_up_ref(own->service_key);
	tenant->service_accounts = account;
	tenant->n_service_accounts = 1;

	grant->client_id = xstrdup(OWN_CLIENT_ID);
	grant->n_scopes = 2;
	grant->scopes = xcalloc(2 * sizeof grant->scopes[0]);
	grant->scopes[0] = xstrdup(SCOPE_FULL);
	grant->scopes[1] = xstrdup(SCOPE_READONLY);
	tenant->grants = grant;
	tenant->n_grants = 1;
}

struct tenant *tenant_new(const struct keyring *own)
{
	struct tenant *tenant = xcalloc(sizeof *tenant);

	tenant_default_customer(tenant);
	tenant_default_credentials(tenant, own);
	logins_defaults(&tenant->logins);
	keyless_defaults(&tenant->keyless, own);
	switches_defaults(&tenant->switches);
	quota_free(&tenant->quota);
	return tenant;
}

void tenant_clear_domains(struct tenant *tenant)
{
	for (size_t i = 0; i < tenant->n_domains; i++)
		free(tenant->domains[i].name);
	free(tenant->domains);
	tenant->domains = NULL;
	tenant->n_domains = 0;
}

void tenant_clear_admins(struct tenant *tenant)
{
	for (size_t i = 0; i < tenant->n_admins; i++)
		free(tenant->admins[i].address);
	free(tenant->admins);
	tenant->admins = NULL;
	tenant->n_admins = 0;
}

static void service_account_free(struct service_account *account)
{
	for (size_t i = 0; i < account->n_keys; i++)
		signing_key_free(&account->keys[i]);
	free(account->keys);
	free(account->email);
	free(account->client_id);
}

void tenant_clear_service_accounts(struct tenant *tenant)
{
	for (size_t i = 0; i < tenant->n_service_accounts; i++)
		service_account_free(&tenant->service_accounts[i]);
	free(tenant->service_accounts);
	tenant->service_accounts = NULL;
	tenant->n_service_accounts = 0;
}

void tenant_clear_grants(struct tenant *tenant)
{
	for (size_t i = 0; i < tenant->n_grants; i++) {
		for (size_t j = 0; j < tenant->grants[i].n_scopes; j++)
			free(tenant->grants[i].scopes[j]);
		free(tenant->grants[i].scopes);
		free(tenant->grants[i].client_id);
	}
	free(tenant->grants);
	tenant->grants = NULL;
	tenant->n_grants = 0;
}

void tenant_clear_accounts(struct tenant *tenant)
{
	for (size_t i = 0; i < tenant->n_mails; i++)
		free(tenant->mails[i].to);
	free(tenant->mails);
	tenant->mails = NULL;
	tenant->n_mails = tenant->mails_room = 0;
	accounts_free(&tenant->accounts);
}

static void access_free(void *p)
{
	struct access *access = p;

	free(access->token);
	free(access->principal);
	free(access->scopes);
	free(access);
}

void tenant_clear_tokens(struct tenant *tenant)
{
	table_free(&tenant->keyless.instance.tokens, NULL);
	table_free(&tenant->tokens, access_free);
}

void tenant_free(struct tenant *tenant)
{
	if (!tenant)
		return;
	tenant_clear_domains(tenant);
	tenant_clear_admins(tenant);
	tenant_clear_service_accounts(tenant);
	tenant_clear_grants(tenant);
	tenant_clear_accounts(tenant);
	tenant_clear_tokens(tenant);
	keyless_free(&tenant->keyless);
	logins_free(&tenant->logins);
	quota_free(&tenant->quota);
	faults_clear(&tenant->faults);
	free(tenant->customer);
	free(tenant->project);
	free(tenant->project_number);
	free(tenant);
}

int64_t tenant_now(const struct tenant *tenant)
{
	return timestamp_now() + tenant->clock_offset;
}

const struct domain *tenant_domain(const struct tenant *tenant, const char *address)
{
	const char *at = strrchr(address, '@');

	for (size_t i = 0; at && i < tenant->n_domains; i++) {
		if (strcmp(tenant->domains[i].name, at + 1) == 0)
			return &tenant->domains[i];
	}
	return NULL;
}

const struct admin *tenant_admin(const struct tenant *tenant, const char *address)
{
	for (size_t i = 0; i < tenant->n_admins; i++) {
		if (strcmp(tenant->admins[i].address, address) == 0)
			return &tenant->admins[i];
	}
	return NULL;
}

const struct service_account *tenant_service_account(const struct tenant *tenant, const char *email)
{
	for (size_t i = 0; i < tenant->n_service_accounts; i++) {
		if (strcmp(tenant->service_accounts[i].email, email) == 0)
			return &tenant->service_accounts[i];
	}
	return NULL;
}

const struct signing_key *tenant_managed_key(
	struct tenant *tenant, struct keyring *own, const struct service_account *account)
{
	struct service_account *one = &tenant->service_accounts[account - tenant->service_accounts];

	for (size_t i = 0; i < one->n_keys; i++) {
		if (one->keys[i].managed)
			return &one->keys[i];
	}
	one->keys = xnonnull(reallocarray(one->keys, one->n_keys + 1, sizeof one->keys[0]));
	one->keys[one->n_keys] = keyring_managed_key(own);
	return &one->keys[one->n_keys++];
}

static bool tenant_scope_granted(
	const struct tenant *tenant, const char *client_id, const char *scope, size_t n)
{
	for (size_t i = 0; i < tenant->n_grants; i++) {
		const struct grant *grant = &tenant->grants[i];

		if (strcmp(grant->client_id, client_id) != 0)
			continue;
		for (size_t j = 0; j < grant->n_scopes; j++) {
			if (strlen(grant->scopes[j]) == n &&
				memcmp(grant->scopes[j], scope, n) == 0)
				return true;
		}
	}
	return false;
}

bool tenant_granted(const struct tenant *tenant, const char *client_id, const char *scopes)
{
	while (*scopes != '\0') {
		size_t n = strcspn(scopes, " ");

		if (n > 0 && !tenant_scope_granted(tenant, client_id, scopes, n))
			return false;
		scopes += n + (scopes[n] == ' ');
	}
	return true;
}

bool tenant_invitable(const struct tenant *tenant, const struct account *account)
{
	const struct domain *domain;

	if (!account || account->kind != ACCOUNT_CONSUMER || !account->primary)
		return false;
	if (account->family && !tenant->switches.family_invitable)
		return false;
	domain = tenant_domain(tenant, account->address);
	return domain && domain->kind == DOMAIN_VERIFIED;
}

bool tenant_shown(const struct tenant *tenant, const struct account *account, int64_t now)
{
	const struct domain *domain = tenant_domain(tenant, account->address);

	if (!domain || domain->kind != DOMAIN_VERIFIED || !account->primary)
		return false;
	if (account->kind == ACCOUNT_MANAGED && account->state != ACCOUNT_ACCEPTED)
		return false;
	return now - account->created >= TENANT_HIDDEN && now - domain->verified >= TENANT_HIDDEN;
}

void tenant_mail(struct tenant *tenant, struct account *account)
{
	struct mail *mail;

	account->state = ACCOUNT_INVITED;
	account->mails++;
	account->updated = tenant_now(tenant);
	accounts_mark_unsorted(&tenant->accounts);
	tenant->mails =
		xgrow(tenant->mails, tenant->n_mails, &tenant->mails_room, sizeof tenant->mails[0]);
	mail = &tenant->mails[tenant->n_mails++];
	mail->to = xstrdup(account->address);
	mail->at = account->updated;
	mail->number = account->mails;
}

/* 64 random characters, then zeros. */
static char *token_text(size_t least)
{
	unsigned char bytes[48];
	char text[4 * sizeof bytes / 3 + 4];
	size_t n = sizeof "ya29." - 1 + 4 * sizeof bytes / 3;

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		xnonnull(NULL);
	EVP_EncodeBlock((unsigned char *)text, bytes, sizeof bytes);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
	return least > n ? xasprintf("ya29.%s%0*d", text, (int)(least - n), 0)
			 : xasprintf("ya29.%s", text);
}

static struct access *token_put(struct tenant *tenant, char *token, const char *principal,
	bool service_account, const char *scopes)
{
	struct access *access = xcalloc(sizeof *access);

	access->token = token;
	access->principal = xstrdup(principal);
	access->service_account = service_account;
	access->scopes = xstrdup(scopes);
	access->expires = tenant_now(tenant) + tenant->switches.token_lifetime * USEC_PER_SEC;
	table_put(&tenant->tokens, access->token, access);
	return access;
}

struct access *tenant_token(
	struct tenant *tenant, const char *principal, bool service_account, const char *scopes)
{
	return token_put(tenant, token_text(0), principal, service_account, scopes);
}

struct access *tenant_federated_token(
	struct tenant *tenant, const char *principal, const char *scopes, size_t least)
{
	return token_put(tenant, token_text(least), principal, true, scopes);
}
