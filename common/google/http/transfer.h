/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transfer: one curl easy handle with its request and its reply. Options that never change are
 * set when the handle is made. Handles are reused, because making one costs more than a request.
 */
#ifndef CLOUDINVITE_GOOGLE_HTTP_TRANSFER_H
#define CLOUDINVITE_GOOGLE_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "google/http/http.h"

struct transfer {
	CURL *easy;
	const struct settings *settings;
	struct curl_slist *headers;
	char *body; /* our copy: it must live until the request is sent */
	size_t body_len;
	size_t body_at;
	bool body_started; /* libcurl has begun to read a `no_replay` body */
	bool restarted;	   /* libcurl has begun the request a second time, which it must not */
	bool once;	   /* that counts for a request without a body, too */
	bool begun;	   /* the request has begun … */
	bool too_late;	   /* … or was not allowed to begin any more */
	int64_t begin_until_ms;
	bool unprocessed;     /* the server said that it will not process this request */
	unsigned long stream; /* the request's number in HTTP/2; 0: unknown */
	char retry_after[64];
	char date_text[64]; /* the last Date of this handle's replies, … */
	int64_t date;	    /* … and its value */
	char curl_error[CURL_ERROR_SIZE];
	struct http_reply reply;
	http_done *done;
	void *ctx;
	struct transfer *next, *prev;
};

struct transfer *transfer_new(const struct settings *settings);
/* Prepares the handle for one request. False: out of memory. */
bool transfer_configure(struct transfer *t, const struct http_request *request);
/* Fills in t->reply after the handle has ended with `result`. */
void transfer_finish(struct transfer *t, CURLcode result);
/* Wipes the request and the reply, so that the handle can be used again. */
void transfer_clear(struct transfer *t);
void transfer_free(struct transfer *t);

#endif
