/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts from and to JSON: one by one, or a series of them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"
#include "tenant_json.h"

#define AGE_DEFAULT (USEC_PER_SEC * 30 * 86400) /* old enough for get and list */
#define SERIES_MAX  10000000

/* What one object of the document makes: one address, or prefix0@domain, prefix1@domain … */
struct series {
	const char *address;
	const char *prefix, *domain;
	int64_t start, count;
	struct account account; /* without its address */
};

bool member_timestamp(json_t *object, const char *name, int64_t now, int64_t *out,
	const char *where, struct doc_error *c)
{
	const char *text = NULL;
	int64_t age;

	if (!member_string(object, name, &text, where, c))
		return false;
	if (!text || timestamp_parse(text, out))
		return true;
	if (!timestamp_parse_age(text, &age))
		return doc_error_set(c,
			"%s: %s is '%s'; write a time such as 2026-11-23T04:28:01Z or an age such "
			"as 72h",
			where, name, text);
	*out = now - age;
	return true;
}

static bool series_read_account(struct account *account, json_t *object, int64_t now,
	const char *where, struct doc_error *c)
{
	int kind = ACCOUNT_CONSUMER, state = ACCOUNT_NOT_YET_SENT;

	*account = (struct account){.primary = true, .created = now - AGE_DEFAULT};
	if (!member_word(object, "kind", account_kind_words, &kind, where, c) ||
		!member_word(object, "state", account_state_words, &state, where, c) ||
		!member_bool(object, "primary", &account->primary, where, c) ||
		!member_bool(object, "family", &account->family, where, c) ||
		!member_int(object, "mails", 0, INT32_MAX, &account->mails, where, c) ||
		!member_timestamp(object, "created", now, &account->created, where, c))
		return false;
	account->updated = account->created;
	account->kind = (enum account_kind)kind;
	account->state = (enum account_state)state;
	return member_timestamp(object, "updated", now, &account->updated, where, c);
}

static bool series_read(
	struct series *s, json_t *object, int64_t now, size_t index, struct doc_error *c)
{
	static const char *const names[] = {"address", "prefix", "count", "start", "domain", "kind",
		"primary", "created", "updated", "family", "state", "mails", NULL};
	char where[40];

	*s = (struct series){0};
	snprintf(where, sizeof where, "accounts[%zu]", index);
	if (!members_known(object, names, where, c) ||
		!member_string(object, "address", &s->address, where, c) ||
		!member_string(object, "prefix", &s->prefix, where, c) ||
		!member_string(object, "domain", &s->domain, where, c) ||
		!member_int(object, "count", 0, SERIES_MAX, &s->count, where, c) ||
		!member_int(object, "start", 0, SERIES_MAX, &s->start, where, c) ||
		!series_read_account(&s->account, object, now, where, c))
		return false;
	if (s->address && !strchr(s->address, '@'))
		return doc_error_set(c, "%s: address '%s' has no @", where, s->address);
	if (!s->address && (!s->prefix || !s->domain || s->count == 0))
		return doc_error_set(c, "%s: needs address, or prefix, count and domain", where);
	return true;
}

static void series_put_one(struct tenant *tenant, const struct series *s, char *address)
{
	struct account account = s->account;

	for (char *at = address; *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + 'a' - 'A');
	}
	account.address = address;
	accounts_put(&tenant->accounts, &account);
	free(address);
}

static void series_put(struct tenant *tenant, const struct series *s)
{
	if (s->address) {
		series_put_one(tenant, s, xstrdup(s->address));
		return;
	}
	for (int64_t i = 0; i < s->count; i++)
		series_put_one(tenant, s,
			xasprintf("%s%" PRId64 "@%s", s->prefix, s->start + i, s->domain));
}

/* Reads the document twice: nothing is stored before all of it has been found valid. */
bool accounts_read(struct tenant *tenant, json_t *document, struct doc_error *c)
{
	json_t *array =
		json_is_array(document) ? json_incref(document) : json_pack("[O]", document);
	int64_t now = tenant_now(tenant);
	struct series s;
	json_t *object;
	size_t i;
	bool ok = true;

	json_array_foreach(array, i, object)
	{
		ok = series_read(&s, object, now, i, c);
		if (!ok)
			break;
	}
	if (ok) {
		json_array_foreach(array, i, object)
		{
			series_read(&s, object, now, i, c);
			series_put(tenant, &s);
		}
	}
	json_decref(array);
	return ok;
}

json_t *account_write(const struct account *account)
{
	char created[TIMESTAMP_TEXT_SIZE], updated[TIMESTAMP_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:b, s:b, s:s, s:I, s:s, s:s}", "address", account->address,
		"kind", account_kind_words[account->kind], "primary", account->primary, "family",
		account->family, "state", account_state_words[account->state], "mails",
		(json_int_t)account->mails, "created", timestamp_rfc3339(account->created, created),
		"updated", timestamp_rfc3339(account->updated, updated));
}
