/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each verb starts with: messages on standard output and standard error, exit codes, settings,
 * the change to the service's account, the ledger. A user without the necessary rights is told to
 * use sudo.
 */
#include "cli/common/context.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/verb.h"

#define LINE_MAX_BYTES 8192 /* a path and a sentence */

void cli_terminal_size(int *columns, int *lines)
{
	struct winsize size = {.ws_col = 0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		size.ws_col = size.ws_row = 0;
	*columns = size.ws_col >= 20 ? size.ws_col : 80;
	*lines = size.ws_row >= 4 ? size.ws_row : 24;
}

int cli_max_exit(int a, int b)
{
	return a > b ? a : b;
}

__attribute__((format(printf, 2, 0))) static void print_line(
	FILE *out, const char *format, va_list args)
{
	char raw[LINE_MAX_BYTES], safe[LINE_MAX_BYTES];

	if (vsnprintf(raw, sizeof(raw), format, args) < 0)
		raw[0] = '\0';
	fprintf(out, "%s\n", str_safe(safe, sizeof(safe), raw));
}

void cli_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(stdout, format, args);
	va_end(args);
}

void cli_note(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, format);
	print_line(stderr, format, args);
	va_end(args);
}

int cli_fail(const struct fault *fault)
{
	cli_note("cloudinvite: %s", fault->what);
	if (fault->remedy[0] != '\0')
		cli_note("  %s", fault->remedy);
	return fault_exit_code(fault->kind);
}

/* A user who is neither root nor one of the accounts cannot read most of the files. */
static bool lacks_permission(const struct settings *settings)
{
	static const enum local_account all[] = {
		ACCOUNT_LEDGER, ACCOUNT_COLLECTOR, ACCOUNT_DISPATCHER, ACCOUNT_ROOT};
	uid_t uid;
	gid_t gid;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (passwd_find(settings_account(settings, all[i]), &uid, &gid, NULL) &&
			uid == geteuid())
			return false;
	return geteuid() != 0;
}

static bool is_closed(const char *path)
{
	return access(path, R_OK) != 0 && errno == EACCES;
}

static void error_use_root(struct fault *fault, const char *path)
{
	fault_set(fault, fault->kind, "not_root",
		"%s: only root and the accounts of cloudinvite may open it", path);
	fault_remedy(fault, "Run it as root: sudo cloudinvite …");
}

struct settings *cli_load(const struct cli *cli, int *exit_code)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *settings =
		settings_load_text(cli->settings_path, cli->settings_text, &fault);

	if (!settings)
		*exit_code = cli_fail(&fault);
	return settings;
}

struct settings *cli_settings(const struct cli *cli, int *exit_code)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *settings = cli_load(cli, exit_code);

	if (!settings)
		return NULL;
	if (!settings_run_as(settings, cli->account, &fault)) {
		*exit_code = cli_fail(&fault);
		settings_free(settings);
		return NULL;
	}
	log_show_addresses(settings->log_addresses == LOG_ADDRESSES_FULL);
	return settings;
}

struct ledger *cli_ledger(
	const struct settings *settings, enum ledger_open_mode mode, int *exit_code)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct ledger *ledger = ledger_open(settings, mode, &fault);

	if (!ledger) {
		const char *path = strchr(settings->ledger, ':');
		if (str_starts(settings->ledger, "sqlite:") && lacks_permission(settings) &&
			is_closed(path + 1))
			error_use_root(&fault, path + 1);
		*exit_code = cli_fail(&fault);
	}
	return ledger;
}

bool cli_open_store(
	const struct cli *cli, enum ledger_open_mode mode, struct store *store, int *exit_code)
{
	*store = (struct store){.settings = cli_settings(cli, exit_code)};
	if (store->settings)
		store->ledger = cli_ledger(store->settings, mode, exit_code);
	if (store->ledger)
		return true;
	cli_close_store(store);
	return false;
}

void cli_close_store(struct store *store)
{
	ledger_close(store->ledger);
	settings_free(store->settings);
	*store = (struct store){.settings = NULL};
}

void cli_log_decision(
	const struct cli *cli, const char *event, const char *address, const char *reason)
{
	struct journal_about about = {.reason = reason, .actor = cli->actor};

	if (address)
		about.person = log_address(address);
	log_about(LOG_LEVEL_NOTE, event, &about, "%s%sby %s%s%s", address ? about.person : "",
		address ? ", " : "", cli->actor, reason && reason[0] != '\0' ? ": " : "",
		reason ? reason : "");
}

int cli_usage(const struct cli *cli)
{
	const struct verb *verb = cli->verb;

	fflush(stdout);
	if (verb)
		fprintf(stderr, "usage: cloudinvite [-c FILE] %s%s%s\n", verb->name,
			verb->usage[0] != '\0' ? " " : "", verb->usage);
	fprintf(stderr, "  See: cloudinvite help%s%s\n", verb ? " " : "", verb ? verb->name : "");
	return EXIT_USAGE;
}
