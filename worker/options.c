/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of collector and dispatcher, and what --help and --version print.
 */
#include "worker/options.h"

#include <getopt.h>
#include <stdio.h>

static void print_usage(FILE *out, const struct worker_program *program)
{
	(void)fprintf(out, "usage: %s [-c FILE] [--once | --prepare]\n", program->name);
}

static void print_help(const struct worker_program *program)
{
	print_usage(stdout, program);
	printf("%s\n\n", program->summary);
	printf("  -c, --config FILE  settings file (default " SETTINGS_FILE
	       ")\n      --once         process what is due now, then exit; if the program is\n    "
	       "                 already running, wake it instead\n      --prepare      as root: "
	       "create the directories with their owners, then exit\n      --help, "
	       "--version\n\nSIGHUP reloads the settings, SIGTERM stops the program. See %s(8).\n",
		program->name);
}

enum worker_action worker_options(
	const struct worker_program *program, int argc, char **argv, const char **settings_path)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"once", no_argument, NULL, 'o'},
		{"prepare", no_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	enum worker_action action = WORKER_RUN;
	bool twice = false;
	int c;

	*settings_path = NULL;
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			*settings_path = optarg;
			break;
		case 'o':
		case 'p':
			twice = twice || action != WORKER_RUN;
			action = c == 'o' ? WORKER_ONCE : WORKER_PREPARE;
			break;
		case 'h':
			print_help(program);
			return WORKER_ANSWERED;
		case 'V':
			printf("%s %s\n", program->name, CLOUDINVITE_VERSION);
			return WORKER_ANSWERED;
		default:
			print_usage(stderr, program);
			return WORKER_MISUSED;
		}
	}
	if (optind < argc || twice) {
		print_usage(stderr, program);
		return WORKER_MISUSED;
	}
	return action;
}
