/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins: OAuth clients, the codes that the consent page gives them, and the refresh tokens that
 * people have granted.
 */
#ifndef CLOUDINVITE_EMULATOR_LOGINS_H
#define CLOUDINVITE_EMULATOR_LOGINS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doc_error.h"

/* The desktop client of client.json. */
#define OWN_OAUTH_CLIENT "123456789012-cloudinvite.apps.googleusercontent.com"
#define OWN_OAUTH_SECRET "GOCSPX-emulated"

struct oauth_client {
	char *id, *secret;
	bool web; /* it has registered redirects; a desktop client may use any loopback address */
	bool testing; /* External and in testing: its logins end after seven days */
	bool deleted;
	char **redirects;
	size_t n_redirects;
};

struct login {
	char *token; /* the refresh token */
	char *client_id, *address, *scopes;
	int64_t at;   /* when it was granted */
	int64_t used; /* when it was last used */
	bool revoked;
};

struct consent_code {
	char *code;
	char *client_id, *address, *scopes, *redirect_uri;
	char *challenge; /* NULL: none was sent */
	bool s256;
	bool offline; /* a refresh token is requested */
	bool used;
	int64_t expires;
};

struct logins {
	struct oauth_client *clients;
	size_t n_clients;
	struct login *list;
	size_t n_list, list_room;
	struct consent_code *codes;
	size_t n_codes, codes_room;
};

void logins_defaults(struct logins *l);
void logins_free(struct logins *l);

const struct oauth_client *logins_client(const struct logins *l, const char *id);
/* Whether the client may use this redirect. */
bool logins_redirect_allowed(const struct oauth_client *client, const char *uri);

/* The strings are copied. Valid until the next call. */
struct consent_code *logins_add_code(struct logins *l, const struct consent_code *code);
struct consent_code *logins_code(struct logins *l, const char *code);
/* Adds a login with a new token. */
struct login *logins_add(struct logins *l, const char *client_id, const char *address,
	const char *scopes, int64_t now);
struct login *logins_find(struct logins *l, const char *token);
/* Whether the client still has a valid grant of the person. */
bool logins_granted(const struct logins *l, const char *client_id, const char *address);
/* Whether the login has ended, for any reason. */
bool logins_ended(const struct logins *l, const struct login *login, int64_t now);

/* The member "oauth_clients" of a state document; absent: nothing changes. */
bool oauth_clients_read(struct logins *l, json_t *document, struct doc_error *c);
json_t *oauth_clients_write(const struct logins *l);
/* The grants of all people, without the tokens. */
json_t *logins_write(const struct logins *l, int64_t now);

#endif
