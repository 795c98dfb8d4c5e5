/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list: pages, filter, order (docs/google.md 1). A page token says where the last page ended, and
 * is bound to all other parameters. Accounts that are added meanwhile neither shift nor repeat a
 * page.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "authorize.h"
#include "invitations.h"
#include "xmalloc.h"
#include "reply.h"
#include "uri.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     200

struct listing {
	unsigned int states; /* one bit for each state */
	enum account_order order;
	bool descending;
	size_t page_size;
	uint64_t parameters;  /* the parameters to which the token is bound */
	struct account after; /* where the last page ended; address NULL: the first page */
};

static const char *skip_space(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

/* Sets the bit of 'invited' or "INVITED"; returns the position after it, NULL for anything else. */
static const char *filter_state(const char *s, unsigned int *bit)
{
	char quote = *s;
	size_t n;

	if (quote != '\'' && quote != '"')
		return NULL;
	s++;
	n = strcspn(s, "'\"");
	if (s[n] != quote)
		return NULL;
	for (unsigned int i = 0; account_state_words[i]; i++) {
		if (strlen(account_state_words[i]) == n &&
			strncasecmp(account_state_words[i], s, n) == 0) {
			*bit = 1U << i;
			return s + n + 1;
		}
	}
	return NULL;
}

/* state=='x' or state!='x'; returns the position after it, NULL if it is neither. */
static const char *filter_term(const char *s, unsigned int *states)
{
	unsigned int bit = 0;
	bool equal;

	s = skip_space(s);
	if (strncmp(s, "state", 5) != 0)
		return NULL;
	s = skip_space(s + 5);
	equal = strncmp(s, "==", 2) == 0;
	if (!equal && strncmp(s, "!=", 2) != 0)
		return NULL;
	s = filter_state(skip_space(s + 2), &bit);
	*states |= equal ? bit : ~bit;
	return s;
}

/* Terms joined by ||. Nothing else is documented, so nothing else is accepted. */
static bool filter_read(const char *s, unsigned int *states)
{
	if (!s || *s == '\0') {
		*states = ~0U;
		return true;
	}
	*states = 0;
	for (;;) {
		s = filter_term(s, states);
		if (!s)
			return false;
		s = skip_space(s);
		if (*s == '\0')
			return true;
		if (strncmp(s, "||", 2) != 0)
			return false;
		s += 2;
	}
}

/* The reference says update_time, Google's how-to page says updateTime. */
static bool order_read(const char *s, struct listing *l)
{
	static const struct {
		const char *key;
		enum account_order order;
	} keys[] = {
		{"email", ACCOUNTS_BY_ADDRESS},
		{"update_time", ACCOUNTS_BY_UPDATE},
		{"updateTime", ACCOUNTS_BY_UPDATE},
	};
	size_t n;

	l->order = ACCOUNTS_BY_ADDRESS;
	if (!s || *s == '\0')
		return true;
	n = strcspn(s, " ");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strlen(keys[i].key) == n && strncmp(keys[i].key, s, n) == 0) {
			l->order = keys[i].order;
			s = skip_space(s + n);
			l->descending = strcasecmp(s, "desc") == 0;
			return *s == '\0' || l->descending || strcasecmp(s, "asc") == 0;
		}
	}
	return false;
}

static bool page_size_read(const char *s, struct listing *l)
{
	char *end;
	long n;

	l->page_size = PAGE_DEFAULT;
	if (!s || *s == '\0')
		return true;
	errno = 0;
	n = strtol(s, &end, 10);
	if (errno != 0 || *end != '\0' || n < 0)
		return false;
	if (n > 0)
		l->page_size = n > PAGE_MAX ? PAGE_MAX : (size_t)n;
	return true;
}

static char *page_token_write(const struct listing *l, const struct account *last)
{
	char *plain = xasprintf(
		"%016" PRIx64 ".%" PRId64 ".%s", l->parameters, last->updated, last->address);
	size_t n = strlen(plain);
	char *token = xcalloc(4 * (n / 3 + 1) + 1);

	EVP_EncodeBlock((unsigned char *)token, (const unsigned char *)plain, (int)n);
	for (char *c = token; *c != '\0'; c++)
		*c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
	free(plain);
	return token;
}

static char *page_token_plain(const char *token)
{
	size_t n = strlen(token);
	char *copy = xstrdup(token), *plain = xcalloc(n + 1);

	for (char *c = copy; *c != '\0'; c++)
		*c = (char)(*c == '-' ? '+' : *c == '_' ? '/' : *c);
	if (n > 100000 ||
		EVP_DecodeBlock((unsigned char *)plain, (unsigned char *)copy, (int)n) < 0)
		plain[0] = '\0';
	free(copy);
	return plain;
}

static bool page_token_read(const char *token, struct listing *l)
{
	char *plain, *end = NULL;

	if (!token || *token == '\0')
		return true;
	plain = page_token_plain(token);
	if (strtoull(plain, &end, 16) == l->parameters && *end == '.') {
		l->after.updated = strtoll(end + 1, &end, 10);
		if (*end == '.' && end[1] != '\0')
			l->after.address = xstrdup(end + 1);
	}
	free(plain);
	return l->after.address;
}

/* False: a parameter is wrong. */
static bool listing_read(const struct request *r, struct listing *l)
{
	char *filter = uri_field(r->query, "filter"), *order = uri_field(r->query, "orderBy");
	char *size = uri_field(r->query, "pageSize"), *token = uri_field(r->query, "pageToken");
	char *all = xasprintf("%s\n%s\n%s\n%s", r->customer, filter ? filter : "",
		order ? order : "", size ? size : "");
	bool ok;

	l->parameters = table_hash(all);
	ok = filter_read(filter, &l->states) && order_read(order, l) && page_size_read(size, l) &&
	     page_token_read(token, l);
	free(all);
	free(token);
	free(size);
	free(order);
	free(filter);
	return ok;
}

/* The first index at which an account is above `after`. */
static size_t listing_above(const struct listing *l, struct account *const *sorted, size_t n)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (accounts_compare(l->order, sorted[middle], &l->after) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The number of accounts, in the listing's direction, at or before the token. */
static size_t listing_start(const struct listing *l, struct account *const *sorted, size_t n)
{
	size_t above;

	if (!l->after.address)
		return 0;
	above = listing_above(l, sorted, n);
	if (!l->descending)
		return above;
	if (above > 0 && accounts_compare(l->order, sorted[above - 1], &l->after) == 0)
		above--;
	return n - above;
}

static json_t *listing_page(struct tenant *tenant, const struct listing *l)
{
	struct account *const *sorted = accounts_sorted(&tenant->accounts, l->order);
	size_t n = tenant->accounts.by_address.count;
	int64_t now = tenant_now(tenant);
	const struct account *last = NULL;
	json_t *invitations = json_array(), *out = json_object();

	for (size_t i = listing_start(l, sorted, n); i < n; i++) {
		const struct account *account = sorted[l->descending ? n - 1 - i : i];

		if ((l->states >> account->state & 1U) == 0 || !tenant_shown(tenant, account, now))
			continue;
		if (last && json_array_size(invitations) == l->page_size) {
			char *token = page_token_write(l, last);

			json_object_set_new(out, "nextPageToken", json_string(token));
			free(token);
			break;
		}
		json_array_append_new(invitations, invitation_write(tenant, account));
		last = account;
	}
	if (json_array_size(invitations) > 0 || !tenant->switches.omit_empty)
		json_object_set(out, "userInvitations", invitations);
	json_decref(invitations);
	return out;
}

void invitations_list(struct emulator *e, struct request *r, struct reply *out)
{
	static const char *const names[] = {"filter", "orderBy", "pageSize", "pageToken", NULL};
	struct listing l = {0};

	if (!authorize(e, r, "ListUserInvitations", false, out) ||
		!invitations_parameters(e, r, names, out))
		return;
	if (listing_read(r, &l))
		reply_json(out, 200, listing_page(e->tenant, &l));
	else
		reply_error(e, out, 400, MESSAGE_INVALID);
	free(l.after.address);
}
