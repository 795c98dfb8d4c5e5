/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP over libcurl: TLS is always verified, redirects are not followed, the size of replies is
 * limited, the proxy comes from the settings and not from the environment, and requests can be sent
 * so that libcurl cannot replay them.
 */
#ifndef CLOUDINVITE_GOOGLE_HTTP_HTTP_H
#define CLOUDINVITE_GOOGLE_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/strbuf.h"
#include "settings/settings.h"

#define HTTP_BODY_MAX 1048576 /* a page of 200 invitations is about 60 KiB */
#define HTTP_FDS_MAX  16

struct http;

struct http_request {
	const char *method; /* "GET" or "POST" */
	const char *url;
	const char *bearer;	    /* NULL: no Authorization */
	const char *user;	    /* "name:password" for Basic; NULL: none. Not with a bearer */
	const char *quota_project;  /* x-goog-user-project; NULL or "": none */
	const char *const *headers; /* more lines, "Name: value"; NULL ends them */
	const char *content_type;   /* only with a body */
	const char *body;
	size_t body_len;
	/* libcurl repeats a request automatically when a reused connection dies before the first
	 * byte of the reply. With `no_replay` the body comes from a read function that cannot seek,
	 * so libcurl must give up instead (CURLE_SEND_FAIL_REWIND). For every request that has an
	 * effect. */
	bool no_replay;
	/* clock_boot_ms(): if nothing has been sent by then, nothing is sent any more, because the
	 * program has stood still since it decided on the request. 0: it may begin at any time. */
	int64_t begin_until_ms;
	/* http_perform() only, for a server on this machine or its private network that is not one
	 * of Google's public hosts: plain HTTP is allowed, no proxy is used, and its Date is
	 * ignored. */
	bool local_plaintext;
	/* To the API itself: the client certificate is used, and libcurl sends the request only
	 * once, whatever its method, because each request is one of the rate limit. */
	bool api;
};

struct http_reply {
	int status; /* 0: no reply */
	int curl;   /* CURLcode; if not 0 although there is a status, the reply is incomplete */
	bool maybe_sent;      /* the server may have got the request; repeating may do it twice */
	bool too_late;	      /* not sent: `begin_until_ms` was over */
	bool restarted;	      /* libcurl wanted to send it again, and was not allowed to */
	bool unprocessed;     /* HTTP/2: the server said that it will not process this request */
	bool too_large;	      /* the body exceeded HTTP_BODY_MAX */
	int proxy_status;     /* the proxy's answer to CONNECT; 0: none */
	int proxy_error;      /* CURLPX_…: error of a SOCKS proxy; 0: none */
	bool proxy_untrusted; /* the certificate that failed was the proxy's */
	int64_t date;	      /* 0: none */
	int64_t retry_after;  /* seconds, at most a day; -1: none */
	char content_type[64];
	char authenticate[256]; /* WWW-Authenticate */
	char flavor[16];	/* Metadata-Flavor */
	struct strbuf body;
	char error[256]; /* libcurl's text, safe to print */
	int64_t duration_us;
};

typedef void http_done(void *ctx, const struct http_reply *reply);

/* `settings` must outlive it. */
struct http *http_open(const struct settings *settings, struct fault *fault);
/* Drops requests in flight without calling `done`; call http_stop() first. */
void http_close(struct http *h);
/* Asynchronous: `done` is called exactly once, from http_poll() or http_stop(). False: not started
 * (out of memory). Everything in `request` is copied. */
bool http_start(struct http *h, const struct http_request *request, http_done *done, void *ctx);
/* Waits until a reply is there, a transfer has made progress, or one of `fds` (at most
 * HTTP_FDS_MAX) is readable, at most timeout_ms (-1: no limit). Calls `done` of complete replies
 * and returns the number of requests in flight. A `done` may start new requests. */
int http_poll(struct http *h, const int *fds, int nfds, int timeout_ms);
int http_in_flight(const struct http *h);
/* Ends all requests in flight with CURLE_ABORTED_BY_CALLBACK, unless the reply is already there. */
void http_stop(struct http *h);

/* Synchronous, for tokens; does not run the callbacks of other requests. The caller frees `out`
 * (http_reply_free). */
void http_perform(struct http *h, const struct http_request *request, struct http_reply *out);
/* Wipes the body too. */
void http_reply_free(struct http_reply *r);

/* `stop` is called about once a second while http_perform() waits; true ends the wait. */
void http_interrupt(struct http *h, bool (*stop)(void *ctx), void *ctx);
/* Calls that function. */
bool http_interrupted(const struct http *h);

/* Seconds by which our clock is ahead of the server's, from the last Date header; 0 if unknown. */
int64_t http_clock_skew(const struct http *h);

#endif
