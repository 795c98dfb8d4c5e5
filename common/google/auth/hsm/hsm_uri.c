/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL gets each URI as p11-kit writes it, and only the attributes that p11-kit has parsed:
 * another parser must not find another token in it than the one whose PIN counter was checked.
 * Parsing reads no configuration of p11-kit.
 */
#include "google/auth/hsm/hsm_uri.h"

#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "settings/systemd.h"

bool hsm_uri_is_pkcs11(const char *uri)
{
	return str_starts(uri, SETTINGS_KEY_PKCS11);
}

P11KitUri *hsm_uri_parse(const char *uri)
{
	P11KitUri *parsed = hsm_uri_is_pkcs11(uri) ? p11_kit_uri_new() : NULL;

	if (parsed && p11_kit_uri_parse(uri, P11_KIT_URI_FOR_ANY, parsed) == P11_KIT_URI_OK &&
		!p11_kit_uri_any_unrecognized(parsed))
		return parsed;
	p11_kit_uri_free(parsed);
	return NULL;
}

/* ---- without and with a PIN ---- */

static bool add_without_pin(P11KitUri *uri, struct strbuf *out)
{
	char *text = NULL;
	bool ok;

	p11_kit_uri_set_pin_value(uri, NULL);
	p11_kit_uri_set_pin_source(uri, NULL);
	ok = p11_kit_uri_format(uri, P11_KIT_URI_FOR_ANY, &text) == P11_KIT_URI_OK &&
	     strbuf_add_bytes(out, text, strcspn(text, "?"));
	free(text);
	return ok;
}

bool hsm_uri_bare(const char *uri, struct strbuf *out)
{
	P11KitUri *parsed = hsm_uri_parse(uri);
	bool ok = parsed ? add_without_pin(parsed, out)
			 : !hsm_uri_is_pkcs11(uri) && strbuf_add(out, uri);

	p11_kit_uri_free(parsed);
	return ok;
}

static bool is_private(P11KitUri *uri)
{
	const CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri, CKA_CLASS);
	CK_OBJECT_CLASS value = CKO_DATA;

	if (class && class->ulValueLen == sizeof(value))
		memcpy(&value, class->pValue, sizeof(value));
	return !class || value == CKO_PRIVATE_KEY;
}

static bool set_private(P11KitUri *uri)
{
	CK_OBJECT_CLASS value = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE class = {CKA_CLASS, &value, sizeof(value)};

	return p11_kit_uri_set_attribute(uri, &class) == P11_KIT_URI_OK;
}

/* p11-kit does not do this, because it would leave copies of the PIN in the heap. */
static bool add_pin(const char *pin, struct strbuf *out)
{
	bool ok = *pin == '\0' || strbuf_add(out, "?pin-value=");

	for (; ok && *pin != '\0'; pin++)
		ok = ascii_is_alnum(*pin) ? strbuf_add_bytes(out, pin, 1)
					  : strbuf_addf(out, "%%%02X", (unsigned char)*pin);
	return ok;
}

bool hsm_uri_with_pin(const char *uri, const char *pin, struct strbuf *out)
{
	P11KitUri *parsed = hsm_uri_parse(uri);
	bool ok = parsed ? set_private(parsed) && add_without_pin(parsed, out) && add_pin(pin, out)
			 : !hsm_uri_is_pkcs11(uri) && strbuf_add(out, uri);

	p11_kit_uri_free(parsed);
	return ok;
}

/* ---- where the PIN is ---- */

static bool find_pin_file(const char *source, char *out, size_t size)
{
	if (str_starts(source, SYSTEMD_PREFIX))
		return systemd_credential(source + strlen(SYSTEMD_PREFIX), out, size);
	if (str_starts(source, "file://"))
		source += strlen("file://");
	else if (str_starts(source, "file:"))
		source += strlen("file:");
	return source[0] == '/' && str_copy(out, size, source);
}

bool hsm_uri_pin_file(const char *uri, char *out, size_t size)
{
	P11KitUri *parsed = hsm_uri_parse(uri);
	const char *source = parsed ? p11_kit_uri_get_pin_source(parsed) : NULL;
	bool ok = source ? find_pin_file(source, out, size) : parsed || !hsm_uri_is_pkcs11(uri);

	if (!source)
		out[0] = '\0';
	p11_kit_uri_free(parsed);
	return ok;
}

bool hsm_uri_pin_value(const char *uri, struct strbuf *out)
{
	P11KitUri *parsed = hsm_uri_parse(uri);
	const char *value = parsed ? p11_kit_uri_get_pin_value(parsed) : NULL;
	bool ok = value ? strbuf_add(out, value) : parsed || !hsm_uri_is_pkcs11(uri);

	p11_kit_uri_free(parsed);
	return ok;
}

/* ---- validation ---- */

static bool pin_source_fits(const char *source)
{
	return !source || source[0] == '/' || str_starts(source, "file:/") ||
	       str_starts(source, SYSTEMD_PREFIX);
}

static bool has_key(P11KitUri *uri)
{
	return p11_kit_uri_get_attribute(uri, CKA_LABEL) || p11_kit_uri_get_attribute(uri, CKA_ID);
}

static const char *parsed_wrong(P11KitUri *uri, const char **remedy)
{
	const CK_TOKEN_INFO *token = p11_kit_uri_get_token_info(uri);
	const char *source = p11_kit_uri_get_pin_source(uri);

	if (!token->label[0] && !token->serialNumber[0])
		return "does not select a token: the PIN could go to any token";
	if (!has_key(uri))
		return "does not select a key of the token";
	if (!is_private(uri))
		return "does not name a private key (type=private)";
	if (source && p11_kit_uri_get_pin_value(uri))
		return "has both pin-value and pin-source";
	if (!pin_source_fits(source))
		return "has a pin-source that is not a file";
	*remedy = "Register the token's module with p11-kit, in a file of /etc/pkcs11/modules.";
	if (p11_kit_uri_get_module_path(uri) || p11_kit_uri_get_module_name(uri))
		return "names a module, which is not allowed here";
	return NULL;
}

static const char *uri_wrong(const char *uri, const char **remedy)
{
	P11KitUri *parsed = hsm_uri_parse(uri);
	const char *wrong = "is not a PKCS#11 URI, or has an attribute that p11-kit does not know";

	*remedy = "Write pkcs11:token=…;object=…?pin-source=file:/… (or serial= and id=).";
	if (parsed)
		wrong = parsed_wrong(parsed, remedy);
	p11_kit_uri_free(parsed);
	return wrong;
}

const struct settings_key_reader hsm_key_reader = {
	.wrong = uri_wrong, .pin_file = hsm_uri_pin_file};
