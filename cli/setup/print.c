/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of setup: paragraphs and titles; nothing with --json.
 */
#include "cli/setup/setup.h"

#include <stdarg.h>
#include <stdio.h>

void setup_print(struct setup *s, enum style style, int indent, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (s->json || !text[0])
		return;
	screen_to_column(&s->screen, indent);
	screen_wrap(&s->screen, style, indent, text);
	screen_newline(&s->screen);
}

void setup_print_title(struct setup *s, const char *title)
{
	if (!s->json)
		screen_heading(&s->screen, title);
}
