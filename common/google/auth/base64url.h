/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64url.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_BASE64URL_H
#define CLOUDINVITE_GOOGLE_AUTH_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

/* Appends base64url (RFC 4648, section 5) without padding. */
bool base64url_add(struct strbuf *out, const unsigned char *bytes, size_t n);

#endif
