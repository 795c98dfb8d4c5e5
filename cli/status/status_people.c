/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status TARGET… and status --state STATE: people one by one, or as a table.
 */
#include "cli/status/status.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "cli/common/labels.h"
#include "cli/common/person.h"
#include "cli/common/table.h"

#define PAGE 1000

/* ---- selected people, in detail ---- */

/* 1 shown, 0 unknown, -1 fault. */
static int draw_person(
	const struct status *st, struct screen *s, const char *address, struct fault *fault)
{
	struct person p;
	int found = ledger_person(st->store->ledger, address, &p, fault);

	if (found == 0)
		cli_note("cloudinvite: %s is not in the ledger", address);
	if (found <= 0)
		return found;
	person_show(s, &p, &st->service);
	if (!person_accounts(s, st->store, address, fault))
		return -1;
	person_commands(s, &p, &st->service);
	return 1;
}

static bool draw_named(const struct status *st, const struct status_request *request,
	struct screen *s, struct fault *fault)
{
	bool all_known = true;
	int drawn;

	for (int i = 0; i < request->target_count; i++) {
		if (i > 0)
			screen_newline(s);
		drawn = draw_person(st, s, request->target[i].address, fault);
		if (drawn < 0)
			return false;
		all_known = all_known && drawn > 0;
	}
	return all_known;
}

/* ---- people of one state ---- */

struct people_table {
	struct table table;
	const struct service_state *service;
	char last[ADDRESS_MAX + 1];
	int count;
};

static const struct table_column columns[] = {
	{"address", false, 16},
	{"reason", false, 12},
	{"mails", true, 0},
	{"due", false, 0},
	{"since", false, 0},
};

static bool add_person(const struct person *p, void *ctx)
{
	struct people_table *t = ctx;
	char reason[96], when[CLOCK_TEXT_SIZE];
	const char *why = label_reason(reason, sizeof(reason), person_reason_word(p));

	table_add(&t->table, STYLE_PLAIN, p->address);
	table_add(&t->table, STYLE_PLAIN,
		p->state == PERSON_FAILED && p->fault_text[0] != '\0' ? p->fault_text : why);
	if (p->mails >= 0)
		table_addf(&t->table, STYLE_PLAIN, "%" PRId64, p->mails);
	else
		table_add(&t->table, STYLE_DIM, "?");
	table_add(&t->table, STYLE_PLAIN,
		p->next_attempt == 0 ? ""
		: p->next_attempt <= t->service->at
			? "now"
			: clock_relative(p->next_attempt, t->service->at, when));
	table_add(&t->table, STYLE_DIM,
		p->changed > 0 ? clock_relative(p->changed, t->service->at, when) : "");
	str_copy(t->last, sizeof(t->last), p->address);
	t->count++;
	return true;
}

static bool draw_page(const struct status *st, const struct status_request *request,
	struct people_table *t, struct screen *s, struct fault *fault)
{
	char after[ADDRESS_MAX + 1];

	str_copy(after, sizeof(after), t->last);
	t->count = 0;
	return ledger_each_person(st->store->ledger, request->state,
		       after[0] != '\0' ? after : NULL, PAGE, add_person, t, fault) &&
	       (t->count == 0 || table_print(&t->table, s, 0) ||
		       fault_no_memory(fault, FAULT_STORAGE));
}

static void print_more(const struct people_table *t, struct screen *s)
{
	screen_newline(s);
	screen_putf(s, STYLE_DIM, "More people follow. Use --all, or --after %s", t->last);
	screen_newline(s);
}

static bool draw_state(const struct status *st, const struct status_request *request,
	struct screen *s, struct fault *fault)
{
	struct people_table t = {.service = &st->service};
	int drawn = 0;
	bool ok;

	table_open(&t.table, columns, ARRAY_SIZE(columns));
	if (request->after)
		str_copy(t.last, sizeof(t.last), request->after);
	do {
		ok = draw_page(st, request, &t, s, fault);
		drawn += t.count;
	} while (ok && t.count == PAGE && request->all);
	table_free(&t.table);
	if (ok && drawn == 0) {
		screen_putf(s, STYLE_PLAIN, "No one is %s.",
			label_state((enum person_state)request->state));
		screen_newline(s);
	}
	if (ok && t.count == PAGE)
		print_more(&t, s);
	return ok;
}

bool status_draw_people(const struct status *st, const struct status_request *request,
	const struct cli *cli, FILE *out, struct fault *fault)
{
	struct screen s;

	screen_open(&s, cli, out);
	if (request->target)
		return draw_named(st, request, &s, fault);
	return draw_state(st, request, &s, fault);
}
