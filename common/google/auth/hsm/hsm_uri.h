/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of `key`: a PKCS#11 URI (RFC 7512), which p11-kit parses, or the handle of a TPM's key.
 * Functions for messages never return the PIN.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_HSM_HSM_URI_H
#define CLOUDINVITE_GOOGLE_AUTH_HSM_HSM_URI_H

#include <p11-kit/uri.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "settings/settings.h"

/* For settings_read_keys_with(). */
extern const struct settings_key_reader hsm_key_reader;

bool hsm_uri_is_pkcs11(const char *uri);

/* NULL if it is not a PKCS#11 URI, or has an attribute that p11-kit does not know. The caller frees
 * it with p11_kit_uri_free(). */
P11KitUri *hsm_uri_parse(const char *uri);

/* Appends the URI as p11-kit writes it, without its query and without a PIN, or the handle: for
 * messages. */
bool hsm_uri_bare(const char *uri, struct strbuf *out);

/* Appends the URI of the private key with this PIN ("": without one) and nothing else in its query,
 * or the handle. */
bool hsm_uri_with_pin(const char *uri, const char *pin, struct strbuf *out);

/* The file that `pin-source` names: file:/PATH, /PATH, or systemd:NAME. "" if there is none; false
 * if the value is not one of these. */
bool hsm_uri_pin_file(const char *uri, char *out, size_t size);

/* Appends the value of `pin-value`; nothing if there is none. */
bool hsm_uri_pin_value(const char *uri, struct strbuf *out);

#endif
