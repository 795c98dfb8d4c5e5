/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson with an allocator that wipes.
 */
#include "google/auth/secret_json.h"

#include "google/auth/json_xmalloc.h"
#include "google/http/secret.h"

/* jansson keeps copies in its scanner, so wiping the values alone would leave some behind. Its
 * allocator is global: it is replaced only while a secret is read or written. */
static void wiping(json_malloc_t *m, json_free_t *f)
{
	json_get_alloc_funcs(m, f);
	json_set_alloc_funcs(json_xmalloc, secret_free);
}

json_t *secret_json(const char *text, size_t len, json_error_t *error)
{
	json_malloc_t m;
	json_free_t f;
	json_t *json;

	wiping(&m, &f);
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, error);
	json_set_alloc_funcs(m, f);
	return json;
}

char *secret_json_text(const json_t *json)
{
	json_malloc_t m;
	json_free_t f;
	char *text;

	wiping(&m, &f);
	text = json_dumps(json, JSON_COMPACT);
	json_set_alloc_funcs(m, f);
	return text;
}

void secret_json_free(json_t *json)
{
	json_malloc_t m;
	json_free_t f;

	wiping(&m, &f);
	json_decref(json);
	json_set_alloc_funcs(m, f);
}
