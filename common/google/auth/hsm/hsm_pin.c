/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PIN: where it comes from, and the record of a refused one, which is not used again. The
 * record is a slow hash of the PIN, not the PIN, in a file of the tokens directory that all
 * processes share: /var/cache/cloudinvite/pin-refused-<hash of the URI>.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/hsm/hsm_key.h"
#include "google/auth/hsm/hsm_uri.h"
#include "google/auth/token_file.h"

#define PIN_MAX	   256
#define NAME_SIZE  64
#define SALT_SIZE  16
#define HASH_SIZE  32
#define ITERATIONS 100000

/* ---- reading ---- */

static bool read_file(const char *path, struct strbuf *pin, struct fault *f)
{
	const struct file_rules rules = {.max_size = PIN_MAX,
		.secret = true,
		.group_ok = getegid(),
		.trusted = true,
		.follow = true};

	if (!file_read(path, &rules, pin, FAULT_CREDENTIALS, f))
		return f && *f->remedy ? false
				       : fault_remedy(f, "It is the pin-source in [google] key: "
							 "store the PIN in a file owned by root, "
							 "with the service's group and mode 0640.");
	if (pin->len && pin->data[pin->len - 1] == '\n')
		pin->data[--pin->len] = '\0';
	if (pin->len && strlen(pin->data) == pin->len)
		return true;
	fault_set(f, FAULT_CREDENTIALS, "pin_empty", "%s does not contain a PIN", path);
	return fault_remedy(f, "Write the token's PIN to the file, and nothing else.");
}

bool hsm_pin_read(const char *uri, struct strbuf *pin, struct fault *f)
{
	char path[512];

	if (!hsm_uri_pin_file(uri, path, sizeof(path))) {
		fault_set(f, FAULT_CREDENTIALS, "pin_source",
			"key: pin-source does not name a file that this program can find");
		return fault_remedy(f,
			"Write pin-source=file:/PATH, or pin-source=systemd:NAME for a PIN that "
			"the unit passes with LoadCredential=NAME:/PATH.");
	}
	if (*path)
		return read_file(path, pin, f);
	return hsm_uri_pin_value(uri, pin) ||
	       fault_set(f, FAULT_CREDENTIALS, "pin_value", "key: pin-value is not a PIN");
}

/* ---- the record of refused PINs ---- */

struct rejected_pin {
	unsigned char salt[SALT_SIZE];
	unsigned char hash[HASH_SIZE];
};

static bool hash_pin(const char *pin, struct rejected_pin *m)
{
	return PKCS5_PBKDF2_HMAC(pin, (int)strlen(pin), m->salt, sizeof(m->salt), ITERATIONS,
		       EVP_sha256(), sizeof(m->hash), m->hash) == 1;
}

/* Made of the URI without the PIN: the key is the same with another PIN. */
static bool record_name(const char *uri, char name[NAME_SIZE])
{
	struct strbuf bare = {0};
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[17];
	bool ok = hsm_uri_bare(uri, &bare) &&
		  EVP_Digest(bare.data, bare.len, digest, NULL, EVP_sha256(), NULL) == 1;

	strbuf_free(&bare);
	if (ok)
		hex_encode(hex, digest, sizeof(hex) / 2);
	return ok && str_format(name, NAME_SIZE, "pin-refused-%s", hex);
}

bool rejected_pin_path(const struct settings *s, const char *uri, char *out, size_t size)
{
	char name[NAME_SIZE];

	return record_name(uri, name) && str_format(out, size, "%s/%s", s->tokens, name);
}

static int open_directory(
	const struct settings *s, const char *uri, char name[NAME_SIZE], struct fault *f)
{
	if (record_name(uri, name))
		return token_file_dir(s, f);
	fault_set(f, FAULT_CREDENTIALS, "no_digest", "OpenSSL does not provide SHA-256");
	return -1;
}

static bool read_record(int dir, const char *name, struct rejected_pin *m)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool ok = fd >= 0 && read(fd, m, sizeof(*m)) == (ssize_t)sizeof(*m);

	file_close(&fd);
	return ok;
}

static bool same_pin(const struct rejected_pin *before, const char *pin)
{
	struct rejected_pin now = *before;

	return hash_pin(pin, &now) && CRYPTO_memcmp(now.hash, before->hash, sizeof(now.hash)) == 0;
}

static bool rejected_fault(const struct settings *s, const char *name, struct fault *f)
{
	fault_set(f, FAULT_CREDENTIALS, "pin_refused",
		"the token has rejected this PIN before; it will not be tried again, because "
		"tokens lock after a few wrong PINs");
	return fault_remedy(f,
		"Correct the PIN in its file or in [google] key. If the PIN is correct now, "
		"because the token's own PIN was changed: rm %s/%s",
		s->tokens, name);
}

bool rejected_pin_check(const struct settings *s, const char *uri, const char *pin, struct fault *f)
{
	char name[NAME_SIZE];
	struct rejected_pin before;
	int dir = open_directory(s, uri, name, f);
	bool refused;

	if (dir < 0)
		return false;
	refused = read_record(dir, name, &before) && same_pin(&before, pin);
	file_close(&dir);
	return !refused || rejected_fault(s, name, f);
}

void rejected_pin_add(const struct settings *s, const char *uri, const char *pin)
{
	struct fault f = {0};
	char name[NAME_SIZE];
	struct rejected_pin m;
	int dir = open_directory(s, uri, name, &f);

	if (dir >= 0 && (RAND_bytes(m.salt, sizeof(m.salt)) != 1 || !hash_pin(pin, &m) ||
				file_replace_at(dir, name, &m, sizeof(m), 0600)))
		fault_set(&f, FAULT_STORAGE, "pin_mark",
			"%s/%s: %s; the next attempt will use the same wrong PIN", s->tokens, name,
			strerror(errno));
	if (f.kind)
		log_fault(LOG_LEVEL_ERROR, f.code, &f);
	file_close(&dir);
}

void rejected_pin_clear(const struct settings *s, const char *uri)
{
	struct fault unheard = {0};
	char name[NAME_SIZE];
	int dir = open_directory(s, uri, name, &unheard);

	if (dir >= 0)
		unlinkat(dir, name, 0);
	file_close(&dir);
}
