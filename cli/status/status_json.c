/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status --json (docs/design.md, "Commands"). People are read page by page and written one at a
 * time.
 */
#include "cli/status/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/common/json.h"

#define LIMIT 1000 /* people without --all */
#define PAGE  200

/* ---- state of the service ---- */

static json_t *program_json(const struct program *p)
{
	const struct ledger_worker *w = &p->worker;

	if (!p->has_heartbeat)
		return json_pack("{s:s, s:b, s:b, s:n, s:n, s:n, s:n, s:n, s:n}", "program",
			p->role, "expected", p->wanted, "running", p->alive, "host", "version",
			"pid", "last_heartbeat", "started", "status");
	return json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "program", p->role,
		"expected", p->wanted, "running", p->alive, "host", json_text(w->host), "version",
		json_text(w->version), "pid", json_count(w->pid), "last_heartbeat",
		json_time(w->last_heartbeat), "started", json_time(w->started), "status",
		json_text(w->status_text));
}

static json_t *pause_json(const struct service_state *service)
{
	const struct ledger_pause *p = &service->pause;

	if (!service->paused)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "kind", json_text(p->kind), "reason",
		json_text(p->text), "remedy", json_text(p->remedy), "actor", json_text(p->actor),
		"since", json_time(p->since), "next_probe", json_time(p->probe_at));
}

static json_t *reconcile_json(const struct service_state *service)
{
	const struct ledger_reconcile *r = &service->reconcile;

	if (!service->reconciling)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:b}", "cause", json_text(r->cause), "reason",
		json_text(r->text), "since", json_time(r->since), "until",
		json_time(service_state_reconcile_end(service)), "list_read", r->list_read);
}

static json_t *rate_limit_json(const struct status *st)
{
	const struct rate_limit_status *p = &st->rate_limit;

	return json_pack("{s:o, s:o, s:I, s:I, s:o, s:I}", "configured",
		p->configured > 0 ? json_integer(p->configured) : json_null(), "effective",
		p->configured > 0 ? json_integer(p->effective) : json_null(), "used",
		(json_int_t)p->used, "wait_ms", (json_int_t)p->wait_ms, "throttled_until",
		json_time(p->throttled_until_wall > st->service.at ? p->throttled_until_wall : 0),
		"eta_seconds", (json_int_t)status_expect(st, status_pacing(st)));
}

static json_t *waiting_json(const struct status *st)
{
	json_t *list = json_array();

	for (int i = 0; i < st->waiting_count; i++)
		json_array_append_new(list, json_pack("{s:s, s:o, s:I}", "state",
						    person_state_word(st->waiting[i].state),
						    "reason", json_text(st->waiting[i].reason),
						    "count", (json_int_t)st->waiting[i].count));
	return list;
}

static json_t *faults_json(const struct status *st)
{
	json_t *list = json_array();

	for (int i = 0; i < st->fault_count; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o, s:I}", "code", json_text(st->faults[i].code),
				"message", json_text(st->faults[i].text), "address",
				json_text(st->faults[i].address), "count",
				(json_int_t)st->faults[i].count));
	return list;
}

static json_t *verdicts_json(const struct status *st)
{
	json_t *counts = json_object();

	for (int i = VERDICT_NONE; i <= VERDICT_COLLISION; i++)
		json_object_set_new(counts, verdict_word((enum verdict_kind)i),
			json_integer(st->summary.sightings[i]));
	return counts;
}

static json_t *worker_json(const struct status *st)
{
	const struct settings *settings = st->store->settings;
	json_t *worker = json_pack("{s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:o}", "version",
		CLOUDINVITE_VERSION, "mode", st->service.dry_run ? "dry-run" : "send", "pause",
		pause_json(&st->service), "rate_limit", rate_limit_json(st), "sends_per_day",
		(json_int_t)settings->sends_per_day, "mails_today",
		(json_int_t)st->summary.mails_today, "blocked", (json_int_t)st->summary.blocked,
		"oldest_unconfirmed", json_time(st->summary.oldest_unconfirmed));

	json_object_set_new(worker, "reconcile", reconcile_json(&st->service));
	json_object_set_new(worker, "programs",
		json_pack("[o, o]", program_json(&st->service.collector),
			program_json(&st->service.dispatcher)));
	json_object_set_new(worker, "verdicts", verdicts_json(st));
	json_object_set_new(worker, "waiting", waiting_json(st));
	json_object_set_new(worker, "errors", faults_json(st));
	json_object_set_new(worker, "ledger",
		json_pack("{s:s, s:i}", "id", ledger_id(st->store->ledger), "schema",
			ledger_schema(st->store->ledger)));
	return worker;
}

static json_t *summary_json(const struct status *st)
{
	json_t *counts = json_object();

	for (int i = 0; i < PERSON_STATES; i++)
		json_object_set_new(counts, person_state_word((enum person_state)i),
			json_integer(st->summary.people[i]));
	return counts;
}

/* ---- people ---- */

struct page {
	struct person people[PAGE];
	int count;
	int64_t written;
};

static bool on_person(const struct person *p, void *ctx)
{
	struct page *page = ctx;

	page->people[page->count++] = *p;
	return true;
}

static bool add_sighting(const struct ledger_sighting *s, void *ctx)
{
	return json_array_append_new(ctx, json_sighting(s)) == 0;
}

static bool write_person(
	const struct status *st, const struct person *p, struct page *page, struct fault *fault)
{
	json_t *person = json_person(p);
	bool ok = ledger_each_sighting(st->store->ledger, NULL, NULL, p->address, add_sighting,
		json_object_get(person, "sightings"), fault);

	if (ok)
		fputs(page->written++ > 0 ? ",\n" : "\n", stdout);
	if (!ok || !json_put(person)) {
		if (!ok)
			json_decref(person);
		return ok ? fault_set(fault, FAULT_STORAGE, "output", "cannot write the answer")
			  : false;
	}
	return true;
}

/* Whether there are people after the last full page. */
static bool read_next_page(const struct status *st, const struct status_request *request,
	struct page *page, const char *last, bool *more, struct fault *fault)
{
	page->count = 0;
	if (!ledger_each_person(st->store->ledger, request->state, last, 1, on_person, page, fault))
		return false;
	*more = page->count > 0;
	return true;
}

/* Writes the people after `last`, which is advanced; *more tells whether there are others. */
static bool write_pages(const struct status *st, const struct status_request *request,
	struct page *page, char last[ADDRESS_MAX + 1], bool *more, struct fault *fault)
{
	const int64_t limit = request->all ? INT64_MAX : LIMIT;

	for (*more = true; *more && page->written < limit && !ferror(stdout);) {
		page->count = 0;
		if (!ledger_each_person(st->store->ledger, request->state,
			    last[0] != '\0' ? last : NULL, PAGE, on_person, page, fault))
			return false;
		*more = page->count == PAGE;
		for (int i = 0; i < page->count; i++)
			if (!write_person(st, &page->people[i], page, fault))
				return false;
		if (page->count > 0)
			str_copy(last, ADDRESS_MAX + 1, page->people[page->count - 1].address);
	}
	return !*more || read_next_page(st, request, page, last, more, fault);
}

static bool write_named(const struct status *st, const struct status_request *request,
	struct page *page, bool *all_known, struct fault *fault)
{
	struct person p;

	for (int i = 0; i < request->target_count; i++) {
		int found = ledger_person(st->store->ledger, request->target[i].address, &p, fault);
		if (found < 0 || (found > 0 && !write_person(st, &p, page, fault)))
			return false;
		*all_known = *all_known && found > 0;
	}
	return true;
}

/* ---- everything ---- */

bool status_write(
	const struct status *st, const struct status_request *request, struct fault *fault)
{
	struct page *page = calloc(1, sizeof(*page));
	char last[ADDRESS_MAX + 1] = "";
	bool more = false, all_known = true, ok;

	if (!page)
		return fault_no_memory(fault, FAULT_STORAGE);
	if (request->after)
		str_copy(last, sizeof(last), request->after);
	printf("{\"schema\":%d,\n\"summary\":", JSON_SCHEMA);
	json_put(summary_json(st));
	fputs(",\n\"people\":[", stdout);
	ok = request->target ? write_named(st, request, page, &all_known, fault)
			     : write_pages(st, request, page, last, &more, fault);
	free(page);
	if (!ok)
		return false;
	fputs(more ? "],\n\"more\":true,\"next\":" : "],\n\"more\":false,\"next\":", stdout);
	json_put(more ? json_text(last) : json_null());
	fputs(",\n\"service\":", stdout);
	json_put(worker_json(st));
	fputs("}\n", stdout);
	return all_known;
}
