/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading: defaults, then the files, then the checks. How much of that stops the caller depends on
 * who asks: a program stops at the first fault that concerns it; `config --check` and `doctor` want
 * to see all of them.
 */
#include "settings/key.h"

/* Stores the first fault that stops the caller. */
struct first_fault {
	bool collecting_only;
	struct fault fault;
};

static void keep_first(const struct fault *fault, bool collecting, void *ctx)
{
	struct first_fault *first = ctx;

	if (first->fault.kind == FAULT_NONE && (collecting || !first->collecting_only))
		first->fault = *fault;
}

static struct settings *load(const char *path, const struct strbuf *text, bool collecting_only,
	bool check, struct fault *fault)
{
	struct first_fault first = {.collecting_only = collecting_only};
	struct diagnostics found = {.report = keep_first, .ctx = &first};
	struct loaded *l = loaded_new(path ? path : SETTINGS_FILE);

	if (!l) {
		fault_set(fault, FAULT_STORAGE, "memory", "out of memory while reading settings");
		return NULL;
	}
	if (settings_read(l, text, &found) && check && first.fault.kind == FAULT_NONE)
		settings_check_into(&l->settings, &found);
	if (first.fault.kind == FAULT_NONE)
		return &l->settings;
	if (fault)
		*fault = first.fault;
	settings_free(&l->settings);
	return NULL;
}

struct settings *settings_load(const char *path, struct fault *fault)
{
	return load(path, NULL, false, false, fault);
}

struct settings *settings_load_text(
	const char *path, const struct strbuf *text, struct fault *fault)
{
	return load(path, text, false, false, fault);
}

struct settings *settings_load_checked(const char *path, bool dispatch, struct fault *fault)
{
	return load(path, NULL, !dispatch, true, fault);
}

/* The public form of `diagnostics`, without the programs that a finding concerns. */
struct reporting {
	void (*report)(const struct fault *, void *ctx);
	void *ctx;
};

static void report_any(const struct fault *fault, bool collecting, void *ctx)
{
	const struct reporting *r = ctx;

	(void)collecting;
	r->report(fault, r->ctx);
}

int settings_check(
	const struct settings *s, void (*report)(const struct fault *, void *ctx), void *ctx)
{
	struct reporting r = {report, ctx};
	struct diagnostics found = {.report = report_any, .ctx = &r};

	settings_check_into(s, &found);
	return found.count;
}

struct settings *settings_inspect(
	const char *path, void (*report)(const struct fault *, void *ctx), void *ctx, int *count)
{
	struct reporting r = {report, ctx};
	struct diagnostics found = {.report = report_any, .ctx = &r};
	struct loaded *l = loaded_new(path ? path : SETTINGS_FILE);
	struct fault fault = {.kind = FAULT_NONE};

	if (!l) {
		fault_set(&fault, FAULT_STORAGE, "memory", "out of memory while reading settings");
		diagnose(&found, &fault, true);
	} else if (!settings_read(l, NULL, &found)) {
		settings_free(&l->settings);
		l = NULL;
	} else if (found.count == 0) {
		settings_check_into(&l->settings, &found);
	}
	*count = found.count;
	return l ? &l->settings : NULL;
}
