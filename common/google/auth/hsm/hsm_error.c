/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenSSL's error queue says about a key in a token or TPM: whether the provider is missing,
 * and whether the PIN or password was refused.
 */
#include <openssl/err.h>
#include <string.h>

#include "base/str.h"
#include "google/auth/hsm/hsm_key.h"

/* PKCS#11's codes, which provider and engine pass on as reasons: PIN incorrect, invalid, of a wrong
 * length, expired, locked. */
#define CKR_PIN_FIRST 0xa0
#define CKR_PIN_LAST  0xa4

static bool pin_refused(unsigned long code, const char *data)
{
	const char *library = ERR_lib_error_string(code);
	int reason = ERR_GET_REASON(code);

	if (library && (strstr(library, "PKCS#11") || strcasestr(library, "pkcs11")))
		return reason >= CKR_PIN_FIRST && reason <= CKR_PIN_LAST;
	/* A TPM counts wrong passwords too. Its lock-out, which ends after a time, is not one of
	 * these. */
	return strstr(data, "authorization HMAC") || strstr(data, "authorization failure");
}

/* The oldest entry in the queue is the root cause; later ones were added as the error
 * propagated. */
void openssl_drain_errors(struct hsm_error *t)
{
	const char *data;
	unsigned long code;
	int flags;

	*t = (struct hsm_error){.bad_pin = false};
	while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
		const char *reason = ERR_reason_error_string(code);

		if (!(flags & ERR_TXT_STRING))
			data = "";
		if (!*t->reason && (reason || *data))
			str_format(t->reason, sizeof(t->reason), "%s%s%s", reason ? reason : "",
				reason && *data ? ": " : "", data);
		t->not_installed = t->not_installed || ERR_GET_LIB(code) == ERR_LIB_DSO;
		t->bad_pin = t->bad_pin || pin_refused(code, data);
	}
	if (!*t->reason)
		str_copy(t->reason, sizeof(t->reason), "no reason reported");
}
