/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads everything that status shows: the state of the service, the counts, the queue and its
 * reasons, the faults of people, and who would be invited.
 */
#include "cli/status/status.h"

#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"

#define FAULT_SAMPLE 300 /* people of a state whose faults are read */

struct reasons {
	struct status *st;
	enum person_state state;
};

/* Keeps the most frequent reasons, in order. */
static bool on_reason(const char *reason, int64_t count, void *ctx)
{
	struct reasons *r = ctx;
	struct status *st = r->st;
	int at = st->waiting_count;

	if (count <= 0)
		return true;
	while (at > 0 && st->waiting[at - 1].count < count)
		at--;
	if (at == STATUS_REASONS)
		return true;
	if (st->waiting_count < STATUS_REASONS)
		st->waiting_count++;
	memmove(&st->waiting[at + 1], &st->waiting[at],
		(size_t)(st->waiting_count - 1 - at) * sizeof(st->waiting[0]));
	st->waiting[at] = (struct status_reason){.state = r->state, .count = count};
	str_copy(st->waiting[at].reason, sizeof(st->waiting[at].reason), reason);
	return true;
}

/* Of the invited only those whose name is gone: their invitation is open, and an administrator may
 * cancel it. */
static bool on_invited_reason(const char *reason, int64_t count, void *ctx)
{
	return strcmp(reason, reason_word(REASON_RENAMED)) != 0 || on_reason(reason, count, ctx);
}

static bool read_waiting(struct status *st, struct fault *fault)
{
	struct reasons held = {st, PERSON_HELD}, queued = {st, PERSON_QUEUED};
	struct reasons invited = {st, PERSON_INVITED};

	return ledger_each_reason(
		       st->store->ledger, PERSON_INVITED, on_invited_reason, &invited, fault) &&
	       ledger_each_reason(st->store->ledger, PERSON_HELD, on_reason, &held, fault) &&
	       ledger_each_reason(st->store->ledger, PERSON_QUEUED, on_reason, &queued, fault);
}

int64_t status_waiting(const struct status *st, enum person_state state, const char *reason)
{
	for (int i = 0; i < st->waiting_count; i++)
		if (st->waiting[i].state == state && strcmp(st->waiting[i].reason, reason) == 0)
			return st->waiting[i].count;
	return 0;
}

static bool on_person(const struct person *p, void *ctx)
{
	struct status *st = ctx;
	struct status_fault *f;

	if (p->fault_text[0] == '\0')
		return true;
	for (int i = 0; i < st->fault_count; i++) {
		if (strcmp(st->faults[i].code, p->fault_code) == 0) {
			st->faults[i].count++;
			return true;
		}
	}
	if (st->fault_count == STATUS_FAULTS)
		return true;
	f = &st->faults[st->fault_count++];
	f->count = 1;
	str_copy(f->code, sizeof(f->code), p->fault_code);
	str_copy(f->text, sizeof(f->text), p->fault_text);
	str_copy(f->address, sizeof(f->address), p->address);
	return true;
}

static bool read_faults(struct status *st, struct fault *fault)
{
	static const enum person_state states[] = {
		PERSON_FAILED, PERSON_QUEUED, PERSON_UNCONFIRMED, PERSON_HELD};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (st->summary.people[states[i]] > 0 &&
			!ledger_each_person(st->store->ledger, (int)states[i], NULL, FAULT_SAMPLE,
				on_person, st, fault))
			return false;
	return true;
}

static bool on_would_be(const struct person *p, void *ctx)
{
	struct status *st = ctx;

	if (p->reason == REASON_DRY_RUN)
		str_copy(st->would_be[st->would_be_count++], ADDRESS_MAX + 1, p->address);
	return st->would_be_count < STATUS_SHOWN;
}

static bool read_would_be(struct status *st, struct fault *fault)
{
	st->would_be_total = status_waiting(st, PERSON_HELD, "dry_run");
	return st->would_be_total == 0 ||
	       ledger_each_person(st->store->ledger, PERSON_HELD, NULL, 0, on_would_be, st, fault);
}

bool status_read(const struct store *store, struct status *st, struct fault *fault)
{
	*st = (struct status){.store = store};
	return service_state_read(store, &st->service, fault) &&
	       ledger_summarise(store->ledger, st->service.at, &st->summary, fault) &&
	       rate_limit_status(store->ledger, store->settings, &st->rate_limit, fault) &&
	       read_waiting(st, fault) && read_faults(st, fault) && read_would_be(st, fault);
}
