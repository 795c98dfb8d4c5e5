/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudinvite-keeper: serves the spool to the collector. It is root, because only root may open the
 * spool, and has nothing else of root: no capability, no network, it runs no program, and the
 * collector sends it only records of one size (spool/record.h).
 *
 * It has nothing to finish: SIGTERM and SIGKILL may stop it at any moment.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/privdrop.h"
#include "settings/settings.h"
#include "spool/keeper.h"
#include "worker/keeper/listen.h"
#include "worker/prepare.h"
#include "worker/prepare_bounded.h"

#define NAME "cloudinvite-keeper"

struct options {
	const char *settings_path;
	bool prepare;
};

static int fail(const struct fault *fault)
{
	log_fault(LOG_LEVEL_ERROR, "start", fault);
	return fault_exit_code(fault->kind);
}

/* ---- serving ---- */

/* The newest connection counts: a collector that hangs does not lock out the next one. */
static void accept_connections(struct spool_keeper *k, int listener, uid_t uid)
{
	struct fault fault = {.kind = FAULT_NONE};
	int peer;

	while ((peer = listen_accept(listener, uid)) >= 0)
		if (!spool_keeper_attach(k, peer, &fault))
			log_fault(LOG_LEVEL_ERROR, "waiting", &fault);
}

static void wait_for_something(const struct spool_keeper *k, int listener)
{
	struct pollfd fds[1 + SPOOL_KEEPER_FDS] = {{.fd = listener, .events = POLLIN}};
	int timeout_ms;
	int count = spool_keeper_poll(k, fds + 1, &timeout_ms);

	(void)poll(fds, (nfds_t)count + 1, timeout_ms);
}

static int serve(struct spool_keeper *k, int listener, uid_t uid)
{
	log_event(LOG_LEVEL_NOTE, "started", "keeper %s", CLOUDINVITE_VERSION);
	while (!k->lost) {
		accept_connections(k, listener, uid);
		spool_keeper_turn(k);
		wait_for_something(k, listener);
	}
	return spool_keeper_say_lost();
}

static int keep(const struct settings *settings)
{
	const char *user = settings_collector_user(settings);
	struct fault fault = {.kind = FAULT_NONE};
	struct spool_keeper k;
	uid_t uid = geteuid();
	gid_t gid;
	int listener = listen_inherited(&fault);
	int exit_code;

	if (listener < 0 || (strcmp(user, "root") != 0 && !passwd_find(user, &uid, &gid, &fault)) ||
		!drop_capabilities(&fault) || !spool_keeper_open(&k, settings->spool, &fault))
		return fail(&fault);
	exit_code = serve(&k, listener, uid);
	spool_keeper_close(&k);
	return exit_code;
}

/* ---- the command line ---- */

static void print_usage(FILE *out)
{
	(void)fprintf(out, "usage: " NAME " [-c FILE] [--prepare]\n");
}

static void print_help(void)
{
	print_usage(stdout);
	printf("Gives the collector access to the spool, which only root can open.\n\n  -c, "
	       "--config FILE  settings file (default " SETTINGS_FILE
	       ")\n      --prepare      as root: create the spool, readable by root only, then "
	       "exit\n      --help, --version\n\nsystemd passes its socket "
	       "(cloudinvite-keeper.socket). See " NAME "(8).\n");
}

/* False: done already, with the exit code. */
static bool parse_options(int argc, char **argv, struct options *out, int *exit_code)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"prepare", no_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*exit_code = 0;
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			out->settings_path = optarg;
			break;
		case 'p':
			out->prepare = true;
			break;
		case 'h':
			print_help();
			return false;
		case 'V':
			printf(NAME " %s\n", CLOUDINVITE_VERSION);
			return false;
		default:
			*exit_code = fault_exit_code(FAULT_USAGE);
			print_usage(stderr);
			return false;
		}
	}
	if (optind < argc) {
		*exit_code = fault_exit_code(FAULT_USAGE);
		print_usage(stderr);
		return false;
	}
	return true;
}

static bool prepare(const void *settings, struct fault *fault)
{
	return prepare_spool_alone(settings, fault);
}

int main(int argc, char **argv)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct options options = {.settings_path = NULL};
	struct settings *settings;
	int exit_code;

	disable_tracing();
	log_start("keeper", LOG_LEVEL_INFO);
	if (!parse_options(argc, argv, &options, &exit_code))
		return exit_code;
	settings = settings_load(options.settings_path, &fault);
	if (!settings)
		return fail(&fault);
	if (!options.prepare)
		exit_code = keep(settings);
	else if (!prepare_bounded(prepare, settings, PREPARE_MOST_MS, &fault))
		exit_code = fail(&fault);
	settings_free(settings);
	return exit_code;
}
