/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the ledger, of the programs that use it, and of its backlog.
 */
#include "cli/doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/common/service_state.h"
#include "ratelimit/rate_limit.h"
#include "spool/reader.h"
#include "spool/walk.h"

#define OLD_ARRIVAL_S	  3600
#define LATE_S		  86400
#define OLD_UNCONFIRMED_S (GOOGLE_LAG_S + 86400)

/* ---- ledger ---- */

static void check_block_copy(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	int64_t count = 0;
	int agrees = ledger_block_copy_agrees(d->ledger, &count, &fault);

	if (agrees < 0)
		doctor_bad(d, &fault);
	else if (agrees == 0)
		doctor_note(d, "block_copy",
			"To write the copy again, block or unblock an address.",
			"the copy of the block list, blocks/list beside the ledger, is not that of "
			"the ledger");
	else if (count > 0)
		doctor_ok(d, "the block list has a copy beside the ledger");
}

void doctor_ledger(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!d->settings) {
		doctor_skip(d, "skipped: needs valid settings");
		return;
	}
	d->ledger = ledger_open(d->settings, LEDGER_WRITE, &fault);
	if (d->ledger && !ledger_check(d->ledger, &fault)) {
		ledger_close(d->ledger);
		d->ledger = NULL;
	}
	if (d->ledger) {
		doctor_ok(d, "%s: schema %d, id %.8s", d->settings->ledger,
			ledger_schema(d->ledger), ledger_id(d->ledger));
		check_block_copy(d);
	} else if (strcmp(fault.code, "ledger_missing") == 0) {
		doctor_note(d, fault.code,
			"systemctl enable --now cloudinvite-collector "
			"cloudinvite-dispatcher",
			"%s: does not exist yet; the services create it when they start",
			d->settings->ledger);
	} else {
		doctor_bad(d, &fault);
	}
}

/* ---- programs ---- */

static void check_program(
	struct doctor *d, const struct service_state *service, const struct program *p)
{
	struct fault fault = {.kind = FAULT_NONE};
	char heard[CLOCK_TEXT_SIZE];

	if (!p->wanted)
		return;
	if (!p->alive) {
		fault_set(
			&fault, FAULT_TRANSIENT, "program_down", "the %s is not running", p->role);
		fault_remedy(&fault,
			"Start it: systemctl enable --now cloudinvite-%s. To see why it ended: "
			"journalctl -u cloudinvite-%s",
			p->role, p->role);
		doctor_bad(d, &fault);
	} else if (!p->has_heartbeat || service->at - p->worker.last_heartbeat > HEARTBEAT_LATE_S) {
		fault_set(&fault, FAULT_TRANSIENT, "program_stuck",
			"the %s is running, but has not sent a heartbeat %s%s", p->role,
			p->has_heartbeat ? "since " : "yet",
			p->has_heartbeat
				? clock_relative(p->worker.last_heartbeat, service->at, heard)
				: "");
		fault_remedy(&fault, "systemctl restart cloudinvite-%s", p->role);
		doctor_bad(d, &fault);
	} else {
		doctor_ok(d, "the %s is running: version %s, %s", p->role, p->worker.version,
			p->worker.status_text[0] ? p->worker.status_text : "working");
	}
}

void doctor_workers(struct doctor *d)
{
	struct store store = {.settings = d->settings, .ledger = d->ledger};
	struct fault fault = {.kind = FAULT_NONE};
	struct service_state service;

	if (!d->ledger) {
		doctor_skip(d, "skipped: needs a readable ledger");
		return;
	}
	if (!service_state_read(&store, &service, &fault)) {
		doctor_bad(d, &fault);
		return;
	}
	check_program(d, &service, &service.collector);
	check_program(d, &service, &service.dispatcher);
}

/* ---- backlog ---- */

void doctor_read_spool(struct doctor *d)
{
	struct doctor_spool *seen = &d->spool;
	struct spool_reader boxes;

	if (!d->settings || d->settings->role == ROLE_HUB ||
		(geteuid() != 0 && access(d->settings->spool, X_OK) != 0 && errno == EACCES))
		return;
	seen->looked = true;
	if (!spool_reader_open(&boxes, d->settings->spool, &seen->fault))
		return;
	if (!spool_stat(boxes.new_dir, &seen->arrivals))
		spool_fault(SPOOL_NEW, "cannot be listed", &seen->fault);
	else if (!spool_stat(boxes.bad_dir, &seen->bad))
		spool_fault(SPOOL_BAD, "cannot be listed", &seen->fault);
	spool_reader_close(&boxes);
}

static void report_arrivals(struct doctor *d, const struct spool_content *box)
{
	char since[CLOCK_TEXT_SIZE];
	struct fault fault;

	if (box->count == 0) {
		doctor_ok(d, "no arrivals are waiting in the spool");
	} else if (clock_wall() - box->oldest < OLD_ARRIVAL_S) {
		doctor_ok(d, "%lld arrivals in the spool, the oldest from %s",
			(long long)box->count, clock_relative(box->oldest, clock_wall(), since));
	} else {
		fault_set(&fault, FAULT_STORAGE, "spool_stuck",
			"%lld arrivals in the spool, the oldest from %s: the collector does not "
			"process them",
			(long long)box->count, clock_relative(box->oldest, clock_wall(), since));
		fault_remedy(&fault,
			"To see why: journalctl -u cloudinvite-collector. No arrivals are lost.");
		doctor_bad(d, &fault);
	}
}

void doctor_backlog(struct doctor *d)
{
	const struct doctor_spool *seen = &d->spool;

	if (!d->settings || d->settings->role == ROLE_HUB) {
		doctor_skip(d, d->settings ? "skipped: this host runs only the dispatcher"
					   : "skipped: needs valid settings");
	} else if (!seen->looked) {
		doctor_skip(d, "skipped: only root can read the spool");
	} else if (seen->fault.kind) {
		doctor_bad(d, &seen->fault);
	} else {
		report_arrivals(d, &seen->arrivals);
		if (seen->bad.count > 0)
			doctor_note(d, "bad_arrivals",
				"Inspect them (as data only: they may be hostile), then delete "
				"them.",
				"%s/" SPOOL_BAD ": %lld file%s that did not belong in the spool",
				d->settings->spool, (long long)seen->bad.count,
				seen->bad.count == 1 ? "" : "s");
	}
}

/* ---- pause ---- */

static void report_pause(struct doctor *d, const struct ledger_pause *p)
{
	struct fault fault = {.kind = FAULT_NONE};
	char since[CLOCK_TEXT_SIZE];

	fault_set(&fault, strcmp(p->kind, "setup") == 0 ? FAULT_SETUP : FAULT_POLICY, "paused",
		"paused since %s by %s: %s", clock_relative(p->since, clock_wall(), since),
		p->actor, p->text);
	fault_remedy(&fault, "%s%s", p->remedy[0] ? p->remedy : "To end it: cloudinvite resume.",
		p->probe_at > 0 ? " It ends automatically once Google accepts the requests again."
				: "");
	doctor_bad(d, &fault);
}

void doctor_pause(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct ledger_reconcile reconcile;
	struct ledger_pause pause;
	int paused, reconciling;

	if (!d->ledger) {
		doctor_skip(d, "skipped: needs a readable ledger");
		return;
	}
	paused = ledger_paused(d->ledger, &pause, &fault);
	reconciling = paused < 0 ? -1 : ledger_reconciling(d->ledger, &reconcile, &fault);
	if (reconciling < 0)
		doctor_bad(d, &fault);
	else if (paused)
		report_pause(d, &pause);
	else if (reconciling)
		doctor_note(d, "reconcile",
			"It ends automatically, within 72 hours by Google's clock.",
			"no invitations are sent for now: %s", reconcile.text);
	else if (d->settings->mode == MODE_DRY_RUN)
		doctor_note(d, "dry_run",
			"To see who would be invited and to start sending: cloudinvite enable.",
			"not paused; mode = dry-run: no invitations are sent");
	else
		doctor_ok(d, "not paused; invitations are sent");
}

/* ---- people ---- */

static void report_failed(struct doctor *d, const struct ledger_summary *sum)
{
	char since[CLOCK_TEXT_SIZE];
	int64_t now = clock_wall();

	if (sum->people[PERSON_FAILED] > 0)
		doctor_note(d, "people_failed", "To see why: cloudinvite status --state failed.",
			"%lld failed", (long long)sum->people[PERSON_FAILED]);
	if (sum->oldest_unconfirmed > 0 && now - sum->oldest_unconfirmed > OLD_UNCONFIRMED_S)
		doctor_note(d, "unconfirmed_old", "cloudinvite status --state unconfirmed",
			"a send has been unconfirmed since %s",
			clock_relative(sum->oldest_unconfirmed, now, since));
	if (sum->oldest_due > 0 && now - sum->oldest_due > LATE_S)
		doctor_note(d, "queue_late",
			"To see what the queue is waiting for: cloudinvite status.",
			"a person in the queue has been due since %s",
			clock_relative(sum->oldest_due, now, since));
}

static int64_t all(const struct ledger_summary *sum)
{
	int64_t people = 0;

	for (int state = 0; state < PERSON_STATES; state++)
		people += sum->people[state];
	return people;
}

void doctor_people(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct ledger_summary sum;

	if (!d->ledger) {
		doctor_skip(d, "skipped: needs a readable ledger");
		return;
	}
	if (!ledger_summarise(d->ledger, clock_wall(), &sum, &fault)) {
		doctor_bad(d, &fault);
		return;
	}
	doctor_ok(d,
		"%lld people: %lld queued, %lld invited, %lld held; %lld accounts without an "
		"address",
		(long long)all(&sum), (long long)sum.people[PERSON_QUEUED],
		(long long)sum.people[PERSON_INVITED], (long long)sum.people[PERSON_HELD],
		(long long)sum.sightings[VERDICT_UNMAPPED]);
	report_failed(d, &sum);
}
