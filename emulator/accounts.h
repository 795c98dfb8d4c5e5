/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Google accounts with addresses of the customer, and the state of their invitations.
 */
#ifndef CLOUDINVITE_EMULATOR_ACCOUNTS_H
#define CLOUDINVITE_EMULATOR_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table.h"

enum account_kind { ACCOUNT_CONSUMER, ACCOUNT_MANAGED };
enum account_state {
	ACCOUNT_UNSPECIFIED,
	ACCOUNT_NOT_YET_SENT,
	ACCOUNT_INVITED,
	ACCOUNT_ACCEPTED,
	ACCOUNT_DECLINED,
};
extern const char *const account_kind_words[];
extern const char *const account_state_words[];

struct account {
	char *address; /* lower case */
	enum account_kind kind;
	enum account_state state;
	bool primary;
	bool family;
	int64_t mails;
	int64_t created; /* timestamps of the emulator's clock */
	int64_t updated;
};

enum account_order { ACCOUNTS_BY_ADDRESS, ACCOUNTS_BY_UPDATE };
#define ACCOUNT_ORDERS 2

/* The orders are sorted only when they are needed. Zero-initialise. */
struct accounts {
	struct table by_address;
	struct account **order[ACCOUNT_ORDERS];
	bool sorted[ACCOUNT_ORDERS];
	size_t room[ACCOUNT_ORDERS];
};

struct account *accounts_find(const struct accounts *a, const char *address);
/* Copies *account (with its address); replaces one with the same address. */
void accounts_put(struct accounts *a, const struct account *account);
bool accounts_remove(struct accounts *a, const char *address);
void accounts_free(struct accounts *a);

/* Call after a change of `updated`. */
void accounts_mark_unsorted(struct accounts *a);
/* All accounts, ascending; `by_address.count` of them. */
struct account *const *accounts_sorted(struct accounts *a, enum account_order order);
/* By the order's keys: <0, 0, >0. */
int accounts_compare(enum account_order order, const struct account *a, const struct account *b);

#endif
