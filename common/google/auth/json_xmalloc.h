/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for reading JSON. jansson's scanner (seen in 2.14) does not notice that its buffer could
 * not grow, and then writes a string of the text beyond another buffer. So the program ends, with a
 * line in the log, if there is no memory left; the ledger has whatever it was doing.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_JSON_XMALLOC_H
#define CLOUDINVITE_GOOGLE_AUTH_JSON_XMALLOC_H

#include <jansson.h>
#include <stddef.h>

/* Like malloc, but it does not return without memory. */
void *json_xmalloc(size_t size);
/* Reads JSON without duplicate members; NULL if it is not valid. */
json_t *json_read(const char *text, size_t len, json_error_t *error);

#endif
