/* SPDX-License-Identifier: Apache-2.0 */
/* The assertion: parsed again, and its signature checked by OpenSSL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/assertion.h"
#include "google_key.h"

#define NOW 1795408081

static const struct assertion alice = {.issuer = "inviter@p.iam.gserviceaccount.com",
	.subject = "admin@example.com",
	.scope = "https://www.googleapis.com/auth/cloud-identity.userinvitations",
	.key_id = "0123abcd",
	.now = NOW};

/* base64url without padding, strictly. */
static size_t decode(const char *s, size_t n, unsigned char *out)
{
	unsigned value = 0, bits = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		static const char alphabet[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
		const char *at = strchr(alphabet, s[i]);

		assert_non_null(at);
		value = value << 6 | (unsigned)(at - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[len++] = (unsigned char)(value >> bits);
		}
	}
	return len;
}

static json_t *segment(const char *s, size_t n)
{
	unsigned char bytes[4096];
	size_t len = decode(s, n, bytes);
	json_t *json = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(json);
	return json;
}

static bool signature_is_by(const char *jwt, const char *last_dot, EVP_PKEY *key)
{
	unsigned char signature[1024];
	size_t n = decode(last_dot + 1, strlen(last_dot + 1), signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc;

	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	rc = EVP_DigestVerify(
		ctx, signature, n, (const unsigned char *)jwt, (size_t)(last_dot - jwt));
	EVP_MD_CTX_free(ctx);
	return rc == 1;
}

static const char *string_of(const json_t *json, const char *name)
{
	const char *s = json_string_value(json_object_get(json, name));

	assert_non_null(s);
	return s;
}

static void the_header_and_the_claims_are_those_of_the_reference(void **state)
{
	EVP_PKEY *key = *state;
	struct strbuf jwt = {0};
	json_t *header, *claims;
	char *dot;

	assert_true(assertion_sign(&alice, key, &jwt));
	dot = strchr(jwt.data, '.');
	header = segment(jwt.data, (size_t)(dot - jwt.data));
	claims = segment(dot + 1, strcspn(dot + 1, "."));
	assert_int_equal(json_object_size(header), 3);
	assert_string_equal(string_of(header, "alg"), "RS256");
	assert_string_equal(string_of(header, "typ"), "JWT");
	assert_string_equal(string_of(header, "kid"), "0123abcd");
	assert_int_equal(json_object_size(claims), 6);
	assert_string_equal(string_of(claims, "iss"), alice.issuer);
	assert_string_equal(string_of(claims, "sub"), "admin@example.com");
	assert_string_equal(string_of(claims, "scope"), alice.scope);
	assert_string_equal(string_of(claims, "aud"), "https://oauth2.googleapis.com/token");
	assert_int_equal(json_integer_value(json_object_get(claims, "iat")), NOW - 30);
	assert_int_equal(json_integer_value(json_object_get(claims, "exp")), NOW - 30 + 3300);
	json_decref(header);
	json_decref(claims);
	strbuf_free(&jwt);
}

static void the_signature_is_verified_by_openssl_and_by_no_other_key(void **state)
{
	EVP_PKEY *key = *state, *other = key_rsa(2048);
	struct strbuf jwt = {0};
	char *dot;

	assert_true(assertion_sign(&alice, key, &jwt));
	dot = strrchr(jwt.data, '.');
	assert_true(signature_is_by(jwt.data, dot, key));
	assert_false(signature_is_by(jwt.data, dot, other));
	jwt.data[3] ^= 1;
	assert_false(signature_is_by(jwt.data, dot, key));
	EVP_PKEY_free(other);
	strbuf_free(&jwt);
}

static void it_is_appended_to_what_is_there(void **state)
{
	struct strbuf form = {0};

	strbuf_add(&form, "assertion=");
	assert_true(assertion_sign(&alice, *state, &form));
	assert_true(str_starts(form.data, "assertion=ey"));
	assert_true(signature_is_by(form.data + 10, strrchr(form.data, '.'), *state));
	strbuf_free(&form);
}

static void a_name_with_quotes_stays_one_claim(void **state)
{
	struct assertion odd = alice;
	struct strbuf jwt = {0};
	json_t *claims;
	char *dot;

	odd.subject = "a\",\"sub\":\"root@example.com";
	assert_true(assertion_sign(&odd, *state, &jwt));
	dot = strchr(jwt.data, '.');
	claims = segment(dot + 1, strcspn(dot + 1, "."));
	assert_string_equal(string_of(claims, "sub"), odd.subject);
	json_decref(claims);
	strbuf_free(&jwt);
}

static int make_key(void **state)
{
	*state = key_rsa(2048);
	return *state ? 0 : -1;
}

static int free_key(void **state)
{
	EVP_PKEY_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_and_the_claims_are_those_of_the_reference),
		cmocka_unit_test(the_signature_is_verified_by_openssl_and_by_no_other_key),
		cmocka_unit_test(it_is_appended_to_what_is_there),
		cmocka_unit_test(a_name_with_quotes_stays_one_claim),
	};

	return cmocka_run_group_tests_name("google", tests, make_key, free_key);
}
