/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of Google that a credential's file may name.
 */
#include "google/auth/trusted_endpoint.h"

#include <stddef.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"

/* The second and the third are in older key files, and Google still answers there. */
static const char *const token_uris[] = {"https://oauth2.googleapis.com/token",
	"https://accounts.google.com/o/oauth2/token", "https://www.googleapis.com/oauth2/v4/token"};

bool trusted_token_uri(const char *uri, const struct settings *settings)
{
	for (size_t i = 0; i < ARRAY_SIZE(token_uris); i++) {
		if (strcmp(uri, token_uris[i]) == 0)
			return true;
	}
	return settings->token_endpoint_set && strcmp(uri, settings->token_endpoint) == 0;
}

bool trusted_sts_url(const char *url, const struct settings *settings)
{
	return strcmp(url, "https://sts.googleapis.com/v1/token") == 0 ||
	       (settings->sts_endpoint_set && strcmp(url, settings->sts_endpoint) == 0);
}

static const char *path_after(const char *url, const char *origin)
{
	const char *path = url + strlen(origin);

	return str_starts(url, origin) && *path == '/' ? path : NULL;
}

const char *trusted_iam_path(const char *url, const struct settings *settings)
{
	const char *path = path_after(url, TRUSTED_IAM);

	return path ? path : path_after(url, settings->iam_endpoint);
}
