/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the ledger is whole.
 */
#include <string.h>

#include "ledger/guard.h"
#include "ledger/handle.h"
#include "ledger/sqlite.h"

bool ledger_check(struct ledger *l, struct fault *fault)
{
	char result[160] = "";
	struct query q;
	bool ended;

	guard_allow_long(l);
	/* quick_check does not look into the indexes. */
	query_start(&q, l, "PRAGMA integrity_check(1)", fault);
	if (query_row(&q) > 0)
		row_text(&q, result, sizeof(result));
	ended = query_end(&q);
	guard_usual_time(l);
	if (!ended || strcmp(result, "ok") == 0)
		return ended;
	fault_set(fault, FAULT_STORAGE, "ledger_damaged",
		"%s: the ledger is damaged: %s. Was a backup put beside an old -wal file?", l->path,
		result);
	return fault_remedy(fault,
		"Stop both services, remove %s-wal and %s-shm, put the backup there again, and "
		"start them.",
		l->path, l->path);
}

bool ledger_check_unclosed(struct ledger *l, struct fault *fault)
{
	return !l->unclosed || ledger_check(l, fault);
}
