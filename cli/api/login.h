/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login, in the order of its steps: where the login will be stored, the question to the person, the
 * exchange, storing it, trying it.
 */
#ifndef CLOUDINVITE_CLI_API_LOGIN_H
#define CLOUDINVITE_CLI_API_LOGIN_H

#include <limits.h>

#include "cli/common/context.h"
#include "google/auth/oauth.h"
#include "google/auth/refresh_store.h"
#include "people/sighting.h"

struct login {
	const struct cli *cli;

	/* from the command line */
	const char *client_file, *output;
	char account[ADDRESS_MAX + 1];
	uint16_t port;
	bool headless, no_browser, json;
	bool as_root; /* started as root: there is no browser to open */

	struct oauth_client client;
	struct settings *settings;
	char path[PATH_MAX]; /* where it is stored */
	bool replaces;	     /* it replaces another login, whose refresh token was stored here */
	struct refresh_store old;
	struct oauth_redirect redirect;
	struct oauth_request request;
	char code[OAUTH_CODE_MAX];
	struct token_response granted;
	struct fault fault;
};

/* Each returns false with l->fault. */
bool login_place(struct login *l); /* before the question: whether the login can be stored */
bool login_ask(struct login *l);   /* gets the code */
bool login_keep(struct login *l);  /* writes the file */
bool login_try(struct login *l);   /* makes one call to the API */

#endif
