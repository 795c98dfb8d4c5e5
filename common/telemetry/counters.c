/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of everything that the programs count, and the counts of this program in memory.
 */
#include "telemetry/counters.h"

#include <string.h>

#include "base/array.h"
#include "base/str.h"

#define LABEL_A_MAX 5
#define LABEL_B_MAX COUNTER_BUCKETS

struct label {
	const char *name;
	int count; /* 0: no label */
	const char *const *words;
};

#define LABEL(name, list)                    \
	{                                    \
		name, ARRAY_SIZE(list), list \
	}

static const char *const reasons[] = {"login", "created", "manual"};
static const char *const methods[] = {"check", "get", "list", "send", "cancel"};
static const char *const outcomes[] = {"ok", "transient", "setup", "rejected"};
static const char *const bounds[COUNTER_BUCKETS] = {
	"0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0", "+Inf"};
static const int64_t bounds_us[COUNTER_BUCKETS] = {
	50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, INT64_MAX};
static const char *const minted[] = {"ok", "failed"};
static const char *const guards[] = {"breaker", "account_changes"};
static const char *const results[] = {"accepted", "declined", "cancelled"};
static const char *const programs[] = {"collector", "dispatcher"};
static const char *const directories[] = {"new", "bad"};

static const struct {
	const char *family;
	bool gauge;
	struct label label_a, label_b;
} counters[COUNTERS] = {
	[COUNTER_ARRIVALS] = {.family = "arrivals_total", .label_a = LABEL("trigger", reasons)},
	[COUNTER_REQUESTS] = {.family = "google_requests_total",
		.label_a = LABEL("method", methods),
		.label_b = LABEL("outcome", outcomes)},
	[COUNTER_DURATIONS] = {.family = "google_request_duration_seconds_bucket",
		.label_a = LABEL("method", methods),
		.label_b = LABEL("le", bounds)},
	[COUNTER_DURATION_US] = {.family = "google_request_duration_us",
		.label_a = LABEL("method", methods)},
	[COUNTER_THROTTLED] = {.family = "google_throttled_requests_total"},
	[COUNTER_TOKENS] = {.family = "token_mints_total", .label_a = LABEL("outcome", minted)},
	[COUNTER_BREAKER_TRIPS] = {.family = "guard_trips_total",
		.label_a = LABEL("guard", guards)},
	[COUNTER_LEDGER_ERRORS] = {.family = "ledger_errors_total"},
	[COUNTER_MAILS] = {.family = "mails_sent_total"},
	[COUNTER_RESULTS] = {.family = "invitation_results_total",
		.label_a = LABEL("result", results)},
	[COUNTER_FOREIGN_MAILS] = {.family = "foreign_mails_total"},
	[COUNTER_UNEXPLAINED_MAILS] = {.family = "unexplained_mails_total"},
	[GAUGE_LAST_SUCCESS] = {.family = "google_last_success_timestamp_seconds", .gauge = true},
	[GAUGE_CLOCK_SKEW] = {.family = "clock_skew_seconds", .gauge = true},
	[GAUGE_TOKEN_EXPIRY] = {.family = "token_expiry_timestamp_seconds", .gauge = true},
	[GAUGE_RELOADED] = {.family = "config_last_reload_successful",
		.gauge = true,
		.label_a = LABEL("program", programs)},
	[GAUGE_SPOOL] = {.family = "spool_files",
		.gauge = true,
		.label_a = LABEL("directory", directories)},
	[GAUGE_SPOOL_OLDEST] = {.family = "spool_oldest_timestamp_seconds", .gauge = true},
};

static struct {
	int64_t n;
	bool set;
} counts[COUNTERS][LABEL_A_MAX][LABEL_B_MAX];

void counter_add(enum counter counter, int label_a, int label_b, int64_t n)
{
	counts[counter][label_a][label_b].n += n;
}

void counter_set(enum counter counter, int label_a, int label_b, int64_t value)
{
	counts[counter][label_a][label_b].n = value;
	counts[counter][label_a][label_b].set = true;
}

void counter_add_duration(int method, int64_t microseconds)
{
	for (int bucket = 0; bucket < COUNTER_BUCKETS; bucket++)
		if (microseconds <= bounds_us[bucket])
			counter_add(COUNTER_DURATIONS, method, bucket, 1);
	counter_add(COUNTER_DURATION_US, method, 0, microseconds);
}

int counter_label_a_values(enum counter counter)
{
	return counters[counter].label_a.count > 0 ? counters[counter].label_a.count : 1;
}

int counter_label_b_values(enum counter counter)
{
	return counters[counter].label_b.count > 0 ? counters[counter].label_b.count : 1;
}

const char *counter_family(enum counter counter)
{
	return counters[counter].family;
}

bool counter_is_gauge(enum counter counter)
{
	return counters[counter].gauge;
}

void counter_name(enum counter counter, int label_a, int label_b, char out[COUNTER_NAME_MAX])
{
	const struct label *a = &counters[counter].label_a, *b = &counters[counter].label_b;
	const char *family = counters[counter].family;

	if (b->count > 0)
		str_format(out, COUNTER_NAME_MAX, "%s{%s=\"%s\",%s=\"%s\"}", family, a->name,
			a->words[label_a], b->name, b->words[label_b]);
	else if (a->count > 0)
		str_format(
			out, COUNTER_NAME_MAX, "%s{%s=\"%s\"}", family, a->name, a->words[label_a]);
	else
		str_copy(out, COUNTER_NAME_MAX, family);
}

bool counters_each_change(
	bool (*each)(const char *name, bool value, int64_t n, void *ctx), void *ctx)
{
	char name[COUNTER_NAME_MAX];
	bool more = true;

	for (int m = 0; m < COUNTERS; m++) {
		for (int a = 0; more && a < counter_label_a_values((enum counter)m); a++) {
			for (int b = 0; more && b < counter_label_b_values((enum counter)m); b++) {
				if (counters[m].gauge ? !counts[m][a][b].set
						      : counts[m][a][b].n == 0)
					continue;
				counter_name((enum counter)m, a, b, name);
				more = each(name, counters[m].gauge, counts[m][a][b].n, ctx);
			}
		}
	}
	return more;
}

void counters_flushed(void)
{
	memset(counts, 0, sizeof(counts));
}
