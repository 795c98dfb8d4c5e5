/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token [--json | --print]: shows which token is cached. The token itself is shown only by --print,
 * which is for `curl -H "Authorization: Bearer $(cloudinvite token --print)"` and mints one if
 * the cached token cannot be used.
 */
#include "base/str.h"
#include "cli/api/api.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/common/json.h"
#include "cli/common/progress.h"
#include "cli/common/screen.h"
#include "google/auth/credential.h"
#include "google/auth/token.h"
#include "google/types.h"

#define VALUE_COLUMN 12

struct shown {
	const struct settings *settings;
	struct credential *credential;
	struct token token; /* value NULL: no token */
	bool usable;
};

/* ---- for readers ---- */

static void put(struct screen *s, const char *name, enum style style, const char *value)
{
	screen_put(s, STYLE_DIM, name);
	screen_to_column(s, VALUE_COLUMN);
	screen_put(s, style, value);
	screen_newline(s);
}

static void print_expiry(struct screen *s, const struct shown *shown)
{
	char when[CLOCK_TEXT_SIZE], relative[CLOCK_TEXT_SIZE], line[128];
	int64_t now = clock_wall(), expires = shown->token.expires;

	if (!shown->token.value) {
		put(s, "token", STYLE_WARN, "none yet; the next request will mint one");
		return;
	}
	clock_rfc3339(expires, when);
	clock_relative(expires, now, relative);
	if (shown->usable)
		str_format(line, sizeof(line), "ends %s (%s)", relative, when);
	else
		str_format(line, sizeof(line), "%s %s (%s); the next request will mint another",
			expires > now ? "ends" : "ended", relative, when);
	put(s, "token", shown->usable ? STYLE_GOOD : STYLE_WARN, line);
}

static void print_minted(struct screen *s, const struct shown *shown)
{
	char relative[CLOCK_TEXT_SIZE], line[128];

	if (!shown->token.value)
		return;
	str_format(line, sizeof(line), "%s by %s",
		clock_relative(shown->token.minted_at, clock_wall(), relative),
		shown->token.minted_by);
	put(s, "minted", STYLE_PLAIN, line);
}

static int show(const struct cli *cli, const struct shown *shown)
{
	struct screen s;

	screen_open(&s, cli, stdout);
	put(&s, "identity", STYLE_BOLD, shown->credential->identity);
	put(&s, "scope", STYLE_PLAIN, GOOGLE_SCOPE);
	put(&s, "credential", STYLE_PLAIN, shown->credential->path);
	print_expiry(&s, shown);
	print_minted(&s, shown);
	return shown->usable ? EXIT_OK : EXIT_NEGATIVE;
}

/* ---- for scripts ---- */

static int show_json(const struct shown *shown)
{
	const struct token *t = &shown->token;
	int exit_code = json_answer(json_pack("{s:i, s:o, s:s, s:o, s:s, s:o, s:b, s:o, s:o, s:o}",
		"schema", JSON_SCHEMA, "identity", json_text(shown->credential->identity), "scope",
		GOOGLE_SCOPE, "credential", json_text(shown->credential->path), "type",
		shown->credential->type->name, "token_endpoint",
		json_text(shown->credential->token_endpoint), "usable", shown->usable, "expires",
		json_time(t->expires), "minted_at", json_time(t->minted_at), "minted_by",
		json_text(t->minted_by)));

	return exit_code ? exit_code : shown->usable ? EXIT_OK : EXIT_NEGATIVE;
}

/* ---- for curl ---- */

static int print_token(const struct cli *cli, struct shown *shown)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct http *http = http_open(shown->settings, &fault);
	struct progress progress;
	bool ok;

	progress_start(&progress, cli);
	progress_update(&progress, "requesting a token from Google");
	ok = http &&
	     token_get(shown->credential, http, shown->settings, NULL, &shown->token, &fault);
	progress_end(&progress);
	if (ok)
		printf("%s\n", shown->token.value);
	http_close(http);
	return ok ? EXIT_OK : cli_fail(&fault);
}

/* ---- the verb ---- */

/* For this verb, a cache that cannot be read is a fault. */
static int read_token(const struct cli *cli, struct shown *shown, bool json)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!token_peek(shown->credential, shown->settings, &shown->token, &fault) && fault.kind)
		return cli_fail(&fault);
	shown->usable = token_fresh(&shown->token);
	return json ? show_json(shown) : show(cli, shown);
}

int verb_token(const struct cli *cli, int argc, char **argv)
{
	struct fault fault = {.kind = FAULT_NONE};
	bool json = false, print = false;
	struct shown shown = {.usable = false};
	struct settings *settings;
	int exit_code = EXIT_OK;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--print") == 0)
			print = true;
		else
			return cli_usage(cli);
	}
	if (json && print)
		return cli_usage(cli);
	settings = cli_settings(cli, &exit_code);
	if (!settings)
		return exit_code;
	shown.settings = settings;
	shown.credential = credential_load(settings, &fault);
	if (!shown.credential)
		exit_code = cli_fail(&fault);
	else
		exit_code = print ? print_token(cli, &shown) : read_token(cli, &shown, json);
	token_clear(&shown.token);
	credential_free(shown.credential);
	settings_free(settings);
	return exit_code;
}
