/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of the transport: rows by libcurl's code, and by the texts where libcurl has one code for
 * several causes. Every row names what an administrator can check.
 */
#include "google/http/errors.h"

#include <curl/curl.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/types.h"

static const char *name_of(const char *key, size_t len, const struct error_names *names)
{
	const struct {
		const char *key, *value;
	} all[] = {{"subject", names->subject}, {"issuer", names->issuer},
		{"client_id", names->client_id}, {"key_id", names->key_id}, {"file", names->file},
		{"customer", names->customer}, {"project", names->project}, {"skew", names->skew},
		{"caller", names->caller}, {"member", names->member}, {"audience", names->audience},
		{"scope", GOOGLE_SCOPE}};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (strlen(all[i].key) == len && memcmp(all[i].key, key, len) == 0)
			return all[i].value ? all[i].value : "";
	}
	return "";
}

void error_expand(char *out, size_t size, const char *pattern, const struct error_names *names)
{
	struct strbuf t = {.max = 4096};
	const char *open, *close;

	while ((open = strchr(pattern, '{')) && (close = strchr(open, '}'))) {
		strbuf_add_bytes(&t, pattern, (size_t)(open - pattern));
		strbuf_add(&t, name_of(open + 1, (size_t)(close - open - 1), names));
		pattern = close + 1;
	}
	strbuf_add(&t, pattern);
	str_copy(out, size, t.data ? t.data : "");
	strbuf_free(&t);
}

/* ---- the connection ---- */

#define WAIT_REMEDY                                                                      \
	"Check the network, name resolution and [google] proxy. The dispatcher retries " \
	"automatically."
#define BROKEN_REMEDY                                                                              \
	"If this persists, something on the path damages replies, or the server is not Google's: " \
	"check [google] proxy and endpoint."

#define CUT	   "network_cut"
#define CUT_BEFORE "the connection was closed before an answer arrived"

/* The errors of libcurl that have a row of their own. Any other is "the connection failed", which
 * may work later. */
static const struct row {
	int curl;
	enum fault_kind kind;
	const char *code, *what, *remedy;
} rows[] = {
	{CURLE_COULDNT_RESOLVE_HOST, FAULT_TRANSIENT, "network_name",
		"cannot resolve the host name", WAIT_REMEDY},
	{CURLE_COULDNT_RESOLVE_PROXY, FAULT_TRANSIENT, "network_proxy",
		"cannot resolve the proxy's host name", "Check [google] proxy."},
	{CURLE_COULDNT_CONNECT, FAULT_TRANSIENT, "network_connect", "cannot connect", WAIT_REMEDY},
	{CURLE_OPERATION_TIMEDOUT, FAULT_TRANSIENT, "network_timeout",
		"no answer before the timeout", WAIT_REMEDY},
	{CURLE_PEER_FAILED_VERIFICATION, FAULT_SETUP, "tls_untrusted",
		"the certificate is not trusted",
		"If a proxy in your network inspects TLS, set [google] ca_file to its certificate "
		"authority. Otherwise check the package ca-certificates and this host's clock."},
	{CURLE_SSL_CERTPROBLEM, FAULT_SETUP, "tls_client_certificate",
		"cannot use the client certificate or its key",
		"Check [google] client_certificate and client_key."},
	{CURLE_SSL_CACERT_BADFILE, FAULT_SETUP, "tls_ca_file",
		"cannot read the trusted certificate authorities",
		"Check [google] ca_file, or the package ca-certificates."},
	{CURLE_SSL_CONNECT_ERROR, FAULT_TRANSIENT, "tls_handshake", "the TLS handshake failed",
		"If this persists, something on the path does not support TLS 1.2: check [google] "
		"proxy."},
	{CURLE_SSL_CIPHER, FAULT_SETUP, "tls_cipher", "no TLS cipher in common",
		"Check this host's crypto policy and [google] endpoint."},
	{CURLE_URL_MALFORMAT, FAULT_SETUP, "url", "the address is malformed",
		"Check [google] endpoint and token_endpoint."},
	{CURLE_UNSUPPORTED_PROTOCOL, FAULT_SETUP, "url_protocol", "only https is supported",
		"Check [google] endpoint and token_endpoint."},
	{CURLE_SEND_FAIL_REWIND, FAULT_TRANSIENT, CUT, CUT_BEFORE, WAIT_REMEDY},
	{CURLE_SEND_ERROR, FAULT_TRANSIENT, CUT, CUT_BEFORE, WAIT_REMEDY},
	{CURLE_RECV_ERROR, FAULT_TRANSIENT, CUT, CUT_BEFORE, WAIT_REMEDY},
	{CURLE_GOT_NOTHING, FAULT_TRANSIENT, CUT, CUT_BEFORE, WAIT_REMEDY},
	{CURLE_PARTIAL_FILE, FAULT_TRANSIENT, CUT, CUT_BEFORE, WAIT_REMEDY},
	{CURLE_HTTP2, FAULT_TRANSIENT, "network_http2", "the HTTP/2 connection failed",
		WAIT_REMEDY},
	{CURLE_HTTP2_STREAM, FAULT_TRANSIENT, "network_http2",
		"the call ended without a complete reply", WAIT_REMEDY},
	{CURLE_ABORTED_BY_CALLBACK, FAULT_STOPPED, "stopped", "stopped before an answer arrived",
		""},
	{CURLE_OUT_OF_MEMORY, FAULT_TRANSIENT, "no_memory", "out of memory", ""},
};

#define TOO_LARGE 100 /* CURLE_TOO_LARGE, which has that name since libcurl 8.6 */

/* "SSL_read: " is followed by an error of OpenSSL ("error:…") or by the socket's error. */
bool error_is_connection_end(const char *text)
{
	return strstr(text, "unexpected eof while reading") || strstr(text, "Recv failure: ") ||
	       (strstr(text, "SSL_read: ") && !strstr(text, "error:"));
}

/* libcurl has several codes for a connection that ends during a request. Some of them can also mean
 * that the server violates HTTP; the text tells the difference. With any other code the text does
 * not count: without a request it may come from an earlier connection, and an end during the TLS
 * handshake is a failed handshake. */
static bool is_connection_end(const struct http_reply *reply)
{
	static const int codes[] = {CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_HTTP2,
		CURLE_HTTP2_STREAM, CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (codes[i] == reply->curl)
			return error_is_connection_end(reply->error);
	}
	return false;
}

/* The reply is not HTTP, or its headers do not end; libcurl has several texts for that. */
static bool is_malformed(const struct http_reply *reply)
{
	return reply->maybe_sent &&
	       (reply->curl == CURLE_UNSUPPORTED_PROTOCOL ||
		       reply->curl == CURLE_WEIRD_SERVER_REPLY || reply->curl == TOO_LARGE ||
		       reply->curl == CURLE_OUT_OF_MEMORY ||
		       reply->curl == CURLE_BAD_CONTENT_ENCODING ||
		       (reply->status && reply->curl == CURLE_RECV_ERROR));
}

static const struct row *find_row(const struct http_reply *reply)
{
	static const struct row other = {
		0, FAULT_TRANSIENT, "network", "the connection failed", WAIT_REMEDY};
	static const struct row malformed = {0, FAULT_TRANSIENT, "reply_broken",
		"the reply is truncated or malformed", BROKEN_REMEDY};
	static const struct row cut = {0, FAULT_TRANSIENT, CUT, CUT_BEFORE, WAIT_REMEDY};
	static const struct row partial = {
		0, FAULT_TRANSIENT, CUT, "the connection was closed during the reply", WAIT_REMEDY};
	static const struct row refused = {0, FAULT_TRANSIENT, "network_refused",
		"the server did not process the call (HTTP/2 GOAWAY or REFUSED_STREAM)",
		"Nothing was done. The dispatcher retries automatically."};

	if (reply->unprocessed)
		return &refused;
	if (reply->status && reply->curl == CURLE_PARTIAL_FILE)
		return &partial;
	if (is_connection_end(reply))
		return reply->status ? &partial : &cut;
	if (is_malformed(reply))
		return &malformed;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].curl == reply->curl)
			return &rows[i];
	}
	return &other;
}

/* "https://host:port/path" becomes "host:port". */
static void host_of(const char *url, char *out, size_t size)
{
	const char *start = strstr(url, "://");

	start = start ? start + 3 : url;
	str_format(out, size, "%.*s", (int)strcspn(start, "/?#"), start);
}

/* The TLS alerts, in OpenSSL's words, of a server that requires our client certificate. With TLS
 * 1.3 the alert comes after the handshake, with the first read. */
static bool client_refused(const char *host, const struct http_reply *reply, struct fault *fault)
{
	static const char *const alerts[] = {"alert certificate required", "alert bad certificate",
		"alert unsupported certificate", "alert certificate revoked",
		"alert certificate expired", "alert certificate unknown", "alert unknown ca"};
	size_t i = 0, n = ARRAY_SIZE(alerts);

	while (i < n && !strstr(reply->error, alerts[i]))
		i++;
	if (i == n)
		return false;
	fault_set(fault, FAULT_SETUP, "tls_client_certificate", "%s: %s (%s)", host,
		i == 0 ? "the server requires a client certificate"
		       : "the server does not accept the client certificate",
		reply->error);
	fault_remedy(fault, "Set [google] client_certificate and client_key to the files that your "
			    "organisation's certificate authority issued for this host, or use the "
			    "endpoint without mTLS, https://cloudidentity.googleapis.com.");
	return true;
}

void error_transport(const char *url, const struct http_reply *reply, struct fault *fault)
{
	const struct row *row = find_row(reply);
	char host[256];

	host_of(url, host, sizeof(host));
	if (reply->too_large) {
		fault_set(fault, FAULT_TRANSIENT, "reply_too_large",
			"%s: the reply is larger than %d bytes", host, HTTP_BODY_MAX);
		fault_remedy(fault, "%s", BROKEN_REMEDY);
		return;
	}
	if (error_proxy(host, reply, fault) || client_refused(host, reply, fault))
		return;
	/* libcurl reports why it could not repeat the request on a lost connection; that explains
	 * nothing. */
	if (reply->curl == CURLE_SEND_FAIL_REWIND || reply->curl == CURLE_SEND_ERROR ||
		reply->unprocessed || !*reply->error)
		fault_set(fault, row->kind, row->code, "%s: %s", host, row->what);
	else
		fault_set(
			fault, row->kind, row->code, "%s: %s (%s)", host, row->what, reply->error);
	fault_remedy(fault, "%s", row->remedy);
}

void error_unexpected_reply(const char *url, const struct http_reply *reply, struct fault *fault)
{
	struct fault cause = *fault;
	char host[256];

	host_of(url, host, sizeof(host));
	fault_set(fault, cause.kind, cause.code, "%s: %s", host, cause.what);
	if (!*reply->content_type || str_starts(reply->content_type, "application/json"))
		fault_remedy(fault, "%s", BROKEN_REMEDY);
	else
		fault_remedy(fault,
			"Something else answers in place of Google (%s), such as a network login "
			"page or a proxy: check [google] proxy and endpoint.",
			reply->content_type);
}
