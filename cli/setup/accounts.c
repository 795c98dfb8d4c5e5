/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses to which the present accounts would be mapped, so that a wrong rule is noticed
 * before it has an effect.
 */
#include "cli/setup/setup.h"

#include "base/array.h"
#include "cli/common/json.h"
#include "cli/common/mapping.h"
#include "cli/common/progress.h"
#include "cli/common/table.h"

#define SHOWN_MAX 12 /* rows; scan --dry-run shows all */

static const struct table_column columns[] = {{.title = "user", .least = 8}, {.title = "verdict"},
	{.title = "address", .least = 16}, {.title = "why", .least = 16}};

static void add_row(struct table *table, const struct account *account, const struct verdict *v)
{
	bool mapped = v->kind == VERDICT_MAPPED;

	table_add(table, STYLE_BOLD, account->user);
	table_add(table, mapped ? STYLE_GOOD : STYLE_DIM, verdict_word(v->kind));
	table_add(table, STYLE_PLAIN, v->address);
	table_add(table, STYLE_DIM, v->sentence);
}

static json_t *row_json(const struct account *account, const struct verdict *v)
{
	return json_pack("{s:o, s:s, s:o}", "user", json_text(account->user), "verdict",
		verdict_word(v->kind), "address", json_text(v->address));
}

static void map_accounts(struct setup *s, const struct mapping *m, struct progress *progress)
{
	struct table table = {.count = 0};
	json_t *rows = json_array();
	int looked_at = 0, mapped = 0;

	table_open(&table, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < m->accounts.count; i++) {
		const struct account *account = &m->accounts.accounts[i];
		struct verdict verdict;

		if (!mapping_counts(m, account))
			continue;
		mapping_evaluate(m, account, &verdict);
		mapped += verdict.kind == VERDICT_MAPPED;
		if (looked_at++ >= SHOWN_MAX)
			continue;
		add_row(&table, account, &verdict);
		json_array_append_new(rows, row_json(account, &verdict));
	}
	progress_clear(progress);
	if (!s->json && looked_at > 0)
		table_print(&table, &s->screen, 0);
	setup_print(s, STYLE_PLAIN, 0, "%d of %d account%s would map to an address.%s", mapped,
		looked_at, looked_at == 1 ? "" : "s",
		looked_at > SHOWN_MAX ? " To list all: cloudinvite scan --dry-run" : "");
	s->accounts = json_pack(
		"{s:i, s:i, s:o}", "looked_at", looked_at, "mapped", mapped, "first", rows);
	table_free(&table);
}

void setup_accounts(struct setup *s)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct progress progress;
	struct mapping mapping;

	setup_print_title(s, "Addresses for this host's accounts");
	progress_start(&progress, s->cli);
	progress_update(&progress, "reading the accounts in %s", s->draft.settings->passwd);
	if (mapping_open(&mapping, s->draft.settings, &fault)) {
		map_accounts(s, &mapping, &progress);
	} else {
		progress_clear(&progress);
		s->exit_code = cli_max_exit(s->exit_code, cli_fail(&fault));
	}
	progress_end(&progress);
	mapping_close(&mapping);
}
