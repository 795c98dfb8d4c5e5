/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and certificates, made by OpenSSL at each start; nothing is stored except what clients need.
 */
#include "keyring.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"

/* The hosts for which a client may be directed to this emulator. */
#define SERVER_NAMES                                                                           \
	"DNS:localhost,IP:127.0.0.1,IP:::1,DNS:cloudidentity.googleapis.com,"                  \
	"DNS:oauth2.googleapis.com,DNS:accounts.google.com,DNS:iamcredentials.googleapis.com," \
	"DNS:sts.googleapis.com"

static char *bio_text(BIO *bio)
{
	char *bytes;
	long n = BIO_get_mem_data(bio, &bytes);
	char *out = n > 0 ? xstrndup(bytes, (size_t)n) : NULL;

	BIO_free(bio);
	return out;
}

char *keyring_private_pem(EVP_PKEY *key)
{
	BIO *bio = xnonnull(BIO_new(BIO_s_mem()));

	PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	return bio_text(bio);
}

char *keyring_public_pem(EVP_PKEY *key)
{
	BIO *bio = xnonnull(BIO_new(BIO_s_mem()));

	PEM_write_bio_PUBKEY(bio, key);
	return bio_text(bio);
}

EVP_PKEY *keyring_read_public(const char *pem)
{
	BIO *bio = xnonnull(BIO_new_mem_buf(pem, -1));
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static char *certificate_pem(X509 *certificate)
{
	BIO *bio = xnonnull(BIO_new(BIO_s_mem()));

	PEM_write_bio_X509(bio, certificate);
	return bio_text(bio);
}

static bool certificate_extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ok = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

/* Random, because a client may have seen another certificate of an issuer with the same name. */
static bool certificate_number(X509 *certificate)
{
	unsigned char bytes[16];
	BIGNUM *number;
	bool ok;

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	bytes[0] &= 0x7f;
	number = BN_bin2bn(bytes, sizeof bytes, NULL);
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return ok;
}

/* Everything except extensions and signature. Valid from a day ago for ten years: the emulator's
 * clock may be moved, but the client's real clock counts here. */
static X509 *certificate_start(EVP_PKEY *key, const char *name, X509 *issuer)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = certificate ? X509_get_subject_name(certificate) : NULL;

	if (!subject || !certificate_number(certificate) ||
		X509_set_version(certificate, X509_VERSION_3) != 1 ||
		!X509_gmtime_adj(X509_getm_notBefore(certificate), -86400L) ||
		!X509_gmtime_adj(X509_getm_notAfter(certificate), 10L * 365 * 86400) ||
		X509_set_pubkey(certificate, key) != 1 ||
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
			(const unsigned char *)name, -1, -1, 0) != 1 ||
		X509_set_issuer_name(
			certificate, issuer ? X509_get_subject_name(issuer) : subject) != 1) {
		X509_free(certificate);
		return NULL;
	}
	return certificate;
}

static X509 *certificate_authority(EVP_PKEY *key)
{
	X509 *ca = certificate_start(key, "cloudinvite-emulator CA", NULL);

	if (!ca ||
		!certificate_extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
		!certificate_extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") ||
		!certificate_extend(ca, ca, NID_subject_key_identifier, "hash") ||
		X509_sign(ca, key, EVP_sha256()) == 0) {
		X509_free(ca);
		return NULL;
	}
	return ca;
}

static X509 *certificate_server(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *names)
{
	X509 *server = certificate_start(key, "cloudinvite-emulator", ca);

	if (!server ||
		!certificate_extend(server, ca, NID_basic_constraints, "critical,CA:FALSE") ||
		!certificate_extend(server, ca, NID_key_usage, "critical,digitalSignature") ||
		!certificate_extend(server, ca, NID_ext_key_usage, "serverAuth") ||
		!certificate_extend(server, ca, NID_subject_alt_name, names) ||
		!certificate_extend(server, ca, NID_authority_key_identifier, "keyid") ||
		X509_sign(server, ca_key, EVP_sha256()) == 0) {
		X509_free(server);
		return NULL;
	}
	return server;
}

/* P-256: a handshake costs a twentieth of RSA's. */
static bool keyring_make_tls(struct keyring *k, const char *listen_host)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = NULL, *server = NULL;
	char *names = xasprintf(SERVER_NAMES ",IP:%s", listen_host);

	if (ca_key && key)
		ca = certificate_authority(ca_key);
	if (ca)
		server = certificate_server(key, ca, ca_key, names);
	if (server) {
		k->ca_pem = certificate_pem(ca);
		k->server_pem = certificate_pem(server);
		k->server_key_pem = keyring_private_pem(key);
	}
	X509_free(server);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	free(names);
	return k->server_key_pem;
}

static char *key_id(void)
{
	unsigned char bytes[20];
	char kid[2 * sizeof bytes + 1];

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		xnonnull(NULL);
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(kid + 2 * i, 3, "%02x", (unsigned int)bytes[i]);
	return xstrdup(kid);
}

static bool keyring_make_signers(struct keyring *k)
{
	k->service_key = EVP_RSA_gen(2048);
	k->service_kid = key_id();
	k->issuer_key = (struct signing_key){key_id(), EVP_EC_gen("P-256"), false};
	return k->service_key && k->issuer_key.key;
}

struct signing_key signing_key_share(const struct signing_key *key)
{
	EVP_PKEY_up_ref(key->key);
	return (struct signing_key){xstrdup(key->kid), key->key, key->managed};
}

void signing_key_free(struct signing_key *key)
{
	free(key->kid);
	EVP_PKEY_free(key->key);
	*key = (struct signing_key){0};
}

/* RSA is slow, so one key is made at the first use, for all accounts. Their key ids differ, and the
 * token endpoint looks at these. */
struct signing_key keyring_managed_key(struct keyring *k)
{
	if (!k->managed_key)
		k->managed_key = xnonnull(EVP_RSA_gen(2048));
	EVP_PKEY_up_ref(k->managed_key);
	return (struct signing_key){key_id(), k->managed_key, true};
}

bool keyring_make(struct keyring *k, const char *listen_host)
{
	*k = (struct keyring){0};
	if (keyring_make_tls(k, listen_host) && keyring_make_signers(k))
		return true;
	fputs("cloudinvite-emulator: OpenSSL cannot make keys and certificates:\n", stderr);
	ERR_print_errors_fp(stderr);
	keyring_free(k);
	return false;
}

void keyring_free(struct keyring *k)
{
	free(k->ca_pem);
	free(k->server_pem);
	free(k->server_key_pem);
	free(k->service_kid);
	EVP_PKEY_free(k->service_key);
	EVP_PKEY_free(k->managed_key);
	signing_key_free(&k->issuer_key);
	*k = (struct keyring){0};
}
