/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of calls and the token that they share. A call waits in the queue until there is a
 * token, is then in flight at http, and ends with exactly one call of its `done`. It is repeated in
 * two cases, once in each: after a 401, because Google has then done nothing; and a call without
 * effect when its connection was dead. A repeat is another request: it waits for its own permit.
 */
#include "google/api/google.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "google/api/outcome.h"
#include "google/api/parse.h"
#include "google/api/request.h"
#include "google/auth/credential.h"
#include "google/auth/token.h"
#include "google/http/client_certificate.h"
#include "google/http/http.h"
#include "telemetry/counters.h"

#define CREDENTIAL_CHECK_MS 1000 /* how often the credential's file is checked */
#define SYNC_POLL_MS	    250	 /* how often google_call_sync() asks whether to stop */

/* A call waits in the queue until google_poll has a token for it, and is then in flight at http. */
struct call {
	struct google *g;
	struct google_call what; /* the strings are our copies */
	struct strbuf url;
	struct fault fault; /* found before it began */
	google_done *done;
	void *ctx;
	unsigned token; /* number of the token with which it was sent */
	bool refreshed; /* it has already had a 401, … */
	bool restarted; /* … or a dead connection */
	bool needs_permit;
	int64_t ask_ms; /* not before then */
	struct call *next;
};

struct google {
	const struct settings *settings;
	struct credential *credential;
	struct http *http;
	struct token token;
	unsigned token_number; /* grows with every other token */
	bool token_refused;
	int64_t checked_ms; /* when the credential's file was last checked */
	struct call *queue, **queue_end;
	int in_flight;
	struct reply_storage sync_storage; /* storage of the reply of google_call_sync() */
};

struct google *google_open(const struct settings *settings, struct fault *fault)
{
	struct google *g = calloc(1, sizeof(*g));

	if (!g) {
		fault_no_memory(fault, FAULT_TRANSIENT);
		return NULL;
	}
	g->settings = settings;
	g->queue_end = &g->queue;
	g->checked_ms = clock_boot_ms();
	if (client_certificate_check(settings, fault))
		g->credential = credential_load(settings, fault);
	if (g->credential)
		g->http = http_open(settings, fault);
	if (g->http)
		return g;
	google_close(g);
	return NULL;
}

void google_close(struct google *g)
{
	if (!g)
		return;
	if (g->http)
		google_stop(g);
	http_close(g->http);
	credential_free(g->credential);
	token_clear(&g->token);
	reply_storage_free(&g->sync_storage);
	free(g);
}

void google_interrupt(struct google *g, bool (*stop)(void *ctx), void *ctx)
{
	http_interrupt(g->http, stop, ctx);
}

int64_t google_clock_skew(const struct google *g)
{
	return http_clock_skew(g->http);
}

int google_in_flight(const struct google *g)
{
	return g->in_flight;
}

/* ---- calls ---- */

static bool duplicate(const char **s)
{
	char *copy = *s ? strdup(*s) : NULL;
	bool ok = copy || !*s;

	*s = copy;
	return ok;
}

static bool copy_call(struct google_call *call)
{
	bool ok = duplicate(&call->address);

	ok = duplicate(&call->list_page_token) && ok;
	ok = duplicate(&call->list_filter) && ok;
	return duplicate(&call->list_order) && ok;
}

static void free_string(const char *s)
{
	free((void *)(uintptr_t)s);
}

static void call_free(struct call *call)
{
	free_string(call->what.address);
	free_string(call->what.list_page_token);
	free_string(call->what.list_filter);
	free_string(call->what.list_order);
	strbuf_free(&call->url);
	free(call);
}

static void enqueue(struct google *g, struct call *call)
{
	call->next = NULL;
	*g->queue_end = call;
	g->queue_end = &call->next;
}

static struct call *take_queue(struct google *g)
{
	struct call *list = g->queue;

	g->queue = NULL;
	g->queue_end = &g->queue;
	return list;
}

void google_start(struct google *g, const struct google_call *call, google_done *done, void *ctx)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c) {
		/* The result of the call cannot be reported, so it is better to end and be
		 * restarted. */
		log_event(LOG_LEVEL_ERROR, "no_memory", "out of memory");
		abort();
	}
	c->g = g;
	c->what = *call;
	c->done = done;
	c->ctx = ctx;
	if (!copy_call(&c->what))
		fault_no_memory(&c->fault, FAULT_TRANSIENT);
	else
		request_url(g->settings, &c->what, &c->url, &c->fault);
	g->in_flight++;
	enqueue(g, c);
}

/* ---- the end of a call ---- */

static void store_reply(void *ctx, const struct google_reply *reply)
{
	*(struct google_reply *)ctx = *reply;
}

static enum counter_outcome outcome(enum fault_kind kind)
{
	if (kind == FAULT_NONE)
		return OUTCOME_OK;
	if (kind == FAULT_REJECTED)
		return OUTCOME_REJECTED;
	return kind == FAULT_TRANSIENT || kind == FAULT_AMBIGUOUS ? OUTCOME_TRANSIENT
								  : OUTCOME_SETUP;
}

static void count(const struct google *g, enum google_method method, const struct google_reply *r)
{
	if (r->fault.kind == FAULT_STOPPED)
		return;
	counter_add(COUNTER_REQUESTS, (int)method, (int)outcome(r->fault.kind), 1);
	if (r->status != 0)
		counter_add_duration((int)method, r->duration_us);
	if (r->quota)
		counter_add(COUNTER_THROTTLED, 0, 0, 1);
	if (r->date != 0)
		counter_set(GAUGE_CLOCK_SKEW, 0, 0, google_clock_skew(g));
	if (r->fault.kind == FAULT_NONE)
		counter_set(GAUGE_LAST_SUCCESS, 0, 0, clock_wall());
}

static void finish(
	struct call *call, const struct google_reply *reply, struct reply_storage *memory)
{
	struct google *g = call->g;

	count(g, call->what.method, reply);
	g->in_flight--;
	/* gcc -fanalyzer believes that the call is lost between google_start and here: it is in the
	 * queue. */
	call->done(call->ctx, reply);
	if (call->done == store_reply) {
		g->sync_storage = *memory;
		*memory = (struct reply_storage){0};
	}
	reply_storage_free(memory);
	call_free(call);
}

static void finish_early(struct call *call, const struct fault *fault)
{
	struct google_reply reply = {.fault = *fault, .retry_after = -1};
	struct reply_storage none = {0};

	finish(call, &reply, &none);
}

/* A 401 means that the call had no effect. Its token may have been replaced meanwhile. */
static bool refresh(struct call *call, const struct http_reply *reply)
{
	struct google *g = call->g;

	if (reply->curl || reply->status != 401 || call->refreshed)
		return false;
	call->refreshed = true;
	if (call->token == g->token_number)
		g->token_refused = true;
	return true;
}

/* libcurl would have sent it again, without asking. */
static bool reconnect(struct call *call, const struct http_reply *reply)
{
	if (!reply->restarted || call->restarted || !method_is_idempotent(call->what.method))
		return false;
	call->restarted = true;
	return true;
}

static bool repeat(struct call *call, const struct http_reply *reply)
{
	if (!refresh(call, reply) && !reconnect(call, reply))
		return false;
	call->needs_permit = call->what.permit;
	call->ask_ms = 0;
	enqueue(call->g, call);
	return true;
}

static void on_reply(void *ctx, const struct http_reply *http)
{
	struct call *call = ctx;
	struct google *g = call->g;
	struct reply_storage memory = {0};
	struct google_reply reply;

	if (repeat(call, http))
		return;
	outcome_from_http(&call->what, g->credential, g->settings->customer, call->url.data, http,
		&memory, &reply);
	finish(call, &reply, &memory);
}

/* ---- the start of a call ---- */

static void forget_token(struct google *g)
{
	token_clear(&g->token);
	g->token_refused = false;
}

/* A replaced key counts from the next call on. */
static void check_credential(struct google *g)
{
	int64_t now = clock_boot_ms();

	if (now - g->checked_ms < CREDENTIAL_CHECK_MS)
		return;
	g->checked_ms = now;
	if (credential_refresh(&g->credential))
		forget_token(g);
}

static bool ensure_token(struct google *g, struct fault *fault)
{
	struct token fresh = {0};

	if (!g->token_refused && token_fresh(&g->token))
		return true;
	if (!token_get(g->credential, g->http, g->settings,
		    g->token_refused ? g->token.value : NULL, &fresh, fault))
		return false;
	forget_token(g);
	g->token = fresh;
	counter_set(GAUGE_TOKEN_EXPIRY, 0, 0, fresh.expires);
	g->token_number++;
	return true;
}

static void start_request(struct google *g, struct call *call)
{
	const char *body = request_body(call->what.method);
	const struct http_request request = {.method = request_method(call->what.method),
		.url = call->url.data,
		.bearer = g->token.value,
		.api = true,
		.quota_project = g->credential->quota_project,
		.content_type = body ? "application/json" : NULL,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.no_replay = !method_is_idempotent(call->what.method),
		.begin_until_ms = call->what.begin_until_ms};
	struct fault fault = {0};

	call->token = g->token_number;
	/* gcc -fanalyzer believes that the call is lost: on_reply or finish_early gets it. */
	if (http_start(g->http, &request, on_reply, call))
		return;
	fault_no_memory(&fault, FAULT_TRANSIENT);
	finish_early(call, &fault);
}

/* False: it waits for its permit. A call without effect may begin late: as late as its permit. */
static bool get_permit(struct call *call)
{
	int64_t now = clock_boot_ms(), wait;

	if (!call->needs_permit)
		return true;
	if (now < call->ask_ms)
		return false;
	wait = call->what.permit(call->what.permit_ctx);
	call->ask_ms = now + wait;
	call->needs_permit = wait > 0;
	if (wait == 0 && call->what.begin_until_ms && method_is_idempotent(call->what.method))
		call->what.begin_until_ms = google_begin_until(call->g->settings, now);
	return wait == 0;
}

static bool is_too_late(struct call *call)
{
	bool waits = call->needs_permit && method_is_idempotent(call->what.method);

	if (call->fault.kind || waits || !call->what.begin_until_ms ||
		clock_boot_ms() <= call->what.begin_until_ms)
		return false;
	error_stood_still(&call->fault);
	return true;
}

/* One token, or one failure, for all calls that wait. */
static void start_queued(struct google *g)
{
	struct call *list = take_queue(g), *call;
	struct fault no_token = {0};

	while ((call = list)) {
		list = call->next;
		if (!is_too_late(call) && !call->fault.kind && !get_permit(call)) {
			enqueue(g, call);
			continue;
		}
		if (!call->fault.kind && !no_token.kind) {
			check_credential(g);
			ensure_token(g, &no_token);
		}
		if (!no_token.kind)
			(void)is_too_late(call); /* minting took its time */
		if (call->fault.kind)
			finish_early(call, &call->fault);
		else if (no_token.kind)
			finish_early(call, &no_token);
		else
			start_request(g, call);
	}
}

/* Until the queue is to be looked at again; at most timeout_ms (-1: no limit). */
static int queue_wait_ms(const struct google *g, int timeout_ms)
{
	for (const struct call *call = g->queue; call; call = call->next) {
		int64_t left = call->needs_permit ? call->ask_ms - clock_boot_ms() : 0;

		if (timeout_ms < 0 || left < timeout_ms)
			timeout_ms = left > 0 ? (int)left : 0;
	}
	return timeout_ms;
}

int google_poll(struct google *g, const int *fds, int nfds, int timeout_ms)
{
	int before = g->in_flight;

	start_queued(g);
	/* A caller who has just got a result wants to act on it, not wait. */
	http_poll(g->http, fds, nfds, g->in_flight < before ? 0 : queue_wait_ms(g, timeout_ms));
	return g->in_flight;
}

void google_stop(struct google *g)
{
	struct fault stopped = {0};
	struct call *list, *call;

	http_stop(g->http);
	fault_set(&stopped, FAULT_STOPPED, "stopped", "stopped before it began");
	list = take_queue(g);
	while ((call = list)) {
		list = call->next;
		finish_early(call, &stopped);
	}
}

/* ---- the synchronous call ---- */

void google_call_sync(struct google *g, const struct google_call *call, struct google_reply *reply)
{
	bool stopped = false;

	reply_storage_free(&g->sync_storage);
	google_start(g, call, store_reply, reply);
	while (g->in_flight) {
		if (!stopped && http_interrupted(g->http)) {
			stopped = true;
			google_stop(g);
			continue;
		}
		google_poll(g, NULL, 0, SYNC_POLL_MS);
	}
}
