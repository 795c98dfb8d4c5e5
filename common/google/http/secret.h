/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings that hold secrets: wiped before their memory is freed.
 */
#ifndef CLOUDINVITE_GOOGLE_HTTP_SECRET_H
#define CLOUDINVITE_GOOGLE_HTTP_SECRET_H

#include <stddef.h>

/* Wipes and frees a heap block of any size. Accepts NULL. */
void secret_free(void *p);

#endif
