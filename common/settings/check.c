/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks that one key alone does not allow: keys that must agree, and the files that they name. A
 * finding that concerns only the dispatcher does not stop the collector.
 */
#include "base/str.h"
#include "settings/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/privdrop.h"
#include "settings/systemd.h"

#define DISPATCHING false
#define COLLECTING  true

struct check {
	const struct settings *s;
	struct diagnostics *found;
};

/* Reports "FILE:LINE: key: what", with the remedy. */
__attribute__((format(printf, 6, 7))) static void diagnose_key(const struct check *c,
	bool collecting, const char *section, const char *key, const char *what, const char *remedy,
	...)
{
	struct fault fault = {.kind = FAULT_NONE};
	char where[512], text[1024], code[48];
	va_list args;

	setting_origin(c->s, setting_find(section, key), where, sizeof(where));
	str_format(code, sizeof(code), "settings_%s", key);
	fault_set(&fault, FAULT_SETTINGS, code, "%s: %s", where, what);
	va_start(args, remedy);
	(void)vsnprintf(text, sizeof(text), remedy, args);
	va_end(args);
	fault_remedy(&fault, "%s", text);
	diagnose(c->found, &fault, collecting);
}

/* ---- keys that must agree ---- */

static void check_role(const struct check *c)
{
	bool fleet = !str_starts(c->s->ledger, "sqlite:");

	if (fleet)
		diagnose_key(c, COLLECTING, "storage", "ledger",
			"a PostgreSQL ledger is not available in version " CLOUDINVITE_VERSION,
			"Use a sqlite: ledger, with role = standalone on each host.");
	if (c->s->role != ROLE_STANDALONE)
		diagnose_key(c, COLLECTING, "worker", "role",
			c->s->role == ROLE_HOST ? "a host that reports to a hub is not available "
						  "in version " CLOUDINVITE_VERSION
						: "a hub that sends for a fleet is not available "
						  "in version " CLOUDINVITE_VERSION,
			"Set role = standalone: each host collects and sends with its own ledger.");
}

static void check_uids(const struct check *c)
{
	if (c->s->min_uid > c->s->max_uid)
		diagnose_key(c, COLLECTING, "people", "min_uid",
			"min_uid is greater than max_uid: no user matches",
			"Set min_uid to the lower number.");
}

/* str_each_word stops at the first pattern. */
static bool is_literal(const char *word, size_t len, void *ctx)
{
	(void)ctx;
	return !memchr(word, '*', len) && !memchr(word, '?', len);
}

static void check_groups(const struct check *c, const char *key, const char *list)
{
	if (!c->s->network_users || str_each_word(list, is_literal, NULL))
		return;
	diagnose_key(c, COLLECTING, "people", key,
		"a pattern cannot be used with network_users = yes: a directory can only be asked "
		"for a group by its name",
		"Write the name of each group. A name with a space in it is written in quotation "
		"marks: \"domain guests\".");
}

static void check_customer(const struct check *c)
{
	if (c->s->customer[0] == '\0')
		diagnose_key(c, DISPATCHING, "google", "customer", "the customer is not set",
			"Set it to the ID from the Admin console (Account, Account settings, "
			"Customer ID), such as C01234567.");
}

/* str_each_word stops at the word that is the domain, and returns false. */
static bool is_other_domain(const char *word, size_t len, void *ctx)
{
	const char *domain = ctx;

	return strlen(domain) != len || memcmp(domain, word, len) != 0;
}

static bool domain_is_ours(const struct settings *s, char *domain)
{
	return !str_each_word(s->domains, is_other_domain, domain);
}

static void check_address(const struct check *c)
{
	const struct settings *s = c->s;
	char *at = strchr(s->address, '@');

	if (s->domains[0] == '\0')
		diagnose_key(c, DISPATCHING, "people", "domains",
			"no domain is set, so no address can belong to your organisation",
			"Set it to the domains that are verified in the Admin console, such as "
			"example.com.");
	if (!at) {
		if (s->map[0] == '\0')
			diagnose_key(c, DISPATCHING, "people", "address",
				"neither an address template nor a map is set",
				"Set address, for example {user}@ and your domain, or map.");
		return;
	}
	if (s->domains[0] != '\0' && !domain_is_ours(s, at + 1))
		diagnose_key(c, DISPATCHING, "people", "address",
			"the domain of the template is not listed in domains, so it gives no "
			"valid address",
			"Add %s to domains, or correct the template.", at + 1);
	if (!s->gecos && (strstr(s->address, "{first}") || strstr(s->address, "{last}")))
		diagnose_key(c, DISPATCHING, "people", "address",
			"{first} and {last} come from the full name in the passwd file, which "
			"gecos = no ignores",
			"Set gecos = yes if users cannot change their full names (chfn), or use "
			"{user} and the map.");
}

/* ---- files that the settings name ---- */

static void check_file(
	const struct check *c, const char *section, const char *key, const char *path)
{
	if (path[0] != '\0' && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0) {
		char what[512];

		str_format(what, sizeof(what), "%s: %s", path, strerror(errno));
		diagnose_key(c, DISPATCHING, section, key, what,
			"Create the file, readable by the service's user, or correct the path.");
	}
}

/* The default map may be missing; a map that the settings name may not. */
static void check_map(const struct check *c)
{
	const char *usual = setting_find("people", "map")->fallback;
	struct stat st;

	if (strcmp(c->s->map, usual) != 0 || access(usual, F_OK) == 0)
		check_file(c, "people", "map", c->s->map);
	if (c->s->map[0] != '\0' && stat(c->s->map, &st) == 0 && (st.st_mode & S_IWOTH) != 0)
		diagnose_key(c, DISPATCHING, "people", "map",
			"every user can write the map, and so have any address invited",
			"chown root: %s && chmod 0644 %s", c->s->map, c->s->map);
}

/* Every user can read the settings, to see what the host does, so they must not contain a
 * password. */
static void check_password(const struct check *c, const struct setting_key *k, const char *value)
{
	const char *file = settings_loaded(c->s)->origins[k - setting_keys].file;
	struct stat st;

	if (!file || !setting_has_password(value) || stat(file, &st) != 0 ||
		(st.st_mode & S_IROTH) == 0)
		return;
	diagnose_key(c, k->used_by_collector, k->section, k->key,
		"it contains a password, and every user can read the file",
		"Move this key to a separate file in conf.d/, then: chown root:%s FILE && chmod "
		"0640 FILE",
		c->s->ledger_user);
}

/* ---- the credential ---- */

struct owner {
	bool known; /* the service's account exists */
	uid_t uid;
	gid_t gid;
};

/* A file that lets its reader act as another account. */
struct secret {
	const char *key, *path;
	const char *reader; /* what a reader of the file can do */
};

static void found_secret(const struct check *c, const struct secret *secret, const char *what)
{
	char sentence[512];

	uid_t uid;
	gid_t gid;

	str_format(sentence, sizeof(sentence), "%s %s", secret->path, what);
	if (!passwd_find(c->s->dispatcher_user, &uid, &gid, NULL)) {
		diagnose_key(c, DISPATCHING, "google", secret->key, sentence,
			"There is no account %s in /etc/passwd. Create it with systemd-sysusers, "
			"then: chown root:%s %s && chmod 0640 %s",
			c->s->dispatcher_user, c->s->dispatcher_user, secret->path, secret->path);
		return;
	}
	diagnose_key(c, DISPATCHING, "google", secret->key, sentence,
		"chown root:%s %s && chmod 0640 %s", c->s->dispatcher_user, secret->path,
		secret->path);
}

static void check_secret_rights(const struct check *c, const struct secret *secret,
	const struct stat *st, const struct owner *worker)
{
	bool ours = st->st_uid == 0 || st->st_uid == geteuid() ||
		    (worker->known && st->st_uid == worker->uid);
	bool group_ours = st->st_gid == 0 || (worker->known && st->st_gid == worker->gid);
	char what[128];

	if (!S_ISREG(st->st_mode))
		found_secret(c, secret, "is not a regular file");
	else if (!ours)
		found_secret(c, secret, "does not belong to root or the service's user");
	else if ((st->st_mode & S_IROTH) != 0) {
		str_format(what, sizeof(what),
			"can be read by every user: anyone who reads it can %s", secret->reader);
		found_secret(c, secret, what);
	} else if ((st->st_mode & (S_IWGRP | S_IRWXO)) != 0)
		found_secret(c, secret, "can be changed by other users");
	else if ((st->st_mode & S_IRWXG) != 0 && !group_ours)
		found_secret(
			c, secret, "can be read by a group other than root's and the service's");
	else if (worker->known && st->st_uid != worker->uid && (st->st_mode & S_IRGRP) == 0 &&
		 (geteuid() == 0 || geteuid() == worker->uid))
		found_secret(c, secret, "cannot be read by the service's user");
}

static void check_secret(const struct check *c, const struct secret *secret, const char *put)
{
	struct owner worker = {.known = false};
	char what[512];
	struct stat st;

	worker.known = passwd_find(c->s->dispatcher_user, &worker.uid, &worker.gid, NULL);
	if (stat(secret->path, &st) == 0) {
		check_secret_rights(c, secret, &st, &worker);
		return;
	}
	str_format(what, sizeof(what), "%s %s", secret->path,
		errno == ENOENT ? "does not exist" : strerror(errno));
	if (errno == ENOENT)
		diagnose_key(c, DISPATCHING, "google", secret->key, what,
			"Store %s there, then: chown root:%s %s && chmod 0640 %s", put,
			c->s->dispatcher_user, secret->path, secret->path);
	else
		diagnose_key(c, DISPATCHING, "google", secret->key, what,
			"Run this as root, or make the directory accessible to %s.",
			c->s->dispatcher_user);
}

static void check_handed_over(const struct check *c, const char *name)
{
	char path[512], what[640];

	/* A program that was started by hand has nothing from systemd; the code that needs it
	 * reports that. */
	if (!systemd_credential(name, path, sizeof(path)) || access(path, F_OK) == 0)
		return;
	str_format(what, sizeof(what), "systemd did not pass a credential '%s' (%s)", name, path);
	diagnose_key(c, DISPATCHING, "google", "credentials", what,
		"Add LoadCredential=%s:FILE to [Service] of the unit (systemctl edit "
		"cloudinvite-dispatcher), then restart it.",
		name);
}

static void check_credential(const struct check *c)
{
	const struct secret secret = {"credentials", c->s->credentials, "act as the administrator"};

	if (c->s->key[0] != '\0')
		return; /* then no other credential is used */
	if (secret.path[0] == '\0')
		diagnose_key(c, DISPATCHING, "google", "credentials", "no credential is set",
			"Set it to the file of the service account's key.");
	if (str_starts(secret.path, SYSTEMD_PREFIX))
		check_handed_over(c, secret.path + strlen(SYSTEMD_PREFIX));
	/* metadata: is not a file. */
	if (secret.path[0] == '/')
		check_secret(c, &secret, "the service account's key");
}

/* ---- the key in a token ---- */

static void check_pin(const struct check *c)
{
	char path[512];
	const struct secret secret = {"key", path, "use the key"};

	/* For systemd: the file is known only to the service, which checks it itself. */
	if (setting_key_reader && setting_key_reader->pin_file(c->s->key, path, sizeof(path)) &&
		path[0] != '\0')
		check_secret(c, &secret, "the token's PIN");
}

static void check_held_key(const struct check *c)
{
	const struct settings *s = c->s;

	if (s->key[0] == '\0') {
		if (s->key_id[0] != '\0')
			diagnose_key(c, DISPATCHING, "google", "key_id",
				"it belongs to a key that is not set",
				"Set key to the location of that key (pkcs11:... or handle:0x...), "
				"or remove key_id: a key file contains its own ID.");
		return;
	}
	if (s->service_account[0] == '\0')
		diagnose_key(c, DISPATCHING, "google", "service_account",
			"key requires the service account that it was uploaded to",
			"Set it, for example to inviter@PROJECT.iam.gserviceaccount.com.");
	if (s->key_id[0] == '\0')
		diagnose_key(c, DISPATCHING, "google", "key_id",
			"key requires the ID that Google gave it when it was uploaded",
			"Set it to the ID shown by `gcloud iam service-accounts keys list "
			"--iam-account ACCOUNT`.");
	if (s->subject[0] == '\0')
		diagnose_key(c, DISPATCHING, "google", "subject",
			"key requires the administrator to act as: a service account is not an "
			"administrator",
			"Set it to a super administrator, such as admin@example.com.");
	check_pin(c);
}

/* Whether certificate and key belong together is checked where they are used. */
static void check_client_certificate(const struct check *c)
{
	const struct settings *s = c->s;
	const struct secret secret = {
		"client_key", s->client_key, "present the organisation's certificate"};

	check_file(c, "google", "client_certificate", s->client_certificate);
	if (s->client_certificate[0] != '\0' && s->client_key[0] == '\0')
		diagnose_key(c, DISPATCHING, "google", "client_certificate",
			"it cannot be used without its private key",
			"Set client_key to the file of the key; it may be the same file.");
	else if (s->client_key[0] != '\0' && s->client_certificate[0] == '\0')
		diagnose_key(c, DISPATCHING, "google", "client_key",
			"it cannot be used without its certificate",
			"Set client_certificate as well.");
	if (s->client_key[0] != '\0')
		check_secret(c, &secret, "the certificate's private key");
}

/* The metadata server knows the machine's account, but not which administrator to act as. */
static void check_metadata(const struct check *c)
{
	const struct settings *s = c->s;

	if (strcmp(s->credentials, "metadata:") != 0)
		return;
	if (s->key[0] != '\0')
		diagnose_key(c, DISPATCHING, "google", "credentials",
			"metadata: and key cannot be used together",
			"Remove key if Google signs for the machine's account; otherwise "
			"remove credentials.");
	if (s->service_account[0] == '\0')
		diagnose_key(c, DISPATCHING, "google", "service_account",
			"metadata: requires the service account that acts as the administrator",
			"Set it to the account with domain-wide delegation, such as "
			"inviter@PROJECT.iam.gserviceaccount.com; it may be the machine's own.");
	if (s->subject[0] == '\0')
		diagnose_key(c, DISPATCHING, "google", "subject",
			"metadata: requires the administrator to act as: a service account is not "
			"an administrator",
			"Set it to a super administrator, such as admin@example.com.");
}

void settings_check_into(const struct settings *s, struct diagnostics *found)
{
	const struct check c = {s, found};

	check_role(&c);
	check_uids(&c);
	check_groups(&c, "include_groups", s->include_groups);
	check_groups(&c, "exclude_groups", s->exclude_groups);
	check_password(&c, setting_find("storage", "ledger"), s->ledger);
	check_customer(&c);
	check_credential(&c);
	check_held_key(&c);
	check_metadata(&c);
	check_password(&c, setting_find("google", "proxy"), s->proxy);
	check_password(&c, setting_find("google", "key"), s->key);
	check_file(&c, "google", "ca_file", s->ca_file);
	check_client_certificate(&c);
	check_address(&c);
	check_map(&c);
}
