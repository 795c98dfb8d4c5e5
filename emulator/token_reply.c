/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the grants of the token endpoint share: the check of scopes and the body of a reply.
 */
#include "token.h"

#include <string.h>

bool scopes_valid(const char *scopes)
{
	static const char prefix[] = "https://www.googleapis.com/auth/";
	bool any = false;

	while (scopes && *scopes != '\0') {
		size_t n = strcspn(scopes, " ");

		if (n > 0) {
			if (n < sizeof prefix || strncmp(scopes, prefix, sizeof prefix - 1) != 0)
				return false;
			any = true;
		}
		scopes += n + (scopes[n] == ' ');
	}
	return any;
}

json_t *token_body(const struct tenant *tenant, const struct access *access)
{
	int lifetime = tenant->switches.token_lifetime;

	return json_pack("{s:s, s:s, s:o}", "access_token", access->token, "token_type", "Bearer",
		"expires_in",
		tenant->switches.expires_in_string ? json_sprintf("%d", lifetime)
						   : json_integer(lifetime));
}
