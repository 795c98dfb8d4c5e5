/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for reading JSON. jansson's scanner (seen in 2.14) does not notice that its buffer could
 * not grow, and then copies a string of the text beyond a buffer of its own. So a program that has
 * no memory left there ends, with a line in the log: whatever it was doing is in the ledger.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_JSON_XMALLOC_H
#define CLOUDINVITE_GOOGLE_AUTH_JSON_XMALLOC_H

#include <jansson.h>
#include <stddef.h>

/* As malloc, or it does not return. */
void *json_xmalloc(size_t size);
/* JSON without duplicate members; NULL if it is none. */
json_t *json_read(const char *text, size_t len, json_error_t *error);

#endif
