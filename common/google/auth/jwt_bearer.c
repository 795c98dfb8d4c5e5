/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing, exchanging, and the second attempt when Google refuses the time.
 */
#include "google/auth/jwt_bearer.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/errors.h"
#include "google/auth/token.h"
#include "google/auth/token_request.h"
#include "google/types.h"

#define FORM_START "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="

static bool mint_once(struct credential *c, struct http *http, jwt_bearer_sign *sign,
	struct credential_minted *out, struct fault *f)
{
	struct assertion a = {.issuer = c->issuer,
		.subject = c->subject,
		.scope = c->scope,
		.key_id = c->key_id,
		.now = clock_wall() - http_clock_skew(http)};
	struct strbuf form = {0};
	bool ok;

	ok = strbuf_add(&form, FORM_START) && sign(c, http, &a, &form, f) &&
	     token_request_access(c, http, form.data, form.len, out, f);
	strbuf_wipe(&form);
	strbuf_free(&form);
	return ok;
}

/* The reply that refuses a wrong time carries the right one (Date), which http.c has recorded. */
bool jwt_bearer_mint(struct credential *c, struct http *http, jwt_bearer_sign *sign,
	struct credential_minted *out, struct fault *f)
{
	int64_t before = http_clock_skew(http);

	if (mint_once(c, http, sign, out, f))
		return true;
	if (strcmp(f->code, ERROR_CLOCK_SKEW) != 0 || http_clock_skew(http) == before)
		return false;
	log_event(LOG_LEVEL_NOTE, "clock_skew",
		"Google rejects the time in the request; retrying once with the clock corrected by "
		"%lld s",
		(long long)-http_clock_skew(http));
	fault_clear(f);
	return mint_once(c, http, sign, out, f);
}

bool jwt_bearer_subject(const struct credential *c, struct fault *f)
{
	if (c->source)
		return true;
	if (!*c->subject) {
		fault_set(f, FAULT_CREDENTIALS, "subject_missing",
			"%s: a service account is not an administrator, and `subject` is not set",
			c->path);
		return fault_remedy(f,
			"Set [google] subject to the administrator to act as, and give "
			"client id %s domain-wide delegation for %s.",
			*c->client_id ? c->client_id : "of the service account", GOOGLE_SCOPE);
	}
	if (str_equal_nocase(c->subject, c->issuer)) {
		fault_set(f, FAULT_CREDENTIALS, "subject_is_issuer",
			"`subject` is the service account %s itself, which is not an administrator",
			c->issuer);
		return fault_remedy(
			f, "Set [google] subject to a super administrator of your domain.");
	}
	return true;
}
