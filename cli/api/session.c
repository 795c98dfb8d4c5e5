/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens settings, ledger, credential and engine for a verb that asks Google, and runs its command
 * for each target. A fault that every other target would meet as well stops the run; the remaining
 * targets are counted.
 */
#include "cli/api/session.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/json.h"

#define TRANSIENT_IN_A_ROW 3 /* after that, the remaining targets are not tried */

/* After the first Ctrl-C the current person is finished, so that the result is known; the second
 * one ends the program. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	static const char note[] =
		"\nstopping after this person; press Ctrl-C again to stop at once\n";

	(void)signal_number;
	interrupted = 1;
	if (write(STDERR_FILENO, note, sizeof(note) - 1) < 0)
		return;
}

void finish_current_on_interrupt(void)
{
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static bool open_all(struct api_session *session, struct fault *fault)
{
	char host[HOST_MAX + 1], owner[HOST_MAX + 32];
	struct engine_options options = {
		.owner = owner, .actor = session->cli->actor, .admin = true};

	local_hostname(host, sizeof(host));
	str_format(owner, sizeof(owner), "cli@%s:%d", host, (int)getpid());
	session->google = google_open(session->settings, fault);
	if (!session->google)
		return false;
	session->engine =
		engine_open(session->settings, session->ledger, session->google, &options, fault);
	return session->engine;
}

bool api_session_open(struct api_session *session, const struct cli *cli, bool json, int *exit_code)
{
	struct fault fault = {.kind = FAULT_NONE};

	*session = (struct api_session){.cli = cli, .json = json};
	screen_open(&session->screen, cli, stdout);
	progress_start(&session->progress, cli);
	signal(SIGPIPE, SIG_IGN); /* a reader that closes the pipe must not end the program between
				     two commits */
	session->settings = cli_settings(cli, exit_code);
	if (session->settings)
		session->ledger = cli_ledger(session->settings, LEDGER_CREATE, exit_code);
	if (!session->ledger)
		goto fail;
	if (open_all(session, &fault))
		return true;
	*exit_code = cli_fail(&fault);
fail:
	api_session_close(session);
	return false;
}

void api_session_close(struct api_session *session)
{
	struct fault fault = {.kind = FAULT_NONE};

	progress_end(&session->progress);
	engine_close(session->engine);
	google_close(session->google);
	/* The command's work is done, so counters that cannot be stored are not an error. */
	if (session->ledger)
		(void)ledger_store_last_counters(session->ledger, &fault);
	ledger_close(session->ledger);
	settings_free(session->settings);
	*session = (struct api_session){.cli = session->cli};
}

/* ---- a loop over people ---- */

struct pass {
	struct api_session *session;
	const struct target_command *command;
	struct fault
		stops_all; /* a fault that concerns all targets: the remaining ones are not tried */
	int not_tried;
	int transient_in_a_row; /* in a row */
	int width;		/* of the widest address */
};

static void print_json(
	const struct pass *r, const struct target *target, const struct engine_result *result)
{
	const char *address = target->address[0] != '\0' ? target->address : target->typed;
	json_t *line = json_pack("{s:o}", "address", json_text(address));

	json_object_update_new(line, r->command->json(result));
	if (result->fault.kind != FAULT_NONE)
		json_object_set_new(line, "error", json_fault(&result->fault));
	json_line(line);
}

static void print_text(
	const struct pass *r, const struct target *target, const struct engine_result *result)
{
	struct screen *s = &r->session->screen;

	if (result->fault.kind != FAULT_NONE) {
		cli_fail(&result->fault);
		return;
	}
	screen_put(s, STYLE_PLAIN, target->address);
	screen_to_column(s, r->width + 2);
	r->command->print(s, result);
	screen_newline(s);
	fflush(stdout);
}

static int print_one(
	const struct pass *r, const struct target *target, const struct engine_result *result)
{
	progress_clear(&r->session->progress);
	if (r->session->json)
		print_json(r, target, result);
	else
		print_text(r, target, result);
	if (result->fault.kind != FAULT_NONE)
		return fault_exit_code(result->fault.kind);
	return r->command->exit_code(result);
}

/* Records a fault that the next person would meet as well. */
static void record_fault(struct pass *r, const struct fault *fault)
{
	r->transient_in_a_row = fault->kind == FAULT_TRANSIENT ? r->transient_in_a_row + 1 : 0;
	if (fault->kind == FAULT_CREDENTIALS || fault->kind == FAULT_SETUP ||
		fault->kind == FAULT_STORAGE || fault->kind == FAULT_SETTINGS ||
		fault->kind == FAULT_STOPPED || r->transient_in_a_row >= TRANSIENT_IN_A_ROW)
		r->stops_all = *fault;
	if (interrupted && r->stops_all.kind == FAULT_NONE)
		fault_set(&r->stops_all, FAULT_STOPPED, "interrupted", "interrupted");
}

/* Adds the person to the fault, unless it names them already. */
static void name_person(struct fault *fault, const char *address)
{
	char what[sizeof(fault->what)];

	if (fault->kind == FAULT_NONE || strstr(fault->what, address))
		return;
	str_copy(what, sizeof(what), fault->what);
	str_format(fault->what, sizeof(fault->what), "%s: %s", address, what);
}

static int run_one(struct pass *r, const struct target *target)
{
	struct engine_result result = {.fault = target->fault};

	if (result.fault.kind == FAULT_NONE && r->stops_all.kind != FAULT_NONE) {
		r->not_tried++;
		result.fault = r->stops_all;
		if (r->session->json)
			print_json(r, target, &result);
		return fault_exit_code(r->stops_all.kind);
	}
	if (result.fault.kind == FAULT_NONE) {
		r->command->call(r->session, target->address, &result, r->command->ctx);
		record_fault(r, &result.fault);
		if (!r->session->json && r->stops_all.kind == FAULT_NONE)
			name_person(&result.fault, target->address);
	}
	return print_one(r, target, &result);
}

int for_each_target(struct api_session *session, const struct target_command *command,
	const struct target *list, int count)
{
	struct pass pass = {.session = session, .command = command};
	int worst = EXIT_OK;

	for (int i = 0; i < count; i++)
		if (screen_text_width(list[i].address) > pass.width)
			pass.width = screen_text_width(list[i].address);
	for (int i = 0; i < count; i++) {
		if (count == 1)
			progress_update(
				&session->progress, "asking Google about %s", list[i].address);
		else
			progress_update(&session->progress, "%d of %d", i, count);
		worst = cli_max_exit(worst, run_one(&pass, &list[i]));
	}
	progress_clear(&session->progress);
	if (pass.not_tried > 0)
		cli_note("cloudinvite: %d more %s not tried", pass.not_tried,
			pass.not_tried == 1 ? "person was" : "people were");
	return worst;
}
