/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login, in the order in which it happens: where the login will be kept, the question to the
 * person, the exchange, keeping it, trying it.
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

	/* the command line */
	const char *client_file, *output;
	char account[ADDRESS_MAX + 1];
	uint16_t port;
	bool headless, no_browser, json;
	bool as_root; /* started as root: there is nobody whose browser could be opened */

	struct oauth_client client;
	struct settings *settings;
	char path[PATH_MAX]; /* where it is kept */
	bool replaces;	     /* another login, which had this rotation */
	struct refresh_store old;
	struct oauth_redirect redirect;
	struct oauth_request request;
	char code[OAUTH_CODE_MAX];
	struct token_response granted;
	struct fault fault;
};

/* Each false with l->fault. */
bool login_place(struct login *l); /* before anybody is asked: whether it can be kept */
bool login_ask(struct login *l);   /* the code */
bool login_keep(struct login *l);  /* the file */
bool login_try(struct login *l);   /* one call of the API */

#endif
