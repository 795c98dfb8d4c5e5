/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allocator for jansson that never returns NULL.
 */
#include "google/auth/json_xmalloc.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"

void *json_xmalloc(size_t size)
{
	void *piece = malloc(size);

	if (piece || size == 0)
		return piece;
	log_event(LOG_LEVEL_ERROR, "no_memory",
		"out of memory while reading a reply: exiting to be restarted; find out what uses "
		"the host's memory");
	/* No abort(): a core dump would hold tokens. */
	_exit(fault_exit_code(FAULT_STORAGE));
}

/* jansson's allocator is global: it is replaced only while jansson reads. */
json_t *json_read(const char *text, size_t len, json_error_t *error)
{
	json_malloc_t m;
	json_free_t f;
	json_t *json;

	json_get_alloc_funcs(&m, &f);
	json_set_alloc_funcs(json_xmalloc, f);
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, error);
	json_set_alloc_funcs(m, f);
	return json;
}
