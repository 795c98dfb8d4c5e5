/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sentences that may contain an address: it is masked unless names were asked for.
 */
#include "cli/common/html.h"
#include "cli/report/report.h"

void report_prose(const struct report *r, struct strbuf *out, const char *s)
{
	if (r->names)
		html_text(out, s);
	else
		html_masked(out, s);
}
