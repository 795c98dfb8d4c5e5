/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config [--check] [--json]: the effective settings and where each came from, as a settings file;
 * or everything that is wrong with them.
 */
#include "cli/cli.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/identity.h"
#include "base/text.h"
#include "people/verdict.h"

#define BOLD  "\033[1m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

/* ---- the table ----------------------------------------------------------------------------------
 */

struct table {
	const struct cli *cli;
	const char *path;
	char section[32];
	int key_width, value_width;
};

/* Columns are as wide as the widest entry; a long list may hang over. */
static bool measure(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx)
{
	struct table *table = ctx;
	int width = (int)strlen(value);

	(void)section;
	(void)origin;
	(void)help;
	if ((int)strlen(key) > table->key_width)
		table->key_width = (int)strlen(key);
	if (width > table->value_width && width <= table->cli->width / 2)
		table->value_width = width;
	return true;
}

/* Origins are shown from the settings' own directory: cloudinvite.conf:3, conf.d/10-site.conf:1. */
static const char *short_origin(const struct table *table, const char *origin)
{
	const char *slash = strrchr(table->path, '/');
	size_t dir = slash != NULL ? (size_t)(slash - table->path) + 1 : 0;

	return strncmp(origin, table->path, dir) == 0 ? origin + dir : origin;
}

static bool print_setting(const char *section, const char *key, const char *value,
	const char *origin, const char *help, void *ctx)
{
	struct table *table = ctx;
	bool set = strcmp(origin, "default") != 0;
	const char *style = !table->cli->colour ? "" : set ? BOLD : DIM;

	(void)help;
	if (strcmp(section, table->section) != 0) {
		printf("%s[%s]\n", table->section[0] != '\0' ? "\n" : "", section);
		text_copy(table->section, sizeof(table->section), section);
	}
	printf("%s%-*s = %-*s  ; %s%s\n", style, table->key_width, key, table->value_width, value,
		short_origin(table, origin), table->cli->colour ? PLAIN : "");
	return true;
}

static void print_table(const struct cli *cli, const struct settings *s)
{
	struct table table = {.cli = cli, .path = settings_path(s)};

	settings_each(s, measure, &table);
	settings_each(s, print_setting, &table);
}

/* ---- findings -----------------------------------------------------------------------------------
 */

struct report {
	json_t *json; /* an array, or NULL: print */
	int count;
};

static void take_finding(const struct fault *fault, void *ctx)
{
	struct report *report = ctx;

	report->count++;
	if (report->json != NULL) {
		json_array_append_new(
			report->json, json_pack("{s:s, s:s, s:s}", "code", fault->code, "what",
					      fault->what, "remedy", fault->remedy));
		return;
	}
	printf("%s\n", fault->what);
	if (fault->remedy[0] != '\0')
		printf("    %s\n", fault->remedy);
}

/* The files that the settings name are looked at as the service would see them. */
static void check_whole(const struct settings *s, struct report *report)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct address_map *map;

	if (!identity_become(s->user, &fault))
		take_finding(&fault, report);
	settings_check(s, take_finding, report);
	fault_clear(&fault);
	map = map_load(s->map, &fault);
	if (map == NULL)
		take_finding(&fault, report);
	map_free(map);
}

static void check(const struct cli *cli, struct report *report)
{
	struct settings *s = settings_load(cli->settings_path, NULL);
	int count = 0;

	if (s != NULL)
		check_whole(s, report);
	else
		s = settings_inspect(cli->settings_path, take_finding, report, &count);
	settings_free(s);
}

/* ---- the verb ------------------------------------------------------------------------------- */

static int print_json(json_t *root)
{
	char *text = root != NULL ? json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
	struct fault fault = {.kind = FAULT_NONE};

	json_decref(root);
	if (text == NULL) {
		fault_set(&fault, FAULT_STORAGE, "memory", "out of memory");
		return cli_fail(&fault);
	}
	printf("%s\n", text);
	free(text);
	return 0;
}

static int verb_check(const struct cli *cli, bool json)
{
	struct report report = {.json = json ? json_array() : NULL};
	const char *path = cli->settings_path != NULL ? cli->settings_path : SETTINGS_FILE;

	check(cli, &report);
	if (json)
		print_json(json_pack(
			"{s:i, s:s, s:o}", "schema", 1, "file", path, "findings", report.json));
	else if (report.count == 0)
		printf("%s: nothing to find fault with\n", path);
	else
		printf("\n%d finding%s\n", report.count, report.count == 1 ? "" : "s");
	return report.count > 0 ? fault_exit_code(FAULT_SETTINGS) : 0;
}

static bool add_setting(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx)
{
	json_array_append_new(ctx, json_pack("{s:s, s:s, s:s, s:s, s:s}", "section", section, "key",
					   key, "value", value, "origin", origin, "help", help));
	return true;
}

static int verb_show(const struct cli *cli, bool json)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s = settings_load(cli->settings_path, &fault);
	int exit_code = 0;

	if (s == NULL)
		return cli_fail(&fault);
	if (json) {
		json_t *settings = json_array();

		settings_each(s, add_setting, settings);
		exit_code = print_json(json_pack("{s:i, s:s, s:o}", "schema", 1, "file",
			settings_path(s), "settings", settings));
	} else {
		print_table(cli, s);
	}
	settings_free(s);
	return exit_code;
}

int verb_config(const struct cli *cli, int argc, char **argv)
{
	bool json = false, checking = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--check") == 0)
			checking = true;
		else
			return cli_usage(argv[0]);
	}
	return checking ? verb_check(cli, json) : verb_show(cli, json);
}
