/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its reply: what libcurl is told, and what it reports.
 *
 * A request that has an effect must not leave this host twice. libcurl restarts requests on its own
 * in several cases, so the body of such a request can be read only once, and `maybe_sent` is true
 * unless it is certain that the server has not processed the request.
 */
#include "google/http/transfer.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/http/errors.h"
#include "google/http/reply_header.h"
#include "google/http/secret.h"

#define CONNECT_TIMEOUT 10 /* seconds, unless `timeout` is shorter */

/* ---- callbacks ---- */

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;

	if (strbuf_add_bytes(&t->reply.body, bytes, size * n))
		return size * n;
	t->reply.too_large = true;
	return 0;
}

/* A process that was stopped, or whose host slept, goes on as if no time had passed. What it wanted
 * to send may be wrong by now. */
static bool is_too_late(struct transfer *t)
{
	if (t->begin_until_ms && clock_boot_ms() > t->begin_until_ms)
		t->too_late = true;
	return t->too_late;
}

/* libcurl knows the body's length, so it never reads past the end. If it does, it has restarted the
 * request without rewinding; 7.88 does this when the server forces a downgrade from HTTP/2 to
 * HTTP/1.1. */
static size_t send_body(char *out, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t left = t->body_len - t->body_at;
	size_t now = size * n < left ? size * n : left;

	if (!left && t->body_len) {
		t->restarted = true;
		return CURL_READFUNC_ABORT;
	}
	t->begun = true; /* headers may have left */
	if (!t->body_started && is_too_late(t))
		return CURL_READFUNC_ABORT;
	t->body_started = true;
	t->unprocessed = false;
	memcpy(out, t->body + t->body_at, now);
	t->body_at += now;
	return now;
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
	reply_header(ctx, line, size * n);
	return size * n;
}

/* ---- HTTP/2 and `no_replay` requests ---- */

/* Only libcurl's log shows that the server refused a request without processing it: RST_STREAM with
 * REFUSED_STREAM, or GOAWAY with a last stream below ours. The texts are those of 7.88 to 8.20. If
 * the log does not show it (REFUSED_STREAM on a reused connection looks like a dead connection;
 * another transfer may have read the GOAWAY), the request does not count as refused, which is the
 * safe assumption. */
static bool number_after(const char *line, const char *words, unsigned long *out)
{
	const char *at = strstr(line, words);
	char *end;

	if (!at)
		return false;
	at += strlen(words);
	*out = strtoul(at, &end, 10);
	return end > at;
}

static bool is_unprocessed(const struct transfer *t, const char *line)
{
	unsigned long last;

	if (str_starts(line, "REFUSED_STREAM, "))
		return true;
	return strstr(line, " GOAWAY, error=") && number_after(line, " last_stream=", &last) &&
	       t->stream && last < t->stream;
}

/* Called before each attempt of libcurl to send the request: the first one may be too late, and a
 * second one is a second request.
 *
 * The error buffer holds the first error since the transfer began. libcurl 8.14 also writes an
 * error there when it looks for a connection and finds an idle HTTP/2 connection dead. That error
 * does not concern the request, so it is dropped when the request begins. libcurl does not write to
 * the buffer again, so its log must tell how this connection ends. */
#if LIBCURL_VERSION_NUM >= 0x075000
static int on_request(
	void *ctx, char *remote_address, char *local_address, int remote_port, int local_port)
{
	struct transfer *t = ctx;

	(void)remote_address, (void)local_address, (void)remote_port, (void)local_port;
	if (!t->begun && is_too_late(t))
		return CURL_PREREQFUNC_ABORT;
	if (t->begun && t->once) {
		t->restarted = true;
		return CURL_PREREQFUNC_ABORT;
	}
	t->begun = true;
	if (*t->curl_error) {
		t->curl_error[0] = '\0';
		curl_easy_setopt(t->easy, CURLOPT_VERBOSE, 1L);
	}
	return CURL_PREREQFUNC_OK;
}
#endif

static void read_log(struct transfer *t, const char *line)
{
	unsigned long stream;

	if (!*t->curl_error && error_is_connection_end(line))
		str_format(t->curl_error, sizeof(t->curl_error), "%.*s", (int)strcspn(line, "\n"),
			line);
	if ((str_starts(line, "Using Stream ID: ") &&
		    number_after(line, "Using Stream ID: ", &stream)) ||
		(strstr(line, "] OPENED stream") && number_after(line, "[HTTP/2] [", &stream)))
		t->stream = stream;
	else if (is_unprocessed(t, line))
		t->unprocessed = true;
}

static int on_log(CURL *easy, curl_infotype type, char *bytes, size_t size, void *ctx)
{
	struct transfer *t = ctx;
	char line[160];

	(void)easy;
	if (type == CURLINFO_HEADER_OUT) {
		t->unprocessed = false; /* unknown yet for this attempt */
	} else if (type == CURLINFO_TEXT && size < sizeof(line)) {
		memcpy(line, bytes, size);
		line[size] = '\0';
		read_log(t, line);
	}
	return 0;
}

/* ---- the handle ---- */

#define SET(option, value) (bad |= (int)curl_easy_setopt(easy, (option), (value)))

static int set_tls(CURL *easy, const struct settings *s)
{
	int bad = 0;

#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "https");
#else
	SET(CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (*s->ca_file) {
		/* Instead of the system's certificates, not in addition. */
		SET(CURLOPT_CAINFO, s->ca_file);
		SET(CURLOPT_CAPATH, NULL);
	}
	return bad;
}

/* Newer libcurls (seen: 8.14) ignore names after a blank; all versions accept commas. */
static int set_no_proxy(CURL *easy, const char *names)
{
	char *list = strdup(names);
	int bad = !list;

	for (char *p = list; p && *p; p++)
		if (isspace((unsigned char)*p))
			*p = ',';
	if (list)
		SET(CURLOPT_NOPROXY, list);
	free(list);
	return bad;
}

/* The environment is ignored: a variable that was left in a shell must not decide where an
 * administrator's token goes. "" tells libcurl to ignore it. */
static int set_proxy(CURL *easy, const struct settings *s)
{
	int bad = set_no_proxy(easy, s->no_proxy);

	SET(CURLOPT_PROXY, s->proxy);
	SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
	SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (str_starts(s->proxy, "https://") && *s->ca_file) {
		SET(CURLOPT_PROXY_CAINFO, s->ca_file);
		SET(CURLOPT_PROXY_CAPATH, NULL);
	}
	return bad;
}

static int set_times(CURL *easy, const struct settings *s)
{
	long timeout = s->timeout > 0 ? (long)s->timeout : CONNECT_TIMEOUT;
	int bad = 0;

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT, timeout);
	SET(CURLOPT_CONNECTTIMEOUT, timeout < CONNECT_TIMEOUT ? timeout : (long)CONNECT_TIMEOUT);
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	return bad;
}

/* Compression is not offered: a small reply could unpack to gigabytes. */
static int set_http(CURL *easy, struct transfer *t)
{
	int bad = 0;

	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	SET(CURLOPT_PIPEWAIT, 1L);
	SET(CURLOPT_USERAGENT, "cloudinvite/" CLOUDINVITE_VERSION);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_READFUNCTION, send_body);
	SET(CURLOPT_READDATA, t);
	SET(CURLOPT_DEBUGFUNCTION, on_log);
	SET(CURLOPT_DEBUGDATA, t);
#if LIBCURL_VERSION_NUM >= 0x075000
	SET(CURLOPT_PREREQFUNCTION, on_request);
	SET(CURLOPT_PREREQDATA, t);
#else
	/* It cannot be kept from sending a request again when a connection dies under it. So none
	 * is used that may have died. */
	SET(CURLOPT_MAXAGE_CONN, 1L);
#endif
	SET(CURLOPT_ERRORBUFFER, t->curl_error);
	SET(CURLOPT_PRIVATE, t);
	return bad;
}

struct transfer *transfer_new(const struct settings *settings)
{
	struct transfer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->settings = settings;
	t->easy = curl_easy_init();
	if (!t->easy || set_tls(t->easy, settings) || set_proxy(t->easy, settings) ||
		set_times(t->easy, settings) || set_http(t->easy, t)) {
		transfer_free(t);
		return NULL;
	}
	t->reply.body.max = HTTP_BODY_MAX;
	transfer_clear(t);
	return t;
}

/* ---- the request ---- */

static bool add_header(struct transfer *t, const char *name, const char *value)
{
	struct strbuf line = {0};
	struct curl_slist *more = NULL;

	if (strbuf_add(&line, name) && strbuf_add(&line, value))
		more = curl_slist_append(t->headers, line.data);
	strbuf_wipe(&line);
	strbuf_free(&line);
	if (more)
		t->headers = more;
	return more;
}

/* A server on this machine or its private network: it has no certificate, and no proxy is
 * needed. */
static bool configure_local(const struct transfer *t)
{
	CURL *easy = t->easy;
	int bad = 0;

#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	SET(CURLOPT_PROXY, "");
	return !bad;
}

static bool configure_api(const struct transfer *t)
{
	const struct settings *s = t->settings;
	CURL *easy = t->easy;
	int bad = 0;

	if (*s->client_certificate)
		SET(CURLOPT_SSLCERT, s->client_certificate);
	if (*s->client_key)
		SET(CURLOPT_SSLKEY, s->client_key);
	/* OpenSSL would otherwise ask on the terminal for the passphrase of a key that was
	 * replaced. */
	SET(CURLOPT_KEYPASSWD, "");
	return !bad;
}

static bool configure_user(const struct transfer *t, const char *user)
{
	CURL *easy = t->easy;
	int bad = 0;

	SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	SET(CURLOPT_USERPWD, user);
	return !bad;
}

static bool configure_headers(struct transfer *t, const struct http_request *r)
{
	if (r->bearer && !add_header(t, "Authorization: Bearer ", r->bearer))
		return false;
	if (r->quota_project && *r->quota_project &&
		!add_header(t, "x-goog-user-project: ", r->quota_project))
		return false;
	for (size_t i = 0; r->headers && r->headers[i]; i++) {
		if (!add_header(t, r->headers[i], ""))
			return false;
	}
	if (r->content_type && !add_header(t, "Content-Type: ", r->content_type))
		return false;
	/* A server that ignores `Expect: 100-continue` would cost a second for each request. */
	if (!add_header(t, "Expect:", "") || !add_header(t, "Accept: ", "application/json"))
		return false;
	return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

static bool configure_body(struct transfer *t, const struct http_request *r)
{
	CURL *easy = t->easy;
	int bad = 0;

	SET(CURLOPT_VERBOSE, r->no_replay ? 1L : 0L);
	if (strcmp(r->method, "POST") != 0)
		return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	t->body = malloc(r->body_len + 1);
	if (!t->body)
		return false;
	memcpy(t->body, r->body, r->body_len);
	t->body[r->body_len] = '\0';
	t->body_len = r->body_len;
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
	SET(CURLOPT_POSTFIELDS, r->no_replay ? NULL : t->body);
	return !bad;
}

bool transfer_configure(struct transfer *t, const struct http_request *request)
{
	t->once = request->api;
	t->begin_until_ms = request->begin_until_ms;
	return curl_easy_setopt(t->easy, CURLOPT_URL, request->url) == CURLE_OK &&
	       (!request->local_plaintext || configure_local(t)) &&
	       (!request->user || configure_user(t, request->user)) &&
	       (!request->api || configure_api(t)) && configure_headers(t, request) &&
	       configure_body(t, request);
}

/* ---- the reply ---- */

/* With a proxy, the count includes libcurl's own request to it. But nothing of ours is sent before
 * the tunnel and TLS are established. */
static bool was_started(const struct transfer *t)
{
	long request_size = 1;
	curl_off_t begun = 1;

	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request_size);
	curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &begun);
	return request_size > 0 && (begun > 0 || !*t->settings->proxy);
}

/* False only if the server said that it did not process the request, or if no byte of it can have
 * left: the body has not been read, and nothing was counted on this connection or on one that
 * libcurl tried before. Bytes that libcurl sent to a proxy which then refused are not bytes of the
 * request. */
static bool may_be_sent(const struct transfer *t)
{
	if (t->reply.status)
		return true;
	if (t->unprocessed || (t->too_late && !t->begun))
		return false;
	if (t->body_started)
		return true;
	return t->reply.proxy_status < 300 && was_started(t);
}

void transfer_finish(struct transfer *t, CURLcode result)
{
	struct http_reply *r = &t->reply;
	long status = 0, proxy_status = 0;
	long proxy_error = 0, proxy_verified = 0;
	curl_off_t us = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_PROXY_ERROR, &proxy_error);
	curl_easy_getinfo(t->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &proxy_verified);
	curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &us);
	r->status = (int)status;
	r->proxy_status = (int)proxy_status;
	r->proxy_error = (int)proxy_error;
	r->proxy_untrusted = proxy_verified != 0;
	r->duration_us = us;
	r->curl = t->restarted ? CURLE_SEND_FAIL_REWIND : (int)result;
	r->restarted = t->restarted;
	r->too_late = t->too_late;
	r->retry_after = reply_retry_after(t);
	r->unprocessed = t->unprocessed && !r->status;
	r->maybe_sent = may_be_sent(t);
	if (result != CURLE_OK)
		str_safe(r->error, sizeof(r->error),
			*t->curl_error ? t->curl_error : curl_easy_strerror(result));
}

static void wipe_headers(struct curl_slist *list)
{
	for (struct curl_slist *h = list; h; h = h->next)
		OPENSSL_cleanse(h->data, strlen(h->data));
	curl_slist_free_all(list);
}

void transfer_clear(struct transfer *t)
{
	struct strbuf body = t->reply.body;

	if (t->easy) {
		curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, NULL);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, NULL);
	}
	wipe_headers(t->headers);
	t->headers = NULL;
	secret_free(t->body);
	t->body = NULL;
	t->body_len = t->body_at = 0;
	t->body_started = t->restarted = t->unprocessed = false;
	t->once = t->begun = t->too_late = false;
	t->begin_until_ms = 0;
	t->stream = 0;
	t->curl_error[0] = t->retry_after[0] = '\0';
	strbuf_clear(&body);
	t->reply = (struct http_reply){.retry_after = -1, .body = body};
	t->reply.body.max = HTTP_BODY_MAX;
}

void transfer_free(struct transfer *t)
{
	if (!t)
		return;
	transfer_clear(t);
	curl_easy_cleanup(t->easy);
	strbuf_free(&t->reply.body);
	free(t);
}
