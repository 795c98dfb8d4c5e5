/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all keys, and what is known about a loaded one: its value, and where it came from.
 * Parser and checks read the table; this file calls neither of them (load.c does).
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "settings/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static const char *const mode_words[] = {"dry-run", "send", NULL};
static const char *const trigger_words[] = {"login", "created", NULL};
static const char *const discovered_words[] = {"hold", "send", "ignore", NULL};
static const char *const log_words[] = {"masked", "full", NULL};
static const char *const exposed_words[] = {"refuse", "accept", NULL};
static const char *const role_words[] = {"standalone", "host", "hub", NULL};

#define AT(field) .offset = offsetof(struct settings, field)
#define MINUTE	  ((int64_t)60)
#define DAY	  ((int64_t)86400)

/* Keys that only the administrator can know have no default: the customer, the person to act as,
 * the domains. Their values in docs/design.md are examples. */
const struct setting_key setting_keys[] = {
	/* clang-format off */
	{ "google", "customer", KIND_STRING, AT(customer), .fallback = "",
	  .validate = validate_customer,
	  .help = "the organisation's customer ID (Admin console, Account settings)" },
	{ "google", "credentials", KIND_STRING, AT(credentials), .validate = validate_credentials,
	  .fallback = CLOUDINVITE_SYSCONFDIR "/credentials.json",
	  .help = "the credential: a file that other users cannot read, systemd:NAME, or "
		  "metadata:" },
	{ "google", "subject", KIND_STRING, AT(subject), .fallback = "",
	  .validate = validate_address,
	  .help = "the administrator that a service account acts as" },
	{ "google", "service_account", KIND_STRING, AT(service_account), .fallback = "",
	  .validate = validate_address,
	  .help = "the account with domain-wide delegation, if the credential does not name it" },
	{ "google", "key", KIND_STRING, .password = true, AT(key), .fallback = "",
	  .validate = validate_key,
	  .help = "a key that cannot be copied: pkcs11:… or handle:0x… (TPM)" },
	{ "google", "key_id", KIND_STRING, AT(key_id), .fallback = "", .validate = validate_key_id,
	  .help = "Google's ID of that key (Service accounts, Keys)" },
	{ "google", "api_version", KIND_STRING, AT(api_version), .fallback = "v1",
	  .validate = validate_api_version, .help = "v1 or v1beta1" },
	{ "google", "endpoint", KIND_STRING, AT(endpoint), .validate = validate_endpoint,
	  .fallback = "https://cloudidentity.googleapis.com",
	  .help = "address of the Cloud Identity API: https://host[:port]" },
	{ "google", "token_endpoint", KIND_STRING, AT(token_endpoint), .validate = validate_https,
	  .fallback = "https://oauth2.googleapis.com/token",
	  .help = "address where access tokens are requested" },
	{ "google", "authorization_endpoint", KIND_STRING, AT(authorization_endpoint),
	  .validate = validate_https, .fallback = "https://accounts.google.com/o/oauth2/v2/auth",
	  .help = "address where the administrator consents (cloudinvite login)" },
	{ "google", "iam_endpoint", KIND_STRING, AT(iam_endpoint), .validate = validate_endpoint,
	  .fallback = "https://iamcredentials.googleapis.com",
	  .help = "address where Google signs for a service account without a key" },
	{ "google", "sts_endpoint", KIND_STRING, AT(sts_endpoint), .validate = validate_https,
	  .fallback = "https://sts.googleapis.com/v1/token",
	  .help = "address where the token of a federated workload is exchanged" },
	{ "google", "metadata_endpoint", KIND_STRING, AT(metadata_endpoint),
	  .validate = validate_http,
	  .fallback = "http://metadata.google.internal",
	  .help = "address of the metadata server of a Compute Engine or GKE host" },
	{ "google", "metadata_exposed", KIND_CHOICE, AT(metadata_exposed), .fallback = "refuse",
	  .words = exposed_words,
	  .help = "if other users of the host can reach the metadata server: refuse, accept" },
	{ "google", "quota_project", KIND_STRING, AT(quota_project), .fallback = "",
	  .validate = validate_project, .help = "the project that the calls are charged to" },
	{ "google", "ca_file", KIND_STRING, AT(ca_file), .fallback = "",
	  .validate = validate_path_or_none,
	  .help = "certificate authorities to trust instead of the system's" },
	{ "google", "client_certificate", KIND_STRING, AT(client_certificate), .fallback = "",
	  .validate = validate_path_or_none,
	  .help = "client certificate (PEM) for the API (mTLS)" },
	{ "google", "client_key", KIND_STRING, AT(client_key), .fallback = "",
	  .validate = validate_path_or_none,
	  .help = "its private key (PEM); readable by the service only" },
	{ "google", "proxy", KIND_STRING, .password = true, AT(proxy), .fallback = "",
	  .validate = validate_proxy,
	  .help = "proxy for calls to Google: http://[user:password@]host:port" },
	{ "google", "no_proxy", KIND_LIST, AT(no_proxy), .fallback = "",
	  .validate = validate_no_proxy,
	  .help = "hosts and domains to connect to without the proxy" },
	{ "google", "timeout", KIND_DURATION, AT(timeout), .fallback = "20s", .min = 1,
	  .max = 5 * MINUTE, .help = "time limit for one call to Google" },
	{ "google", "requests_per_minute", KIND_NUMBER, AT(requests_per_minute), .fallback = "30",
	  .min = 0, .max = 600, .help = "maximum calls in any 60 seconds; 0: unlimited" },
	{ "google", "parallel", KIND_NUMBER, AT(parallel), .fallback = "16", .min = 1, .max = 256,
	  .help = "maximum calls at the same time" },

	{ "people", "address", KIND_STRING, AT(address), .fallback = "",
	  .validate = validate_template,
	  .help = "address template: {user}@…, or {first}.{last}@… with gecos = yes" },
	{ "people", "domains", KIND_LIST, AT(domains), .fallback = "", .validate = validate_domains,
	  .help = "the organisation's domains; no address outside them is ever invited" },
	{ "people", "map", KIND_STRING, AT(map), .validate = validate_path_or_none,
	  .fallback = CLOUDINVITE_SYSCONFDIR "/addresses.map",
	  .help = "file of addresses that do not follow the template: [host:]user address" },
	{ "people", "min_uid", KIND_NUMBER, .used_by_collector = true, AT(min_uid),
	  .fallback = "1000",
	  .min = 0, .max = 4294967294, .help = "local users with lower uids are ignored" },
	{ "people", "max_uid", KIND_NUMBER, .used_by_collector = true, AT(max_uid),
	  .fallback = "60000",
	  .min = 0, .max = 4294967294, .help = "local users with higher uids are ignored" },
	{ "people", "network_users", KIND_BOOL, .used_by_collector = true, AT(network_users),
	  .fallback = "no", .help = "include users who are not in the passwd file (SSSD, LDAP …)" },
	{ "people", "allow_reserved_names", KIND_LIST, AT(allow_reserved_names), .fallback = "",
	  .validate = validate_users,
	  .help = "users who are people, although the built-in list excludes their names" },
	{ "people", "exclude_users", KIND_LIST, AT(exclude_users), .fallback = "",
	  .validate = validate_users, .help = "never invited" },
	{ "people", "include_groups", KIND_LIST, .used_by_collector = true, AT(include_groups),
	  .fallback = "", .validate = validate_names,
	  .help = "if set, only members of these groups are invited" },
	{ "people", "exclude_groups", KIND_LIST, .used_by_collector = true, AT(exclude_groups),
	  .fallback = "no-cloudinvite", .validate = validate_names,
	  .help = "members of these groups are never invited" },
	{ "people", "gecos", KIND_BOOL, .used_by_collector = true, AT(gecos), .fallback = "no",
	  .help = "use the full name in the passwd file, which users may be able to change" },

	{ "invitations", "mode", KIND_CHOICE, AT(mode), .fallback = "dry-run", .words = mode_words,
	  .help = "dry-run shows who would be invited; send invites (cloudinvite enable)" },
	{ "invitations", "triggers", KIND_FLAGS, .used_by_collector = true, AT(triggers),
	  .fallback = "login created", .words = trigger_words,
	  .help = "events that add a person: a login, a new account" },
	{ "invitations", "creation_delay", KIND_DURATION, .used_by_collector = true,
	  AT(creation_delay), .fallback = "2m", .min = 0, .max = 60 * MINUTE,
	  .help = "how long a new account must exist before it is used" },
	{ "invitations", "send_window", KIND_STRING, AT(send_window), .fallback = "",
	  .validate = validate_window,
	  .help = "times when invitations may be sent; empty: any time" },
	{ "invitations", "timezone", KIND_STRING, AT(timezone), .fallback = "",
	  .validate = validate_timezone,
	  .help = "where a day of sends_per_day begins; empty: this host's time zone" },
	{ "invitations", "sends_per_day", KIND_NUMBER, AT(sends_per_day), .fallback = "50",
	  .min = 0, .max = 100000, .help = "maximum invitations a day; 0: none" },
	{ "invitations", "max_mails", KIND_NUMBER, AT(max_mails), .fallback = "1", .min = 1,
	  .max = 10, .help = "maximum mails to one person, including mails sent by others" },
	{ "invitations", "discovered", KIND_CHOICE, AT(discovered), .fallback = "hold",
	  .words = discovered_words, .help = "people found only by a resync: hold, send, ignore" },
	{ "invitations", "resync_interval", KIND_DURATION, AT(resync_interval), .fallback = "24h",
	  .min = 0, .max = 90 * DAY, .help = "how often Google's full list is read; 0: never" },
	{ "invitations", "cancel_on_delete", KIND_BOOL, AT(cancel_on_delete), .fallback = "no",
	  .help = "cancel the open invitation of a person whose last account is deleted" },

	{ "privacy", "retain_history", KIND_DURATION, AT(retain_history), .fallback = "400d",
	  .min = DAY, .max = 3650 * DAY, .help = "how long the history is kept" },
	{ "privacy", "retain_gone", KIND_DURATION, AT(retain_gone), .fallback = "30d", .min = 0,
	  .max = 3650 * DAY, .help = "how long people without an account are kept" },
	{ "privacy", "log_addresses", KIND_CHOICE, AT(log_addresses), .fallback = "masked",
	  .words = log_words, .help = "addresses in the log: masked (a***e@example.com) or full" },

	{ "storage", "ledger", KIND_STRING, .used_by_collector = true, .password = true, AT(ledger),
	  .fallback = "sqlite:/var/lib/cloudinvite/ledger.db", .validate = validate_ledger,
	  .help = "sqlite:/path, or postgresql://… for a fleet" },
	{ "storage", "spool", KIND_STRING, .used_by_collector = true, AT(spool),
	  .validate = validate_path,
	  .fallback = "/var/spool/cloudinvite",
	  .help = "arrivals and markers; also used by the PAM module" },
	{ "storage", "state", KIND_STRING, .used_by_collector = true, AT(state),
	  .validate = validate_path,
	  .fallback = "/var/lib/cloudinvite", .help = "state of the programs" },
	{ "storage", "tokens", KIND_STRING, AT(tokens), .validate = validate_path,
	  .fallback = "/var/cache/cloudinvite", .help = "cached access tokens" },
	{ "storage", "run", KIND_STRING, .used_by_collector = true, AT(run),
	  .validate = validate_path,
	  .fallback = "/run/cloudinvite", .help = "locks and wake-ups" },
	{ "storage", "passwd", KIND_STRING, .used_by_collector = true, AT(passwd),
	  .validate = validate_path,
	  .fallback = "/etc/passwd", .help = "file of the local accounts" },
	{ "storage", "group", KIND_STRING, .used_by_collector = true, AT(group),
	  .validate = validate_path,
	  .fallback = "/etc/group", .help = "file of the local groups" },
	{ "storage", "metrics_file", KIND_STRING, .used_by_collector = true, AT(metrics_file),
	  .fallback = "", .validate = validate_path_or_none,
	  .help = "metrics file for node_exporter's textfile collector; empty: none" },

	{ "worker", "role", KIND_CHOICE, .used_by_collector = true, AT(role),
	  .fallback = "standalone", .words = role_words,
	  .help = "standalone; host and hub, the parts of a fleet, are not built yet" },
	{ "worker", "collector_user", KIND_STRING, .used_by_collector = true, AT(collector_user),
	  .fallback = "cloudinvite-collector", .validate = validate_account,
	  .help = "the system user that the collector runs as" },
	{ "worker", "dispatcher_user", KIND_STRING, .used_by_collector = true, AT(dispatcher_user),
	  .fallback = "cloudinvite-dispatcher", .validate = validate_account,
	  .help = "the system user of the dispatcher and of commands that call Google" },
	{ "worker", "ledger_user", KIND_STRING, .used_by_collector = true, AT(ledger_user),
	  .fallback = "cloudinvite-ledger", .validate = validate_account,
	  .help = "the system user of the other commands; its group is the ledger's" },
	/* clang-format on */
};
const size_t setting_count = ARRAY_SIZE(setting_keys);

static bool defaults_set(struct loaded *l)
{
	struct value_error c;

	for (size_t i = 0; i < setting_count; i++)
		if (!setting_set(&setting_keys[i], &l->settings, setting_keys[i].fallback, &c))
			return false;
	return true;
}

struct loaded *loaded_new(const char *path)
{
	struct loaded *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->path = strdup(path);
	l->origins = calloc(setting_count, sizeof(*l->origins));
	if (!l->path || !l->origins || !defaults_set(l)) {
		settings_free(&l->settings);
		return NULL;
	}
	return l;
}

void diagnose(struct diagnostics *found, const struct fault *fault, bool collecting)
{
	found->count++;
	found->report(fault, collecting, found->ctx);
}

void settings_free(struct settings *s)
{
	struct loaded *l = (struct loaded *)s;

	if (!l)
		return;
	for (size_t i = 0; i < setting_count; i++)
		if (setting_keys[i].kind == KIND_STRING || setting_keys[i].kind == KIND_LIST)
			free(*(char **)((char *)s + setting_keys[i].offset));
	for (size_t i = 0; i < l->file_count; i++)
		free(l->files[i]);
	free(l->files);
	free(l->origins);
	free(l->path);
	free(l);
}

const struct loaded *settings_loaded(const struct settings *s)
{
	return (const struct loaded *)s;
}

const char *settings_path(const struct settings *s)
{
	return settings_loaded(s)->path;
}

const char *settings_file(const struct settings *s, size_t number)
{
	const struct loaded *l = settings_loaded(s);

	return number < l->file_count ? l->files[number] : NULL;
}

static void origin_show(const struct origin *origin, char *out, size_t size)
{
	if (!origin->file)
		str_copy(out, size, "default");
	else
		str_format(out, size, "%s:%d", origin->file, origin->line);
}

bool settings_each(const struct settings *s,
	bool (*each)(const char *section, const char *key, const char *value, const char *origin,
		const char *help, void *ctx),
	void *ctx)
{
	const struct loaded *l = settings_loaded(s);
	struct strbuf value = {.data = NULL};
	bool going = true;

	for (size_t i = 0; i < setting_count && going; i++) {
		const struct setting_key *k = &setting_keys[i];
		char origin[512];

		/* A default is shown as the manual spells it: 24h, not 1d. */
		strbuf_clear(&value);
		if (!l->origins[i].file)
			strbuf_add(&value, k->fallback);
		else
			setting_format(k, s, &value);
		origin_show(&l->origins[i], origin, sizeof(origin));
		going = each(
			k->section, k->key, value.data ? value.data : "", origin, k->help, ctx);
	}
	strbuf_free(&value);
	return going;
}

void setting_origin(const struct settings *s, const struct setting_key *k, char *out, size_t size)
{
	const struct loaded *l = settings_loaded(s);
	const struct origin *origin = &l->origins[k - setting_keys];

	if (!origin->file)
		str_format(out, size, "%s: [%s] %s", l->path, k->section, k->key);
	else
		str_format(out, size, "%s:%d: %s", origin->file, origin->line, k->key);
}
