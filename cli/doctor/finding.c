/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of the doctor's steps: a line for readers, an object for scripts.
 */
#include "cli/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "cli/common/json.h"

#define STEP_COLUMN 7
#define WHAT_COLUMN 20

static const struct {
	const char *word, *shown;
	enum style style;
} healths[] = {
	[HEALTH_OK] = {"ok", "ok", STYLE_GOOD},
	[HEALTH_SKIPPED] = {"skipped", "-", STYLE_DIM},
	[HEALTH_NOTE] = {"note", "note", STYLE_WARN},
	[HEALTH_BAD] = {"bad", "BAD", STYLE_BAD},
};

static void print_finding(
	struct doctor *d, enum health health, const char *what, const char *remedy)
{
	struct screen *s = &d->screen;

	progress_clear(&d->progress);
	screen_put(s, healths[health].style, healths[health].shown);
	screen_to_column(s, STEP_COLUMN);
	screen_put(s, health == HEALTH_BAD ? STYLE_BOLD : STYLE_DIM, d->step);
	screen_to_column(s, WHAT_COLUMN);
	screen_wrap(s, health == HEALTH_SKIPPED ? STYLE_DIM : STYLE_PLAIN, WHAT_COLUMN, what);
	screen_newline(s);
	if (!remedy || !*remedy)
		return;
	screen_to_column(s, WHAT_COLUMN);
	screen_put(s, STYLE_BOLD, screen_glyph(s, GLYPH_ARROW));
	screen_put(s, STYLE_PLAIN, " ");
	screen_wrap(s, STYLE_PLAIN, WHAT_COLUMN + 2, remedy);
	screen_newline(s);
}

static void report(struct doctor *d, enum health health, const char *code, const char *what,
	const char *remedy)
{
	char safe[640];

	d->count[health]++;
	str_safe(safe, sizeof(safe), what);
	if (d->json)
		json_array_append_new(d->findings,
			json_pack("{s:s, s:s, s:o, s:o, s:o}", "step", d->step, "result",
				healths[health].word, "code", json_text(code ? code : ""),
				"message", json_text(safe), "remedy",
				json_text(remedy ? remedy : "")));
	else
		print_finding(d, health, safe, remedy);
	fflush(stdout);
}

void doctor_ok(struct doctor *d, const char *format, ...)
{
	char what[640];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	report(d, HEALTH_OK, NULL, what, NULL);
}

void doctor_skip(struct doctor *d, const char *format, ...)
{
	char what[640];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	report(d, HEALTH_SKIPPED, NULL, what, NULL);
}

void doctor_note(struct doctor *d, const char *code, const char *remedy, const char *format, ...)
{
	char what[640];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	report(d, HEALTH_NOTE, code, what, remedy);
}

void doctor_bad(struct doctor *d, const struct fault *fault)
{
	int code = fault_exit_code(fault->kind);

	d->exit_code = cli_max_exit(d->exit_code, code == EXIT_OK ? EXIT_NEGATIVE : code);
	str_copy(d->bad_code, sizeof(d->bad_code), fault->code);
	report(d, HEALTH_BAD, fault->code, fault->what, fault->remedy);
}
