/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check and get: ask Google about people now. No mail is sent.
 */
#include "cli/api/api.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/api/session.h"
#include "cli/common/json.h"
#include "cli/common/labels.h"
#include "cli/common/verb.h"

/* ---- check ---- */

static void check_call(
	struct api_session *session, const char *address, struct engine_result *out, void *ctx)
{
	(void)ctx;
	engine_ask(session->engine, GOOGLE_CHECK, address, progress_wait, &session->progress, out);
}

static int check_exit_code(const struct engine_result *result)
{
	return result->invitable ? EXIT_OK : EXIT_NEGATIVE;
}

static void check_print(struct screen *s, const struct engine_result *result)
{
	if (result->invitable)
		screen_put(s, STYLE_GOOD, "invitable");
	else
		screen_put(s, STYLE_PLAIN, "not invitable");
}

static json_t *check_json(const struct engine_result *result)
{
	return json_pack("{s:o}", "invitable",
		result->fault.kind != FAULT_NONE ? json_null() : json_boolean(result->invitable));
}

/* ---- get ---- */

static void get_call(
	struct api_session *session, const char *address, struct engine_result *out, void *ctx)
{
	(void)ctx;
	engine_ask(session->engine, GOOGLE_GET, address, progress_wait, &session->progress, out);
}

static int get_exit_code(const struct engine_result *result)
{
	return result->shown ? EXIT_OK : EXIT_NEGATIVE;
}

static void get_print(struct screen *s, const struct engine_result *result)
{
	const struct invitation *invitation = &result->invitation;
	char when[CLOCK_TEXT_SIZE];

	if (!result->shown) {
		screen_put(s, STYLE_PLAIN,
			"Google shows no invitation (its data lags by up to 48 hours)");
		return;
	}
	screen_put(s, label_invitation_style(invitation->state),
		invitation_state_word(invitation->state));
	screen_putf(s, STYLE_PLAIN, ", %lld mail%s", (long long)invitation->mails,
		invitation->mails == 1 ? "" : "s");
	if (invitation->updated > 0)
		screen_putf(s, STYLE_PLAIN, ", changed %s",
			clock_relative(invitation->updated, clock_wall(), when));
}

static json_t *get_json(const struct engine_result *result)
{
	const struct invitation *invitation = &result->invitation;

	if (result->fault.kind != FAULT_NONE || !result->shown)
		return json_pack("{s:o, s:n, s:n, s:n}", "shown",
			result->fault.kind != FAULT_NONE ? json_null() : json_false(), "state",
			"mails_sent", "updated");
	return json_pack("{s:b, s:s, s:I, s:o}", "shown", 1, "state",
		invitation_state_word(invitation->state), "mails_sent",
		(json_int_t)invitation->mails, "updated", json_time(invitation->updated));
}

/* ---- both ---- */

static int check_or_get(
	const struct cli *cli, int argc, char **argv, const struct target_command *command)
{
	bool json;
	int exit_code = EXIT_OK, count;
	struct target *list;
	struct api_session session;

	if (!verb_parse_json(argc, argv, &json) || optind == argc)
		return cli_usage(cli);
	if (!api_session_open(&session, cli, json, &exit_code))
		return exit_code;
	list = selector_resolve_all(
		session.ledger, session.settings, argv + optind, argc - optind, &count);
	exit_code = list ? for_each_target(&session, command, list, count) : EXIT_STORAGE;
	free(list);
	api_session_close(&session);
	return exit_code;
}

int verb_check(const struct cli *cli, int argc, char **argv)
{
	static const struct target_command command = {.call = check_call,
		.exit_code = check_exit_code,
		.print = check_print,
		.json = check_json};

	return check_or_get(cli, argc, argv, &command);
}

int verb_get(const struct cli *cli, int argc, char **argv)
{
	static const struct target_command command = {
		.call = get_call, .exit_code = get_exit_code, .print = get_print, .json = get_json};

	return check_or_get(cli, argc, argv, &command);
}
