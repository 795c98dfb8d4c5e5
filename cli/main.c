/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudinvite [-c FILE] VERB …: the command line. It finds the verb, and gives it its context.
 */
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/context.h"
#include "cli/common/interrupt.h"
#include "cli/ops/ops.h"
#include "cli/verbs.h"
#include "google/auth/hsm/hsm_uri.h"
#include "telemetry/events.h"

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static void detect_terminal(struct cli *cli)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	int lines;

	setlocale(LC_CTYPE, "");
	cli->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	cli->terminal = isatty(STDOUT_FILENO) == 1;
	cli->progress = isatty(STDERR_FILENO) == 1;
	cli_terminal_size(&cli->width, &lines);
	cli->colour = cli->terminal && (!no_colour || no_colour[0] == '\0') &&
		      (!term || strcmp(term, "dumb") != 0);
	audit_actor(cli->actor, sizeof(cli->actor));
}

/* Every verb answers --help, wherever it stands before a `--`. */
static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int unknown_verb(const char *name)
{
	const struct verb *nearest = verb_nearest(verbs, name);
	struct fault fault;

	fault_set(&fault, FAULT_USAGE, "unknown_verb", "unknown verb '%s'", name);
	if (nearest)
		fault_remedy(&fault, "Did you mean: cloudinvite %s", nearest->name);
	else
		fault_remedy(&fault, "See: cloudinvite help");
	return cli_fail(&fault);
}

/* What options were called before version 0.1.0 was released. */
static const struct {
	const char *verb, *old, *now;
} old_options[] = {
	{"send", "--again", "--resend"},
	{"emit", "--reason", "--trigger"},
};

static bool is_old_option(size_t i, const char *verb, const char *typed)
{
	size_t n = strlen(old_options[i].old);

	return strcmp(verb, old_options[i].verb) == 0 &&
	       strncmp(typed, old_options[i].old, n) == 0 && (typed[n] == '\0' || typed[n] == '=');
}

/* Without this, getopt would only say that it does not know the option. */
static bool are_options_current(int argc, char **argv, struct fault *fault)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(old_options); k++) {
			if (!is_old_option(k, argv[0], argv[i]))
				continue;
			fault_set(fault, FAULT_USAGE, "old_option", "%s has no option %s", argv[0],
				old_options[k].old);
			return fault_remedy(fault, "Use %s instead.", old_options[k].now);
		}
	}
	return true;
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct fault fault;
	const struct verb *verb = verb_find(verbs, argv[0]);

	if (!verb)
		return unknown_verb(argv[0]);
	if (wants_help(argc, argv)) {
		verb_print_help(verb);
		return EXIT_OK;
	}
	if (!are_options_current(argc, argv, &fault))
		return cli_fail(&fault);
	optind = 0; /* getopt starts again, and permutes again */
	cli->account = verb->account;
	cli->verb = verb;
	return verb->run(cli, argc, argv);
}

/* Refuses invisible characters, because getopt prints an unknown option unchanged. */
static bool are_options_visible(int argc, char **argv, struct fault *fault)
{
	char safe[1024];

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (argv[i][0] != '-' ||
			strcmp(str_safe(safe, sizeof(safe), argv[i]), argv[i]) == 0)
			continue;
		fault_set(fault, FAULT_USAGE, "bad_option",
			"an option contains invisible characters: %.200s", safe);
		return fault_remedy(fault, "Write the option and its value as two separate words.");
	}
	return true;
}

static bool reader_has_closed(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/* Output that could not be written is an error: a full disk behind `>` must not look like a
 * success. A reader that has closed the pipe (| head) needs no message. */
static int close_output(int exit_code)
{
	struct fault fault;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit_code;
	fault_set(&fault, FAULT_STORAGE, "output", "cannot write the output: %s", strerror(errno));
	if (!reader_has_closed())
		cli_fail(&fault);
	return cli_max_exit(exit_code, fault_exit_code(fault.kind));
}

int main(int argc, char **argv)
{
	struct cli cli = {.verbs = verbs};
	char *help[] = {(char[]){"help"}, NULL};
	struct fault fault;
	int option;

	interrupt_catch();
	signal(SIGXFSZ, SIG_IGN); /* exceeding a file-size limit (ulimit -f) becomes a fault with a
				     sentence */
	log_start("cloudinvite", LOG_LEVEL_WARN);
	log_message_ids(event_ids);
	log_decisions();
	settings_read_keys_with(&hsm_key_reader);
	detect_terminal(&cli);
	if (!are_options_visible(argc, argv, &fault))
		return cli_fail(&fault);
	while ((option = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			cli.settings_path = optarg;
			break;
		case 'h':
			return close_output(verb_help(&cli, 1, help));
		case 'V':
			cli_print("cloudinvite %s", CLOUDINVITE_VERSION);
			return close_output(EXIT_OK);
		default:
			return cli_usage(&cli);
		}
	}
	if (optind == argc) {
		verb_help(&cli, 1, help);
		return EXIT_USAGE;
	}
	return close_output(run(&cli, argc - optind, argv + optind));
}
