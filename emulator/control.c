/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control endpoints: /emulator/NAME, JSON in and out, without authentication.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "endpoints.h"
#include "jwt.h"
#include "xmalloc.h"
#include "reply.h"
#include "tenant_json.h"
#include "uri.h"

/* Returns the answer, or NULL with an error. `in` is the body (null if there is none). */
typedef json_t *control_do(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c);

static json_t *done(void)
{
	return json_pack("{s:b}", "ok", 1);
}

static json_t *ready(struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in, (void)c;
	return json_pack("{s:b, s:s, s:s, s:s?}", "ready", 1, "version", CLOUDINVITE_VERSION,
		"base", e->google.base, "metadata", e->metadata.daemon ? e->metadata.base : NULL);
}

static json_t *reset(struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in;
	return emulator_reset(e, e->scenario, c) ? done() : NULL;
}

static json_t *state_get(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in, (void)c;
	return tenant_write(e->tenant);
}

static json_t *state_put(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r;
	return emulator_reset(e, in, c) ? done() : NULL;
}

static json_t *state_patch(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r;
	return tenant_read(e->tenant, &e->keyring, in, c) ? done() : NULL;
}

static json_t *accounts_get(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	char *address = uri_field(r->query, "address");
	const struct account *account =
		address ? accounts_find(&e->tenant->accounts, address) : NULL;
	json_t *out = NULL;

	(void)in;
	if (account)
		out = account_write(account);
	else if (address)
		doc_error_set(c, "there is no account %s", address);
	else
		out = json_pack("{s:I}", "count", (json_int_t)e->tenant->accounts.by_address.count);
	free(address);
	return out;
}

static json_t *accounts_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r;
	if (!accounts_read(e->tenant, in, c))
		return NULL;
	return json_pack("{s:I}", "count", (json_int_t)e->tenant->accounts.by_address.count);
}

static json_t *accounts_delete(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	char *address = uri_field(r->query, "address");
	bool ok = true;

	(void)in;
	if (!address)
		accounts_free(&e->tenant->accounts);
	else if (!accounts_remove(&e->tenant->accounts, address))
		ok = doc_error_set(c, "there is no account %s", address);
	free(address);
	return ok ? done() : NULL;
}

static json_t *clock_get(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in, (void)c;
	return clock_write(e->tenant);
}

static json_t *clock_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r;
	return clock_read(e->tenant, in, c) ? clock_write(e->tenant) : NULL;
}

/* The person reads the mail and answers; only an invited person can. */
static json_t *respond(
	struct emulator *e, json_t *in, enum account_state state, struct doc_error *c)
{
	const char *address = NULL;
	struct account *account = NULL;

	if (!member_string(in, "address", &address, "the document", c))
		return NULL;
	if (address)
		account = accounts_find(&e->tenant->accounts, address);
	if (!account || account->state != ACCOUNT_INVITED) {
		doc_error_set(c, "%s is not invited", address ? address : "nobody");
		return NULL;
	}
	account->state = state;
	account->updated = tenant_now(e->tenant);
	if (state == ACCOUNT_ACCEPTED)
		account->kind = ACCOUNT_MANAGED;
	accounts_mark_unsorted(&e->tenant->accounts);
	return account_write(account);
}

static json_t *accept_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r;
	return respond(e, in, ACCOUNT_ACCEPTED, c);
}

static json_t *decline_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r;
	return respond(e, in, ACCOUNT_DECLINED, c);
}

static json_t *faults_get(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in, (void)c;
	return faults_write(&e->tenant->faults);
}

static json_t *faults_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r;
	return faults_read(&e->tenant->faults, in, c) ? faults_write(&e->tenant->faults) : NULL;
}

static json_t *faults_delete(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in, (void)c;
	faults_clear(&e->tenant->faults);
	return done();
}

static json_t *latency_get(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in, (void)c;
	return latency_write(e->tenant);
}

static json_t *latency_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r;
	return latency_read(e->tenant, in, c) ? latency_write(e->tenant) : NULL;
}

static json_t *quota_get(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in, (void)c;
	return quota_write(&e->tenant->quota);
}

static json_t *quota_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r;
	return quota_read(&e->tenant->quota, in, c) ? quota_write(&e->tenant->quota) : NULL;
}

static json_t *switches_get(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in, (void)c;
	return switches_write(&e->tenant->switches);
}

static json_t *switches_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r;
	return switches_read(&e->tenant->switches, in, c) ? switches_write(&e->tenant->switches)
							  : NULL;
}

static json_t *log_get(struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	char *since = uri_field(r->query, "since");
	json_t *out = request_log_write(&e->log, since ? strtoull(since, NULL, 10) : 0);

	(void)in, (void)c;
	free(since);
	return out;
}

static json_t *mailbox_get(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	const struct tenant *tenant = e->tenant;
	json_t *mails = json_array(), *counts = json_object();
	char at[TIMESTAMP_TEXT_SIZE];

	(void)r, (void)in, (void)c;
	for (size_t i = 0; i < tenant->n_mails; i++) {
		const struct mail *mail = &tenant->mails[i];
		json_int_t count = json_integer_value(json_object_get(counts, mail->to));

		json_object_set_new(counts, mail->to, json_integer(count + 1));
		json_array_append_new(mails, json_pack("{s:s, s:s, s:I}", "to", mail->to, "at",
						     timestamp_rfc3339(mail->at, at), "number",
						     (json_int_t)mail->number));
	}
	return json_pack("{s:o, s:o, s:I}", "mails", mails, "counts", counts, "total",
		(json_int_t)tenant->n_mails);
}

static json_t *stats_get(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	json_t *out = json_object();

	(void)r, (void)in, (void)c;
	for (int i = 0; i < ROUTE_CONTROL; i++)
		json_object_set_new(out, route_words[i], json_integer((json_int_t)e->counts[i]));
	json_object_set_new(out, "connections", json_integer((json_int_t)e->connections));
	return out;
}

/* A token without an assertion, for people with curl and for tests of the API alone. */
static json_t *tokens_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	static const char *const names[] = {"principal", "scopes", "service_account", NULL};
	const struct tenant *tenant = e->tenant;
	const char *principal = tenant->n_admins > 0 ? tenant->admins[0].address : "",
		   *scopes = SCOPE_FULL;
	bool service_account = false;
	const struct access *access;

	(void)r;
	if (in && (!members_known(in, names, "the document", c) ||
			  !member_string(in, "principal", &principal, "the document", c) ||
			  !member_string(in, "scopes", &scopes, "the document", c) ||
			  !member_bool(in, "service_account", &service_account, "the document", c)))
		return NULL;
	access = tenant_token(e->tenant, principal, service_account, scopes);
	return json_pack("{s:s, s:s}", "access_token", access->token, "principal", principal);
}

static json_t *logins_get(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in, (void)c;
	return logins_write(&e->tenant->logins, tenant_now(e->tenant));
}

/* A login without the consent page: what a client would have in its file. */
static json_t *logins_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	static const char *const names[] = {"client_id", "address", "scopes", "at", NULL};
	struct tenant *tenant = e->tenant;
	const char *id = tenant->logins.n_clients > 0 ? tenant->logins.clients[0].id : "";
	const char *address = tenant->n_admins > 0 ? tenant->admins[0].address : "",
		   *scopes = SCOPE_FULL;
	int64_t at = tenant_now(tenant);
	const struct oauth_client *client;

	(void)r;
	if (in && (!members_known(in, names, "the document", c) ||
			  !member_string(in, "client_id", &id, "the document", c) ||
			  !member_string(in, "address", &address, "the document", c) ||
			  !member_string(in, "scopes", &scopes, "the document", c) ||
			  !member_timestamp(in, "at", at, &at, "the document", c)))
		return NULL;
	client = logins_client(&tenant->logins, id);
	if (!client) {
		doc_error_set(c, "there is no OAuth client %s", id);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:s, s:s}", "type", "authorized_user", "client_id", client->id,
		"client_secret", client->secret, "refresh_token",
		logins_add(&tenant->logins, id, address, scopes, at)->token);
}

/* At Google, this is a person who revokes the app's access. */
static json_t *logins_delete(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	struct logins *l = &e->tenant->logins;

	(void)r, (void)in, (void)c;
	for (size_t i = 0; i < l->n_list; i++)
		l->list[i].revoked = true;
	return done();
}

/* The token that the emulated identity provider gives its users, for one minute to a day. */
static json_t *subject_tokens_post(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	static const char *const names[] = {"subject", "seconds", NULL};
	const struct signing_key *key = &e->keyring.issuer_key;
	int64_t now = tenant_now(e->tenant) / USEC_PER_SEC, seconds = 3600, end;
	const char *subject = "rehearsal";
	char *claims, *token;
	json_t *out;

	(void)r;
	if (in && (!members_known(in, names, "the document", c) ||
			  !member_string(in, "subject", &subject, "the document", c) ||
			  !member_int(in, "seconds", 60, 86400, &seconds, "the document", c)))
		return NULL;
	end = now + seconds;
	out = json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", OWN_ISSUER, "aud",
		"https:" OWN_PROVIDER, "sub", subject, "iat", (json_int_t)now, "exp",
		(json_int_t)end);
	claims = xnonnull(json_dumps(out, JSON_COMPACT));
	json_decref(out);
	token = jwt_sign(key->key, key->kid, claims);
	out = json_pack("{s:s, s:s}", "subject_token", token, "audience", OWN_PROVIDER);
	free(token);
	free(claims);
	return out;
}

static json_t *tokens_delete(
	struct emulator *e, const struct request *r, json_t *in, struct doc_error *c)
{
	(void)r, (void)in, (void)c;
	tenant_clear_tokens(e->tenant);
	return done();
}

static const struct {
	const char *name;
	const char *method;
	control_do *action;
} controls[] = {
	{"ready", "GET", ready},
	{"reset", "POST", reset},
	{"state", "GET", state_get},
	{"state", "PUT", state_put},
	{"state", "PATCH", state_patch},
	{"accounts", "GET", accounts_get},
	{"accounts", "POST", accounts_post},
	{"accounts", "DELETE", accounts_delete},
	{"clock", "GET", clock_get},
	{"clock", "POST", clock_post},
	{"accept", "POST", accept_post},
	{"decline", "POST", decline_post},
	{"faults", "GET", faults_get},
	{"faults", "POST", faults_post},
	{"faults", "DELETE", faults_delete},
	{"latency", "GET", latency_get},
	{"latency", "POST", latency_post},
	{"quota", "GET", quota_get},
	{"quota", "POST", quota_post},
	{"switches", "GET", switches_get},
	{"switches", "POST", switches_post},
	{"log", "GET", log_get},
	{"mailbox", "GET", mailbox_get},
	{"stats", "GET", stats_get},
	{"logins", "GET", logins_get},
	{"logins", "POST", logins_post},
	{"logins", "DELETE", logins_delete},
	{"tokens", "POST", tokens_post},
	{"tokens", "DELETE", tokens_delete},
	{"subject-tokens", "POST", subject_tokens_post},
};

static control_do *control_find(const struct request *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
		if (strcmp(controls[i].name, r->control) == 0 &&
			strcmp(controls[i].method, r->method) == 0)
			return controls[i].action;
	}
	return NULL;
}

static json_t *control_run(struct emulator *e, const struct request *r, struct doc_error *c)
{
	control_do *action = control_find(r);
	json_error_t error;
	json_t *in = NULL, *out = NULL;

	if (r->body_size > 0)
		in = json_loadb(r->body, r->body_size, 0, &error);
	if (!action)
		doc_error_set(c, "there is no %s /emulator/%s (see --help)", r->method, r->control);
	else if (r->body_size > 0 && !in)
		doc_error_set(c, "line %d: %s", error.line, error.text);
	else
		out = action(e, r, in, c);
	json_decref(in);
	return out;
}

static void control_answer(struct emulator *e, struct request *r, struct reply *out)
{
	struct doc_error doc_error = {0};
	json_t *body = control_run(e, r, &doc_error);

	if (body)
		reply_json(out, 200, body);
	else
		reply_json(out, 400, json_pack("{s:s}", "error", doc_error.text));
}

void control_dispatch(struct request *r)
{
	r->route = ROUTE_CONTROL;
	r->answer = control_answer;
	r->control = r->path + strlen("/emulator/");
}
