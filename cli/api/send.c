/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send and cancel, for the people that an administrator names, through ledger, rate limit and
 * journal. Every name is resolved before the first request to Google.
 */
#include "cli/api/api.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/api/session.h"
#include "cli/common/confirm.h"
#include "cli/common/json.h"
#include "cli/common/labels.h"

struct order {
	bool json, resend, yes;
	const char *reason; /* "" if none was given */
};

/* ---- one person ---- */

static void send_call(
	struct api_session *session, const char *address, struct engine_result *out, void *ctx)
{
	const struct order *order = ctx;

	engine_send(session->engine, address, order->resend, order->reason, progress_wait,
		&session->progress, out);
}

static void cancel_call(
	struct api_session *session, const char *address, struct engine_result *out, void *ctx)
{
	const struct order *order = ctx;

	engine_cancel(
		session->engine, address, order->reason, progress_wait, &session->progress, out);
}

/* Where the way has ended: invited is yes, not invitable is no, on the way is later. */
static int send_exit_code(const struct engine_result *result)
{
	if (!result->known)
		return EXIT_LATER;
	switch (result->person.state) {
	case PERSON_INVITED:
	case PERSON_ACCEPTED:
		return EXIT_OK;
	case PERSON_NOT_INVITABLE:
	case PERSON_DECLINED:
	case PERSON_CANCELLED:
	case PERSON_GONE:
		return EXIT_NEGATIVE;
	case PERSON_HELD:
		return EXIT_POLICY;
	case PERSON_FAILED:
		return EXIT_REFUSED;
	case PERSON_QUEUED:
	case PERSON_SENDING:
	case PERSON_UNCONFIRMED:
		break;
	}
	return EXIT_LATER;
}

static int cancel_exit_code(const struct engine_result *result)
{
	(void)result;
	return EXIT_OK;
}

static void send_print(struct screen *s, const struct engine_result *result)
{
	const struct person *p = &result->person;
	char reason[96];

	if (!result->known) {
		screen_put(s, STYLE_WARN, "the result is not known");
		return;
	}
	screen_put(s, label_state_style(p->state), label_state(p->state));
	if (p->state == PERSON_HELD || p->state == PERSON_QUEUED)
		screen_putf(s, STYLE_PLAIN, ": %s",
			label_reason(reason, sizeof(reason), person_reason_word(p)));
}

static void cancel_print(struct screen *s, const struct engine_result *result)
{
	(void)result;
	screen_put(s, STYLE_PLAIN, "cancelled");
}

static json_t *result_json(const struct engine_result *result)
{
	if (!result->known)
		return json_pack("{s:n, s:n, s:n}", "state", "reason", "mails_sent");
	return json_pack("{s:s, s:o, s:o}", "state", person_state_word(result->person.state),
		"reason", json_text(person_reason_word(&result->person)), "mails_sent",
		json_count(result->person.mails));
}

/* ---- many people ---- */

static const struct option options[] = {
	{"resend", no_argument, NULL, 's'},
	{"reason", required_argument, NULL, 'r'},
	{"json", no_argument, NULL, 'j'},
	{"yes", no_argument, NULL, 'y'},
	{NULL, 0, NULL, 0},
};

static bool parse(struct order *order, int argc, char **argv, bool may_resend)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's' && may_resend)
			order->resend = true;
		else if (option == 'r')
			order->reason = optarg;
		else if (option == 'j')
			order->json = true;
		else if (option == 'y')
			order->yes = true;
		else
			return false;
	}
	return optind < argc;
}

static bool is_confirmed(const struct order *order, int count, const char *what)
{
	char question[128];

	str_format(question, sizeof(question), "%s %d people?", what, count);
	return order->yes || count <= CONFIRM_ABOVE || cli_confirm(question);
}

/* A mail to another domain would reach a person outside of the organisation. */
static void reject_foreign(const struct settings *settings, struct target *list, int count)
{
	for (int i = 0; i < count; i++) {
		struct target *target = &list[i];
		if (target->fault.kind != FAULT_NONE ||
			address_in_domains(target->address, settings->domains))
			continue;
		fault_set(&target->fault, FAULT_POLICY, "foreign_domain",
			"%s is not in one of the organisation's domains", target->address);
		fault_remedy(&target->fault,
			"The organisation's domains are set in [people] domains = %s",
			settings->domains);
	}
}

static int send_or_cancel(struct api_session *session, const struct order *order,
	const struct target_command *command, const char *what, char **typed, int n)
{
	int count, exit_code;
	struct target *list =
		selector_resolve_all(session->ledger, session->settings, typed, n, &count);

	if (!list)
		return EXIT_STORAGE;
	reject_foreign(session->settings, list, count);
	exit_code = selector_print_faults(list, count);
	if (exit_code == EXIT_OK && !is_confirmed(order, count, what))
		exit_code = EXIT_USAGE;
	finish_current_on_interrupt();
	if (exit_code == EXIT_OK)
		exit_code = for_each_target(session, command, list, count);
	free(list);
	return exit_code;
}

int verb_send(const struct cli *cli, int argc, char **argv)
{
	struct order order = {.reason = ""};
	struct target_command command = {.call = send_call,
		.exit_code = send_exit_code,
		.print = send_print,
		.json = result_json,
		.ctx = &order};
	struct api_session session;
	struct fault fault;
	int exit_code;

	if (!parse(&order, argc, argv, true))
		return cli_usage(cli);
	if (order.resend && order.reason[0] == '\0') {
		fault_set(&fault, FAULT_USAGE, "needs_reason",
			"--resend sends another mail to people who were invited before");
		fault_remedy(&fault, "Give the reason, for history: --reason TEXT");
		return cli_fail(&fault);
	}
	if (!api_session_open(&session, cli, order.json, &exit_code))
		return exit_code;
	exit_code =
		send_or_cancel(&session, &order, &command, "Invite", argv + optind, argc - optind);
	api_session_close(&session);
	return exit_code;
}

int verb_cancel(const struct cli *cli, int argc, char **argv)
{
	struct order order = {.reason = ""};
	struct target_command command = {.call = cancel_call,
		.exit_code = cancel_exit_code,
		.print = cancel_print,
		.json = result_json,
		.ctx = &order};
	struct api_session session;
	int exit_code;

	if (!parse(&order, argc, argv, false))
		return cli_usage(cli);
	if (!api_session_open(&session, cli, order.json, &exit_code))
		return exit_code;
	exit_code = send_or_cancel(&session, &order, &command, "Cancel the invitations of",
		argv + optind, argc - optind);
	api_session_close(&session);
	return exit_code;
}
