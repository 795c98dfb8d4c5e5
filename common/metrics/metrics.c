/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of metrics. Everything is read from the ledger first, so that a fault leaves no half of
 * a page; then each group of families is written.
 */
#include "metrics/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/minmax.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/api/google.h"
#include "ratelimit/rate_limit.h"

#define STORED_MAX 256 /* far more than there are series */
#define LABEL_MAX  160 /* bytes of a label's value; a longer one ends with "…" */

/* The two programs, and any other that the ledger has a row of. */
static const char *const roles[] = {"collector", "dispatcher", "unknown"};
#define ROLES (ARRAY_SIZE(roles))

struct stored {
	char name[COUNTER_NAME_MAX];
	int64_t n;
};

/* Everything that is reported, read before a line is written. */
struct facts {
	const struct settings *settings;
	struct ledger *ledger;
	int64_t now;
	struct ledger_summary summary;
	struct ledger_worker workers[ROLES]; /* the most recent of each program */
	bool works[ROLES];
	struct rate_limit_status rate_limit;
	bool paused, reconciling, dispatches;
	struct ledger_pause pause;
	int64_t resync_at, resync_pages;
	struct stored stored[STORED_MAX];
	int stored_count;
};

/* ---- reading ---- */

static bool store_counter(const char *name, int64_t n, void *ctx)
{
	struct facts *f = ctx;

	str_copy(f->stored[f->stored_count].name, COUNTER_NAME_MAX, name);
	f->stored[f->stored_count].n = n;
	return ++f->stored_count < STORED_MAX;
}

static bool take_worker(const struct ledger_worker *w, void *ctx)
{
	struct facts *f = ctx;
	size_t i = 0;

	while (i < ROLES - 1 && strcmp(w->program, roles[i]) != 0)
		i++;
	if (!f->works[i] || w->last_heartbeat > f->workers[i].last_heartbeat)
		f->workers[i] = *w;
	f->works[i] = true;
	return true;
}

static bool read_number(struct facts *f, const char *key, int64_t *out, struct fault *fault)
{
	long long number = 0;
	char value[32];
	int found = ledger_get(f->ledger, key, value, sizeof(value), fault);

	if (found > 0)
		(void)str_number(value, 0, INT64_MAX, &number);
	*out = number;
	return found >= 0;
}

static bool read_facts(struct facts *f, struct fault *fault)
{
	struct ledger_reconcile reconcile;
	int paused = ledger_paused(f->ledger, &f->pause, fault);
	int reconciling = paused < 0 ? -1 : ledger_reconciling(f->ledger, &reconcile, fault);

	f->paused = paused > 0;
	f->reconciling = reconciling > 0;
	return reconciling >= 0 && ledger_summarise(f->ledger, f->now, &f->summary, fault) &&
	       rate_limit_status(f->ledger, f->settings, &f->rate_limit, fault) &&
	       ledger_each_worker(f->ledger, take_worker, f, fault) &&
	       ledger_each_counter(f->ledger, store_counter, f, fault) &&
	       read_number(f, "resync_done", &f->resync_at, fault) &&
	       read_number(f, "resync_pages", &f->resync_pages, fault);
}

static const int64_t *find(const struct facts *f, const char *name)
{
	for (int i = 0; i < f->stored_count; i++)
		if (strcmp(f->stored[i].name, name) == 0)
			return &f->stored[i].n;
	return NULL;
}

/* 0 for a counter that has never counted. */
static int64_t stored_value(const struct facts *f, enum counter counter, int first, int second)
{
	char name[COUNTER_NAME_MAX];
	const int64_t *n;

	counter_name(counter, first, second, name);
	n = find(f, name);
	return n && *n > 0 ? *n : 0;
}

/* ---- writing ---- */

struct page {
	struct strbuf *out;
	enum metrics_format format;
};

/* OpenMetrics names a family of counters without the suffix. */
static void head(const struct page *p, const char *family, const char *type, const char *help)
{
	int len = (int)strlen(family);

	if (p->format == METRICS_OPENMETRICS && strcmp(type, "counter") == 0)
		len -= (int)strlen("_total");
	strbuf_addf(p->out, "# HELP cloudinvite_%.*s %s\n# TYPE cloudinvite_%.*s %s\n", len, family,
		help, len, family, type);
}

static void one(const struct page *p, const char *name, int64_t value)
{
	strbuf_addf(p->out, "cloudinvite_%s %lld\n", name, (long long)value);
}

/* A label's value: printable, with the escapes of the exposition format. */
static void add_label(const struct page *p, const char *label, const char *value)
{
	char safe[LABEL_MAX];

	strbuf_addf(p->out, "%s=\"", label);
	for (const char *c = str_safe(safe, sizeof(safe), value); *c; c++)
		strbuf_addf(p->out, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
	strbuf_add(p->out, "\"");
}

static void labelled(const struct page *p, const char *family, const char *label, const char *word,
	int64_t value)
{
	strbuf_addf(p->out, "cloudinvite_%s{", family);
	add_label(p, label, word);
	strbuf_addf(p->out, "} %lld\n", (long long)value);
}

static void gauge(const struct page *p, const char *name, const char *help, int64_t value)
{
	head(p, name, "gauge", help);
	one(p, name, value);
}

/* All series of one counter or gauge. A gauge that was never set is left out. */
static void write_family(
	const struct page *p, const struct facts *f, enum counter m, const char *help)
{
	char name[COUNTER_NAME_MAX];
	const int64_t *n;

	head(p, counter_family(m), counter_is_gauge(m) ? "gauge" : "counter", help);
	for (int a = 0; a < counter_label_a_values(m); a++) {
		for (int b = 0; b < counter_label_b_values(m); b++) {
			counter_name(m, a, b, name);
			n = find(f, name);
			if (!counter_is_gauge(m))
				one(p, name, stored_value(f, m, a, b));
			else if (n)
				one(p, name, *n);
		}
	}
}

static void durations(const struct page *p, const struct facts *f)
{
	static const char family[] = "google_request_duration_seconds";
	char name[COUNTER_NAME_MAX];

	head(p, family, "histogram", "Response time of Google.");
	for (int method = 0; method < counter_label_a_values(COUNTER_DURATIONS); method++) {
		const char *word = google_method_word((enum google_method)method);
		int64_t us = stored_value(f, COUNTER_DURATION_US, method, 0);

		for (int bucket = 0; bucket < COUNTER_BUCKETS; bucket++) {
			counter_name(COUNTER_DURATIONS, method, bucket, name);
			one(p, name, stored_value(f, COUNTER_DURATIONS, method, bucket));
		}
		strbuf_addf(p->out, "cloudinvite_%s_sum{method=\"%s\"} %lld.%06lld\n", family, word,
			(long long)(us / 1000000), (long long)(us % 1000000));
		strbuf_addf(p->out, "cloudinvite_%s_count{method=\"%s\"} %lld\n", family, word,
			(long long)stored_value(f, COUNTER_DURATIONS, method, COUNTER_BUCKETS - 1));
	}
}

/* The ledger's text is reported as a version only if it looks like one. */
static const char *version_of(const struct ledger_worker *w)
{
	static const char shape[] = "0123456789abcdefghijklmnopqrstuvwxyz.+~-";

	return ascii_is_digit(w->version[0]) && w->version[strspn(w->version, shape)] == '\0'
		       ? w->version
		       : "unknown";
}

static void programs(const struct page *p, const struct facts *f)
{
	head(p, "build_info", "gauge", "Programs that use the ledger.");
	for (size_t i = 0; i < ROLES; i++) {
		if (!f->works[i])
			continue;
		strbuf_add(p->out, "cloudinvite_build_info{");
		add_label(p, "version", version_of(&f->workers[i]));
		strbuf_add(p->out, ",");
		add_label(p, "program", roles[i]);
		strbuf_add(p->out, "} 1\n");
	}
	head(p, "heartbeat_timestamp_seconds", "gauge", "Time of the program's last heartbeat.");
	for (size_t i = 0; i < ROLES; i++)
		if (f->works[i])
			labelled(p, "heartbeat_timestamp_seconds", "program", roles[i],
				f->workers[i].last_heartbeat);
	write_family(p, f, GAUGE_RELOADED, "1 if the settings on disk are the ones in use.");
}

static void held(const struct page *p, const struct facts *f)
{
	static const char *const kinds[] = {"setup", "operator", "breaker", "account_changes"};
	bool dry = f->settings->mode == MODE_DRY_RUN;

	head(p, "mode", "gauge", "1 for the current mode.");
	labelled(p, "mode", "mode", "dry-run", dry);
	labelled(p, "mode", "mode", "send", !dry);
	head(p, "paused", "gauge", "1 while a pause of this kind stops the invitations.");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		labelled(p, "paused", "kind", kinds[i],
			f->paused && strcmp(f->pause.kind, kinds[i]) == 0);
	labelled(p, "paused", "kind", "reconcile", f->reconciling);
	write_family(p, f, COUNTER_BREAKER_TRIPS,
		"Number of times that the breaker or the account change guard tripped.");
}

/* Seconds since then; 0 if there is no time, or if it is in the future. */
static int64_t age(const struct facts *f, int64_t since)
{
	return since > 0 && since < f->now ? f->now - since : 0;
}

static void people(const struct page *p, const struct facts *f)
{
	head(p, "accounts", "gauge", "Accounts of the hosts, by verdict.");
	for (int v = VERDICT_NONE; v <= VERDICT_COLLISION; v++)
		labelled(p, "accounts", "verdict", verdict_word((enum verdict_kind)v),
			f->summary.sightings[v]);
	head(p, "people", "gauge", "People, by state.");
	for (int state = 0; state < PERSON_STATES; state++)
		labelled(p, "people", "state", person_state_word((enum person_state)state),
			f->summary.people[state]);
	gauge(p, "unconfirmed_oldest_age_seconds",
		"Time since which it is not known whether a mail went out.",
		age(f, f->summary.oldest_unconfirmed));
	write_family(p, f, COUNTER_MAILS, "Invitations that Google confirmed.");
	write_family(p, f, COUNTER_RESULTS, "Results of invitations.");
	write_family(p, f, COUNTER_FOREIGN_MAILS,
		"Mails sent by others to people this ledger never invited.");
	write_family(p, f, COUNTER_UNEXPLAINED_MAILS,
		"Mails sent by others to people this ledger invited.");
}

static void spool(const struct page *p, const struct facts *f)
{
	const int64_t *oldest = find(f, counter_family(GAUGE_SPOOL_OLDEST));

	write_family(p, f, COUNTER_ARRIVALS, "Logins and accounts that the collector processed.");
	write_family(p, f, GAUGE_SPOOL, "Files in the spool: waiting, and set aside as broken.");
	if (oldest)
		gauge(p, "spool_oldest_arrival_age_seconds", "Age of the oldest waiting arrival.",
			age(f, *oldest));
}

static void queue(const struct page *p, const struct facts *f)
{
	head(p, "queued_people", "gauge", "People waiting for a call to Google.");
	for (int class = PRIO_NEW; class <= PRIO_BACKGROUND; class ++)
		labelled(p, "queued_people", "priority", priority_word((enum priority) class),
			f->summary.queue[class]);
	gauge(p, "queue_delay_seconds", "How long the next person in the queue is overdue.",
		age(f, f->summary.oldest_due));
	head(p, "rate_limit_requests_per_minute", "gauge", "Allowed calls a minute; 0: no limit.");
	labelled(p, "rate_limit_requests_per_minute", "kind", "configured",
		f->rate_limit.configured);
	labelled(p, "rate_limit_requests_per_minute", "kind", "effective",
		f->rate_limit.configured > 0 ? f->rate_limit.effective : 0);
	if (f->settings->sends_per_day > 0) {
		int64_t left = f->settings->sends_per_day - f->summary.mails_today;

		gauge(p, "daily_limit_remaining", "Invitations that may still be sent today.",
			max_i64(left, 0));
	}
	if (f->resync_at > 0)
		gauge(p, "resync_last_success_timestamp_seconds",
			"Time of the last complete resync.", f->resync_at);
	if (f->resync_pages > 0)
		gauge(p, "resync_pages", "Pages of Google's list at the last resync.",
			f->resync_pages);
}

static void google(const struct page *p, const struct facts *f)
{
	write_family(p, f, COUNTER_REQUESTS, "Calls to Google's API, by result.");
	durations(p, f);
	write_family(p, f, GAUGE_LAST_SUCCESS, "Time of Google's last answer.");
	write_family(p, f, COUNTER_THROTTLED, "Calls that Google rejected because of the quota.");
	write_family(p, f, GAUGE_CLOCK_SKEW, "How far the host's clock is ahead of Google's.");
	write_family(p, f, COUNTER_TOKENS, "Access token requests.");
	write_family(p, f, GAUGE_TOKEN_EXPIRY, "Time when the access token expires.");
}

static void ledger(const struct page *p, const struct facts *f)
{
	int64_t bytes = ledger_bytes(f->ledger);

	write_family(p, f, COUNTER_LEDGER_ERRORS, "Ledger read and write errors.");
	if (bytes >= 0)
		gauge(p, "ledger_size_bytes", "Size of the ledger file.", bytes);
	gauge(p, "ledger_schema_version", "Schema version of the ledger.",
		ledger_schema(f->ledger));
}

bool metrics_write(struct ledger *l, const struct settings *settings, enum metrics_format format,
	struct strbuf *out, struct fault *fault)
{
	const struct page p = {out, format};
	struct facts *f = calloc(1, sizeof(*f));
	bool ok;

	if (!f)
		return fault_no_memory(fault, FAULT_STORAGE);
	f->settings = settings;
	f->ledger = l;
	f->now = clock_wall();
	f->dispatches = settings->role != ROLE_HOST;
	ok = read_facts(f, fault);
	if (ok) {
		programs(&p, f);
		held(&p, f);
		spool(&p, f);
		people(&p, f);
		if (f->dispatches) {
			queue(&p, f);
			google(&p, f);
		}
		ledger(&p, f);
		if (format == METRICS_OPENMETRICS)
			strbuf_add(out, "# EOF\n");
		ok = !out->failed || fault_no_memory(fault, FAULT_STORAGE);
	}
	free(f);
	return ok;
}
