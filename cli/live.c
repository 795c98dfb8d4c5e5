/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/live.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/privdrop.h"
#include "base/str.h"
#include "cli/json.h"

#define LATER_IN_A_ROW 3 /* then the others are not tried any more */

/* The first Ctrl-C lets the person under way end, so that the result is known; the second ends us.
 */
static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
	static const char note[] =
		"\nstopping after this person; press Ctrl-C again to stop at once\n";

	(void)signal_number;
	interrupted = 1;
	if (write(STDERR_FILENO, note, sizeof(note) - 1) < 0)
		return;
}

void live_finish_each(void)
{
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static bool open_all(struct live *live, struct fault *fault)
{
	char host[HOST_MAX + 1], owner[HOST_MAX + 32];
	struct invite_options options = {.owner = owner, .actor = live->cli->actor, .admin = true};

	local_hostname(host, sizeof(host));
	str_format(owner, sizeof(owner), "cli@%s:%d", host, (int)getpid());
	live->google = google_open(live->settings, fault);
	if (!live->google)
		return false;
	live->invite = invite_open(live->settings, live->ledger, live->google, &options, fault);
	return live->invite;
}

bool live_open(struct live *live, const struct cli *cli, bool json, int *exit_code)
{
	struct fault fault = {.kind = FAULT_NONE};

	*live = (struct live){.cli = cli, .json = json};
	screen_open(&live->screen, cli, stdout);
	progress_start(&live->progress, cli);
	signal(SIGPIPE, SIG_IGN); /* a reader that went away must not end us between two commits */
	live->settings = cli_settings(cli, exit_code);
	if (live->settings)
		live->ledger = cli_ledger(live->settings, LEDGER_CREATE, exit_code);
	if (!live->ledger)
		goto fail;
	if (open_all(live, &fault))
		return true;
	*exit_code = cli_fail(&fault);
fail:
	live_close(live);
	return false;
}

void live_close(struct live *live)
{
	struct fault fault = {.kind = FAULT_NONE};

	progress_end(&live->progress);
	invite_close(live->invite);
	google_close(live->google);
	/* What this command has counted is no reason to fail: it has been done. */
	if (live->ledger)
		(void)ledger_store_counters(live->ledger, &fault);
	ledger_close(live->ledger);
	settings_free(live->settings);
	*live = (struct live){.cli = live->cli};
}

/* ---- one person after the other ---- */

struct round {
	struct live *live;
	const struct live_verb *verb;
	struct fault whole; /* what concerns everybody: the others are not tried */
	int not_tried;
	int later; /* in a row */
	int width; /* of the widest address */
};

static void print_json(
	const struct round *r, const struct target *target, const struct invite_result *result)
{
	const char *address = target->address[0] != '\0' ? target->address : target->typed;
	json_t *line = json_pack("{s:o}", "address", json_text(address));

	json_object_update_new(line, r->verb->json(result));
	if (result->fault.kind != FAULT_NONE)
		json_object_set_new(line, "error", json_fault(&result->fault));
	json_line(line);
}

static void print_text(
	const struct round *r, const struct target *target, const struct invite_result *result)
{
	struct screen *s = &r->live->screen;

	if (result->fault.kind != FAULT_NONE) {
		cli_fail(&result->fault);
		return;
	}
	screen_put(s, STYLE_PLAIN, target->address);
	screen_to_column(s, r->width + 2);
	r->verb->say(s, result);
	screen_newline(s);
	fflush(stdout);
}

static int print_one(
	const struct round *r, const struct target *target, const struct invite_result *result)
{
	progress_clear(&r->live->progress);
	if (r->live->json)
		print_json(r, target, result);
	else
		print_text(r, target, result);
	if (result->fault.kind != FAULT_NONE)
		return fault_exit_code(result->fault.kind);
	return r->verb->code(result);
}

/* A fault that the next person would meet as well. */
static void learn(struct round *r, const struct fault *fault)
{
	r->later = fault->kind == FAULT_TRANSIENT ? r->later + 1 : 0;
	if (fault->kind == FAULT_CREDENTIALS || fault->kind == FAULT_SETUP ||
		fault->kind == FAULT_STORAGE || fault->kind == FAULT_SETTINGS ||
		fault->kind == FAULT_STOPPED || r->later >= LATER_IN_A_ROW)
		r->whole = *fault;
	if (interrupted && r->whole.kind == FAULT_NONE)
		fault_set(&r->whole, FAULT_STOPPED, "interrupted", "interrupted");
}

/* The fault is named with its person, unless it does so itself. */
static void name_person(struct fault *fault, const char *address)
{
	char what[sizeof(fault->what)];

	if (fault->kind == FAULT_NONE || strstr(fault->what, address))
		return;
	str_copy(what, sizeof(what), fault->what);
	str_format(fault->what, sizeof(fault->what), "%s: %s", address, what);
}

static int go_through(struct round *r, const struct target *target)
{
	struct invite_result result = {.fault = target->fault};

	if (result.fault.kind == FAULT_NONE && r->whole.kind != FAULT_NONE) {
		r->not_tried++;
		result.fault = r->whole;
		if (r->live->json)
			print_json(r, target, &result);
		return fault_exit_code(r->whole.kind);
	}
	if (result.fault.kind == FAULT_NONE) {
		r->verb->ask(r->live, target->address, &result, r->verb->ctx);
		learn(r, &result.fault);
		if (!r->live->json && r->whole.kind == FAULT_NONE)
			name_person(&result.fault, target->address);
	}
	return print_one(r, target, &result);
}

int live_each(struct live *live, const struct live_verb *verb, const struct target *list, int count)
{
	struct round round = {.live = live, .verb = verb};
	int worst = EXIT_OK;

	for (int i = 0; i < count; i++)
		if (screen_text_width(list[i].address) > round.width)
			round.width = screen_text_width(list[i].address);
	for (int i = 0; i < count; i++) {
		if (count == 1)
			progress_say(&live->progress, "asking Google about %s", list[i].address);
		else
			progress_say(&live->progress, "%d of %d", i, count);
		worst = cli_max_exit(worst, go_through(&round, &list[i]));
	}
	progress_clear(&live->progress);
	if (round.not_tried > 0)
		cli_note("cloudinvite: %d more were not tried", round.not_tried);
	return worst;
}
