/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients, codes and refresh tokens in memory, and when they end as they do at Google.
 */
#include "logins.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "timestamp.h"
#include "xmalloc.h"

#define TESTING_LIFE (USEC_PER_SEC * 7 * 86400)
#define UNUSED_LIFE  (USEC_PER_SEC * 182 * 86400) /* six months without a use */

void logins_defaults(struct logins *l)
{
	l->clients = xcalloc(sizeof l->clients[0]);
	l->clients[0] = (struct oauth_client){
		.id = xstrdup(OWN_OAUTH_CLIENT), .secret = xstrdup(OWN_OAUTH_SECRET)};
	l->n_clients = 1;
}

static void clients_free(struct logins *l)
{
	for (size_t i = 0; i < l->n_clients; i++) {
		struct oauth_client *client = &l->clients[i];

		for (size_t j = 0; j < client->n_redirects; j++)
			free(client->redirects[j]);
		free(client->redirects);
		free(client->id);
		free(client->secret);
	}
	free(l->clients);
	l->clients = NULL;
	l->n_clients = 0;
}

void logins_free(struct logins *l)
{
	clients_free(l);
	for (size_t i = 0; i < l->n_list; i++) {
		free(l->list[i].token);
		free(l->list[i].client_id);
		free(l->list[i].address);
		free(l->list[i].scopes);
	}
	for (size_t i = 0; i < l->n_codes; i++) {
		free(l->codes[i].code);
		free(l->codes[i].client_id);
		free(l->codes[i].address);
		free(l->codes[i].scopes);
		free(l->codes[i].redirect_uri);
		free(l->codes[i].challenge);
	}
	free(l->list);
	free(l->codes);
	*l = (struct logins){0};
}

/* ---- clients ---- */

const struct oauth_client *logins_client(const struct logins *l, const char *id)
{
	for (size_t i = 0; i < l->n_clients; i++) {
		if (strcmp(l->clients[i].id, id) == 0)
			return &l->clients[i];
	}
	return NULL;
}

static bool is_loopback(const char *uri)
{
	static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		size_t n = strlen(hosts[i]);

		if (strncmp(uri, hosts[i], n) == 0 && strchr(":/", uri[n]))
			return true;
	}
	return false;
}

bool logins_redirect_allowed(const struct oauth_client *client, const char *uri)
{
	if (!client->web)
		return is_loopback(uri);
	for (size_t i = 0; i < client->n_redirects; i++) {
		if (strcmp(client->redirects[i], uri) == 0)
			return true;
	}
	return false;
}

/* ---- codes and logins ---- */

static char *random_text(const char *prefix)
{
	unsigned char bytes[48];
	char text[4 * sizeof bytes / 3 + 4];

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		xnonnull(NULL);
	EVP_EncodeBlock((unsigned char *)text, bytes, sizeof bytes);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
	return xasprintf("%s%s", prefix, text);
}

struct consent_code *logins_add_code(struct logins *l, const struct consent_code *code)
{
	struct consent_code *new;

	l->codes = xgrow(l->codes, l->n_codes, &l->codes_room, sizeof l->codes[0]);
	new = &l->codes[l->n_codes++];
	*new = *code;
	new->code = random_text("4/0A");
	new->client_id = xstrdup(code->client_id);
	new->address = xstrdup(code->address);
	new->scopes = xstrdup(code->scopes);
	new->redirect_uri = xstrdup(code->redirect_uri);
	new->challenge = xstrdup(code->challenge);
	return new;
}

struct consent_code *logins_code(struct logins *l, const char *code)
{
	for (size_t i = 0; i < l->n_codes; i++) {
		if (strcmp(l->codes[i].code, code) == 0)
			return &l->codes[i];
	}
	return NULL;
}

struct login *logins_add(struct logins *l, const char *client_id, const char *address,
	const char *scopes, int64_t now)
{
	struct login login = {.token = random_text("1//0"),
		.client_id = xstrdup(client_id),
		.address = xstrdup(address),
		.scopes = xstrdup(scopes),
		.at = now,
		.used = now};

	l->list = xgrow(l->list, l->n_list, &l->list_room, sizeof l->list[0]);
	l->list[l->n_list] = login;
	return &l->list[l->n_list++];
}

struct login *logins_find(struct logins *l, const char *token)
{
	for (size_t i = 0; i < l->n_list; i++) {
		if (strcmp(l->list[i].token, token) == 0)
			return &l->list[i];
	}
	return NULL;
}

bool logins_granted(const struct logins *l, const char *client_id, const char *address)
{
	for (size_t i = 0; i < l->n_list; i++) {
		const struct login *login = &l->list[i];

		if (!login->revoked && strcmp(login->client_id, client_id) == 0 &&
			strcmp(login->address, address) == 0)
			return true;
	}
	return false;
}

bool logins_ended(const struct logins *l, const struct login *login, int64_t now)
{
	const struct oauth_client *client = logins_client(l, login->client_id);

	return login->revoked || now - login->used >= UNUSED_LIFE ||
	       (client && client->testing && now - login->at >= TESTING_LIFE);
}

/* ---- JSON ---- */

static bool redirects_read(struct oauth_client *client, json_t *list, struct doc_error *c)
{
	json_t *uri;
	size_t i;

	client->redirects = xcalloc((json_array_size(list) + 1) * sizeof client->redirects[0]);
	json_array_foreach(list, i, uri)
	{
		if (!json_is_string(uri))
			return doc_error_set(
				c, "oauth_clients: redirect_uris[%zu] is not a string", i);
		client->redirects[client->n_redirects++] = xstrdup(json_string_value(uri));
	}
	return true;
}

static bool client_read(struct logins *l, json_t *object, struct doc_error *c)
{
	static const char *const names[] = {
		"client_id", "client_secret", "type", "testing", "deleted", "redirect_uris", NULL};
	static const char *const types[] = {"installed", "web", NULL};
	static const char where[] = "oauth_clients";
	const char *id = NULL, *secret = OWN_OAUTH_SECRET;
	struct oauth_client *client;
	bool testing = false, deleted = false;
	int type = 0;

	if (!members_known(object, names, where, c) ||
		!member_string(object, "client_id", &id, where, c) ||
		!member_string(object, "client_secret", &secret, where, c) ||
		!member_word(object, "type", types, &type, where, c) ||
		!member_bool(object, "testing", &testing, where, c) ||
		!member_bool(object, "deleted", &deleted, where, c))
		return false;
	if (!id)
		return doc_error_set(c, "%s: client_id is missing", where);
	l->clients = xnonnull(reallocarray(l->clients, l->n_clients + 1, sizeof l->clients[0]));
	client = &l->clients[l->n_clients++];
	*client = (struct oauth_client){.id = xstrdup(id),
		.secret = xstrdup(secret),
		.web = type == 1,
		.testing = testing,
		.deleted = deleted};
	return redirects_read(client, json_object_get(object, "redirect_uris"), c);
}

bool oauth_clients_read(struct logins *l, json_t *document, struct doc_error *c)
{
	json_t *list = json_object_get(document, "oauth_clients"), *object;
	size_t i;

	if (!list)
		return true;
	if (!json_is_array(list))
		return doc_error_set(c, "oauth_clients is not a JSON array");
	clients_free(l);
	json_array_foreach(list, i, object)
	{
		if (!client_read(l, object, c))
			return false;
	}
	return true;
}

json_t *oauth_clients_write(const struct logins *l)
{
	json_t *out = json_array();

	for (size_t i = 0; i < l->n_clients; i++) {
		const struct oauth_client *client = &l->clients[i];
		json_t *redirects = json_array();

		for (size_t j = 0; j < client->n_redirects; j++)
			json_array_append_new(redirects, json_string(client->redirects[j]));
		json_array_append_new(
			out, json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "client_id", client->id,
				     "client_secret", client->secret, "type",
				     client->web ? "web" : "installed", "testing", client->testing,
				     "deleted", client->deleted, "redirect_uris", redirects));
	}
	return out;
}

json_t *logins_write(const struct logins *l, int64_t now)
{
	json_t *out = json_array();
	char at[TIMESTAMP_TEXT_SIZE];

	for (size_t i = 0; i < l->n_list; i++) {
		const struct login *login = &l->list[i];

		json_array_append_new(
			out, json_pack("{s:s, s:s, s:s, s:s, s:b}", "client_id", login->client_id,
				     "address", login->address, "scopes", login->scopes, "at",
				     timestamp_rfc3339(login->at, at), "ended",
				     logins_ended(l, login, now)));
	}
	return json_pack("{s:o}", "logins", out);
}
