/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header, claims and signature of the JWT (RFC 7515, RFC 7523).
 */
#include "google/auth/assertion.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "google/auth/base64url.h"

/* Takes ownership of `json`, which may be NULL. */
static bool add_segment(struct strbuf *out, json_t *json)
{
	char *compact = json ? json_dumps(json, JSON_COMPACT) : NULL;
	bool ok = compact && base64url_add(out, (const unsigned char *)compact, strlen(compact));

	free(compact);
	json_decref(json);
	return ok;
}

static json_t *claims(const struct assertion *a)
{
	json_int_t issued = a->now - ASSERTION_BACKDATE;
	const char *subject = *a->subject ? a->subject : NULL;

	return json_pack("{s:s, s:s*, s:s, s:s, s:I, s:I}", "iss", a->issuer, "sub", subject,
		"scope", a->scope, "aud", ASSERTION_AUDIENCE, "iat", issued, "exp",
		issued + ASSERTION_LIFETIME);
}

bool assertion_claims(const struct assertion *a, struct strbuf *out)
{
	json_t *json = claims(a);
	char *compact = json ? json_dumps(json, JSON_COMPACT) : NULL;
	bool ok = compact && strbuf_add(out, compact);

	free(compact);
	json_decref(json);
	return ok;
}

static bool add_signature(const struct assertion *a, struct strbuf *out, size_t from, EVP_PKEY *key)
{
	const unsigned char *signed_part = (const unsigned char *)out->data + from;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *signature = NULL;
	size_t n = 0, len = out->len - from;
	bool ok = false;

	if (!ctx ||
		EVP_DigestSignInit_ex(ctx, NULL, "SHA256", a->context, a->properties, key, NULL) !=
			1 ||
		EVP_DigestSign(ctx, NULL, &n, signed_part, len) != 1)
		goto out;
	signature = malloc(n);
	if (!signature || EVP_DigestSign(ctx, signature, &n, signed_part, len) != 1)
		goto out;
	ok = strbuf_add(out, ".") && base64url_add(out, signature, n);
out:
	free(signature);
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool assertion_sign(const struct assertion *a, EVP_PKEY *key, struct strbuf *out)
{
	size_t from = out->len;
	json_t *header =
		json_pack("{s:s, s:s, s:s}", "alg", "RS256", "typ", "JWT", "kid", a->key_id);

	return add_segment(out, header) && strbuf_add(out, ".") && add_segment(out, claims(a)) &&
	       add_signature(a, out, from, key);
}
