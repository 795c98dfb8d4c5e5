/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers on the command line, one host's share of the rate, and which answers are missing if
 * setup cannot ask.
 */
#include "base/strbuf.h"
#include "cli/setup/setup.h"

#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define DEFAULT_RATE \
	30 /* requests a minute, and sends a day, of one host: the defaults of the settings */
#define DEFAULT_SENDS 50

static bool set_key(struct setup *s, const char *section, const char *key, const char *value)
{
	return !value || config_draft_set(&s->draft, section, key, value, &s->fault);
}

/* ---- several hosts ---- */

static bool set_share(
	struct setup *s, const char *section, const char *key, long long whole, long long hosts)
{
	char share[32];

	str_format(share, sizeof(share), "%lld", whole / hosts > 0 ? whole / hosts : 1);
	return config_draft_set(&s->draft, section, key, share, &s->fault);
}

bool setup_divide_budget(struct setup *s)
{
	long long hosts = s->hosts ? s->hosts : 1;

	if ((s->hosts || s->rate) && !set_share(s, "google", "requests_per_minute",
					     s->rate ? s->rate : DEFAULT_RATE, hosts))
		return false;
	return (!s->hosts && !s->sends) || set_share(s, "invitations", "sends_per_day",
						   s->sends ? s->sends : DEFAULT_SENDS, hosts);
}

void setup_print_hosts(struct setup *s)
{
	if (s->hosts < 2)
		return;
	setup_print_title(s, "Several hosts");
	setup_print(s, STYLE_PLAIN, 0,
		"Each of the %lld hosts gets its share of the common limit: %lld requests a "
		"minute, %lld invitations a day.",
		s->hosts, (long long)s->draft.settings->requests_per_minute,
		(long long)s->draft.settings->sends_per_day);
	setup_print(s, STYLE_WARN, 0,
		"The hosts do not know of each other: a shared ledger on PostgreSQL is designed, "
		"but not built yet. A person who is seen on two hosts before Google shows the "
		"first invitation (up to 48 hours) can get two mails. Make sure that each person "
		"maps to an address on one host only (exclude_users, include_groups), or enable "
		"sending on one host only.");
	if (s->hosts > SETUP_TENANT_RATE)
		setup_print(s, STYLE_WARN, 0,
			"With that many hosts, even one request a minute each is more than the %d "
			"a minute that Google is reported to allow an organisation.",
			SETUP_TENANT_RATE);
}

/* ---- the command line ---- */

static bool set_credential(struct setup *s)
{
	struct setup_credential known;
	char path[PATH_MAX];

	if (!s->credentials)
		return true;
	if (!str_copy(path, sizeof(path), s->credentials))
		return fault_set(&s->fault, FAULT_USAGE, "path_long", "--credentials: too long");
	if (!setup_credential_read(s, path, &known))
		return false;
	s->route = known.route;
	return (path[0] != '/' || setup_credential_place(s, path, sizeof(path))) &&
	       set_key(s, "google", "credentials", path);
}

bool setup_apply_options(struct setup *s)
{
	return set_key(s, "google", "customer", s->customer) &&
	       set_key(s, "people", "domains", s->domains) &&
	       set_key(s, "people", "address", s->address) && set_credential(s) &&
	       set_key(s, "google", "service_account", s->service_account) &&
	       set_key(s, "google", "subject", s->subject) && setup_divide_budget(s);
}

/* ---- missing answers ---- */

/* The default names a file that may not exist. */
bool setup_has_credential(const struct setup *s)
{
	const struct settings *is = s->draft.settings;

	return is->key[0] || (is->credentials[0] && (is->credentials[0] != '/' || s->copy[0] ||
							    access(is->credentials, F_OK) == 0));
}

static void name_missing(struct strbuf *names, bool missing, const char *option)
{
	if (missing)
		strbuf_addf(names, "%s%s", names->len ? ", " : "", option);
}

/* A template that fits most organisations, if only the domain is given. */
static bool guess_address(struct setup *s)
{
	char rule[512];

	if (s->draft.settings->address[0] || !s->draft.settings->domains[0])
		return true;
	str_format(rule, sizeof(rule), "{user}@%.*s",
		(int)strcspn(s->draft.settings->domains, ", "), s->draft.settings->domains);
	return set_key(s, "people", "address", rule);
}

bool setup_is_complete(struct setup *s)
{
	struct strbuf names = {.data = NULL};
	const struct settings *is;

	if (!guess_address(s))
		return false;
	is = s->draft.settings;
	name_missing(&names, !is->customer[0], "--customer");
	name_missing(&names, !is->domains[0], "--domain");
	name_missing(&names, !setup_has_credential(s), "--credentials");
	name_missing(&names,
		!is->subject[0] && (s->route == ROUTE_KEY || s->route == ROUTE_KEYLESS),
		"--subject");
	name_missing(&names, !is->service_account[0] && strcmp(is->credentials, "metadata:") == 0,
		"--service-account");
	if (names.len > 0) {
		fault_set(&s->fault, FAULT_USAGE, "missing", "missing answers: %s", names.data);
		fault_remedy(&s->fault, "Add these options, or run setup at a terminal, where it "
					"asks. For the steps at Google: cloudinvite setup --guide");
	}
	strbuf_free(&names);
	return s->fault.kind == FAULT_NONE;
}
