/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs and bodies of the five calls.
 */
#include "google/api/request.h"

#include <curl/curl.h>
#include <string.h>

#include "base/str.h"
#include "base/strbuf.h"

static const struct method {
	const char *http, *verb;
} methods[GOOGLE_METHODS] = {
	[GOOGLE_CHECK] = {"GET", ":isInvitableUser"},
	[GOOGLE_GET] = {"GET", ""},
	[GOOGLE_LIST] = {"GET", ""},
	[GOOGLE_SEND] = {"POST", ":send"},
	[GOOGLE_CANCEL] = {"POST", ":cancel"},
};

const char *request_method(enum google_method method)
{
	return methods[method].http;
}

/* The reference wants it empty; the discovery document has a message without fields. `{}` is
 * both. */
const char *request_body(enum google_method method)
{
	return strcmp(methods[method].http, "POST") != 0 ? NULL : "{}";
}

bool method_is_idempotent(enum google_method method)
{
	return !request_body(method);
}

/* ---- the address ---- */

static bool check_address(const char *address, struct fault *f)
{
	const char *at = address ? strrchr(address, '@') : NULL;
	size_t n = address ? strlen(address) : 0;
	bool ok = at && at > address && at[1] && n <= ADDRESS_MAX && str_is_utf8(address, n);

	for (size_t i = 0; ok && i < n; i++)
		ok = (unsigned char)address[i] > ' ' && address[i] != 0x7f && address[i] != '/';
	if (!ok)
		fault_set(f, FAULT_USAGE, "address", "'%.80s' is not a mail address",
			address ? address : "");
	return ok;
}

static bool check_customer(const char *customer, struct fault *f)
{
	bool ok = *customer != '\0';

	for (const char *p = customer; ok && *p; p++)
		ok = ascii_is_alnum(*p) || *p == '_';
	if (ok)
		return true;
	fault_set(f, FAULT_SETTINGS, "customer", "[google] customer '%.40s' is not a customer ID",
		customer);
	return fault_remedy(f, "Write the ID from the Admin console (Account > Account settings), "
			       "such as C01234567, or my_customer.");
}

static bool add_escaped(struct strbuf *out, const char *s, size_t n)
{
	char *escaped = n ? curl_easy_escape(NULL, s, (int)n) : NULL;
	bool ok = !n || (escaped && strbuf_add(out, escaped));

	curl_free(escaped);
	return ok;
}

/* Encoded once, with `@` unchanged: Google's samples and GAM write it so. */
static bool add_address(struct strbuf *out, const char *address)
{
	char lower[ADDRESS_MAX + 1];
	const char *from = lower, *at;

	str_copy(lower, sizeof(lower), address);
	str_lower(lower);
	while ((at = strchr(from, '@'))) {
		if (!add_escaped(out, from, (size_t)(at - from)) || !strbuf_add(out, "@"))
			return false;
		from = at + 1;
	}
	return add_escaped(out, from, strlen(from));
}

/* ---- the list's query ---- */

static bool add_parameter(struct strbuf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return true;
	return strbuf_addf(out, "&%s=", name) && add_escaped(out, value, strlen(value));
}

static bool add_query(struct strbuf *out, const struct google_call *call)
{
	int size = call->list_page_size;

	if (size < 1 || size > REQUEST_PAGE_MAX)
		size = REQUEST_PAGE_MAX;
	return strbuf_addf(out, "?pageSize=%d", size) &&
	       add_parameter(out, "filter", call->list_filter) &&
	       add_parameter(out, "orderBy", call->list_order) &&
	       add_parameter(out, "pageToken", call->list_page_token);
}

bool request_url(const struct settings *settings, const struct google_call *call,
	struct strbuf *out, struct fault *fault)
{
	bool list = call->method == GOOGLE_LIST;

	if (!check_customer(settings->customer, fault) ||
		(!list && !check_address(call->address, fault)))
		return false;
	strbuf_addf(out, "%s/%s/customers/%s/userinvitations", settings->endpoint,
		settings->api_version, settings->customer);
	if (list)
		add_query(out, call);
	else if (strbuf_add(out, "/") && add_address(out, call->address))
		strbuf_add(out, methods[call->method].verb);
	if (!out->failed)
		return true;
	return fault_no_memory(fault, FAULT_TRANSIENT);
}
