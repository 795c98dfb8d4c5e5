/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of Google's side: the connection, this host's clock, the credential, a token with the
 * right scope and subject, and the API. The sentences for what can go wrong are in common/google.
 */
#include "base/str.h"
#include "cli/doctor/doctor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/privdrop.h"
#include "google/api/google.h"
#include "google/auth/token.h"
#include "google/http/errors.h"
#include "google/types.h"
#include "engine/engine.h"
#include "ratelimit/rate_limit.h"

#define CLOCK_OFF_S 30

/* ---- the connection ---- */

static bool may_ask(struct doctor *d)
{
	if (d->offline)
		doctor_skip(d, "skipped (--offline)");
	else if (!d->settings)
		doctor_skip(d, "skipped: needs valid settings");
	return !d->offline && d->settings;
}

static const char *host_of(const struct settings *s)
{
	return strstr(s->endpoint, "://") ? strstr(s->endpoint, "://") + 3 : s->endpoint;
}

/* Any reply is good: it came over TLS from a host to which Google's name leads. */
void doctor_network(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct http_reply reply = {.status = 0};
	struct http_request request = {.method = "GET"};
	char url[1024];

	if (!may_ask(d))
		return;
	str_format(url, sizeof(url), "%s/", d->settings->endpoint);
	request.url = url;
	d->http = http_open(d->settings, &fault);
	if (!d->http) {
		doctor_bad(d, &fault);
		return;
	}
	http_perform(d->http, &request, &reply);
	d->reached = reply.status != 0 && reply.curl == 0;
	if (d->reached) {
		doctor_ok(d,
			"%s answers%s in %lld ms: name resolution, route and certificate are "
			"correct",
			host_of(d->settings), d->settings->proxy[0] ? " through the proxy" : "",
			(long long)(reply.duration_us / 1000));
	} else {
		error_transport(url, &reply, &fault);
		doctor_bad(d, &fault);
	}
	http_reply_free(&reply);
}

void doctor_clock(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	int64_t skew;

	if (!d->reached) {
		doctor_skip(d, "skipped: Google was not reached");
		return;
	}
	skew = http_clock_skew(d->http);
	if (skew <= CLOCK_OFF_S && skew >= -CLOCK_OFF_S) {
		doctor_ok(d, "within %d s of Google's", CLOCK_OFF_S);
		return;
	}
	fault_set(&fault, FAULT_SETUP, "clock", "this host's clock is %lld s %s Google's",
		(long long)(skew > 0 ? skew : -skew), skew > 0 ? "ahead of" : "behind");
	fault_remedy(&fault, "Run chrony or systemd-timesyncd; timedatectl shows whether the clock "
			     "is synchronised.");
	doctor_bad(d, &fault);
}

/* ---- the credential ---- */

void doctor_credential(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!d->settings) {
		doctor_skip(d, "skipped: needs valid settings");
		return;
	}
	d->credential = credential_load(d->settings, &fault);
	if (!d->credential)
		doctor_bad(d, &fault);
	else
		doctor_ok(d, "%s: %s", d->credential->path, d->credential->identity);
	if (d->credential && d->credential->client_id[0] && d->credential->issuer[0])
		doctor_ok(d,
			"client id %s, for domain-wide delegation with this scope "
			"only: " GOOGLE_SCOPE,
			d->credential->client_id);
}

/* A cached token says nothing about the key as it is today, so a new one is minted. */
void doctor_token(struct doctor *d)
{
	struct token cached = {.value = NULL}, token = {.value = NULL};
	struct fault fault = {.kind = FAULT_NONE};
	char when[CLOCK_TEXT_SIZE];

	if (!d->credential || !d->reached) {
		doctor_skip(d, d->credential ? "skipped: Google was not reached"
					     : "skipped: needs a working credential");
		return;
	}
	if (!token_peek(d->credential, d->settings, &cached, &fault) && fault.kind)
		doctor_bad(d, &fault);
	fault_clear(&fault);
	d->token = token_get(d->credential, d->http, d->settings, cached.value, &token, &fault);
	if (d->token)
		doctor_ok(d, "minted as %s with this scope only; expires %s",
			credential_administrator(d->credential),
			clock_relative(token.expires, clock_wall(), when));
	else
		doctor_bad(d, &fault);
	token_clear(&cached);
	token_clear(&token);
}

/* ---- the API ---- */

/* With a ledger the calls obey its rate limit; without one there are no other calls. */
struct api {
	struct doctor *doctor;
	struct google *google;
	struct engine *engine; /* NULL without a ledger */
	struct fault fault;
};

static void on_page(const struct google_reply *reply, void *ctx)
{
	((struct api *)ctx)->fault = reply->fault;
}

static void on_wait(int64_t wait_ms, void *ctx)
{
	progress_wait(wait_ms, &((struct api *)ctx)->doctor->progress);
}

static bool list_answers(struct api *api)
{
	struct google_call first = {.method = GOOGLE_LIST, .list_page_size = 1};
	struct fault fault = {.kind = FAULT_NONE};
	struct google_reply reply;

	if (api->engine) {
		engine_list(api->engine, &first, on_wait, api, on_page, &fault);
		api->fault = fault.kind ? fault : api->fault;
	} else {
		google_call_sync(api->google, &first, &reply);
		api->fault = reply.fault;
	}
	return api->fault.kind == FAULT_NONE;
}

static bool check_answers(struct api *api, const char *address, bool *invitable)
{
	struct google_call call = {.method = GOOGLE_CHECK, .address = address};
	struct engine_result result = {.invitable = false};
	struct google_reply reply;

	if (api->engine) {
		engine_ask(api->engine, GOOGLE_CHECK, address, on_wait, api, &result);
		api->fault = result.fault;
		*invitable = result.invitable;
	} else {
		google_call_sync(api->google, &call, &reply);
		api->fault = reply.fault;
		*invitable = reply.invitable;
	}
	return api->fault.kind == FAULT_NONE;
}

/* The administrator's account is managed, so the answer is no. Only that there is an answer
 * matters: editions without invitations refuse this method alone. */
static void ask(struct api *api)
{
	struct doctor *d = api->doctor;
	const char *subject = d->credential->subject;
	bool invitable = false;

	if (!list_answers(api)) {
		doctor_bad(d, &api->fault);
		return;
	}
	doctor_ok(d,
		"Cloud Identity API %s answers for customer %s: it is enabled, and %s may invite",
		d->settings->api_version, d->settings->customer,
		credential_administrator(d->credential));
	if (!strchr(subject, '@'))
		return;
	if (!check_answers(api, subject, &invitable))
		doctor_bad(d, &api->fault);
	else
		doctor_ok(d, "the lookup works (tried with %s, who %s)", subject,
			invitable ? "can be invited" : "needs no invitation");
}

void doctor_api(struct doctor *d)
{
	char host[HOST_MAX + 1], owner[HOST_MAX + 32];
	struct engine_options options = {.owner = owner, .actor = d->cli->actor, .admin = true};
	struct api api = {.doctor = d};

	if (!d->token) {
		doctor_skip(d, "skipped: needs a token");
		return;
	}
	local_hostname(host, sizeof(host));
	str_format(owner, sizeof(owner), "doctor@%s:%d", host, (int)getpid());
	api.google = google_open(d->settings, &api.fault);
	if (api.google && d->ledger)
		api.engine = engine_open(d->settings, d->ledger, api.google, &options, &api.fault);
	if (api.fault.kind)
		doctor_bad(d, &api.fault);
	else
		ask(&api);
	engine_close(api.engine);
	google_close(api.google);
}

/* ---- quota ---- */

void doctor_quota(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	char when[CLOCK_TEXT_SIZE];
	struct rate_limit_status rate_limit;

	if (!d->ledger) {
		doctor_skip(d, "skipped: needs a readable ledger");
	} else if (!rate_limit_status(d->ledger, d->settings, &rate_limit, &fault)) {
		doctor_bad(d, &fault);
	} else if (rate_limit.throttled_until_wall > clock_wall()) {
		doctor_note(d, "throttled",
			"No action is needed. If this persists, lower [google] "
			"requests_per_minute: other tools of the organisation use the same quota.",
			"Google asked to slow down until %s",
			clock_relative(rate_limit.throttled_until_wall, clock_wall(), when));
	} else if (rate_limit.configured > 0 && rate_limit.effective < rate_limit.configured) {
		doctor_note(d, "slowed", "The rate rises again automatically while Google answers.",
			"%lld of %lld requests a minute: Google asked to slow down recently",
			(long long)rate_limit.effective, (long long)rate_limit.configured);
	} else if (rate_limit.configured == 0) {
		doctor_note(d, "unlimited",
			"Google is reported to allow an organisation about 60 a minute.",
			"[google] requests_per_minute = 0: there is no limit");
	} else {
		doctor_ok(d, "%lld of %lld requests were made in the last minute",
			(long long)rate_limit.used, (long long)rate_limit.configured);
	}
}
