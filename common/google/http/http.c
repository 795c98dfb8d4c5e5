/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The curl multi handle: which transfers are in flight, which handles are idle, and what the
 * server's clock is. Each transfer is in exactly one of both lists. Handles that libcurl might
 * misuse for a repeat are not used again.
 */
#include "google/http/http.h"

#include <curl/curl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/http/transfer.h"

#define SKEW_WORTH_SAYING 30	/* seconds; Google does not document its tolerance */
#define IDLE_MS		  60000 /* after that, connections, handles and certificates are released */

struct http {
	const struct settings *settings;
	CURLM *multi;		  /* made when it is first needed */
	struct transfer *running; /* a ring without a head: the newest first */
	struct transfer *idle;
	int in_flight;
	int64_t last_used; /* clock_boot_ms */
	bool stalled;	   /* a call timed out: its connections may be dead */
	int64_t skew;
	int64_t skew_said;
	bool (*stop)(void *ctx);
	void *stop_ctx;
};

struct http *http_open(const struct settings *settings, struct fault *fault)
{
	struct http *h = NULL;

	/* libcurl writes the secrets of its TLS connections to this file. An attacker who has the
	 * file and recorded the traffic can read the token. */
	(void)unsetenv("SSLKEYLOGFILE");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		h = calloc(1, sizeof(*h));
	if (!h) {
		fault_set(fault, FAULT_TRANSIENT, "no_memory", "cannot initialise libcurl");
		return NULL;
	}
	h->settings = settings;
	return h;
}

/* ---- the transfers ---- */

static void link_running(struct http *h, struct transfer *t)
{
	t->prev = NULL;
	t->next = h->running;
	if (t->next)
		t->next->prev = t;
	h->running = t;
	h->in_flight++;
}

static void unlink_running(struct http *h, struct transfer *t)
{
	if (t->prev)
		t->prev->next = t->next;
	else
		h->running = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->next = t->prev = NULL;
	h->in_flight--;
}

static struct transfer *get_idle(struct http *h)
{
	struct transfer *t = h->idle;

	if (!t)
		return transfer_new(h->settings);
	h->idle = t->next;
	t->next = NULL;
	return t;
}

/* libcurl 7.88 counts over the life of a handle how often it has found a connection dead, and fails
 * at the sixth. So a handle that has made a connection is not used again. Neither is one that has
 * failed: libcurl 8.14 still wants to repeat a send that it could not repeat, and therefore fails
 * the handle's next request, whatever it is. */
static void put_idle(struct http *h, struct transfer *t, CURLcode result)
{
	long connects = 0;

	curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
	if (connects > 0 || result != CURLE_OK) {
		transfer_free(t);
		return;
	}
	transfer_clear(t);
	t->next = h->idle;
	h->idle = t;
}

/* Releases everything that only the next request needs: the certificates of the authorities alone
 * take more than a megabyte. */
static void close_idle(struct http *h)
{
	struct transfer *t;

	while ((t = h->idle)) {
		h->idle = t->next;
		transfer_free(t);
	}
	if (h->multi)
		curl_multi_cleanup(h->multi);
	h->multi = NULL;
	h->stalled = false;
}

void http_close(struct http *h)
{
	struct transfer *t;

	if (!h)
		return;
	while ((t = h->running)) {
		unlink_running(h, t);
		curl_multi_remove_handle(h->multi, t->easy);
		transfer_free(t);
	}
	close_idle(h);
	curl_global_cleanup();
	free(h);
}

/* ---- the clock ---- */

static void record_date(struct http *h, const struct http_reply *reply)
{
	int64_t change;

	if (!reply->date)
		return;
	h->skew = clock_wall() - reply->date;
	change = h->skew - h->skew_said;
	if (llabs(change) <= SKEW_WORTH_SAYING)
		return;
	h->skew_said = h->skew;
	if (llabs(h->skew) > SKEW_WORTH_SAYING)
		log_event(LOG_LEVEL_WARN, "clock_skew",
			"this host's clock is %lld s %s Google's; check its time synchronisation",
			llabs(h->skew), h->skew > 0 ? "ahead of" : "behind");
}

int64_t http_clock_skew(const struct http *h)
{
	return h->skew;
}

/* ---- asynchronous ---- */

bool http_start(struct http *h, const struct http_request *request, http_done *done, void *ctx)
{
	struct transfer *t;

	/* libcurl keeps an HTTP/2 connection whose streams time out, and would use it for every
	 * later call. */
	if (h->stalled && !h->in_flight)
		close_idle(h);
	if (!h->multi && !(h->multi = curl_multi_init()))
		return false;
	t = get_idle(h);
	if (!t)
		return false;
	t->done = done;
	t->ctx = ctx;
	if (!transfer_configure(t, request) ||
		curl_multi_add_handle(h->multi, t->easy) != CURLM_OK) {
		put_idle(h, t, CURLE_FAILED_INIT);
		return false;
	}
	link_running(h, t);
	h->last_used = clock_boot_ms();
	return true;
}

/* The transfer has left the list before its `done` is called, because that may start another
 * transfer or stop all. */
static void deliver(struct http *h, struct transfer *t, CURLcode result)
{
	unlink_running(h, t);
	curl_multi_remove_handle(h->multi, t->easy);
	transfer_finish(t, result);
	/* The Date of a page is that of whatever answers in place of the API. */
	if (str_starts(t->reply.content_type, "application/json"))
		record_date(h, &t->reply);
	h->stalled = h->stalled || (result == CURLE_OPERATION_TIMEDOUT && !t->reply.status);
	h->last_used = clock_boot_ms();
	t->done(t->ctx, &t->reply);
	put_idle(h, t, result);
}

static int deliver_complete(struct http *h)
{
	CURLMsg *message;
	int left, count = 0;

	while ((message = curl_multi_info_read(h->multi, &left))) {
		struct transfer *t = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		deliver(h, t, result);
		count++;
	}
	return count;
}

static int perform(struct http *h)
{
	int running;

	if (!h->multi)
		return 0;
	curl_multi_perform(h->multi, &running);
	return deliver_complete(h);
}

/* How long to wait so that idle connections are released in time. */
static int wait_limit(const struct http *h, int timeout_ms)
{
	int64_t idle_left = h->last_used + IDLE_MS - clock_boot_ms();

	if (timeout_ms < 0)
		timeout_ms = INT_MAX;
	if (h->in_flight || !h->multi || idle_left >= timeout_ms)
		return timeout_ms;
	return idle_left > 0 ? (int)idle_left : 0;
}

static void wait_for(struct http *h, const int *fds, int nfds, int timeout_ms)
{
	struct curl_waitfd with_curl[HTTP_FDS_MAX];
	struct pollfd alone[HTTP_FDS_MAX];
	unsigned n = 0;

	for (int i = 0; i < nfds && n < HTTP_FDS_MAX; i++, n++) {
		with_curl[n] = (struct curl_waitfd){.fd = fds[i], .events = CURL_WAIT_POLLIN};
		alone[n] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	}
	if (h->multi)
		curl_multi_poll(h->multi, with_curl, n, timeout_ms, NULL);
	else
		poll(alone, n, timeout_ms);
}

int http_poll(struct http *h, const int *fds, int nfds, int timeout_ms)
{
	if (h->multi && !h->in_flight && clock_boot_ms() >= h->last_used + IDLE_MS)
		close_idle(h);
	if (!perform(h) && timeout_ms) {
		wait_for(h, fds, nfds, wait_limit(h, timeout_ms));
		perform(h);
	}
	return h->in_flight;
}

int http_in_flight(const struct http *h)
{
	return h->in_flight;
}

void http_stop(struct http *h)
{
	perform(h); /* what has already arrived counts */
	while (h->running)
		deliver(h, h->running, CURLE_ABORTED_BY_CALLBACK);
}

/* ---- synchronous ---- */

void http_interrupt(struct http *h, bool (*stop)(void *ctx), void *ctx)
{
	h->stop = stop;
	h->stop_ctx = ctx;
}

bool http_interrupted(const struct http *h)
{
	return h->stop && h->stop(h->stop_ctx);
}

static int progress(
	void *ctx, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
	(void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
	return http_interrupted(ctx);
}

void http_perform(struct http *h, const struct http_request *request, struct http_reply *out)
{
	struct transfer *t = transfer_new(h->settings);

	*out = (struct http_reply){.curl = CURLE_OUT_OF_MEMORY, .retry_after = -1};
	if (!t || !transfer_configure(t, request))
		goto out;
	curl_easy_setopt(t->easy, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(t->easy, CURLOPT_XFERINFODATA, h);
	curl_easy_setopt(t->easy, CURLOPT_NOPROGRESS, 0L);
	transfer_finish(t, curl_easy_perform(t->easy));
	if (!request->local_plaintext)
		record_date(h, &t->reply);
	*out = t->reply;
	t->reply.body = (struct strbuf){0};
out:
	transfer_free(t);
}

void http_reply_free(struct http_reply *r)
{
	strbuf_wipe(&r->body);
	strbuf_free(&r->body);
}
