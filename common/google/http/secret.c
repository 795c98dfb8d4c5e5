/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wiping memory before it is freed.
 */
#include "google/http/secret.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>

void secret_free(void *p)
{
	if (!p)
		return;
	OPENSSL_cleanse(p, malloc_usable_size(p));
	free(p);
}
