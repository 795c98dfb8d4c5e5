/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table with chains that grows with its entries.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"

struct table_entry {
	struct table_entry *next;
	uint64_t hash;
	const char *key;
	void *value;
};

uint64_t table_hash(const char *s)
{
	uint64_t hash = 14695981039346656037U;

	for (; *s != '\0'; s++)
		hash = (hash ^ (unsigned char)*s) * 1099511628211U;
	return hash;
}

/* The link that points to the entry, or the NULL at the end of its chain. */
static struct table_entry **table_find(const struct table *t, const char *key, uint64_t hash)
{
	struct table_entry **link = &t->buckets[hash % t->n_buckets];

	while (*link && ((*link)->hash != hash || strcmp((*link)->key, key) != 0))
		link = &(*link)->next;
	return link;
}

void *table_get(const struct table *t, const char *key)
{
	struct table_entry *entry;

	if (t->count == 0)
		return NULL;
	entry = *table_find(t, key, table_hash(key));
	return entry ? entry->value : NULL;
}

static void table_resize(struct table *t)
{
	size_t n = t->n_buckets > 0 ? t->n_buckets * 4 : 64;
	struct table_entry **buckets = xcalloc(n * sizeof(struct table_entry *));

	for (size_t i = 0; i < t->n_buckets; i++) {
		struct table_entry *entry = t->buckets[i];

		while (entry) {
			struct table_entry *next = entry->next;

			entry->next = buckets[entry->hash % n];
			buckets[entry->hash % n] = entry;
			entry = next;
		}
	}
	free(t->buckets);
	t->buckets = buckets;
	t->n_buckets = n;
}

void table_put(struct table *t, const char *key, void *value)
{
	struct table_entry *entry = xcalloc(sizeof *entry);

	if (t->count >= t->n_buckets)
		table_resize(t);
	entry->hash = table_hash(key);
	entry->key = key;
	entry->value = value;
	entry->next = t->buckets[entry->hash % t->n_buckets];
	t->buckets[entry->hash % t->n_buckets] = entry;
	t->count++;
}

void *table_remove(struct table *t, const char *key)
{
	struct table_entry **link, *entry;
	void *value;

	if (t->count == 0)
		return NULL;
	link = table_find(t, key, table_hash(key));
	entry = *link;
	if (!entry)
		return NULL;
	value = entry->value;
	*link = entry->next;
	free(entry);
	t->count--;
	return value;
}

void table_free(struct table *t, void (*free_value)(void *value))
{
	for (size_t i = 0; i < t->n_buckets; i++) {
		struct table_entry *entry = t->buckets[i];

		while (entry) {
			struct table_entry *next = entry->next;

			if (free_value)
				free_value(entry->value);
			free(entry);
			entry = next;
		}
	}
	free(t->buckets);
	*t = (struct table){0};
}
