/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JWTs, parsed and signed with OpenSSL. RS256 and ES256 only.
 */
#include "jwt.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"

#define SEGMENT_MAX 65536
#define NUMBER_SIZE 32 /* bytes of each half of a P-256 signature */
#define FLAT_SIZE   ((size_t)2 * NUMBER_SIZE)

/* Google's own older Python client pads its segments, so correct padding is accepted. */
static size_t segment_unpadded(const char *s, size_t n)
{
	if (n % 4 != 0)
		return n;
	for (int i = 0; i < 2 && n > 0 && s[n - 1] == '='; i++)
		n--;
	return n;
}

/* base64url to bytes; NULL: invalid. */
static unsigned char *segment_decode(const char *s, size_t n, size_t *size)
{
	size_t padded = (n + 3) / 4 * 4;
	char *plain;
	unsigned char *out;
	int got;

	n = segment_unpadded(s, n);
	if (n == 0 || n > SEGMENT_MAX || n % 4 == 1 || memchr(s, '=', n) || memchr(s, '+', n) ||
		memchr(s, '/', n))
		return NULL;
	plain = xcalloc(padded + 1);
	memcpy(plain, s, n);
	for (size_t i = 0; i < n; i++)
		plain[i] = (char)(plain[i] == '-' ? '+' : plain[i] == '_' ? '/' : plain[i]);
	memset(plain + n, '=', padded - n);
	out = xcalloc(padded / 4 * 3 + 1);
	got = EVP_DecodeBlock(out, (unsigned char *)plain, (int)padded);
	free(plain);
	if (got < 0) {
		free(out);
		return NULL;
	}
	*size = (size_t)got - (padded - n);
	return out;
}

static json_t *segment_object(const char *s, size_t n)
{
	size_t size;
	unsigned char *bytes = segment_decode(s, n, &size);
	json_t *out = NULL;

	if (bytes)
		out = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
	free(bytes);
	if (json_is_object(out))
		return out;
	json_decref(out);
	return NULL;
}

bool jwt_read(struct jwt *j, const char *text)
{
	const char *first = strchr(text, '.');
	const char *second = first ? strchr(first + 1, '.') : NULL;

	*j = (struct jwt){.text = text};
	if (!second || strchr(second + 1, '.'))
		return false;
	j->signed_size = (size_t)(second - text);
	j->header = segment_object(text, (size_t)(first - text));
	j->claims = segment_object(first + 1, (size_t)(second - first - 1));
	j->signature = segment_decode(second + 1, strlen(second + 1), &j->signature_size);
	return j->header && j->claims && j->signature;
}

static const char *key_algorithm(EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return "RS256";
	case EVP_PKEY_EC:
		return EVP_PKEY_get_bits(key) == 256 ? "ES256" : NULL;
	default:
		return NULL;
	}
}

static bool signature_valid(
	const struct jwt *j, EVP_PKEY *key, const unsigned char *signature, size_t size)
{
	EVP_MD_CTX *context = xnonnull(EVP_MD_CTX_new());
	bool ok = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestVerify(context, signature, size, (const unsigned char *)j->text,
			  j->signed_size) == 1;

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return ok;
}

/* A JWT has the two numbers of an ECDSA signature side by side; OpenSSL needs DER. */
static bool signature_valid_ecdsa(const struct jwt *j, EVP_PKEY *key)
{
	ECDSA_SIG *numbers = xnonnull(ECDSA_SIG_new());
	unsigned char *der = NULL;
	bool ok = false;
	int size;

	if (j->signature_size == FLAT_SIZE) {
		ECDSA_SIG_set0(numbers, xnonnull(BN_bin2bn(j->signature, NUMBER_SIZE, NULL)),
			xnonnull(BN_bin2bn(j->signature + NUMBER_SIZE, NUMBER_SIZE, NULL)));
		size = i2d_ECDSA_SIG(numbers, &der);
		ok = size > 0 && signature_valid(j, key, der, (size_t)size);
	}
	OPENSSL_free(der);
	ECDSA_SIG_free(numbers);
	return ok;
}

bool jwt_verify(const struct jwt *j, EVP_PKEY *key)
{
	const char *algorithm = key_algorithm(key);
	const char *said = json_string_value(json_object_get(j->header, "alg"));

	if (!algorithm || !said || strcmp(algorithm, said) != 0)
		return false;
	if (algorithm[0] == 'E')
		return signature_valid_ecdsa(j, key);
	return signature_valid(j, key, j->signature, j->signature_size);
}

static char *segment_encode(const unsigned char *bytes, size_t size)
{
	char *out = xcalloc(4 * ((size + 2) / 3) + 1);

	EVP_EncodeBlock((unsigned char *)out, bytes, (int)size);
	for (char *c = out; *c != '\0'; c++)
		*c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
	out[strcspn(out, "=")] = '\0';
	return out;
}

static unsigned char *signature_make(EVP_PKEY *key, const char *text, size_t *size)
{
	EVP_MD_CTX *context = xnonnull(EVP_MD_CTX_new());
	unsigned char *out;

	*size = (size_t)EVP_PKEY_get_size(key);
	out = xcalloc(*size);
	if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
		EVP_DigestSign(context, out, size, (const unsigned char *)text, strlen(text)) != 1)
		xnonnull(NULL);
	EVP_MD_CTX_free(context);
	return out;
}

/* Converts DER, in place, to two numbers side by side. */
static void signature_flatten(unsigned char **signature, size_t *size)
{
	const unsigned char *der = *signature;
	ECDSA_SIG *numbers = xnonnull(d2i_ECDSA_SIG(NULL, &der, (long)*size));
	unsigned char *flat = xcalloc(FLAT_SIZE);

	BN_bn2binpad(ECDSA_SIG_get0_r(numbers), flat, NUMBER_SIZE);
	BN_bn2binpad(ECDSA_SIG_get0_s(numbers), flat + NUMBER_SIZE, NUMBER_SIZE);
	ECDSA_SIG_free(numbers);
	free(*signature);
	*signature = flat;
	*size = FLAT_SIZE;
}

char *jwt_sign(EVP_PKEY *key, const char *kid, const char *claims)
{
	const char *algorithm = key_algorithm(key);
	char *header = xasprintf("{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}", algorithm, kid);
	char *first = segment_encode((unsigned char *)header, strlen(header));
	char *second = segment_encode((const unsigned char *)claims, strlen(claims));
	char *text = xasprintf("%s.%s", first, second), *third, *out;
	size_t size;
	unsigned char *signature = signature_make(key, text, &size);

	/* gcc -fanalyzer does not see that signature_make ends the program without one. */
	if (algorithm[0] == 'E')
		signature_flatten(&signature, &size);
	third = segment_encode(signature, size);
	out = xasprintf("%s.%s", text, third);
	free(third);
	free(signature);
	free(text);
	free(second);
	free(first);
	free(header);
	return out;
}

void jwt_free(struct jwt *j)
{
	json_decref(j->header);
	json_decref(j->claims);
	free(j->signature);
	*j = (struct jwt){0};
}
