/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the metadata server. A reply without Metadata-Flavor: Google does not come from it
 * and is refused.
 */
#include "google/auth/metadata.h"

#include <curl/curl.h>
#include <string.h>
#include <time.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/errors.h"
#include "google/auth/token.h"
#include "google/auth/token_request.h"
#include "google/types.h"

#define TRIES	       5
#define FIRST_PAUSE_MS 100
#define LAST_PAUSE_MS  800

#define UNIVERSE "universe/universe-domain"
#define ACCOUNT	 "instance/service-accounts/default/email"
#define TOKEN	 "instance/service-accounts/default/token?scopes=" IAM_SCOPE

/* ---- one request ---- */

static bool worth_another_try(const struct http_reply *r)
{
	if (r->curl)
		return r->curl == CURLE_GOT_NOTHING || r->curl == CURLE_RECV_ERROR ||
		       r->curl == CURLE_PARTIAL_FILE;
	return r->status == 429 || r->status == 408 || r->status >= 500;
}

static void pause_ms(int64_t ms)
{
	const struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&wait, NULL);
}

/* During maintenance the server answers 503 for less than a second, so it is asked again. */
static void ask(const struct settings *s, struct http *http, const char *path, struct http_reply *r)
{
	static const char *const flavor[] = {"Metadata-Flavor: Google", NULL};
	int64_t end = clock_boot_ms() + 1000 * s->timeout;
	struct strbuf url = {0};

	strbuf_addf(&url, "%s/computeMetadata/v1/%s", s->metadata_endpoint, path);
	for (int i = 1; true; i++) {
		int64_t pause = backoff(FIRST_PAUSE_MS, LAST_PAUSE_MS, i - 1);

		http_perform(http,
			&(struct http_request){.method = "GET",
				.url = url.data,
				.headers = flavor,
				.local_plaintext = true},
			r);
		if (!worth_another_try(r) || i == TRIES || clock_boot_ms() + pause >= end ||
			http_interrupted(http))
			break;
		http_reply_free(r);
		pause_ms(pause);
	}
	strbuf_free(&url);
}

/* ---- the replies ---- */

/* A server that is older than universes does not know the path. */
static bool check_universe(const struct settings *s, const struct http_reply *r, struct fault *f)
{
	char name[128];

	if (!r->curl && r->status == 404)
		return true;
	if (!error_metadata(s, r, f))
		return false;
	str_copy(name, sizeof(name), r->body.data ? r->body.data : "");
	if (strcmp(str_trim(name), "googleapis.com") == 0)
		return true;
	fault_set(f, FAULT_CREDENTIALS, "universe",
		"the metadata server's universe '%.60s' is not googleapis.com", str_trim(name));
	return fault_remedy(f, "User invitations exist at googleapis.com only: use a credential "
			       "from there.");
}

static bool take_account(const struct settings *s, const struct http_reply *r, char *out,
	size_t size, struct fault *f)
{
	char name[256];
	const char *trimmed;
	bool good;

	if (!error_metadata(s, r, f))
		return false;
	good = str_copy(name, sizeof(name), r->body.data ? r->body.data : "");
	trimmed = str_trim(name);
	for (const char *p = trimmed; *p; p++)
		good = good && (ascii_is_alnum(*p) || strchr("@.-_:", *p));
	return (good && *trimmed && str_copy(out, size, trimmed)) ||
	       error_metadata_unexpected(s, r, "no account name", f);
}

static bool take_token(const struct settings *s, const struct http_reply *r,
	struct credential_minted *out, struct fault *f)
{
	return error_metadata(s, r, f) &&
	       (token_response_parse_access(r->body.data, r->body.len, out) ||
		       error_metadata_unexpected(s, r, "no token", f));
}

bool metadata_token(const struct settings *s, struct http *http, char *account, size_t size,
	struct credential_minted *out, struct fault *fault)
{
	struct http_reply reply;
	bool ok;

	ask(s, http, UNIVERSE, &reply);
	ok = check_universe(s, &reply, fault);
	http_reply_free(&reply);
	if (!ok)
		return false;
	ask(s, http, ACCOUNT, &reply);
	ok = take_account(s, &reply, account, size, fault);
	http_reply_free(&reply);
	if (!ok)
		return false;
	ask(s, http, TOKEN, &reply);
	ok = take_token(s, &reply, out, fault);
	http_reply_free(&reply);
	return ok;
}
