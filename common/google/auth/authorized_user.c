/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person's login, as `cloudinvite login` and `gcloud auth application-default login` write it: a
 * refresh token for an OAuth client. It acts as that person.
 *
 * The file's token_uri is ignored: requests go where the settings say.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/credential.h"
#include "google/auth/refresh_store.h"
#include "google/auth/token_request.h"
#include "google/http/form.h"
#include "google/http/secret.h"

#define LOGIN "cloudinvite login --client FILE"

/* The project number of gcloud's own OAuth client; its client id begins with it. */
#define GCLOUD_PROJECT "764086051850-"

struct authorized_user {
	char *client_id, *client_secret;
	char *refresh_token; /* the file's own, or the one that Google issued instead */
	bool unsaved;	     /* the new one is not on the disk yet */
	struct refresh_store store;
};

static void authorized_user_free(void *data)
{
	struct authorized_user *u = data;

	if (!u)
		return;
	free(u->client_id);
	secret_free(u->client_secret);
	secret_free(u->refresh_token);
	free(u);
}

/* ---- the file ---- */

static bool take(const struct credential *c, const json_t *file, const char *name, char **out,
	struct fault *f)
{
	const char *value = json_string_value(json_object_get(file, name));

	if (value && access_token_valid(value))
		*out = strdup(value);
	if (*out)
		return true;
	fault_set(f, FAULT_CREDENTIALS, "login_incomplete",
		"%s: '%s' is missing or not a valid string", c->path, name);
	return fault_remedy(f, "Generate the file again: " LOGIN);
}

/* Google refuses gcloud's client at the first call, with the number of a project that the
 * administrator does not know. As the source for IAM it may be used, because that API is enabled
 * there. */
static bool check_gcloud(
	const struct credential *c, const struct authorized_user *u, struct fault *f)
{
	if (c->source || *c->quota_project || !str_starts(u->client_id, GCLOUD_PROJECT))
		return true;
	fault_set(f, FAULT_CREDENTIALS, "gcloud_without_project",
		"%s: a login made with gcloud's own OAuth client, whose project does not have the "
		"Cloud Identity API",
		c->path);
	return fault_remedy(f, "Set [google] quota_project to a project of yours with the API "
			       "enabled, or log in with an OAuth client of that project: " LOGIN);
}

static bool refuse_subject(const struct credential *c, const char *account, struct fault *f)
{
	const char *subject = c->settings->subject;

	if (*account) {
		fault_set(f, FAULT_CREDENTIALS, "subject_differs",
			"%s is the login of %.100s and cannot act as [google] subject %.100s",
			c->path, account, subject);
		return fault_remedy(f,
			"Leave subject empty to act as %.100s, or log in as the subject: " LOGIN
			" --account %.100s",
			account, subject);
	}
	fault_set(f, FAULT_CREDENTIALS, "subject_unknown",
		"%s does not name its account, so it is not known whether it is [google] subject "
		"%.100s",
		c->path, subject);
	return fault_remedy(
		f, "Leave subject empty: a login always acts as the account that logged in.");
}

/* The account that the file names is not verified. It is used in messages. */
static bool check_account(struct credential *c, const json_t *file, struct fault *f)
{
	const char *account = json_string_value(json_object_get(file, "account"));

	if (!account || strlen(account) > ADDRESS_MAX || !strchr(account, '@'))
		account = "";
	if (*c->subject && !str_equal_nocase(c->subject, account))
		return refuse_subject(c, account, f);
	if (!c->source)
		str_copy(c->subject, sizeof(c->subject), account);
	if (*account)
		str_format(c->identity, sizeof(c->identity), "%s (login)", account);
	else
		str_format(c->identity, sizeof(c->identity), "the account whose login is in %.400s",
			c->path);
	return true;
}

static bool load(struct credential *c, const json_t *file, struct fault *f)
{
	struct authorized_user *u = calloc(1, sizeof(*u));

	c->data = u;
	if (!u)
		return fault_no_memory(f, FAULT_CREDENTIALS);
	if (!take(c, file, "client_id", &u->client_id, f) ||
		!take(c, file, "client_secret", &u->client_secret, f) ||
		!take(c, file, "refresh_token", &u->refresh_token, f) || !check_gcloud(c, u, f) ||
		!check_account(c, file, f))
		return false;
	str_copy(c->client_id, sizeof(c->client_id), u->client_id);
	return refresh_store_key(&u->store, u->client_id, u->refresh_token) ||
	       fault_set(f, FAULT_CREDENTIALS, "no_digest", "OpenSSL does not provide SHA-256");
}

/* ---- the stored refresh token ---- */

/* Logged each time, and tried again before the next token: until then the disk has the old one. */
static void save(const struct credential *c, struct authorized_user *u)
{
	struct fault fault = {0};

	u->unsaved = !refresh_store_write(&u->store, c->settings, u->refresh_token, &fault);
	if (!u->unsaved)
		return;
	fault_remedy(&fault,
		"It is used until this program ends; after a restart, Google may reject the old "
		"one. Make %s writable for %s, then: " LOGIN,
		c->settings->state, c->settings->dispatcher_user);
	log_fault(LOG_LEVEL_ERROR, fault.code, &fault);
}

/* Another process may have stored a newer one meanwhile. */
static void look_again(const struct credential *c, struct authorized_user *u)
{
	char *newer = u->unsaved ? NULL : refresh_store_read(&u->store, c->settings);

	if (!newer)
		return;
	secret_free(u->refresh_token);
	u->refresh_token = newer;
}

/* Stored before the access token is used, because the old refresh token may be invalid already. */
static void keep_rotated(
	const struct credential *c, struct authorized_user *u, struct token_response *reply)
{
	if (reply->refresh_token && strcmp(reply->refresh_token, u->refresh_token) != 0) {
		secret_free(u->refresh_token);
		u->refresh_token = reply->refresh_token;
		reply->refresh_token = NULL;
		save(c, u);
	} else if (u->unsaved) {
		save(c, u);
	}
}

/* ---- the token ---- */

/* A source's login has the scope cloud-platform, which includes IAM's without naming it, so no
 * scope is asked for. */
static bool add_form(
	struct strbuf *form, const struct credential *c, const struct authorized_user *u)
{
	return form_add(form, "grant_type", "refresh_token") &&
	       form_add(form, "client_id", u->client_id) &&
	       form_add(form, "client_secret", u->client_secret) &&
	       form_add(form, "refresh_token", u->refresh_token) &&
	       (c->source || form_add(form, "scope", c->scope));
}

static bool refuse_scope(const struct credential *c, struct fault *f)
{
	fault_set(f, FAULT_SETUP, "token_scope_missing",
		"the login in %s does not include the scope %s", c->path, c->scope);
	return fault_remedy(f, "Log in again, and keep its box ticked on Google's page: " LOGIN);
}

static bool mint(
	struct credential *c, struct http *http, struct credential_minted *out, struct fault *f)
{
	struct authorized_user *u = c->data;
	struct strbuf form = {0};
	struct token_response reply = {0};
	bool ok = false;

	look_again(c, u);
	if (!add_form(&form, c, u))
		fault_no_memory(f, FAULT_TRANSIENT);
	else if (token_request(c, http, form.data, form.len, &reply, f)) {
		keep_rotated(c, u, &reply);
		ok = c->source || token_response_has_scope(&reply, c->scope) || refuse_scope(c, f);
	}
	if (ok) {
		*out = reply.minted;
		reply.minted.access_token = NULL;
	}
	token_response_free(&reply);
	strbuf_wipe(&form);
	strbuf_free(&form);
	return ok;
}

const struct credential_type credential_authorized_user = {.login = true,
	.name = "authorized_user",
	.load = load,
	.mint = mint,
	.free = authorized_user_free};
