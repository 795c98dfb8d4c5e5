/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table from strings to pointers, so that the cost of a request does not grow with the
 * accounts.
 */
#ifndef CLOUDINVITE_EMULATOR_TABLE_H
#define CLOUDINVITE_EMULATOR_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Zero-initialise. Keys are not copied: they must live as long as their entry. */
struct table {
	struct table_entry **buckets;
	size_t n_buckets;
	size_t count;
};

void *table_get(const struct table *t, const char *key);
/* The key must not be in the table yet. */
void table_put(struct table *t, const char *key, void *value);
/* Returns the removed value, or NULL. */
void *table_remove(struct table *t, const char *key);
/* `free_value` may be NULL. */
void table_free(struct table *t, void (*free_value)(void *value));

/* 64-bit FNV-1a; also used to bind page tokens to their parameters. */
uint64_t table_hash(const char *s);

#endif
