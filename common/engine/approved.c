/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When sending begins: the people who were approved in dry run are queued, however the setting was
 * changed. Those who were not approved stay held.
 */
#include "engine/engine_internal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"

#define PAGE 200

struct page {
	char approved[PAGE][ADDRESS_MAX + 1];
	int approved_count, seen;
	char last[ADDRESS_MAX + 1];
};

static bool note_person(const struct person *p, void *ctx)
{
	struct page *page = ctx;

	page->seen++;
	str_copy(page->last, sizeof(page->last), p->address);
	if (p->reason == REASON_DRY_RUN && p->approved)
		str_copy(page->approved[page->approved_count++], ADDRESS_MAX + 1, p->address);
	return true;
}

static bool queue_page(struct engine *e, const struct page *page, struct fault *fault)
{
	struct person_event event = engine_event(e, EVENT_APPROVED);
	bool good = true;

	if (page->approved_count == 0)
		return true;
	if (!ledger_begin(e->ledger, fault))
		return false;
	event.text = "approved in dry run";
	for (int n = 0; good && n < page->approved_count; n++)
		good = ledger_person_apply(e->ledger, page->approved[n], &event, NULL, e->actor,
			       NULL, fault) >= 0;
	return ledger_end(e->ledger, good, fault);
}

bool approved_begin(struct engine *e, struct fault *fault)
{
	struct page *page;
	bool good;

	if (e->settings->mode != MODE_SEND)
		return true;
	page = calloc(1, sizeof(*page));
	if (!page)
		return fault_no_memory(fault, FAULT_STORAGE);
	do {
		page->seen = page->approved_count = 0;
		good = ledger_each_person(e->ledger, PERSON_HELD, page->last, PAGE, note_person,
			       page, fault) &&
		       queue_page(e, page, fault);
	} while (good && page->seen == PAGE);
	free(page);
	return good;
}
