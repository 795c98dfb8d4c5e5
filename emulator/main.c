/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudinvite-emulator: options, start, stop.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"
#include "help.h"
#include "xmalloc.h"
#include "server.h"
#include "tenant_json.h"

#define THREADS_MAX 64

struct options {
	struct server_options server;
	char *listen, *metadata; /* the texts to which the server's addresses point */
	const char *directory;
	const char *scenario;
	bool quiet;
};

enum {
	OPTION_LISTEN = 1,
	OPTION_METADATA,
	OPTION_DIRECTORY,
	OPTION_SCENARIO,
	OPTION_THREADS,
	OPTION_QUIET,
	OPTION_HTTP,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option long_options[] = {
	{"listen", required_argument, NULL, OPTION_LISTEN},
	{"metadata", required_argument, NULL, OPTION_METADATA},
	{"directory", required_argument, NULL, OPTION_DIRECTORY},
	{"scenario", required_argument, NULL, OPTION_SCENARIO},
	{"threads", required_argument, NULL, OPTION_THREADS},
	{"quiet", no_argument, NULL, OPTION_QUIET},
	{"http", no_argument, NULL, OPTION_HTTP},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

/* "127.0.0.1:0" or "[::1]:0", cut in place. */
static bool address_read(struct server_address *address, char **text, const char *value)
{
	char *colon;

	free(*text);
	*text = xstrdup(value);
	colon = strrchr(*text, ':');
	if (!colon || colon == *text || colon[1] == '\0')
		return false;
	*colon = '\0';
	address->port = colon + 1;
	address->host = *text;
	if (**text == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		address->host = *text + 1;
	}
	return true;
}

static bool metadata_read(struct options *o, const char *value)
{
	if (strcmp(value, "none") != 0)
		return address_read(&o->server.metadata, &o->metadata, value);
	o->server.metadata.host = NULL;
	return true;
}

static bool threads_read(struct options *o, const char *value)
{
	char *end;
	long n = strtol(value, &end, 10);

	if (end == value || *end != '\0' || n < 1 || n > THREADS_MAX)
		return false;
	o->server.threads = (unsigned int)n;
	return true;
}

static bool option_read(struct options *o, int option, const char *value)
{
	switch (option) {
	case OPTION_LISTEN:
		return address_read(&o->server.google, &o->listen, value);
	case OPTION_METADATA:
		return metadata_read(o, value);
	case OPTION_DIRECTORY:
		o->directory = value;
		return true;
	case OPTION_SCENARIO:
		o->scenario = value;
		return true;
	case OPTION_THREADS:
		return threads_read(o, value);
	case OPTION_QUIET:
		o->quiet = true;
		return true;
	case OPTION_HTTP:
		o->server.tls = false;
		return true;
	default:
		return false;
	}
}

static int usage(void)
{
	fputs("usage: cloudinvite-emulator [--listen ADDRESS:PORT] [--metadata ADDRESS:PORT|none]\n"
	      "                            [--directory DIR] [--scenario FILE] [--threads N]\n"
	      "                            [--quiet] [--http]\n"
	      "cloudinvite-emulator --help explains everything\n",
		stderr);
	return 2;
}

/* -1: go on; otherwise the exit code. */
static int options_read(struct options *o, int argc, char **argv)
{
	int option;

	address_read(&o->server.google, &o->listen, "127.0.0.1:0");
	metadata_read(o, "127.0.0.1:0");
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == OPTION_HELP || option == 'h') {
			help_write(stdout);
			return 0;
		}
		if (option == OPTION_VERSION) {
			puts("cloudinvite-emulator " CLOUDINVITE_VERSION);
			return 0;
		}
		if (!option_read(o, option, optarg))
			return usage();
	}
	return optind == argc ? -1 : usage();
}

static bool scenario_read(struct emulator *e, const char *path)
{
	struct doc_error doc_error = {0};
	json_error_t error;

	if (path) {
		e->scenario = json_load_file(path, 0, &error);
		if (!e->scenario) {
			fprintf(stderr, "cloudinvite-emulator: --scenario: %s:%d: %s\n", path,
				error.line, error.text);
			return false;
		}
	}
	if (emulator_reset(e, e->scenario, &doc_error))
		return true;
	fprintf(stderr, "cloudinvite-emulator: --scenario: %s: %s\n", path, doc_error.text);
	return false;
}

/* Serves until one of `signals` (blocked in all threads) arrives. */
static bool emulator_run(struct emulator *e, const struct options *o, const sigset_t *signals)
{
	bool filled;
	int got;

	if (o->directory && !directory_prepare(o->directory))
		return false;
	if (!server_start(e, &o->server))
		return false;
	/* A client that guesses the port is served already. */
	pthread_mutex_lock(&e->lock);
	filled = !o->directory || directory_publish(e, o->directory);
	pthread_mutex_unlock(&e->lock);
	if (!filled) {
		server_stop(e);
		return false;
	}
	printf("listening %s\n", e->google.base);
	if (e->metadata.daemon)
		printf("metadata %s\n", e->metadata.base);
	fflush(stdout);
	sigwait(signals, &got);
	if (o->directory)
		directory_remove_port(o->directory);
	server_stop(e);
	return true;
}

int main(int argc, char **argv)
{
	struct options options = {.server = {.threads = 1, .tls = true}};
	struct emulator emulator = {.lock = PTHREAD_MUTEX_INITIALIZER};
	sigset_t signals;
	int code = options_read(&options, argc, argv);

	if (code < 0) {
		sigemptyset(&signals);
		sigaddset(&signals, SIGTERM);
		sigaddset(&signals, SIGINT);
		sigaddset(&signals, SIGHUP);
		pthread_sigmask(SIG_BLOCK, &signals, NULL);
		signal(SIGPIPE, SIG_IGN);
		emulator.quiet = options.quiet;
		code = 1;
		if (keyring_make(&emulator.keyring, options.server.google.host) &&
			scenario_read(&emulator, options.scenario) &&
			emulator_run(&emulator, &options, &signals))
			code = 0;
		tenant_free(emulator.tenant);
		request_log_clear(&emulator.log);
		json_decref(emulator.scenario);
		keyring_free(&emulator.keyring);
	}
	free(options.listen);
	free(options.metadata);
	return code;
}
