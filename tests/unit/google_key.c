/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/google_key.h"

EVP_PKEY *key_rsa(unsigned bits)
{
	return EVP_RSA_gen(bits);
}

char *key_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *pem;
	long n;

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(bio, &bytes);
	pem = strndup(bytes, (size_t)n);
	BIO_free(bio);
	return pem;
}

json_t *key_file(const char *pem)
{
	json_t *file = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "type", "service_account",
		"project_id", "inviter-1", "private_key_id", "0123abcd", "client_email",
		"inviter@inviter-1.iam.gserviceaccount.com", "client_id", "112233445566778899000",
		"token_uri", "https://oauth2.googleapis.com/token", "universe_domain",
		"googleapis.com");

	if (pem)
		json_object_set_new(file, "private_key", json_string(pem));
	return file;
}
