/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OAuth client that asks a person for consent, from the file that the Google Cloud console
 * creates: {"installed":{…}} for a desktop app, {"web":{…}} for a web server. Its auth_uri and
 * token_uri are ignored: requests go where the settings say.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_OAUTH_CLIENT_H
#define CLOUDINVITE_GOOGLE_AUTH_OAUTH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

#define OAUTH_REDIRECTS_MAX 32

struct oauth_client {
	bool web;
	char *id, *secret;
	char *redirects[OAUTH_REDIRECTS_MAX + 1]; /* a web client's registered ones */
	const char *path;			  /* the file, for messages */
};

/* Where Google sends the person's browser at the end. */
struct oauth_redirect {
	char uri[512];
	bool loopback;	/* plain HTTP to this host, so that the command can listen */
	uint16_t port;	/* only if loopback; 0: not chosen yet, and the URI not made */
	char path[256]; /* "/oauth/callback" */
};

/* FAULT_CREDENTIALS. `path` must outlive it. Freeing accepts NULL. */
bool oauth_client_load(struct oauth_client *client, const char *path, struct fault *fault);
void oauth_client_free(struct oauth_client *client);

/* The redirect to use. A desktop client can use any port of this host. A web client uses a
 * registered redirect, a loopback one (with that port, if one is given) before others. `port` 0:
 * any. */
bool oauth_client_redirect(const struct oauth_client *client, uint16_t port,
	struct oauth_redirect *out, struct fault *fault);
/* Sets the port of a desktop client's redirect. */
void oauth_redirect_bound(struct oauth_redirect *redirect, uint16_t port);

#endif
