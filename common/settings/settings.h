/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudinvite.conf and the files of conf.d/ beside it, in the order of their names, as one struct.
 * Every key is in the table of settings.c: name, type, default, range, help; nowhere else.
 */
#ifndef CLOUDINVITE_SETTINGS_SETTINGS_H
#define CLOUDINVITE_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/strbuf.h"

#define SETTINGS_FILE CLOUDINVITE_SYSCONFDIR "/cloudinvite.conf"
/* A directory for credentials beside the settings, and one in the state directory, which is the
 * dispatcher's. The collector's unit hides both. (It hides whole directories, because hiding a
 * single file ends with the next file that is renamed into its place.) */
#define SETTINGS_PRIVATE "private"
/* The collector's directory in the state directory: what it stores about its host. */
#define SETTINGS_COLLECTOR "collector"

enum settings_mode { MODE_DRY_RUN, MODE_SEND };
enum settings_discovered { DISCOVERED_HOLD, DISCOVERED_SEND, DISCOVERED_IGNORE };
enum settings_exposed { EXPOSED_REFUSE, EXPOSED_ACCEPT };
enum settings_role { ROLE_STANDALONE, ROLE_HOST, ROLE_HUB };
enum settings_log_addresses { LOG_ADDRESSES_MASKED, LOG_ADDRESSES_FULL };
#define TRIGGER_FLAG_LOGIN   (1u << 0)
#define TRIGGER_FLAG_CREATED (1u << 1)

/* Strings are never NULL; "" is "not set". Lists stay text (base/str.h str_in_list). Durations
 * are seconds. */
struct settings {
	/* [google] */
	char *customer;
	char *credentials; /* /path, "systemd:NAME", "metadata:", or "" */
	char *subject;
	char *service_account;
	char *key; /* an OpenSSL store's URI: pkcs11:…, handle:0x…; or "" */
	char *key_id;
	char *api_version; /* "v1" or "v1beta1" */
	char *endpoint;	   /* https://host[:port], no path, no slash at the end */
	char *token_endpoint;
	bool token_endpoint_set; /* set in a file: then a key file's token_uri may be this one */
	char *authorization_endpoint;
	char *iam_endpoint; /* https://host[:port] */
	char *sts_endpoint;
	bool sts_endpoint_set;	 /* like token_endpoint_set, for a file's token_url */
	char *metadata_endpoint; /* http://host[:port] */
	enum settings_exposed metadata_exposed;
	char *quota_project;
	char *ca_file;
	char *client_certificate;
	char *client_key;
	char *proxy;
	char *no_proxy; /* lower case */
	int64_t timeout;
	int64_t requests_per_minute; /* 0: unlimited */
	int64_t parallel;
	/* [people] */
	char *address;
	char *domains; /* lower case */
	char *map;
	int64_t min_uid;
	int64_t max_uid;
	bool network_users;
	char *allow_reserved_names;
	char *exclude_users;
	char *include_groups;
	char *exclude_groups;
	bool gecos;
	/* [invitations] */
	enum settings_mode mode;
	unsigned triggers; /* TRIGGER_* */
	int64_t creation_delay;
	char *send_window;
	char *timezone;	       /* "": this host's */
	int64_t sends_per_day; /* 0: none */
	int64_t max_mails;
	enum settings_discovered discovered;
	int64_t resync_interval; /* 0: never */
	bool cancel_on_delete;
	/* [privacy] */
	int64_t retain_history;
	int64_t retain_gone;
	enum settings_log_addresses log_addresses;
	/* [storage] */
	char *ledger; /* sqlite:/path or postgresql://… */
	char *spool;
	char *state;
	char *tokens;
	char *run;
	char *passwd;
	char *group;
	char *metrics_file;
	/* [worker] */
	enum settings_role role;
	char *collector_user;
	char *dispatcher_user;
	char *ledger_user; /* its primary group is the ledger's */
};

/* Accounts: collector and dispatcher run as their own. A command that needs only the ledger runs as
 * the third, which has access to nothing else. What only root may do is done as root. */
enum local_account { ACCOUNT_LEDGER, ACCOUNT_COLLECTOR, ACCOUNT_DISPATCHER, ACCOUNT_ROOT };

/* Reads `path` (NULL: SETTINGS_FILE) and its conf.d/. NULL with the fault (FAULT_SETTINGS) that
 * names file, line and remedy. Each key is checked alone; settings_check checks them together. */
struct settings *settings_load(const char *path, struct fault *fault);
/* The same with `text` instead of the content of the file `path`, which need not exist; its conf.d/
 * is read. NULL: settings_load. */
struct settings *settings_load_text(
	const char *path, const struct strbuf *text, struct fault *fault);
/* Checks that one key alone does not allow: address template against domains and gecos, role
 * against ledger, send_window's syntax, the credential file's rights, https endpoints, a
 * readable map … Never uses the network. Calls `report` for every finding and returns how many
 * there were. */
int settings_check(
	const struct settings *s, void (*report)(const struct fault *, void *ctx), void *ctx);
/* For the programs: settings_load, and an error if settings_check has a finding that concerns
 * collecting (`dispatch` false), or collecting or dispatching (true). */
struct settings *settings_load_checked(const char *path, bool dispatch, struct fault *fault);
/* For `config --check` and `doctor`: reports everything that is wrong with the files instead of
 * stopping at the first finding; then, if nothing is, the findings of settings_check. `*count` is
 * their number. Returns what could be read, or NULL if the file itself could not. */
struct settings *settings_inspect(
	const char *path, void (*report)(const struct fault *, void *ctx), void *ctx, int *count);
void settings_free(struct settings *s);

/* Parses the URI of a PKCS#11 key. Only programs that use the key link the library that does it;
 * the others accept every URI of that scheme. */
#define SETTINGS_KEY_PKCS11 "pkcs11:"
struct settings_key_reader {
	/* What is wrong with it, or NULL. It must name one key, and one token, so that the PIN goes
	 * to no other token. `remedy` is a whole sentence. */
	const char *(*wrong)(const char *uri, const char **remedy);
	/* The file that holds the PIN; "" if the URI names none, false if its path is not known. */
	bool (*pin_file)(const char *uri, char *out, size_t size);
};
/* For the whole process, before settings are loaded. */
void settings_read_keys_with(const struct settings_key_reader *reader);

/* For `cloudinvite config`: every key in the table's order, with its effective value as written
 * in a file (passwords as ***) and its origin ("default",
 * "/etc/cloudinvite/conf.d/10-site.conf:4"). */
bool settings_each(const struct settings *s,
	bool (*each)(const char *section, const char *key, const char *value, const char *origin,
		const char *help, void *ctx),
	void *ctx);
/* The file that was loaded. */
const char *settings_path(const struct settings *s);
/* The files that were read, numbered from 0; NULL after the last one. */
const char *settings_file(const struct settings *s, size_t number);

/* The account's name. */
const char *settings_account(const struct settings *s, enum local_account account);
/* The collector's account: the only one that the spool's keeper serves. */
const char *settings_collector_user(const struct settings *s);
/* drop_privileges to that account, in the ledger's group. */
bool settings_run_as(const struct settings *s, enum local_account account, struct fault *fault);

/* Sets one key in the file `path`, keeping comments and order (for `enable`). Adds section and key
 * if they are missing. If a drop-in overrides the key, fails and names that file. Atomic; keeps
 * mode and owner. */
bool settings_write(const char *path, const char *section, const char *key, const char *value,
	struct fault *fault);
/* The same in a text that stands for the file's content. `text` is unchanged after false. */
bool settings_edit(const char *path, struct strbuf *text, const char *section, const char *key,
	const char *value, struct fault *fault);

#endif
