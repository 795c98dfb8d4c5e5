/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolves what an administrator types for a person. An address in one of our domains, or of a
 * person in the ledger, is used as it is; then come users that were seen; then any plain address.
 * More than one match is an error that lists them.
 */
#include "cli/common/selector.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/common/context.h"
#include "people/verdict.h"

#define CANDIDATES_MAX 6 /* as many as a remedy has room for */

/* The addresses to which a user's sightings lead. */
struct candidates {
	char addresses[CANDIDATES_MAX][ADDRESS_MAX + 1];
	int count;
	int seen;
	char why[256]; /* why a sighting has no address */
};

bool selector_split(const char *typed, char user[USER_MAX + 1], char host[HOST_MAX + 1])
{
	const char *at = strrchr(typed, '@');
	size_t n;

	if (!at || at == typed || at[1] == '\0')
		return false;
	n = (size_t)(at - typed);
	if (n > USER_MAX || !str_copy(host, HOST_MAX + 1, at + 1))
		return false;
	memcpy(user, typed, n);
	user[n] = '\0';
	str_lower(host);
	return true;
}

bool selector_each_sighting(struct ledger *l, const char *typed,
	bool (*each)(const struct ledger_sighting *s, void *ctx), void *ctx, struct fault *fault)
{
	char user[USER_MAX + 1], host[HOST_MAX + 1], address[ADDRESS_MAX + 1];

	if (!ledger_each_sighting(l, NULL, typed, NULL, each, ctx, fault))
		return false;
	if (selector_split(typed, user, host) &&
		!ledger_each_sighting(l, host, user, NULL, each, ctx, fault))
		return false;
	return !address_plain(typed, address) ||
	       ledger_each_sighting(l, NULL, NULL, address, each, ctx, fault);
}

static bool is_known(const struct candidates *c, const char *address)
{
	for (int i = 0; i < c->count; i++)
		if (strcmp(c->addresses[i], address) == 0)
			return true;
	return false;
}

static bool collect(const struct ledger_sighting *s, void *ctx)
{
	struct candidates *c = ctx;

	c->seen++;
	if (s->address[0] == '\0')
		str_copy(c->why, sizeof(c->why), s->sentence);
	else if (c->count < CANDIDATES_MAX && !is_known(c, s->address))
		str_copy(c->addresses[c->count++], ADDRESS_MAX + 1, s->address);
	return true;
}

/* Users by their whole name first, because names of network users may contain an @. */
static bool find_users(
	struct ledger *l, const char *typed, struct candidates *c, struct fault *fault)
{
	char user[USER_MAX + 1], host[HOST_MAX + 1];

	*c = (struct candidates){.seen = 0};
	if (!ledger_each_sighting(l, NULL, typed, NULL, collect, c, fault))
		return false;
	if (c->seen > 0 || !selector_split(typed, user, host))
		return true;
	return ledger_each_sighting(l, host, user, NULL, collect, c, fault);
}

static bool error_ambiguous(const char *typed, const struct candidates *c, struct fault *fault)
{
	char list[256] = "";

	for (int i = 0; i < c->count; i++)
		str_format(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			i > 0 ? ", " : "", c->addresses[i]);
	fault_set(fault, FAULT_USAGE, "ambiguous", "'%s' matches several addresses", typed);
	return fault_remedy(fault, "Use one of them: %s", list);
}

static bool resolve_candidates(const char *typed, const struct candidates *c,
	char address[ADDRESS_MAX + 1], struct fault *fault)
{
	if (c->count > 1)
		return error_ambiguous(typed, c, fault);
	if (c->count == 1) {
		str_copy(address, ADDRESS_MAX + 1, c->addresses[0]);
		return true;
	}
	fault_set(fault, FAULT_POLICY, "no_address", "'%s' has no address%s%s", typed,
		c->why[0] != '\0' ? ": " : "", c->why);
	return fault_remedy(fault, "See: cloudinvite explain %s", typed);
}

/* 1: an address of one of our people, 0: not certain, -1: fault. */
static int is_our_address(
	struct ledger *l, const struct settings *settings, const char *address, struct fault *fault)
{
	struct person person;

	if (address_in_domains(address, settings->domains))
		return 1;
	return ledger_person(l, address, &person, fault);
}

static bool is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

bool selector_resolve(struct ledger *l, const struct settings *settings, const char *typed,
	char address[ADDRESS_MAX + 1], struct fault *fault)
{
	bool plain = address_plain(typed, address);
	int ours = plain ? is_our_address(l, settings, address, fault) : 0;
	struct candidates candidates;

	if (ours != 0)
		return ours > 0;
	if (!find_users(l, typed, &candidates, fault))
		return false;
	if (candidates.seen > 0)
		return resolve_candidates(typed, &candidates, address, fault);
	if (plain)
		return true;
	fault_set(fault, FAULT_USAGE, "unknown_target",
		strchr(typed, '@')
			? "'%s' is not a plain mail address, and no such user has been seen"
			: "no user '%s' has been seen",
		typed);
	if (strchr(typed, '@') && !is_ascii(typed))
		return fault_remedy(fault,
			"Type it in ASCII. A domain with other letters has a form that begins with "
			"xn--; `idn2 DOMAIN` prints it.");
	return fault_remedy(fault, "Give an address, or see: cloudinvite explain %s", typed);
}

static bool is_repeated(const struct target *list, int count, const struct target *one)
{
	for (int i = 0; i < count; i++)
		if (list[i].fault.kind == FAULT_NONE && strcmp(list[i].address, one->address) == 0)
			return true;
	return false;
}

struct target *selector_resolve_all(
	struct ledger *l, const struct settings *settings, char **typed, int n, int *count)
{
	struct target *list = calloc((size_t)n + 1, sizeof(*list));
	struct fault fault;

	*count = 0;
	if (!list) {
		fault_no_memory(&fault, FAULT_STORAGE);
		cli_fail(&fault);
		return NULL;
	}
	for (int i = 0; i < n; i++) {
		struct target *one = &list[*count];
		one->typed = typed[i];
		if (!selector_resolve(l, settings, typed[i], one->address, &one->fault) ||
			!is_repeated(list, *count, one))
			(*count)++;
		else
			*one = (struct target){.typed = NULL};
	}
	return list;
}

int selector_print_faults(const struct target *list, int count)
{
	int worst = EXIT_OK;

	for (int i = 0; i < count; i++)
		if (list[i].fault.kind != FAULT_NONE)
			worst = cli_max_exit(worst, cli_fail(&list[i].fault));
	return worst;
}
