/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of `key`: parsing a PKCS#11 URI (RFC 7512) or the handle of a TPM's key. Functions for
 * messages never return the PIN.
 */
#ifndef CLOUDINVITE_SETTINGS_KEY_URI_H
#define CLOUDINVITE_SETTINGS_KEY_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

bool key_uri_is_pkcs11(const char *uri);
/* "handle:0x" with one to eight hexadecimal digits, and nothing after them. */
bool key_uri_is_handle(const char *uri);

/* What is wrong with it, or NULL, as for a setting_validator. It must name one key, and one token,
 * so that the PIN goes to no other token. */
const char *key_uri_wrong(const char *uri, const char **remedy);

/* An attribute of the path or the query, percent-decoded. False if the URI does not have it, or if
 * its value is not a text that fits; key_uri_has tells these apart. */
bool key_uri_get(const char *uri, const char *name, char *out, size_t size);
bool key_uri_has(const char *uri, const char *name);

/* Appends the URI without its query and without a PIN in the path: for messages, and to add another
 * query. */
bool key_uri_bare(const char *uri, struct strbuf *out);
/* Appends one value in the form of a URI: everything except letters and digits percent-encoded. */
bool key_uri_encode(const char *value, struct strbuf *out);

/* The file that `pin-source` names: file:/PATH, /PATH, or systemd:NAME. "" if there is none; false
 * if the value is not one of these. */
bool key_uri_pin_file(const char *uri, char *out, size_t size);

#endif
