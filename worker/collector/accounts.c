/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accounts of this host: the comparison, and what is taken over from it. The order ledger,
 * markers, baseline ensures that no account is lost. Repeating a step after a crash changes
 * nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/collector/account_diff.h"
#include "worker/collector/change_guard.h"
#include "worker/collector/collector.h"

/* ---- applying changes ---- */

/* An account that was renamed and has no sighting stays an account of the baseline: nothing to
 * report. */
static bool store_change(struct collector *c, const struct account_snapshot *snapshot,
	const struct change *change, struct fault *fault)
{
	struct sighting s;

	switch (change->kind) {
	case CHANGE_RENAMED:
		return collector_note_result(
			c, ledger_account_renamed(c->ledger, c->host, change->old->user,
				   change->account->user, fault));
	case CHANGE_REMOVED:
		return collector_note_result(
			c, ledger_account_removed(c->ledger, c->host, change->old->user, fault));
	case CHANGE_CREATED:
		break;
	}
	facts_local(&s, c, snapshot, change->account);
	s.trigger = TRIGGER_CREATED;
	return store_sighting(c, snapshot, &s, fault);
}

/* The new name gets its marker with the next verdict, or with the next login. */
static bool mark_change(struct collector *c, const struct change *change, struct fault *fault)
{
	if (change->kind == CHANGE_CREATED)
		return !marks_allowed(c, TRIGGER_CREATED) ||
		       spool_client_mark(&c->spool, change->account->user, SPOOL_WORD_SEEN,
			       SPOOL_MARK_FIRST, fault);
	return spool_client_unmark(&c->spool, change->old->user, fault);
}

static bool for_each_change(struct collector *c, const struct account_snapshot *snapshot,
	const struct account_diff *diff, bool marks, struct fault *fault)
{
	for (int kind = CHANGE_RENAMED; kind <= CHANGE_CREATED; kind++)
		for (size_t i = 0; i < diff->count; i++) {
			const struct change *change = &diff->changes[i];

			if ((int)change->kind == kind &&
				!(marks ? mark_change(c, change, fault)
					: store_change(c, snapshot, change, fault)))
				return false;
		}
	return true;
}

static bool apply_diff(struct collector *c, const struct account_snapshot *snapshot,
	const struct account_diff *diff, struct fault *fault)
{
	if (diff->count == 0)
		return true;
	if (!ledger_begin(c->ledger, fault))
		return false;
	if (!ledger_end(c->ledger,
		    for_each_change(c, snapshot, diff, false, fault) &&
			    ledger_note_report(c->ledger, fault),
		    fault))
		return false;
	return marks_bind(c, fault) && for_each_change(c, snapshot, diff, true, fault) &&
	       spool_client_flush(&c->spool, fault);
}

/* ---- accounts that only the ledger knows ---- */

struct missing {
	const struct collector *c;
	const struct account_snapshot *snapshot;
	struct host *host;
	size_t sorted; /* records that were there before */
	bool failed;
};

static int compare_user(const void *user, const void *record)
{
	return strcmp(user, ((const struct record *)record)->user);
}

static bool uid_in_range(const struct settings *s, int64_t uid)
{
	return uid >= s->min_uid && uid <= s->max_uid;
}

/* A known account that has the uid of an account that only the ledger knows: it was renamed, and
 * the ledger was restored from a backup since. The comparison is to find the rename once more, so
 * the account counts as new again. Such a ledger is rare, so a walk over all records will do. */
static void look_at_again(struct missing *m, uint32_t uid)
{
	for (size_t i = 0; i < m->sorted; i++) {
		struct record *r = &m->host->records[i];

		if (r->uid == uid && r->state == RECORD_KNOWN &&
			account_find(&m->snapshot->accounts, r->user)) {
			r->state = RECORD_NEW;
			r->since = 0;
		}
	}
}

static bool add_unknown(const struct ledger_sighting *s, void *ctx)
{
	struct missing *m = ctx;

	if (s->gone || !s->seen.local || !uid_in_range(m->c->settings, s->seen.uid) ||
		account_find(&m->snapshot->accounts, s->seen.user) ||
		(m->sorted > 0 && bsearch(s->seen.user, m->host->records, m->sorted,
					  sizeof(*m->host->records), compare_user)))
		return true;
	look_at_again(m, (uint32_t)s->seen.uid);
	m->failed = !host_add(m->host, s->seen.user, (uint32_t)s->seen.uid, RECORD_KNOWN, 0);
	return !m->failed;
}

/* An account with a sighting was deleted before the baseline knew it: after a crash in between, or
 * because it lived for less than the creation delay. As a part of the baseline, it will be missing
 * from this comparison and the next. */
static bool add_all_unknown(struct collector *c, const struct account_snapshot *snapshot,
	struct host *host, struct fault *fault)
{
	struct missing m = {.c = c, .snapshot = snapshot, .host = host, .sorted = host->count};

	if (!ledger_each_sighting(c->ledger, c->host, NULL, NULL, add_unknown, &m, fault))
		return false;
	if (m.failed)
		return fault_set(
			fault, FAULT_STORAGE, "no_memory", "out of memory for the accounts");
	if (host->count > m.sorted)
		host_sort(host);
	return true;
}

static bool diff_and_apply(struct collector *c, const struct account_snapshot *snapshot,
	struct host *host, struct fault *fault)
{
	bool was_tripped = host->guard_tripped, allowed = false, good = false;
	struct account_diff diff;

	if (!account_diff_compute(host, &snapshot->accounts, c->settings, clock_wall(), &diff))
		fault_set(fault, FAULT_STORAGE, "no_memory",
			"out of memory while comparing the accounts");
	else
		good = change_guard_allows(c, host, &diff, &allowed, fault);
	if (good && allowed) {
		c->accounts_due = diff.due;
		good = apply_diff(c, snapshot, &diff, fault) &&
		       ((!diff.differs && host->guard_tripped == was_tripped &&
				!host_has_learned(host)) ||
			       host_save(host, &diff.next, c->settings->state, fault));
	} else if (good && host->guard_tripped != was_tripped) {
		good = host_save(host, host, c->settings->state, fault);
	}
	account_diff_free(&diff);
	return good;
}

/* ---- the first comparison ---- */

struct beginning {
	const struct account_snapshot *snapshot;
	struct host *host;
	bool failed;
};

/* The ledger knows an account that is not here: the baseline was lost, and the account was deleted
 * meanwhile. The next comparisons will miss it. */
static bool add_missing(const struct ledger_sighting *s, void *ctx)
{
	struct beginning *b = ctx;

	if (!s->gone && s->seen.local && !account_find(&b->snapshot->accounts, s->seen.user))
		b->failed =
			!host_add(b->host, s->seen.user, (uint32_t)s->seen.uid, RECORD_KNOWN, 0);
	return !b->failed;
}

/* Accounts that are there when nothing is known yet are not new. */
static bool create_baseline(struct collector *c, const struct account_snapshot *snapshot,
	struct host *host, struct fault *fault)
{
	const struct account_table *t = &snapshot->accounts;
	struct beginning b = {.snapshot = snapshot, .host = host};

	host_clear(host);
	for (size_t i = 0; i < t->count && !b.failed; i++)
		b.failed =
			!host_add(host, t->accounts[i].user, t->accounts[i].uid, RECORD_KNOWN, 0);
	if (!ledger_each_sighting(c->ledger, c->host, NULL, NULL, add_missing, &b, fault))
		return false;
	if (b.failed)
		return fault_set(
			fault, FAULT_STORAGE, "no_memory", "out of memory for the accounts");
	host_sort(host);
	log_event(LOG_LEVEL_NOTE, "baseline",
		"baseline of %zu existing accounts; they are processed when they log in", t->count);
	return host_save(host, host, c->settings->state, fault);
}

/* ---- copies ---- */

/* The dispatcher is to hear of it: the machine of which this one is a copy may have mailed. With
 * its new id the ledger is another one for the markers, too. */
static bool note_other_machine(struct collector *c, const char *forget_host, struct fault *fault)
{
	bool good;

	if (!ledger_begin(c->ledger, fault))
		return false;
	good = ledger_note_copy(c->ledger, "other_machine", fault) &&
	       ledger_take_new_id(c->ledger, fault) &&
	       (!forget_host || ledger_host_reset(c->ledger, forget_host, fault));
	c->marks_bound = false;
	return ledger_end(c->ledger, good, fault) && marks_bind(c, fault);
}

/* This machine is a copy of the one that wrote the baseline. */
static bool reset_machine(struct collector *c, const struct host *host, struct fault *fault)
{
	log_event(LOG_LEVEL_NOTE, "baseline",
		"the machine-id, or the id of firmware or cloud, has changed: this is a copy of "
		"host %s; its accounts and markers are removed, people are kept",
		host->old_name);
	return note_other_machine(c, host->old_name, fault);
}

/* A renamed host keeps its accounts and markers. Only Google's list can show that it is not a
 * clone.
 */
static bool note_new_name(struct collector *c, const struct host *host, struct fault *fault)
{
	if (!host_may_be_cloned(host))
		return true;
	log_event(LOG_LEVEL_NOTE, "host",
		"this host has another name than before, %s, and may be a copy: no invitations are "
		"sent until Google shows what the other one has sent",
		host->old_name);
	return ledger_note_copy(c->ledger, "other_machine", fault);
}

/* The ledger names the machine that it belongs to: the dispatcher looks before the collector does,
 * if it is the first to start on a clone. */
static bool name_machine(struct collector *c, const struct host *host, struct fault *fault)
{
	char named[MACHINE_FACT_SIZE] = "";

	if (ledger_get(c->ledger, LEDGER_MACHINE, named, sizeof(named), fault) < 0)
		return false;
	if (host->machine.id[0] == '\0' || strcmp(named, host->machine.id) == 0)
		return true;
	/* The ledger was moved here; of a clone it is noted already. */
	if (named[0] && !host_cloned(host) && !note_other_machine(c, NULL, fault))
		return false;
	return ledger_set(c->ledger, LEDGER_MACHINE, host->machine.id, fault);
}

static bool has_new_name(const struct host *host)
{
	return host->old_name[0] && strcmp(host->old_name, host->name) != 0;
}

static bool compare_host(struct collector *c, const struct account_snapshot *snapshot,
	struct host *host, struct fault *fault)
{
	if (host_cloned(host))
		return reset_machine(c, host, fault) && create_baseline(c, snapshot, host, fault);
	if (host->first)
		return create_baseline(c, snapshot, host, fault);
	if (has_new_name(host) && !(note_new_name(c, host, fault) &&
					  host_rename(c, snapshot, host->old_name, fault) &&
					  host_save(host, host, c->settings->state, fault)))
		return false;
	return add_all_unknown(c, snapshot, host, fault) &&
	       diff_and_apply(c, snapshot, host, fault);
}

/* Logged once, until it is over. */
static bool is_complete(struct collector *c, const struct account_table *t)
{
	if (!t->whole && !c->warned_incomplete) {
		if (t->broken_line)
			log_event(LOG_LEVEL_WARN, "account_scan",
				"%s:%zu: malformed line: account changes are not processed; "
				"correct the file with vipw",
				c->settings->passwd, t->broken_line);
		else
			log_event(LOG_LEVEL_WARN, "account_scan",
				"%s: has no root user: account changes are not processed",
				c->settings->passwd);
	}
	c->warned_incomplete = !t->whole;
	return t->whole;
}

bool accounts_compare(
	struct collector *c, const struct account_snapshot *snapshot, struct fault *fault)
{
	struct host host;
	bool good;

	c->accounts_due = 0;
	if (!is_complete(c, &snapshot->accounts))
		return true;
	good = host_load(&host, c->settings->state, c->settings->run, c->host, fault) &&
	       name_machine(c, &host, fault) && compare_host(c, snapshot, &host, fault);
	host_free(&host);
	return good;
}
