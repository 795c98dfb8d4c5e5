/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64url, made from OpenSSL's base64.
 */
#include "google/auth/base64url.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "google/http/secret.h"

bool base64url_add(struct strbuf *out, const unsigned char *bytes, size_t n)
{
	char *encoded = malloc(n / 3 * 4 + 5);
	bool ok;
	int len;

	if (!encoded)
		return false;
	len = EVP_EncodeBlock((unsigned char *)encoded, bytes, (int)n);
	while (len && encoded[len - 1] == '=')
		len--;
	for (int i = 0; i < len; i++) {
		if (encoded[i] == '+')
			encoded[i] = '-';
		else if (encoded[i] == '/')
			encoded[i] = '_';
	}
	ok = strbuf_add_bytes(out, encoded, (size_t)len);
	secret_free(encoded);
	return ok;
}
