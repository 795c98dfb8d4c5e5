/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong at the proxy, before a request could reach Google's host.
 */
#include <curl/curl.h>

#include "base/array.h"
#include "google/http/errors.h"

#define LOGIN                                                                                     \
	"Set user name and password in [google] proxy, SCHEME://USER:PASSWORD@HOST:PORT, in a "   \
	"file "                                                                                   \
	"in conf.d/ that other users cannot read. Only Basic proxy authentication is supported, " \
	"not NTLM or Kerberos."

/* The error codes of a SOCKS5 proxy. */
static const struct row {
	int error;
	enum fault_kind kind;
	const char *code, *what, *remedy;
} rows[] = {
	{CURLPX_NO_AUTH, FAULT_SETUP, "proxy_refused",
		"the proxy requires a user name and password", LOGIN},
	{CURLPX_USER_REJECTED, FAULT_SETUP, "proxy_refused",
		"the proxy rejects the user name or password", LOGIN},
	{CURLPX_REPLY_NOT_ALLOWED, FAULT_SETUP, "proxy_refused",
		"the proxy's rules do not allow the connection",
		"Allow connections to this host in the proxy, or correct [google] proxy."},
	{CURLPX_REPLY_COMMAND_NOT_SUPPORTED, FAULT_SETUP, "proxy_refused",
		"the proxy does not open connections",
		"Allow connections to this host in the proxy, or correct [google] proxy."},
	{CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED, FAULT_SETUP, "proxy_refused",
		"the proxy does not support this type of address",
		"Write socks5:// instead of socks5h:// in [google] proxy, or the reverse: socks5 "
		"resolves names on this host, socks5h on the proxy."},
	{CURLPX_BAD_VERSION, FAULT_SETUP, "proxy_refused",
		"the server at the proxy's address does not support SOCKS5",
		"Correct the scheme or the port of [google] proxy."},
};

static const struct row *find_row(int error)
{
	static const struct row other = {0, FAULT_TRANSIENT, "network_proxy",
		"the proxy cannot open the connection",
		"Check the proxy. The dispatcher retries automatically."};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].error == error)
			return &rows[i];
	}
	return &other;
}

static bool refused_socks(const char *host, const struct http_reply *reply, struct fault *f)
{
	const struct row *row = find_row(reply->proxy_error);

	fault_set(f, row->kind, row->code, "%s: %s (%s)", host, row->what, reply->error);
	fault_remedy(f, "%s", row->remedy);
	return true;
}

static bool refused_connect(const char *host, int status, struct fault *f)
{
	fault_set(f, status < 500 ? FAULT_SETUP : FAULT_TRANSIENT, "proxy_refused",
		"the proxy answers %d to a request for %s%s", status, host,
		status == 407 ? ": it wants a user name and password, or rejects the ones it got"
			      : "");
	if (status == 407)
		fault_remedy(f, LOGIN);
	else
		fault_remedy(f, "Allow connections to %s in the proxy, or correct [google] proxy.",
			host);
	return true;
}

bool error_proxy(const char *host, const struct http_reply *reply, struct fault *fault)
{
	if (reply->proxy_status >= 300)
		return refused_connect(host, reply->proxy_status, fault);
	if (reply->curl == CURLE_PROXY)
		return refused_socks(host, reply, fault);
	if (reply->curl != CURLE_PEER_FAILED_VERIFICATION || !reply->proxy_untrusted)
		return false;
	fault_set(fault, FAULT_SETUP, "proxy_untrusted",
		"the proxy's own certificate is not trusted (%s)", reply->error);
	fault_remedy(fault,
		"Add its certificate authority to [google] ca_file, together with those of Google. "
		"If the proxy does not use TLS itself, write http:// in [google] proxy.");
	return true;
}
