/* SPDX-License-Identifier: Apache-2.0 */
/* The client certificate: what is accepted, and what is refused before libcurl reads it. */
#include "base/str.h"
#include "folder.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "google/http/client_certificate.h"
#include "google_key.h"

#define HOUR 3600L

static EVP_PKEY *key, *other;

static int make_keys(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	other = key_rsa(2048);
	return key && other ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return 0;
}

/* The caller frees it. */
static char *certificate_pem(EVP_PKEY *of, long from, long until)
{
	X509 *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *pem;
	long n;

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), until);
	X509_set_pubkey(x, of);
	X509_sign(x, of, EVP_sha256());
	PEM_write_bio_X509(bio, x);
	n = BIO_get_mem_data(bio, &bytes);
	pem = strndup(bytes, (size_t)n);
	BIO_free(bio);
	X509_free(x);
	return pem;
}

static char *encrypted_pem(EVP_PKEY *of)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *pem;
	long n;

	PEM_write_bio_PKCS8PrivateKey(bio, of, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
	n = BIO_get_mem_data(bio, &bytes);
	pem = strndup(bytes, (size_t)n);
	BIO_free(bio);
	return pem;
}

/* Takes ownership of both texts. `code` NULL: they are right. */
static void expect(struct folder *f, char *certificate, char *private_key, mode_t mode,
	const char *code, const char *what)
{
	char certificate_path[PATH_MAX], key_path[PATH_MAX];
	struct settings s = {.client_certificate = certificate_path, .client_key = key_path};
	struct fault fault = {.kind = FAULT_NONE};
	bool good;

	str_copy(certificate_path, sizeof(certificate_path),
		folder_write(f, "client.pem", certificate));
	str_copy(key_path, sizeof(key_path), folder_write(f, "client.key", private_key));
	assert_int_equal(chmod(key_path, mode), 0);
	good = client_certificate_check(&s, &fault);
	if (good != !code || (code && !strstr(fault.what, what)))
		print_error("%s: %s\n", fault.code, fault.what);
	assert_int_equal(good, !code);
	if (code) {
		assert_int_equal(fault.kind, FAULT_SETTINGS);
		assert_non_null(strstr(fault.code, code));
		assert_non_null(strstr(fault.what, what));
		assert_true(strlen(fault.remedy) > 20);
		assert_null(strstr(fault.what, "PRIVATE KEY"));
	}
	free(certificate);
	free(private_key);
}

static void without_one_there_is_nothing_to_check(void **state)
{
	char none[] = "";
	const struct settings s = {.client_certificate = none, .client_key = none};
	struct fault fault = {.kind = FAULT_NONE};

	(void)state;
	assert_true(client_certificate_check(&s, &fault));
}

static void a_certificate_and_its_key_are_taken(void **state)
{
	expect(*state, certificate_pem(key, -HOUR, HOUR), key_pem(key), 0600, NULL, "");
	expect(*state, certificate_pem(other, -HOUR, HOUR), key_pem(other), 0600, NULL, "");
}

static void another_ones_key_is_refused(void **state)
{
	expect(*state, certificate_pem(key, -HOUR, HOUR), key_pem(other), 0600,
		"client_certificate", "is not the key of the certificate");
}

static void a_key_with_a_passphrase_is_refused_without_a_prompt(void **state)
{
	expect(*state, certificate_pem(key, -HOUR, HOUR), encrypted_pem(key), 0600, "client_key",
		"is encrypted");
}

static void what_is_not_a_certificate_or_not_a_key_is_reported_so(void **state)
{
	expect(*state, strdup("x"), key_pem(key), 0600, "client_certificate",
		"not a PEM certificate");
	expect(*state, key_pem(key), key_pem(key), 0600, "client_certificate",
		"not a PEM certificate");
	expect(*state, strdup(""), key_pem(key), 0600, "client_certificate",
		"not a PEM certificate");
	expect(*state, certificate_pem(key, -HOUR, HOUR), strdup(""), 0600, "client_key",
		"not a PEM private key");
	expect(*state, certificate_pem(key, -HOUR, HOUR), certificate_pem(key, -HOUR, HOUR), 0600,
		"client_key", "not a PEM private key");
}

static void one_that_is_not_valid_now_is_refused(void **state)
{
	expect(*state, certificate_pem(key, -2 * HOUR, -HOUR), key_pem(key), 0600,
		"client_certificate", "has expired");
	expect(*state, certificate_pem(key, HOUR, 2 * HOUR), key_pem(key), 0600,
		"client_certificate", "is not valid yet");
}

static void a_key_that_others_can_read_is_refused(void **state)
{
	expect(*state, certificate_pem(key, -HOUR, HOUR), key_pem(key), 0644, "", "client.key");
	expect(*state, certificate_pem(key, -HOUR, HOUR), key_pem(key), 0602, "", "client.key");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_one_there_is_nothing_to_check),
		TEST(a_certificate_and_its_key_are_taken),
		TEST(another_ones_key_is_refused),
		TEST(a_key_with_a_passphrase_is_refused_without_a_prompt),
		TEST(what_is_not_a_certificate_or_not_a_key_is_reported_so),
		TEST(one_that_is_not_valid_now_is_refused),
		TEST(a_key_that_others_can_read_is_refused),
	};

	return cmocka_run_group_tests_name("google", tests, make_keys, free_keys);
}
