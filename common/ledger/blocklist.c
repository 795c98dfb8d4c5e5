/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the blocklist.
 */
#include "ledger/sqlite.h"

int ledger_blocked(
	struct ledger *l, const char *address, char *text, size_t size, struct fault *fault)
{
	struct query q;
	int found;

	query_start(&q, l, "SELECT text FROM block WHERE address = ?", fault);
	query_text(&q, address);
	found = query_row(&q);
	if (found > 0 && text)
		row_text(&q, text, size);
	query_end(&q);
	return found;
}

bool ledger_each_block(struct ledger *l,
	bool (*each)(
		const char *address, const char *text, const char *actor, int64_t at, void *ctx),
	void *ctx, struct fault *fault)
{
	char address[ADDRESS_MAX + 1], text[512], actor[64];
	struct query q;
	bool more = true;

	query_start(&q, l, "SELECT address, text, actor, at FROM block ORDER BY address", fault);
	while (more && query_row(&q) > 0) {
		row_text(&q, address, sizeof(address));
		row_text(&q, text, sizeof(text));
		row_text(&q, actor, sizeof(actor));
		more = each(address, text, actor, row_number(&q), ctx);
	}
	return query_end(&q);
}
