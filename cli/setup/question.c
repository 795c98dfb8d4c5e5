/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question at the terminal, and its answer.
 */
#include "cli/setup/setup.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/strbuf.h"

#define ANSWER_MAX 1024

bool setup_question(
	struct setup *s, const char *question, const char *suggested, char *out, size_t size)
{
	char line[ANSWER_MAX], *answer;

	out[0] = '\0';
	screen_put(&s->screen, STYLE_BOLD, question);
	if (suggested[0])
		screen_putf(&s->screen, STYLE_DIM, " [%s]", suggested);
	fputs(": ", stdout);
	fflush(stdout);
	s->screen.column = 0;
	if (!fgets(line, (int)sizeof(line), stdin)) {
		fputc('\n', stdout);
		fault_set(&s->fault, FAULT_USAGE, "no_answer",
			"the input ended before all questions were answered");
		fault_remedy(&s->fault, "Nothing more was written. Run it again, or give the "
					"answers as options: cloudinvite help setup");
		return false;
	}
	answer = str_trim(line);
	return str_copy(out, size, answer[0] ? answer : suggested);
}

bool setup_yes(struct setup *s, const char *question, bool suggested)
{
	char answer[16];

	return setup_question(s, question, suggested ? "yes" : "no", answer, sizeof(answer)) &&
	       (str_equal_nocase(answer, "y") || str_equal_nocase(answer, "yes"));
}
