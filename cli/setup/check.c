/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check at Google, with the doctor's own steps, as the service: a token for this scope and this
 * administrator, and two calls without effect. A delegation takes some time to work; if that was
 * requested, the check is repeated until it works.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/setup/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/instance.h"
#include "cli/common/json.h"
#include "cli/common/run_as.h"
#include "cli/doctor/doctor.h"

#define PAUSE_FIRST_S 2
#define PAUSE_LAST_S  30
#define REPORT_MAX    ((size_t)48 * 1024) /* fits into a pipe before it is read */

struct check {
	struct setup *setup;
	bool quiet;
	int report; /* to which the child writes its findings */
	/* the findings */
	json_t *findings;
	char code[48]; /* of the last problem */
};

/* ---- in the child ---- */

static void run_steps(struct doctor *d)
{
	static const struct {
		const char *name;
		doctor_step *run;
	} steps[] = {{"network", doctor_network}, {"clock", doctor_clock},
		{"credential", doctor_credential}, {"token", doctor_token}, {"api", doctor_api}};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		d->step = steps[i].name;
		progress_update(&d->progress, "%s", d->step);
		steps[i].run(d);
	}
	progress_clear(&d->progress);
}

static void write_report(const struct check *check, const struct doctor *d)
{
	json_t *all = json_pack("{s:O, s:s}", "findings", d->findings, "code", d->bad_code);
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;

	if (text && strlen(text) < REPORT_MAX)
		(void)file_write_all(check->report, text, strlen(text));
	free(text);
	json_decref(all);
}

/* A program that runs already uses the new settings from now on. Only its own account may know its
 * pid and signal it. */
static void reload(const struct settings *settings, const char *program)
{
	pid_t pid;

	if (instance_is_running(settings->run, program, &pid, NULL) && pid > 1)
		(void)kill(pid, SIGHUP);
}

static int reload_collector(void *settings)
{
	reload(settings, INSTANCE_COLLECTOR);
	return EXIT_OK;
}

static int check_as_service(void *ctx)
{
	struct check *check = ctx;
	struct setup *s = check->setup;
	struct doctor d = {.cli = s->cli, .exit_code = EXIT_OK};
	struct fault ignored;

	d.json = s->json || check->quiet;
	d.settings = s->draft.settings;
	signal(SIGPIPE, SIG_IGN);
	screen_open(&d.screen, s->cli, stdout);
	progress_start(&d.progress, s->cli);
	d.findings = json_array();
	d.ledger = ledger_open(d.settings, LEDGER_WRITE, &ignored);
	run_steps(&d);
	progress_end(&d.progress);
	write_report(check, &d);
	if (s->changed)
		reload(d.settings, INSTANCE_DISPATCHER);
	credential_free(d.credential);
	http_close(d.http);
	ledger_close(d.ledger);
	json_decref(d.findings);
	return d.exit_code;
}

/* ---- in the parent ---- */

static void read_report(struct check *check, int fd)
{
	struct strbuf text = {.max = REPORT_MAX + 4096};
	char bytes[4096];
	json_t *all;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			strbuf_add_bytes(&text, bytes, (size_t)n);
	all = json_loads(text.data ? text.data : "{}", 0, NULL);
	json_decref(check->findings);
	check->findings = json_incref(json_object_get(all, "findings"));
	if (json_object_get(all, "code"))
		str_copy(check->code, sizeof(check->code),
			json_string_value(json_object_get(all, "code")));
	json_decref(all);
	strbuf_free(&text);
}

static int check_once(struct check *check)
{
	struct settings *settings = check->setup->draft.settings;
	struct fault fault = {.kind = FAULT_NONE};
	int ends[2], exit_code;

	check->code[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) != 0) {
		fault_set(
			&fault, FAULT_STORAGE, "pipe", "cannot create a pipe: %s", strerror(errno));
		return cli_fail(&fault);
	}
	check->report = ends[1];
	exit_code = run_as_service(settings, ACCOUNT_DISPATCHER, check_as_service, check);
	file_close(&ends[1]);
	read_report(check, ends[0]);
	file_close(&ends[0]);
	if (check->setup->changed)
		(void)run_as_service(settings, ACCOUNT_COLLECTOR, reload_collector, settings);
	return exit_code;
}

/* Google's errors while it does not know of the delegation yet, and if there is none. */
static bool may_be_delegation_delay(const char *code)
{
	return strcmp(code, "token_delegation_missing") == 0 ||
	       strcmp(code, "token_access_denied") == 0 || strcmp(code, "token_scope_refused") == 0;
}

static int wait_for_delegation(struct check *check, int64_t minutes)
{
	int64_t end = clock_boot_ms() + minutes * 60000;
	struct progress progress;
	int exit_code = fault_exit_code(FAULT_SETUP), tries = 0;

	progress_start(&progress, check->setup->cli);
	check->quiet = true;
	while (may_be_delegation_delay(check->code) && clock_boot_ms() < end) {
		int64_t pause = backoff(PAUSE_FIRST_S, PAUSE_LAST_S, tries);
		struct timespec left = {.tv_sec = pause};

		progress_update(&progress,
			"Google does not know the delegation yet: %d attempts so far, next in %lld "
			"s (Ctrl-C ends setup)",
			tries, (long long)pause);
		nanosleep(&left, NULL);
		progress_clear(&progress);
		exit_code = check_once(check);
		tries++;
	}
	progress_end(&progress);
	check->quiet = false;
	return exit_code;
}

static void print_delegation(struct setup *s)
{
	struct setup_credential known = {.route = ROUTE_UNKNOWN};
	struct fault kept = s->fault;

	if (s->draft.settings->credentials[0] == '/')
		(void)setup_credential_read(s, s->draft.settings->credentials, &known);
	s->fault = kept;
	setup_guide_admin(s, ROUTE_KEY, &known);
}

void setup_check(struct setup *s)
{
	struct check check = {.setup = s};
	long long minutes = s->wait;
	int exit_code;

	setup_print_title(s, "Checks");
	exit_code = check_once(&check);
	if (may_be_delegation_delay(check.code)) {
		print_delegation(s);
		if (!minutes && s->dialogue &&
			setup_yes(s, "Wait until Google knows the delegation", true))
			minutes = 24L * 60;
		if (minutes)
			exit_code = wait_for_delegation(&check, minutes);
		if (minutes && !s->json) {
			setup_print_title(s, "Checks now");
			exit_code = check_once(&check);
		}
	}
	s->checks = check.findings;
	s->exit_code = cli_max_exit(s->exit_code, exit_code);
}
