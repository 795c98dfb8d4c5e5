/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "worker/collector/collector.h"

#define NETWORK_MARK (30 * 24 * 60 * 60)

struct marking {
	struct collector *c;
	const struct census *census;
	struct fault *fault;
	bool failed;
};

static bool write_mark(const char *user, const char *word, void *ctx)
{
	struct marking *m = ctx;

	m->failed = !spool_mark(&m->c->spool, user, word, m->fault);
	return !m->failed;
}

bool marks_update(struct collector *c, struct fault *fault)
{
	struct marking m = {.c = c, .fault = fault};
	int64_t last = c->change;

	if (!ledger_changes(c->ledger, c->host, c->change, &last, write_mark, &m, fault) ||
		m.failed)
		return false;
	c->change = last;
	return true;
}

/* A network user may have been deleted without our knowing: after a month the next login asks
 * again. */
static bool drop_network(const char *user, void *ctx)
{
	struct marking *m = ctx;

	if (!account_find(&m->census->accounts, user))
		m->failed = !spool_unmark(&m->c->spool, user, m->fault);
	return !m->failed;
}

bool marks_expire(struct collector *c, const struct census *census, struct fault *fault)
{
	struct marking m = {.c = c, .census = census, .fault = fault};

	return spool_each_mark(&c->spool, clock_wall() - NETWORK_MARK, drop_network, &m, fault) &&
	       !m.failed;
}
