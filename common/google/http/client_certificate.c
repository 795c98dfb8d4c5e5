/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads certificate and key as libcurl will, to say in plain words what is wrong with them.
 */
#include "google/http/client_certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/strbuf.h"

#define PEM_MAX 65536

/* OpenSSL would otherwise ask for a passphrase on the terminal. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is OpenSSL's */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf, (void)size, (void)writing, (void)ctx;
	return -1;
}

static X509 *read_certificate(const char *path, struct fault *f)
{
	const struct file_rules rules = {.max_size = PEM_MAX, .trusted = true, .follow = true};
	struct strbuf pem = {.max = PEM_MAX + 1};
	X509 *certificate = NULL;
	BIO *bio = NULL;

	if (!file_read(path, &rules, &pem, FAULT_SETTINGS, f))
		goto out;
	bio = BIO_new_mem_buf(pem.data ? pem.data : "", (int)pem.len);
	certificate = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
	if (certificate)
		goto out;
	fault_set(f, FAULT_SETTINGS, "client_certificate",
		"%s ([google] client_certificate) is not a PEM certificate", path);
	fault_remedy(f, "A PEM certificate begins with -----BEGIN CERTIFICATE-----. Use openssl "
			"x509 to convert other formats.");
out:
	BIO_free(bio);
	ERR_clear_error();
	strbuf_free(&pem);
	return certificate;
}

static bool explain_key(const char *path, const char *pem, struct fault *f)
{
	if (strstr(pem, "ENCRYPTED")) {
		fault_set(f, FAULT_SETTINGS, "client_key",
			"%s ([google] client_key) is encrypted, and a service cannot ask for the "
			"passphrase",
			path);
		return fault_remedy(f,
			"Store it without a passphrase, readable by the service only: openssl pkey "
			"-in %s -out NEW",
			path);
	}
	fault_set(f, FAULT_SETTINGS, "client_key",
		"%s ([google] client_key) is not a PEM private key", path);
	return fault_remedy(f, "A PEM private key begins with -----BEGIN PRIVATE KEY-----. Use "
			       "openssl pkey to convert other formats.");
}

static EVP_PKEY *read_key(const char *path, struct fault *f)
{
	const struct file_rules rules = {.max_size = PEM_MAX,
		.secret = true,
		.group_ok = getegid(),
		.trusted = true,
		.follow = true};
	struct strbuf pem = {.max = PEM_MAX + 1};
	EVP_PKEY *key = NULL;
	BIO *bio = NULL;

	if (!file_read(path, &rules, &pem, FAULT_SETTINGS, f))
		goto out;
	bio = BIO_new_mem_buf(pem.data ? pem.data : "", (int)pem.len);
	key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	if (!key)
		explain_key(path, pem.data ? pem.data : "", f);
out:
	BIO_free(bio);
	ERR_clear_error();
	strbuf_wipe(&pem);
	strbuf_free(&pem);
	return key;
}

static bool check_pair(
	const struct settings *s, const X509 *certificate, const EVP_PKEY *key, struct fault *f)
{
	bool pair = X509_check_private_key(certificate, key) == 1;

	ERR_clear_error();
	if (pair)
		return true;
	fault_set(f, FAULT_SETTINGS, "client_certificate",
		"%s is not the key of the certificate %s", s->client_key, s->client_certificate);
	return fault_remedy(f,
		"Set [google] client_certificate and client_key to two files that were issued "
		"together.");
}

static bool check_time(const struct settings *s, const X509 *certificate, struct fault *f)
{
	time_t now = (time_t)clock_wall();
	bool early = X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0;
	bool late = X509_cmp_time(X509_get0_notAfter(certificate), &now) < 0;

	if (!early && !late)
		return true;
	fault_set(f, FAULT_SETTINGS, "client_certificate", "the certificate %s %s",
		s->client_certificate, late ? "has expired" : "is not valid yet");
	return fault_remedy(f, "Set [google] client_certificate and client_key to a new "
			       "certificate and its key, and check this host's clock.");
}

bool client_certificate_check(const struct settings *s, struct fault *f)
{
	X509 *certificate = NULL;
	EVP_PKEY *key = NULL;
	bool ok;

	if (!*s->client_certificate && !*s->client_key)
		return true;
	certificate = read_certificate(s->client_certificate, f);
	key = certificate ? read_key(s->client_key, f) : NULL;
	ok = key && check_pair(s, certificate, key, f) && check_time(s, certificate, f);
	EVP_PKEY_free(key);
	X509_free(certificate);
	return ok;
}
