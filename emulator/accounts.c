/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accounts, in a table by address and in two sorted arrays. The arrays are sorted again when
 * they are needed after a change.
 */
#include "accounts.h"

#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"

const char *const account_kind_words[] = {"consumer", "managed", NULL};
const char *const account_state_words[] = {
	"STATE_UNSPECIFIED", "NOT_YET_SENT", "INVITED", "ACCEPTED", "DECLINED", NULL};

struct account *accounts_find(const struct accounts *a, const char *address)
{
	return table_get(&a->by_address, address);
}

static void account_free(void *p)
{
	struct account *account = p;

	free(account->address);
	free(account);
}

void accounts_put(struct accounts *a, const struct account *account)
{
	struct account *kept = accounts_find(a, account->address);
	size_t n = a->by_address.count;

	if (kept) {
		char *address = kept->address;

		*kept = *account;
		kept->address = address;
		accounts_mark_unsorted(a);
		return;
	}
	kept = xcalloc(sizeof *kept);
	*kept = *account;
	kept->address = xstrdup(account->address);
	for (int i = 0; i < ACCOUNT_ORDERS; i++) {
		a->order[i] = xgrow(a->order[i], n, &a->room[i], sizeof(struct account *));
		a->order[i][n] = kept;
		a->sorted[i] = false;
	}
	table_put(&a->by_address, kept->address, kept);
}

bool accounts_remove(struct accounts *a, const char *address)
{
	size_t n = a->by_address.count;
	struct account *account = table_remove(&a->by_address, address);

	if (!account)
		return false;
	for (int i = 0; i < ACCOUNT_ORDERS; i++) {
		size_t at = 0;

		while (a->order[i][at] != account)
			at++;
		memmove(&a->order[i][at], &a->order[i][at + 1],
			(n - at - 1) * sizeof(struct account *));
	}
	account_free(account);
	return true;
}

void accounts_free(struct accounts *a)
{
	table_free(&a->by_address, account_free);
	for (int i = 0; i < ACCOUNT_ORDERS; i++)
		free(a->order[i]);
	*a = (struct accounts){0};
}

void accounts_mark_unsorted(struct accounts *a)
{
	a->sorted[ACCOUNTS_BY_UPDATE] = false;
}

int accounts_compare(enum account_order order, const struct account *a, const struct account *b)
{
	if (order == ACCOUNTS_BY_UPDATE && a->updated != b->updated)
		return a->updated < b->updated ? -1 : 1;
	return strcmp(a->address, b->address);
}

static int compare_address(const void *a, const void *b)
{
	return accounts_compare(
		ACCOUNTS_BY_ADDRESS, *(struct account *const *)a, *(struct account *const *)b);
}

static int compare_update(const void *a, const void *b)
{
	return accounts_compare(
		ACCOUNTS_BY_UPDATE, *(struct account *const *)a, *(struct account *const *)b);
}

struct account *const *accounts_sorted(struct accounts *a, enum account_order order)
{
	if (!a->sorted[order] && a->by_address.count > 0)
		qsort(a->order[order], a->by_address.count, sizeof(struct account *),
			order == ACCOUNTS_BY_ADDRESS ? compare_address : compare_update);
	a->sorted[order] = true;
	return a->order[order];
}
