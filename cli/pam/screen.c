/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Printing a change of the PAM files.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/pam/pam.h"

#include <string.h>

#include "cli/common/json.h"

static json_t *lines_of(const struct strbuf *text)
{
	json_t *lines = json_array();
	const char *at = text->data ? text->data : "";
	char line[1024];

	while (*at) {
		size_t n = strcspn(at, "\n");
		str_format(line, sizeof(line), "%.*s", (int)n, at);
		json_array_append_new(lines, line[0] ? json_text(line) : json_string(""));
		at += n + (at[n] == '\n');
	}
	return lines;
}

json_t *pam_change_json(const struct pam_change *change, bool enable, bool dry_run)
{
	return json_pack("{s:i, s:b, s:b, s:b, s:s, s:o, s:o}", "schema", JSON_SCHEMA, "enabled",
		change->done || !change->needed ? enable : !enable, "changed", change->done,
		"dry_run", dry_run, "method", change->method->name, "plan", lines_of(&change->plan),
		"done", lines_of(&change->made));
}

void pam_change_show(struct screen *screen, const char *title, const struct strbuf *lines)
{
	const char *at = lines->data ? lines->data : "";
	char line[1024];

	screen_put(screen, STYLE_BOLD, title);
	screen_newline(screen);
	while (*at) {
		size_t n = strcspn(at, "\n");
		str_format(line, sizeof(line), "%.*s", (int)n, at);
		for (char *tab = line; (tab = strchr(tab, '\t')); tab++)
			*tab = ' ';
		screen_to_column(screen, 2);
		screen_put(screen, STYLE_PLAIN, line);
		screen_newline(screen);
		at += n + (at[n] == '\n');
	}
}
