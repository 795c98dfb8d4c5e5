/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of IAM, of the Security Token Service and of the metadata server; the first byte selects
 * the status. What is read from them fits into a form, a header or a path.
 */
#include "base/array.h"
#include "base/strbuf.h"
#include "common/google/auth/iam.c"	 /* take_jwt() is static, */
#include "common/google/auth/metadata.c" /* and so are its functions */

#include "google/auth/errors.h"
#include "google/auth/iam.h"
#include "google/http/secret.h"
#include "tests/fuzz/fuzz.h"

#define POOL "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"

static const int statuses[] = {200, 200, 200, 400, 401, 403, 404, 429, 500, 503};

static char endpoint[] = "https://iamcredentials.googleapis.com";
static char sts[] = "https://sts.googleapis.com/v1/token";
static char metadata[] = "http://metadata.google.internal";
static struct settings settings = {
	.iam_endpoint = endpoint, .sts_endpoint = sts, .metadata_endpoint = metadata};

static void check_fault(const struct fault *f)
{
	must(f->kind != FAULT_NONE && f->what[0] != '\0', "a refusal has a sentence");
	must(!strpbrk(f->what, "\n\x1b") && !strpbrk(f->remedy, "\n\x1b"), "of one line");
}

static void iam(const struct credential *c, const struct http_reply *http)
{
	static char *delegates[] = {NULL};
	const struct iam_signer by = {
		.name = "me", .member = "serviceAccount:me@x.y", .delegates = delegates};
	struct fault fault = {.kind = FAULT_NONE};
	struct strbuf jwt = {.max = 0};

	if (http->status != 200)
		error_iam(c, &by, endpoint, http, &fault);
	else if (take_jwt(c, http, &jwt, &fault))
		must(jwt.data && !strpbrk(jwt.data, " &=%\r\n"), "a JWT fits into a form");
	if (http->status != 200 || !jwt.data)
		check_fault(&fault);
	strbuf_free(&jwt);
}

static void token_service(const struct credential *c, const struct http_reply *http)
{
	struct fault fault = {.kind = FAULT_NONE};

	error_sts(c, POOL, http, &fault);
	check_fault(&fault);
}

static void machine(const struct http_reply *http)
{
	struct credential_minted minted = {NULL, 0};
	struct fault fault = {.kind = FAULT_NONE};
	char account[256] = "";

	if (take_account(&settings, http, account, sizeof(account), &fault))
		must(account[0] && !strpbrk(account, "/ \n\x1b"), "an account is a plain name");
	else
		check_fault(&fault);
	fault_clear(&fault);
	if (!take_token(&settings, http, &minted, &fault))
		check_fault(&fault);
	secret_free(minted.access_token);
	fault_clear(&fault);
	if (!check_universe(&settings, http, &fault))
		check_fault(&fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct credential c = {.settings = &settings,
		.issuer = "inviter@project.iam.gserviceaccount.com",
		.subject = "admin@example.com",
		.path = endpoint,
		.token_endpoint = sts};
	struct http_reply http = {.retry_after = -1, .flavor = "Google"};

	if (size < 1)
		return 0;
	http.status = statuses[data[0] % (ARRAY_SIZE(statuses))];
	must(strbuf_add_bytes(&http.body, (const char *)data + 1, size - 1), "memory");
	iam(&c, &http);
	token_service(&c, &http);
	machine(&http);
	strbuf_free(&http.body);
	return 0;
}
