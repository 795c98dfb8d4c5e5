/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "moment.h"
#include "must.h"

#define LONG_AGO (INT64_C(1577836800) * MOMENT_SECOND) /* 2020-01-01 */

const char *const domain_kind_words[] = {"verified", "alias", NULL};
const char *const user_status_words[] = {"active", "deleted", "purged", "restricted", NULL};

static void world_default_customer(struct world *w)
{
	w->customer = must_copy("C01234567");
	w->project = must_copy(OWN_PROJECT);
	w->project_number = must_copy(OWN_PROJECT_NUMBER);
	w->n_domains = 2;
	w->domains = must_alloc(2 * sizeof w->domains[0]);
	w->domains[0] = (struct domain){must_copy("example.com"), DOMAIN_VERIFIED, LONG_AGO};
	w->domains[1] = (struct domain){must_copy("alias.example.com"), DOMAIN_ALIAS, LONG_AGO};
	w->n_admins = 2;
	w->admins = must_alloc(2 * sizeof w->admins[0]);
	w->admins[0] = (struct admin){must_copy("admin@example.com"), true, USER_ACTIVE};
	w->admins[1] = (struct admin){must_copy("helpdesk@example.com"), false, USER_ACTIVE};
}

static void world_default_credentials(struct world *w, const struct keyring *own)
{
	struct service_account *account = must_alloc(sizeof *account);
	struct grant *grant = must_alloc(sizeof *grant);

	account->email = must_copy(OWN_EMAIL);
	account->client_id = must_copy(OWN_CLIENT_ID);
	account->n_keys = 1;
	account->keys = must_alloc(sizeof account->keys[0]);
	account->keys[0].kid = must_copy(own->service_kid);
	account->keys[0].key = own->service_key;
	EVP_PKEY_up_ref(own->service_key);
	w->service_accounts = account;
	w->n_service_accounts = 1;

	grant->client_id = must_copy(OWN_CLIENT_ID);
	grant->n_scopes = 2;
	grant->scopes = must_alloc(2 * sizeof grant->scopes[0]);
	grant->scopes[0] = must_copy(SCOPE_FULL);
	grant->scopes[1] = must_copy(SCOPE_READONLY);
	w->grants = grant;
	w->n_grants = 1;
}

struct world *world_new(const struct keyring *own)
{
	struct world *w = must_alloc(sizeof *w);

	world_default_customer(w);
	world_default_credentials(w, own);
	logins_defaults(&w->logins);
	keyless_defaults(&w->keyless, own);
	switches_defaults(&w->switches);
	quota_free(&w->quota);
	return w;
}

void world_clear_domains(struct world *w)
{
	for (size_t i = 0; i < w->n_domains; i++)
		free(w->domains[i].name);
	free(w->domains);
	w->domains = NULL;
	w->n_domains = 0;
}

void world_clear_admins(struct world *w)
{
	for (size_t i = 0; i < w->n_admins; i++)
		free(w->admins[i].address);
	free(w->admins);
	w->admins = NULL;
	w->n_admins = 0;
}

static void service_account_free(struct service_account *account)
{
	for (size_t i = 0; i < account->n_keys; i++)
		signing_key_free(&account->keys[i]);
	free(account->keys);
	free(account->email);
	free(account->client_id);
}

void world_clear_service_accounts(struct world *w)
{
	for (size_t i = 0; i < w->n_service_accounts; i++)
		service_account_free(&w->service_accounts[i]);
	free(w->service_accounts);
	w->service_accounts = NULL;
	w->n_service_accounts = 0;
}

void world_clear_grants(struct world *w)
{
	for (size_t i = 0; i < w->n_grants; i++) {
		for (size_t j = 0; j < w->grants[i].n_scopes; j++)
			free(w->grants[i].scopes[j]);
		free(w->grants[i].scopes);
		free(w->grants[i].client_id);
	}
	free(w->grants);
	w->grants = NULL;
	w->n_grants = 0;
}

void world_clear_accounts(struct world *w)
{
	for (size_t i = 0; i < w->n_mails; i++)
		free(w->mails[i].to);
	free(w->mails);
	w->mails = NULL;
	w->n_mails = w->mails_room = 0;
	accounts_free(&w->accounts);
}

static void access_free(void *p)
{
	struct access *access = p;

	free(access->token);
	free(access->principal);
	free(access->scopes);
	free(access);
}

void world_clear_tokens(struct world *w)
{
	table_free(&w->keyless.instance.tokens, NULL);
	table_free(&w->tokens, access_free);
}

void world_free(struct world *w)
{
	if (w == NULL)
		return;
	world_clear_domains(w);
	world_clear_admins(w);
	world_clear_service_accounts(w);
	world_clear_grants(w);
	world_clear_accounts(w);
	world_clear_tokens(w);
	keyless_free(&w->keyless);
	logins_free(&w->logins);
	quota_free(&w->quota);
	faults_clear(&w->faults);
	free(w->customer);
	free(w->project);
	free(w->project_number);
	free(w);
}

int64_t world_now(const struct world *w)
{
	return moment_real() + w->clock_offset;
}

const struct domain *world_domain(const struct world *w, const char *address)
{
	const char *at = strrchr(address, '@');

	for (size_t i = 0; at != NULL && i < w->n_domains; i++) {
		if (strcmp(w->domains[i].name, at + 1) == 0)
			return &w->domains[i];
	}
	return NULL;
}

const struct admin *world_admin(const struct world *w, const char *address)
{
	for (size_t i = 0; i < w->n_admins; i++) {
		if (strcmp(w->admins[i].address, address) == 0)
			return &w->admins[i];
	}
	return NULL;
}

const struct service_account *world_service_account(const struct world *w, const char *email)
{
	for (size_t i = 0; i < w->n_service_accounts; i++) {
		if (strcmp(w->service_accounts[i].email, email) == 0)
			return &w->service_accounts[i];
	}
	return NULL;
}

const struct signing_key *world_managed_key(
	struct world *w, struct keyring *own, const struct service_account *account)
{
	struct service_account *one = &w->service_accounts[account - w->service_accounts];

	for (size_t i = 0; i < one->n_keys; i++) {
		if (one->keys[i].managed)
			return &one->keys[i];
	}
	one->keys = must(reallocarray(one->keys, one->n_keys + 1, sizeof one->keys[0]));
	one->keys[one->n_keys] = keyring_managed_key(own);
	return &one->keys[one->n_keys++];
}

static bool world_scope_granted(
	const struct world *w, const char *client_id, const char *scope, size_t n)
{
	for (size_t i = 0; i < w->n_grants; i++) {
		const struct grant *grant = &w->grants[i];

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

bool world_granted(const struct world *w, const char *client_id, const char *scopes)
{
	while (*scopes != '\0') {
		size_t n = strcspn(scopes, " ");

		if (n > 0 && !world_scope_granted(w, client_id, scopes, n))
			return false;
		scopes += n + (scopes[n] == ' ');
	}
	return true;
}

bool world_invitable(const struct world *w, const struct account *account)
{
	const struct domain *domain;

	if (account == NULL || account->kind != ACCOUNT_CONSUMER || !account->primary)
		return false;
	if (account->family && !w->switches.family_invitable)
		return false;
	domain = world_domain(w, account->address);
	return domain != NULL && domain->kind == DOMAIN_VERIFIED;
}

bool world_shown(const struct world *w, const struct account *account, int64_t now)
{
	const struct domain *domain = world_domain(w, account->address);

	if (domain == NULL || domain->kind != DOMAIN_VERIFIED || !account->primary)
		return false;
	if (account->kind == ACCOUNT_MANAGED && account->state != ACCOUNT_ACCEPTED)
		return false;
	return now - account->created >= WORLD_HIDDEN && now - domain->verified >= WORLD_HIDDEN;
}

void world_mail(struct world *w, struct account *account)
{
	struct mail *mail;

	account->state = ACCOUNT_INVITED;
	account->mails++;
	account->updated = world_now(w);
	accounts_touched(&w->accounts);
	w->mails = must_grow(w->mails, w->n_mails, &w->mails_room, sizeof w->mails[0]);
	mail = &w->mails[w->n_mails++];
	mail->to = must_copy(account->address);
	mail->at = account->updated;
	mail->number = account->mails;
}

/* 64 random characters, then noughts. */
static char *token_text(size_t least)
{
	unsigned char bytes[48];
	char text[4 * sizeof bytes / 3 + 4];
	size_t n = sizeof "ya29." - 1 + 4 * sizeof bytes / 3;

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		must(NULL);
	EVP_EncodeBlock((unsigned char *)text, bytes, sizeof bytes);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
	return least > n ? must_format("ya29.%s%0*d", text, (int)(least - n), 0)
			 : must_format("ya29.%s", text);
}

static struct access *token_put(struct world *w, char *token, const char *principal,
	bool service_account, const char *scopes)
{
	struct access *access = must_alloc(sizeof *access);

	access->token = token;
	access->principal = must_copy(principal);
	access->service_account = service_account;
	access->scopes = must_copy(scopes);
	access->expires = world_now(w) + w->switches.token_lifetime * MOMENT_SECOND;
	table_put(&w->tokens, access->token, access);
	return access;
}

struct access *world_token(
	struct world *w, const char *principal, bool service_account, const char *scopes)
{
	return token_put(w, token_text(0), principal, service_account, scopes);
}

struct access *world_federated_token(
	struct world *w, const char *principal, const char *scopes, size_t least)
{
	return token_put(w, token_text(least), principal, true, scopes);
}
