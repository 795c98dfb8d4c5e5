/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the ledger for a report. The memory that this takes does not depend on the number of
 * people.
 */
#include "base/str.h"
#include "cli/report/report.h"

#include <inttypes.h>
#include <string.h>

#include "base/array.h"

#define WEEK INT64_C(604800)

/* ---- stages ---- */

/* Held or queued for something that comes only after Google has shown an unmanaged account. */
static bool waits_for_the_mail(const char *reason)
{
	static const char *const after[] = {"dry_run", "discovered", "max_mails", "unconfirmed",
		"daily_limit", "send_window", "reconcile"};

	return str_index(after, ARRAY_SIZE(after), reason) >= 0;
}

/* An administrator or the settings have decided so. */
static bool held_for_good(const char *reason)
{
	static const char *const good[] = {"blocked", "max_mails"};

	return str_index(good, ARRAY_SIZE(good), reason) >= 0;
}

static bool was_invited(enum person_state state)
{
	return state == PERSON_INVITED || state == PERSON_ACCEPTED || state == PERSON_DECLINED ||
	       state == PERSON_CANCELLED;
}

static bool is_unmanaged(enum person_state state, const char *reason)
{
	return was_invited(state) || state == PERSON_SENDING || state == PERSON_UNCONFIRMED ||
	       ((state == PERSON_HELD || state == PERSON_QUEUED) && waits_for_the_mail(reason));
}

static bool is_stuck(enum person_state state, const char *reason)
{
	return state == PERSON_FAILED || (state == PERSON_HELD && !held_for_good(reason));
}

void report_stage(
	struct report_stages *stages, enum person_state state, const char *reason, int64_t n)
{
	stages->seen += n;
	stages->unmanaged += is_unmanaged(state, reason) ? n : 0;
	stages->invited += was_invited(state) ? n : 0;
	stages->accepted += state == PERSON_ACCEPTED ? n : 0;
	stages->declined += state == PERSON_DECLINED ? n : 0;
	stages->cancelled += state == PERSON_CANCELLED ? n : 0;
	stages->stuck += is_stuck(state, reason) ? n : 0;
}

int64_t report_open(const struct report_stages *stages)
{
	return stages->invited - stages->accepted - stages->declined - stages->cancelled;
}

struct reasons {
	struct report_stages *stages;
	enum person_state state;
};

static bool on_reason(const char *reason, int64_t count, void *ctx)
{
	const struct reasons *reasons = ctx;

	report_stage(reasons->stages, reasons->state, reason, count);
	return true;
}

static bool read_people(const struct store *store, struct report *r, struct fault *fault)
{
	for (int i = 0; i < PERSON_STATES; i++) {
		struct reasons reasons = {&r->people, (enum person_state)i};
		if (!ledger_each_reason(store->ledger, reasons.state, on_reason, &reasons, fault))
			return false;
	}
	return true;
}

/* ---- hosts ---- */

struct places {
	struct report *report;
	struct report_host host; /* the one whose accounts are being read */
	struct progress *progress;
};

static void add_host(struct report_host *sum, const struct report_host *host)
{
	sum->accounts += host->accounts;
	sum->stages.seen += host->stages.seen;
	sum->stages.unmanaged += host->stages.unmanaged;
	sum->stages.invited += host->stages.invited;
	sum->stages.accepted += host->stages.accepted;
	sum->stages.declined += host->stages.declined;
	sum->stages.cancelled += host->stages.cancelled;
	sum->stages.stuck += host->stages.stuck;
}

/* Adds the host to the largest ones, in order; one that drops out is counted with the others. */
static void end_host(struct places *places)
{
	struct report *r = places->report;
	int at = r->host_count;

	if (places->host.accounts == 0)
		return;
	r->hosts_all++;
	while (at > 0 && r->hosts[at - 1].accounts < places->host.accounts)
		at--;
	if (at == REPORT_HOSTS) {
		add_host(&r->others, &places->host);
		return;
	}
	if (r->host_count == REPORT_HOSTS)
		add_host(&r->others, &r->hosts[--r->host_count]);
	memmove(&r->hosts[at + 1], &r->hosts[at],
		(size_t)(r->host_count - at) * sizeof(r->hosts[0]));
	r->hosts[at] = places->host;
	r->host_count++;
}

static bool on_account_status(const struct ledger_account_status *place, void *ctx)
{
	struct places *places = ctx;

	if (places->host.accounts == 0 || strcmp(places->host.name, place->host) != 0) {
		end_host(places);
		places->host = (struct report_host){.accounts = 0};
		str_copy(places->host.name, sizeof(places->host.name), place->host);
	}
	places->host.accounts++;
	places->report->accounts++;
	if (place->person)
		report_stage(&places->host.stages, place->state, place->reason, 1);
	progress_update(places->progress, "%" PRId64 " accounts read", places->report->accounts);
	return true;
}

static bool read_hosts(
	const struct store *store, struct report *r, struct progress *progress, struct fault *fault)
{
	struct places places = {.report = r, .progress = progress};

	if (!ledger_each_account_status(store->ledger, on_account_status, &places, fault))
		return false;
	end_host(&places);
	return true;
}

/* ---- weeks ---- */

static bool read_weeks(
	const struct store *store, struct report *r, struct progress *progress, struct fault *fault)
{
	int64_t start = ledger_week_start(r->status.service.at);

	for (int i = 0; i < r->week_count; i++) {
		int64_t week = start - (r->week_count - 1 - i) * WEEK;
		if (!ledger_count_week(store->ledger, week, &r->weeks[i], fault))
			return false;
		progress_update(progress, "%d of %d weeks read", i + 1, r->week_count);
	}
	return true;
}

bool report_read(
	const struct store *store, struct report *r, struct progress *progress, struct fault *fault)
{
	return status_read(store, &r->status, fault) && read_people(store, r, fault) &&
	       read_hosts(store, r, progress, fault) && read_weeks(store, r, progress, fault);
}
