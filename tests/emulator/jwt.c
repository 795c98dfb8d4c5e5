/* SPDX-License-Identifier: Apache-2.0 */
#include "jwt.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"

#define SEGMENT_MAX 65536

/* Google's own older Python client pads its segments, so that padding is taken where it is right.
 */
static size_t segment_unpadded(const char *s, size_t n)
{
	if (n % 4 != 0)
		return n;
	for (int i = 0; i < 2 && n > 0 && s[n - 1] == '='; i++)
		n--;
	return n;
}

/* base64url -> bytes; NULL: it is none. */
static unsigned char *segment_decode(const char *s, size_t n, size_t *size)
{
	size_t padded = (n + 3) / 4 * 4;
	char *plain;
	unsigned char *out;
	int got;

	n = segment_unpadded(s, n);
	if (n == 0 || n > SEGMENT_MAX || n % 4 == 1 || memchr(s, '=', n) != NULL ||
		memchr(s, '+', n) != NULL || memchr(s, '/', n) != NULL)
		return NULL;
	plain = must_alloc(padded + 1);
	memcpy(plain, s, n);
	for (size_t i = 0; i < n; i++)
		plain[i] = (char)(plain[i] == '-' ? '+' : plain[i] == '_' ? '/' : plain[i]);
	memset(plain + n, '=', padded - n);
	out = must_alloc(padded / 4 * 3 + 1);
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

	if (bytes != NULL)
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
	const char *second = first != NULL ? strchr(first + 1, '.') : NULL;

	*j = (struct jwt){.text = text};
	if (second == NULL || strchr(second + 1, '.') != NULL)
		return false;
	j->signed_size = (size_t)(second - text);
	j->header = segment_object(text, (size_t)(first - text));
	j->claims = segment_object(first + 1, (size_t)(second - first - 1));
	j->signature = segment_decode(second + 1, strlen(second + 1), &j->signature_size);
	return j->header != NULL && j->claims != NULL && j->signature != NULL;
}

bool jwt_verify(const struct jwt *j, EVP_PKEY *key)
{
	EVP_MD_CTX *context = must(EVP_MD_CTX_new());
	bool ok = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
		  EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestVerify(context, j->signature, j->signature_size,
			  (const unsigned char *)j->text, j->signed_size) == 1;

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return ok;
}

void jwt_free(struct jwt *j)
{
	json_decref(j->header);
	json_decref(j->claims);
	free(j->signature);
	*j = (struct jwt){0};
}
