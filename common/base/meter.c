/* SPDX-License-Identifier: Apache-2.0 */
#include "base/meter.h"

#include <string.h>

#include "base/str.h"

#define FIRST_MAX  5
#define SECOND_MAX METER_BUCKETS

struct label {
	const char *name;
	int count; /* 0: there is no such label */
	const char *const *words;
};

#define LABEL(name, list)                                    \
	{                                                    \
		name, sizeof(list) / sizeof((list)[0]), list \
	}

static const char *const reasons[] = {"login", "created", "asked"};
static const char *const methods[] = {"check", "get", "list", "send", "cancel"};
static const char *const outcomes[] = {"ok", "later", "setup", "person"};
static const char *const bounds[METER_BUCKETS] = {
	"0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0", "+Inf"};
static const int64_t bounds_us[METER_BUCKETS] = {
	50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, INT64_MAX};
static const char *const minted[] = {"ok", "failed"};
static const char *const brakes[] = {"google", "accounts"};
static const char *const results[] = {"accepted", "declined", "cancelled"};
static const char *const roles[] = {"collector", "dispatcher"};
static const char *const boxes[] = {"new", "bad"};

static const struct {
	const char *family;
	bool value;
	struct label first, second;
} meters[METERS] = {
	[METER_ARRIVALS] = {.family = "arrivals_total", .first = LABEL("reason", reasons)},
	[METER_REQUESTS] = {.family = "google_requests_total",
		.first = LABEL("method", methods),
		.second = LABEL("outcome", outcomes)},
	[METER_DURATIONS] = {.family = "google_request_duration_seconds_bucket",
		.first = LABEL("method", methods),
		.second = LABEL("le", bounds)},
	[METER_DURATION_US] = {.family = "google_request_duration_us",
		.first = LABEL("method", methods)},
	[METER_THROTTLED] = {.family = "google_throttled_total"},
	[METER_TOKENS] = {.family = "token_mints_total", .first = LABEL("outcome", minted)},
	[METER_BRAKES] = {.family = "brake_trips_total", .first = LABEL("brake", brakes)},
	[METER_LEDGER_ERRORS] = {.family = "ledger_errors_total"},
	[METER_MAILS] = {.family = "mails_sent_total"},
	[METER_RESULTS] = {.family = "invitation_results_total", .first = LABEL("result", results)},
	[METER_FOREIGN] = {.family = "foreign_mails_total"},
	[METER_UNEXPLAINED] = {.family = "unexplained_mails_total"},
	[METER_LAST_SUCCESS] = {.family = "google_last_success_timestamp_seconds", .value = true},
	[METER_CLOCK_SKEW] = {.family = "clock_skew_seconds", .value = true},
	[METER_TOKEN_EXPIRY] = {.family = "token_expiry_timestamp_seconds", .value = true},
	[METER_RELOADED] = {.family = "config_last_reload_successful",
		.value = true,
		.first = LABEL("role", roles)},
	[METER_SPOOL] = {.family = "spool_arrivals", .value = true, .first = LABEL("box", boxes)},
	[METER_SPOOL_OLDEST] = {.family = "spool_oldest_timestamp_seconds", .value = true},
};

static struct {
	int64_t n;
	bool set;
} counts[METERS][FIRST_MAX][SECOND_MAX];

void meter_add(enum meter meter, int first, int second, int64_t n)
{
	counts[meter][first][second].n += n;
}

void meter_set(enum meter meter, int first, int second, int64_t value)
{
	counts[meter][first][second].n = value;
	counts[meter][first][second].set = true;
}

void meter_duration(int method, int64_t microseconds)
{
	for (int bucket = 0; bucket < METER_BUCKETS; bucket++)
		if (microseconds <= bounds_us[bucket])
			meter_add(METER_DURATIONS, method, bucket, 1);
	meter_add(METER_DURATION_US, method, 0, microseconds);
}

int meter_first(enum meter meter)
{
	return meters[meter].first.count > 0 ? meters[meter].first.count : 1;
}

int meter_second(enum meter meter)
{
	return meters[meter].second.count > 0 ? meters[meter].second.count : 1;
}

const char *meter_family(enum meter meter)
{
	return meters[meter].family;
}

bool meter_is_value(enum meter meter)
{
	return meters[meter].value;
}

void meter_name(enum meter meter, int first, int second, char out[METER_NAME_MAX])
{
	const struct label *a = &meters[meter].first, *b = &meters[meter].second;
	const char *family = meters[meter].family;

	if (b->count > 0)
		str_format(out, METER_NAME_MAX, "%s{%s=\"%s\",%s=\"%s\"}", family, a->name,
			a->words[first], b->name, b->words[second]);
	else if (a->count > 0)
		str_format(out, METER_NAME_MAX, "%s{%s=\"%s\"}", family, a->name, a->words[first]);
	else
		str_copy(out, METER_NAME_MAX, family);
}

bool meter_each_change(bool (*each)(const char *name, bool value, int64_t n, void *ctx), void *ctx)
{
	char name[METER_NAME_MAX];
	bool more = true;

	for (int m = 0; m < METERS; m++) {
		for (int a = 0; more && a < meter_first((enum meter)m); a++) {
			for (int b = 0; more && b < meter_second((enum meter)m); b++) {
				if (meters[m].value ? !counts[m][a][b].set : counts[m][a][b].n == 0)
					continue;
				meter_name((enum meter)m, a, b, name);
				more = each(name, meters[m].value, counts[m][a][b].n, ctx);
			}
		}
	}
	return more;
}

void meter_stored(void)
{
	memset(counts, 0, sizeof(counts));
}
