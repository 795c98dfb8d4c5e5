/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks each line that runs our module: its type and control, the module's file, its arguments,
 * the file that it is in, and the lines that precede and follow it in the session stack. Each
 * problem is reported once, however many services include the line.
 */
#include "cli/pam/lint.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/str.h"
#include "cli/pam/range.h"
#include "cli/pam/stack.h"
#include "common/pam/arguments.h"
#include "settings/settings.h"

#define REPORTED_MAX 256

/* One service's session, and what was reported before: a line that ten services include is reported
 * once. */
struct lint {
	const struct pam_site *site;
	void (*report)(bool bad, const struct fault *fault, void *ctx);
	void *ctx;
	int bad;
	const char *service;
	const struct pam_stack *stack;
	struct reported {
		char *file;
		int line;
		char code[24];
	} reported[REPORTED_MAX];
	size_t reported_count;
};

/* ---- reporting ---- */

static bool is_reported(struct lint *r, const struct pam_line *line, const char *code)
{
	struct reported *reported;

	for (size_t i = 0; i < r->reported_count; i++)
		if (r->reported[i].line == line->number && strcmp(r->reported[i].code, code) == 0 &&
			strcmp(r->reported[i].file, line->file) == 0)
			return true;
	if (r->reported_count == REPORTED_MAX)
		return false;
	reported = &r->reported[r->reported_count];
	/* gcc -fanalyzer believes that the copy is lost: pam_lint frees it. */
	reported->file = strdup(line->file);
	if (!reported->file)
		return false;
	reported->line = line->number;
	str_copy(reported->code, sizeof(reported->code), code);
	r->reported_count++;
	return false;
}

static void report_fault(struct lint *r, bool bad, const struct fault *fault)
{
	r->bad += bad;
	r->report(bad, fault, r->ctx);
}

__attribute__((format(printf, 6, 7))) static void report_at(struct lint *r, bool bad,
	const struct pam_line *line, const char *code, const char *remedy, const char *format, ...)
{
	struct fault fault = {.kind = FAULT_NONE};
	char what[256];
	va_list args;

	if (is_reported(r, line, code))
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	fault_set(&fault, FAULT_NONE, code, "%s:%d: %s", line->file, line->number, what);
	fault_remedy(&fault, "%s", remedy);
	report_fault(r, bad, &fault);
}

/* ---- the line itself ---- */

#define AS_IT_SHOULD "Write it as: session optional " PAM_MODULE

static bool is_missing(
	struct lint *r, const struct pam_line *line, char *path, size_t size, struct stat *st)
{
	if (strchr(line->module, '/'))
		str_format(path, size, "%s%s", r->site->root, line->module);
	else
		str_copy(path, size, r->site->module);
	return stat(path, st) != 0;
}

static void check_module(struct lint *r, const struct pam_line *line)
{
	int missing = pam_line_action(line, "module_unknown");
	bool harmful = missing == PAM_ACTION_BAD || missing == PAM_ACTION_DIE;
	char path[PATH_MAX];
	struct stat st;

	if (is_missing(r, line, path, sizeof(path), &st))
		report_at(r, true, line, "pam_no_module",
			harmful ? "Install the file or remove the line at once: every login fails."
				: "Install the package libpam-cloudinvite, or: cloudinvite pam "
				  "disable",
			"%s is missing%s", path, harmful ? ", and logins fail without it" : "");
	else if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
		report_at(r, true, line, "pam_not_roots",
			"Reinstall the package, and find out who changed the file.",
			"%s can be written by users other than root (owner %u, mode %04o)", path,
			(unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	else if (harmful)
		report_at(r, true, line, "pam_required", AS_IT_SHOULD,
			"'%s': if the module's file were missing, nobody could log in",
			line->control);
}

static void check_control(struct lint *r, const struct pam_line *line)
{
	int success = pam_line_action(line, "success");

	if (line->type != PAM_TYPE_SESSION)
		report_at(r, true, line, "pam_wrong_type", AS_IT_SHOULD,
			"it is in the %s stack, where it does nothing; alone there, it would "
			"refuse every login",
			pam_type_word(line->type));
	else if (success > 0 || success == PAM_ACTION_DONE)
		report_at(r, true, line, "pam_skips", AS_IT_SHOULD,
			"'%s': the session lines after it are skipped", line->control);
	else if (success == PAM_ACTION_BAD || success == PAM_ACTION_DIE)
		report_at(r, true, line, "pam_refuses", AS_IT_SHOULD,
			"'%s': it refuses every login", line->control);
}

struct wrong_argument {
	struct lint *lint;
	const struct pam_line *line;
};

static void on_wrong_argument(const char *argument, void *ctx)
{
	const struct wrong_argument *w = ctx;

	if (str_starts(argument, "message_file="))
		report_at(w->lint, false, w->line, "pam_argument",
			"Put the file into the spool, and name it there. See pam_cloudinvite(8).",
			"'%s': the module ignores a file that is not in the spool, because other "
			"users could delay logins with it",
			argument);
	else
		report_at(w->lint, false, w->line, "pam_argument", "See pam_cloudinvite(8).",
			"the module does not know the argument '%s' and ignores it", argument);
}

/* The module asks the same questions as the collector, with its own arguments. */
static void check_people(
	struct lint *r, const struct pam_line *line, const struct arguments *arguments)
{
	const struct settings *settings = r->site->settings;
	struct pam_range range;
	char remedy[128];

	pam_range_of(r->site->root, arguments, &range);
	if (range.max < settings->max_uid) {
		str_format(remedy, sizeof(remedy), "Add max_uid=%lld to the line.",
			(long long)settings->max_uid);
		report_at(r, true, line, "pam_max_uid", remedy,
			"logins of users with uids above %lld (%s) are not seen, but [people] "
			"max_uid is %lld",
			range.max, range.max_from, (long long)settings->max_uid);
	}
	if (range.min > settings->min_uid) {
		str_format(remedy, sizeof(remedy), "Add min_uid=%lld to the line.",
			(long long)settings->min_uid);
		report_at(r, true, line, "pam_min_uid", remedy,
			"logins of users with uids below %lld (%s) are not seen, but [people] "
			"min_uid is %lld",
			range.min, range.min_from, (long long)settings->min_uid);
	}
	if (settings->network_users && !arguments->network_users)
		report_at(r, true, line, "pam_network_users", "Add network_users to the line.",
			"logins of network users are not seen, but [people] network_users = yes");
}

static void check_arguments(struct lint *r, const struct pam_line *line)
{
	struct wrong_argument wrong = {.lint = r, .line = line};
	const char *words[64];
	struct arguments a;

	for (int i = 0; i < line->argument_count && i < 64; i++)
		words[i] = line->arguments[i];
	arguments_parse(&a, line->argument_count, words, on_wrong_argument, &wrong);
	if (r->site->spool && strcmp(a.spool, r->site->spool) != 0)
		report_at(r, true, line, "pam_spool",
			"Give the line's spool= and [storage] spool in the settings the same "
			"value.",
			"it writes to %s, but the collector reads %s", a.spool, r->site->spool);
	if (r->site->settings)
		check_people(r, line, &a);
}

/* ---- its file ---- */

/* Files that sudo, cron and others include as well, or that a program rewrites without asking. */
static const struct {
	const char *file, *code, *what, *remedy;
} shared[] = {
	{"system-auth", "pam_shared", "sudo, su and cron use this file, too",
		"Move the line to postlogin: cloudinvite pam enable"},
	{"password-auth", "pam_shared", "services without logins use this file, too",
		"Move the line to postlogin: cloudinvite pam enable"},
	{"common-session-noninteractive", "pam_shared", "cron and sudo use this file",
		"Move the line to common-session: cloudinvite pam enable"},
	{"common-session-pc", "pam_overwritten", "pam-config overwrites this file",
		"Remove the line there, then run: cloudinvite pam enable"},
	{"postlogin-session-pc", "pam_overwritten", "pam-config overwrites this file",
		"Remove the line there, then run: cloudinvite pam enable"},
};

static void check_file(struct lint *r, const struct pam_line *line)
{
	const char *name = strrchr(line->file, '/');

	name = name ? name + 1 : line->file;
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (strcmp(name, shared[i].file) == 0)
			report_at(r, false, line, shared[i].code, shared[i].remedy, "%s",
				shared[i].what);
	if (str_starts(line->file, "/usr/"))
		report_at(r, false, line, "pam_overwritten",
			"Remove the line there, then run: cloudinvite pam enable",
			"this file belongs to a package, whose updates overwrite it");
}

/* ---- the lines before and after ---- */

/* The target of a jump from `from`: the number of the line. A substack in between counts as one
 * line. */
static size_t jump_target(const struct pam_stack *s, size_t from, int jump)
{
	size_t at = from + 1;
	int home = s->lines[from].substack;

	for (; at < s->count && jump > 0; jump--) {
		bool inner = s->lines[at].substack != home;
		at++;
		while (inner && at < s->count && s->lines[at].substack != home)
			at++;
	}
	return at;
}

static int longest_jump(const struct pam_line *line)
{
	static const char *const results[] = {"success", "ignore", "module_unknown", "default"};
	int longest = 0;

	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		if (pam_line_action(line, results[i]) > longest)
			longest = pam_line_action(line, results[i]);
	return longest;
}

static void check_preceding(struct lint *r, size_t ours, size_t at)
{
	const struct pam_line *line = &r->stack->lines[ours], *preceding = &r->stack->lines[at];
	int jump = longest_jump(preceding);
	bool reaches = preceding->substack == 0 || preceding->substack == line->substack;

	if (jump > 0 && reaches && jump_target(r->stack, at, jump) > ours)
		report_at(r, true, line, "pam_jumped",
			"Move the line after the lines that the jump skips: the jump counts them.",
			"%s:%d jumps over this line, and therefore lands one line too early",
			preceding->file, preceding->number);
	else if (pam_line_action(preceding, "success") == PAM_ACTION_DONE && reaches)
		report_at(r, false, line, "pam_cut_short", "Move the line before that one.",
			"%s:%d ('%s') may end the session stack before this line", preceding->file,
			preceding->number, preceding->control);
}

/* pam_selinux close and pam_loginuid come first, so that no module runs in an old context or
 * without a login uid. */
static void check_following(struct lint *r, size_t ours, size_t at, bool *selinux, bool *loginuid)
{
	const struct pam_line *line = &r->stack->lines[ours], *following = &r->stack->lines[at];
	bool first = (pam_line_runs(following, "pam_selinux.so") && !*selinux) ||
		     (pam_line_runs(following, "pam_loginuid.so") && !*loginuid);

	if (first)
		report_at(r, false, line, "pam_early", "Move the line after that one.",
			"it comes before %s (%s:%d), which should be first", following->module,
			following->file, following->number);
	if (pam_line_runs(following, PAM_MODULE))
		report_at(r, false, following, "pam_twice", "Remove one of them.",
			"the session of %s already runs the module in %s:%d", r->service,
			line->file, line->number);
}

static void check_context(struct lint *r, size_t ours)
{
	bool selinux = false, loginuid = false;

	for (size_t i = 0; i < ours; i++) {
		const struct pam_line *line = &r->stack->lines[i];
		if (line->type != PAM_TYPE_SESSION)
			continue;
		selinux = selinux || pam_line_runs(line, "pam_selinux.so");
		loginuid = loginuid || pam_line_runs(line, "pam_loginuid.so");
		check_preceding(r, ours, i);
	}
	for (size_t i = ours + 1; i < r->stack->count; i++)
		if (r->stack->lines[i].type == PAM_TYPE_SESSION)
			check_following(r, ours, i, &selinux, &loginuid);
}

/* ---- everything ---- */

/* Keeps only the stack of one type: jumps count its lines only. */
static void keep_type(struct pam_stack *stack, enum pam_type type)
{
	size_t kept = 0;

	for (size_t i = 0; i < stack->count; i++) {
		if (stack->lines[i].type == type)
			stack->lines[kept++] = stack->lines[i];
		else
			pam_line_free(&stack->lines[i]);
	}
	stack->count = kept;
}

static void check_line(struct lint *r, const struct pam_line *line)
{
	check_control(r, line);
	check_module(r, line);
	check_arguments(r, line);
	check_file(r, line);
}

static bool lint_service(const char *service, void *ctx)
{
	struct lint *r = ctx;
	struct fault fault = {.kind = FAULT_NONE};
	struct pam_stack stack;
	bool readable = pam_stack_read(r->site->root, service, &stack, &fault), ours = false;

	r->service = service;
	r->stack = &stack;
	for (size_t i = 0; i < stack.count; i++) {
		if (!pam_line_runs(&stack.lines[i], PAM_MODULE))
			continue;
		ours = true;
		check_line(r, &stack.lines[i]);
	}
	if (ours && !readable)
		report_fault(r, true, &fault);
	keep_type(&stack, PAM_TYPE_SESSION);
	for (size_t i = 0; i < stack.count; i++)
		if (pam_line_runs(&stack.lines[i], PAM_MODULE))
			check_context(r, i);
	pam_stack_free(&stack);
	return true;
}

static int no_memory(struct lint *r)
{
	struct fault fault = {.kind = FAULT_NONE};

	fault_no_memory(&fault, FAULT_STORAGE);
	r->report(true, &fault, r->ctx);
	return r->bad + 1;
}

int pam_lint(const struct pam_site *site,
	void (*report)(bool bad, const struct fault *fault, void *ctx), void *ctx)
{
	struct lint r = {.site = site, .report = report, .ctx = ctx};

	if (!pam_services(site->root, lint_service, &r))
		r.bad = no_memory(&r);
	for (size_t i = 0; i < r.reported_count; i++)
		free(r.reported[i].file);
	return r.bad;
}
