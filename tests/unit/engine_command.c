/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_command.h"

#include "base/minmax.h"

struct command command_open(struct site *s)
{
	const struct engine_options options = {
		.owner = "cli@here:7", .actor = "alice (sudo)", .admin = true};
	struct command c = {.site = s, .ledger = ledger_open(s->settings, LEDGER_WRITE, &s->fault)};

	check(s, c.ledger);
	c.engine = engine_open(s->settings, c.ledger, s->google, &options, &s->fault);
	check(s, c.engine);
	return c;
}

void command_close(struct command *c)
{
	engine_close(c->engine);
	ledger_close(c->ledger);
}

void command_on_wait(int64_t wait_ms, void *ctx)
{
	struct command *c = ctx;

	c->longest_wait = max_i64(c->longest_wait, wait_ms);
	if (c->waits++ == 0 && c->while_waiting)
		c->while_waiting(c);
}

void assert_refused(const struct engine_result *result, enum fault_kind kind, const char *code)
{
	assert_string_equal(fault_kind_word(result->fault.kind), fault_kind_word(kind));
	assert_string_equal(result->fault.code, code);
	assert_true(result->fault.what[0] != '\0');
}
