/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config [--check] [--json]: the effective settings and where each was set, in the form of a
 * settings file; or everything that is wrong with them.
 */
#include "cli/ops/ops.h"

#include <jansson.h>
#include <string.h>

#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/json.h"
#include "cli/common/readable.h"
#include "cli/common/screen.h"
#include "cli/common/table.h"
#include "cli/common/unmatched.h"

/* ---- for readers ---- */

static const struct table_column columns[] = {
	{.title = ""},
	{.title = "", .least = 16},
	{.title = ""},
};

struct listing {
	struct table table;
	const char *path;
	char section[32];
};

/* Relative to the settings' directory: cloudinvite.conf:3, conf.d/10-site.conf:1. */
static const char *short_origin(const char *path, const char *origin)
{
	const char *slash = strrchr(path, '/');
	size_t dir = slash ? (size_t)(slash - path) + 1 : 0;

	return strncmp(origin, path, dir) == 0 ? origin + dir : origin;
}

static void add_row(struct table *t, enum style style, const char *a, const char *b, const char *c)
{
	table_add(t, style, a);
	table_add(t, style, b);
	table_add(t, style, c);
}

static bool list_setting(const char *section, const char *key, const char *value,
	const char *origin, const char *help, void *ctx)
{
	struct listing *l = ctx;
	enum style style = strcmp(origin, "default") == 0 ? STYLE_DIM : STYLE_BOLD;

	(void)help;
	if (strcmp(section, l->section) != 0) {
		if (l->section[0] != '\0')
			add_row(&l->table, STYLE_PLAIN, "", "", "");
		table_addf(&l->table, STYLE_PLAIN, "[%s]", section);
		table_add(&l->table, STYLE_PLAIN, "");
		table_add(&l->table, STYLE_PLAIN, "");
		str_copy(l->section, sizeof(l->section), section);
	}
	table_add(&l->table, style, key);
	table_addf(&l->table, style, "= %s", value);
	table_addf(&l->table, STYLE_DIM, "; %s", short_origin(l->path, origin));
	return true;
}

static int show(const struct cli *cli, const struct settings *s)
{
	struct listing l = {.path = settings_path(s)};
	struct fault fault = {.kind = FAULT_NONE};
	struct screen screen;
	bool printed;

	screen_open(&screen, cli, stdout);
	table_open(&l.table, columns, 3);
	settings_each(s, list_setting, &l);
	printed = table_print(&l.table, &screen, 0);
	table_free(&l.table);
	if (printed)
		return EXIT_OK;
	fault_no_memory(&fault, FAULT_STORAGE);
	return cli_fail(&fault);
}

/* ---- for scripts ---- */

static bool add_setting(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx)
{
	return json_array_append_new(ctx, json_pack("{s:s, s:s, s:o, s:o, s:s}", "section", section,
						  "key", key, "value", json_string(value), "origin",
						  json_text(origin), "help", help)) == 0;
}

static int show_json(const struct settings *s)
{
	json_t *settings = json_array();

	if (!settings_each(s, add_setting, settings)) {
		json_decref(settings);
		return json_answer(NULL);
	}
	return json_answer(json_pack("{s:i, s:o, s:o}", "schema", JSON_SCHEMA, "file",
		json_text(settings_path(s)), "settings", settings));
}

/* ---- checking ---- */

struct findings {
	struct screen *screen; /* NULL: JSON */
	json_t *json, *json_notes;
	int count, notes; /* a note may be right on this host: it does not change the exit code */
};

static json_t *json_note(const struct fault *note)
{
	return json_pack("{s:o, s:o, s:o}", "code", json_text(note->code), "message",
		json_text(note->what), "remedy", json_text(note->remedy));
}

static void on_fault(const struct fault *fault, void *ctx)
{
	struct findings *found = ctx;

	bool note = fault->kind == FAULT_NONE;

	found->count += !note;
	found->notes += note;
	if (!found->screen) {
		json_array_append_new(note ? found->json_notes : found->json,
			note ? json_note(fault) : json_fault(fault));
		return;
	}
	screen_wrap(found->screen, note ? STYLE_WARN : STYLE_BAD, 0, fault->what);
	screen_newline(found->screen);
	if (fault->remedy[0] == '\0')
		return;
	screen_wrap(found->screen, STYLE_PLAIN, 4, fault->remedy);
	screen_newline(found->screen);
}

static void check_rights(const struct settings *s, struct findings *found)
{
	struct fault fault = {.kind = FAULT_NONE};
	const char *file;

	for (size_t i = 0; (file = settings_file(s, i)); i++)
		if (!readable_by_service(s, file, false, &fault))
			on_fault(&fault, found);
}

/* The map, and whether its rules and those of the settings can apply on this host. */
static void check_rules(const struct settings *s, struct findings *found)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct mapping mapping;

	/* A missing map has been reported already. */
	if ((!mapping_open(&mapping, s, &fault) ||
		    !unmatched_rules(&mapping, on_fault, found, &fault)) &&
		strcmp(fault.code, "missing") != 0)
		on_fault(&fault, found);
	mapping_close(&mapping);
}

/* The files that the settings name are checked as the service will see them. */
static void check_all(const struct settings *s, struct findings *found)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!settings_run_as(s, ACCOUNT_DISPATCHER, &fault))
		on_fault(&fault, found);
	check_rights(s, found);
	settings_check(s, on_fault, found);
	check_rules(s, found);
}

static void check(const char *path, struct findings *found)
{
	struct settings *s = settings_load(path, NULL);
	int count = 0;

	if (s)
		check_all(s, found);
	else
		s = settings_inspect(path, on_fault, found, &count);
	settings_free(s);
}

static int check_for_people(const struct cli *cli, const char *path)
{
	struct screen screen;
	struct findings found = {.screen = &screen};

	screen_open(&screen, cli, stdout);
	check(path, &found);
	if (found.count == 0)
		screen_putf(&screen, STYLE_GOOD, "%s: all settings are valid%s", path,
			found.notes > 0 ? "; see the notes above" : "");
	else
		screen_putf(&screen, STYLE_BOLD, "%d finding%s", found.count,
			found.count == 1 ? "" : "s");
	screen_newline(&screen);
	return found.count == 0 ? EXIT_OK : fault_exit_code(FAULT_SETTINGS);
}

static int check_for_machines(const char *path)
{
	struct findings found = {.json = json_array(), .json_notes = json_array()};
	int exit_code;

	check(path, &found);
	exit_code = json_answer(json_pack("{s:i, s:o, s:o, s:o}", "schema", JSON_SCHEMA, "file",
		json_text(path), "findings", found.json, "notes", found.json_notes));
	if (exit_code != EXIT_OK)
		return exit_code;
	return found.count == 0 ? EXIT_OK : fault_exit_code(FAULT_SETTINGS);
}

/* ---- the verb ---- */

int verb_config(const struct cli *cli, int argc, char **argv)
{
	const char *path = cli->settings_path ? cli->settings_path : SETTINGS_FILE;
	struct fault fault = {.kind = FAULT_NONE};
	bool json = false, checking = false;
	struct settings *s;
	int exit_code;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--check") == 0)
			checking = true;
		else
			return cli_usage(cli);
	}
	if (checking)
		return json ? check_for_machines(path) : check_for_people(cli, path);
	s = settings_load(path, &fault);
	if (!s)
		return cli_fail(&fault);
	exit_code = json ? show_json(s) : show(cli, s);
	settings_free(s);
	return exit_code;
}
