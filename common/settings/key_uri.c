/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of a PKCS#11 URI, found in the text itself. Every function refuses what RFC 7512 does
 * not allow, so that no other parser reads the URI differently.
 */
#include "settings/key_uri.h"

#include <string.h>

#include "base/hex.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "settings/systemd.h"

#define SCHEME "pkcs11:"
#define HANDLE "handle:0x"
#define BETWEEN \
	";?&" /* what begins an attribute: `;` in the path, `?` before the query, `&` in it */

bool key_uri_is_pkcs11(const char *uri)
{
	return str_starts(uri, SCHEME);
}

bool key_uri_is_handle(const char *uri)
{
	const char *digits = uri + strlen(HANDLE);
	size_t n;

	if (!str_starts(uri, HANDLE))
		return false;
	n = strspn(digits, "0123456789abcdefABCDEF");
	return n >= 1 && n <= 8 && digits[n] == '\0';
}

/* ---- attributes ---- */

/* The attribute's value, and its end in `len`; NULL if the URI does not have it. */
static const char *find(const char *uri, const char *name, size_t *len)
{
	const char *at = uri + (key_uri_is_pkcs11(uri) ? strlen(SCHEME) : strlen(uri));
	size_t n = strlen(name);

	while (*at != '\0') {
		size_t length = strcspn(at, BETWEEN);

		if (length > n && strncmp(at, name, n) == 0 && at[n] == '=') {
			*len = length - n - 1;
			return at + n + 1;
		}
		at += length;
		at += *at != '\0';
	}
	return NULL;
}

bool key_uri_has(const char *uri, const char *name)
{
	size_t len;

	return find(uri, name, &len);
}

/* One byte of a percent-encoded text; -1 if it is malformed or a NUL. */
static int decode(const char **at, const char *end)
{
	int byte;

	if (**at != '%')
		return (unsigned char)*(*at)++;
	if (end - *at < 3)
		return -1;
	byte = hex_decode(*at + 1);
	*at += 3;
	return byte > 0 ? byte : -1;
}

bool key_uri_get(const char *uri, const char *name, char *out, size_t size)
{
	size_t len, n = 0;
	const char *at = find(uri, name, &len);
	const char *end = !at ? NULL : at + len;

	while (at && at < end && n + 1 < size) {
		int byte = decode(&at, end);

		if (byte < 0)
			return false;
		out[n++] = (char)byte;
	}
	out[n] = '\0';
	return at && at == end;
}

/* ---- parts ---- */

bool key_uri_bare(const char *uri, struct strbuf *out)
{
	size_t scheme = key_uri_is_pkcs11(uri) ? strlen(SCHEME) : strlen(uri);
	const char *at = uri + scheme, *end = at + strcspn(at, "?");
	bool ok = strbuf_add_bytes(out, uri, scheme), first = true;

	while (ok && at < end) {
		size_t length = strcspn(at, BETWEEN);

		if (length > 0 && !str_starts(at, "pin-")) {
			ok = (first || strbuf_add(out, ";")) && strbuf_add_bytes(out, at, length);
			first = false;
		}
		at += length;
		at += at < end;
	}
	return ok;
}

bool key_uri_encode(const char *value, struct strbuf *out)
{
	bool ok = true;

	for (; ok && *value != '\0'; value++) {
		if (ascii_is_alnum(*value))
			ok = strbuf_add_bytes(out, value, 1);
		else
			ok = strbuf_addf(out, "%%%02X", (unsigned)(unsigned char)*value);
	}
	return ok;
}

bool key_uri_pin_file(const char *uri, char *out, size_t size)
{
	char source[512];
	const char *path = source;

	out[0] = '\0';
	if (!key_uri_has(uri, "pin-source"))
		return true;
	if (!key_uri_get(uri, "pin-source", source, sizeof(source)))
		return false;
	if (str_starts(source, SYSTEMD_PREFIX))
		return systemd_credential(source + strlen(SYSTEMD_PREFIX), out, size);
	if (str_starts(path, "file://"))
		path += strlen("file://");
	else if (str_starts(path, "file:"))
		path += strlen("file:");
	return path[0] == '/' && str_copy(out, size, path);
}

/* ---- validation ---- */

static bool pin_source_fits(const char *uri)
{
	char source[512];

	return !key_uri_has(uri, "pin-source") ||
	       (key_uri_get(uri, "pin-source", source, sizeof(source)) &&
		       (source[0] == '/' || str_starts(source, "file:/") ||
			       str_starts(source, SYSTEMD_PREFIX)));
}

static const char *pkcs11_wrong(const char *uri, const char **remedy)
{
	char type[16];

	*remedy = "Write pkcs11:token=…;object=…?pin-source=file:/… (or serial= and id=).";
	if (!key_uri_has(uri, "token") && !key_uri_has(uri, "serial"))
		return "does not select a token: the PIN could go to any token";
	if (!key_uri_has(uri, "object") && !key_uri_has(uri, "id"))
		return "does not select a key of the token";
	if (key_uri_has(uri, "type") &&
		(!key_uri_get(uri, "type", type, sizeof(type)) || strcmp(type, "private") != 0))
		return "does not name a private key (type=private)";
	if (key_uri_has(uri, "pin-value") && key_uri_has(uri, "pin-source"))
		return "has both pin-value and pin-source";
	if (!pin_source_fits(uri))
		return "has a pin-source that is not a file";
	*remedy = "Register the token's module with p11-kit, in a file of /etc/pkcs11/modules.";
	if (key_uri_has(uri, "module-path") || key_uri_has(uri, "module-name"))
		return "names a module, which is not allowed here";
	return NULL;
}

const char *key_uri_wrong(const char *uri, const char **remedy)
{
	if (key_uri_is_pkcs11(uri))
		return pkcs11_wrong(uri, remedy);
	*remedy = "Write the handle of a persistent key and nothing else: handle:0x81000001.";
	return key_uri_is_handle(uri) ? NULL : "is not the handle of a TPM key";
}
