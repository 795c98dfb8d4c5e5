/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms. The encoded copy of a value is wiped, because the value may be a secret.
 */
#include "google/http/form.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <string.h>

#include "base/strbuf.h"

bool form_add(struct strbuf *form, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(NULL, value, 0);
	bool ok = escaped && strbuf_addf(form, "%s%s=", form->len ? "&" : "", name) &&
		  strbuf_add(form, escaped);

	if (escaped)
		OPENSSL_cleanse(escaped, strlen(escaped));
	curl_free(escaped);
	return ok;
}
