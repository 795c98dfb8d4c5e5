/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies the states of people from the ledger to the markers in the spool, from the last revision
 * that was copied on. Markers of network users are removed after a month, because nothing reports
 * their deletion.
 */
#include "base/clock.h"
#include "base/log.h"
#include "worker/collector/collector.h"

struct marking {
	struct collector *c;
	const struct account_snapshot *snapshot;
	struct fault *fault;
	bool failed;
};

/* ---- to which ledger they belong ---- */

static bool bind_as(struct collector *c, int64_t revision, bool *older, struct fault *fault)
{
	int dropped = 0;

	if (!spool_client_bind(&c->spool, ledger_id(c->ledger), revision, &dropped, older, fault))
		return false;
	if (dropped > 0)
		log_event(LOG_LEVEL_NOTE, "marks",
			"removed %d markers of another ledger: these users are processed again at "
			"their next login",
			dropped);
	return true;
}

/* People that were seen since the backup have markers, so they would never be reported again. */
static bool become_another_ledger(struct collector *c, struct fault *fault)
{
	log_event(LOG_LEVEL_WARN, "marks",
		"the ledger is older than the markers: it was restored from a backup; its users "
		"are "
		"processed again at their next login");
	c->change = 0;
	return ledger_begin(c->ledger, fault) &&
	       ledger_end(c->ledger,
		       ledger_note_copy(c->ledger, "restored", fault) &&
			       ledger_take_new_id(c->ledger, fault),
		       fault);
}

bool marks_bind(struct collector *c, struct fault *fault)
{
	int64_t revision = ledger_last_report(c->ledger, fault);
	bool older = false;

	if (revision < 0)
		return false;
	if (c->marks_bound && c->marks_revision == revision)
		return true;
	if (!bind_as(c, revision, &older, fault) ||
		(older &&
			!(become_another_ledger(c, fault) && bind_as(c, revision, &older, fault))))
		return false;
	c->marks_bound = true;
	c->marks_revision = revision;
	return true;
}

/* ---- their words ---- */

bool marks_allowed(const struct collector *c, enum trigger trigger)
{
	return trigger != TRIGGER_CREATED || trigger_counts(trigger, c->settings);
}

/* At the start everything is copied once more, for what has changed meanwhile. But a marker that
 * is gone (a network user's after a month) is not made again: the user is evaluated at the next
 * login. */
static bool write_mark(const char *user, enum trigger trigger, const char *word, void *ctx)
{
	struct marking *m = ctx;

	if (!marks_allowed(m->c, trigger)) {
		m->failed = !spool_client_unmark(&m->c->spool, user, m->fault);
		return !m->failed;
	}
	m->failed = !spool_client_mark(&m->c->spool, user, word,
		m->c->change == 0 ? SPOOL_MARK_CHANGE : SPOOL_MARK_ANY, m->fault);
	return !m->failed;
}

bool marks_update(struct collector *c, struct fault *fault)
{
	struct marking m = {.c = c, .fault = fault};
	int64_t last = c->change;

	if (!marks_bind(c, fault) ||
		!ledger_changes_since(
			c->ledger, c->host, c->change, &last, write_mark, &m, fault) ||
		m.failed || !spool_client_flush(&c->spool, fault))
		return false;
	c->change = last;
	return true;
}

/* A network user may have been deleted without notice. */
static bool drop_network(const char *user, void *ctx)
{
	struct marking *m = ctx;

	if (!account_find(&m->snapshot->accounts, user))
		m->failed = !spool_client_unmark(&m->c->spool, user, m->fault);
	return !m->failed;
}

bool marks_drop_network(struct collector *c, const struct account_snapshot *snapshot, int64_t age,
	struct fault *fault)
{
	struct marking m = {.c = c, .snapshot = snapshot, .fault = fault};

	return spool_client_each_mark(
		       &c->spool, age > 0 ? clock_wall() - age : 0, drop_network, &m, fault) &&
	       spool_client_flush(&c->spool, fault);
}
