/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Yes-or-no questions on the terminal.
 */
#include "cli/common/confirm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/common/context.h"

static bool confirm_not_possible(const char *question)
{
	struct fault fault;

	fault_set(&fault, FAULT_USAGE, "needs_yes",
		"%s Cannot ask for confirmation: standard input is not a terminal", question);
	fault_remedy(&fault, "Use --yes to confirm. Nothing was done.");
	cli_fail(&fault);
	return false;
}

bool cli_ask(const char *question)
{
	char answer[16] = "", safe[1024];

	fflush(stdout);
	fprintf(stderr, "%s [y/N] ", str_safe(safe, sizeof(safe), question));
	if (!fgets(answer, sizeof(answer), stdin))
		fputc('\n', stderr);
	answer[strcspn(answer, "\n")] = '\0';
	return str_equal_nocase(answer, "y") || str_equal_nocase(answer, "yes");
}

bool cli_confirm(const char *question)
{
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
		return confirm_not_possible(question);
	if (cli_ask(question))
		return true;
	cli_note("Nothing was done.");
	return false;
}
