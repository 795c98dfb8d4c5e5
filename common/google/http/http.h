/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP over libcurl: TLS always verified, no redirects, replies capped, proxy from the settings and
 * not from the environment, and requests that libcurl cannot replay by itself.
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
	const char *const *headers; /* more lines, "Name: value", ended by NULL; or NULL */
	const char *content_type;   /* with a body */
	const char *body;
	size_t body_len;
	/* libcurl replays a request by itself when a reused connection dies before the first byte
	 * of the reply. `no_replay`: the body comes from a read function that cannot seek, so that
	 * it must give up instead (CURLE_SEND_FAIL_REWIND). For everything with an effect. */
	bool no_replay;
	/* http_perform() only, for what is no server of Google's on the network: plain HTTP is
	 * allowed, no proxy ever used, and its Date not believed. */
	bool local_plaintext;
	bool api; /* to the API itself: the client certificate is shown */
};

struct http_reply {
	int status;	  /* 0: none came */
	int curl;	  /* CURLcode; not 0 with a status: the reply is not whole */
	bool maybe_sent;  /* the server may have got the request: repeating may do it twice */
	bool unprocessed; /* HTTP/2: the server said that it has not looked at it, and will not */
	bool too_large;	  /* the body went beyond HTTP_BODY_MAX */
	int proxy_status; /* the proxy's answer to CONNECT; 0: none */
	int proxy_error;  /* CURLPX_…: what a SOCKS proxy says; 0: nothing */
	bool proxy_untrusted; /* it was the proxy's own certificate */
	int64_t date;	      /* 0: none */
	int64_t retry_after;  /* seconds, at most a day; -1: none */
	char content_type[64];
	char authenticate[256]; /* WWW-Authenticate */
	char flavor[16];	/* Metadata-Flavor */
	struct strbuf body;
	char error[256]; /* libcurl's words, safe to print */
	int64_t duration_us;
};

typedef void http_done(void *ctx, const struct http_reply *reply);

/* `settings` must outlive it. */
struct http *http_open(const struct settings *settings, struct fault *fault);
/* Drops what is under way without a word: http_stop() first. */
void http_close(struct http *h);
/* Asynchronous; `done` exactly once, from http_poll() or http_stop(). False: not started (memory).
 * Everything in `request` is copied. */
bool http_start(struct http *h, const struct http_request *request, http_done *done, void *ctx);
/* Waits until a reply is there, something moved, or one of `fds` (at most HTTP_FDS_MAX) is
 * readable, at most timeout_ms (-1: no limit); calls `done` of what is complete; returns what is
 * still under way. A `done` may start new requests. */
int http_poll(struct http *h, const int *fds, int nfds, int timeout_ms);
int http_in_flight(const struct http *h);
/* Ends what is under way: CURLE_ABORTED_BY_CALLBACK, unless the reply was already there. */
void http_stop(struct http *h);

/* Synchronous, for tokens; does not run the callbacks of others. `out` is the caller's to free
 * (http_reply_free). */
void http_perform(struct http *h, const struct http_request *request, struct http_reply *out);
/* Wipes the body too. */
void http_reply_free(struct http_reply *r);

/* Asked about once a second while http_perform() waits; true ends it. */
void http_interrupt(struct http *h, bool (*stop)(void *ctx), void *ctx);
/* What that function says now. */
bool http_interrupted(const struct http *h);

/* How far our clock is ahead of the server's, seconds, from the last Date header; 0 if unknown. */
int64_t http_clock_skew(const struct http *h);

#endif
