/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of `key`: a PKCS#11 URI (RFC 7512) or a TPM's handle, taken apart. The PIN is kept away
 * from whoever only wants to name the key.
 */
#ifndef CLOUDINVITE_SETTINGS_KEY_URI_H
#define CLOUDINVITE_SETTINGS_KEY_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

bool key_uri_is_pkcs11(const char *uri);
/* "handle:0x" and one to eight hexadecimal digits, nothing behind them. */
bool key_uri_is_handle(const char *uri);

/* What is wrong with it, or NULL, as setting_validator has it: it must name one token, so that the
 * PIN goes to no other, and one key. */
const char *key_uri_wrong(const char *uri, const char **remedy);

/* An attribute of the path or the query, percent-decoded. False if it is not there, or no text
 * that fits; key_uri_has tells these apart. */
bool key_uri_get(const char *uri, const char *name, char *out, size_t size);
bool key_uri_has(const char *uri, const char *name);

/* Appends the URI without its query, the PIN among it, and without a PIN in the path: for people,
 * and to build another query. */
bool key_uri_bare(const char *uri, struct strbuf *out);
/* Appends one value as a URI has it: all but letters and digits percent-encoded. */
bool key_uri_encode(const char *value, struct strbuf *out);

/* The file that `pin-source` names: file:/PATH, /PATH, or systemd:NAME. "" where there is none;
 * false if there is one that is no such file. */
bool key_uri_pin_file(const char *uri, char *out, size_t size);

#endif
