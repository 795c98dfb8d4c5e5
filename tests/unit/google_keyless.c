/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/google_keyless.h"

char token_endpoint[] = "https://oauth2.googleapis.com/token";
char iam_endpoint[] = "https://127.0.0.1:8443", admin[] = "admin@example.com", none[] = "";
char sts_endpoint[] = "https://127.0.0.1:8443/v1/token", inviter[] = INVITER;
char google[] = "http://metadata.google.internal", azure[] = "http://169.254.169.254";
char metadata[] = "metadata:", run[] = "/nowhere/run";
char *pem; /* 2048 bits */

struct test begin(void **state)
{
	struct test t = {.folder = *state,
		.settings = {.subject = admin,
			.token_endpoint = token_endpoint,
			.service_account = none,
			.key = none,
			.key_id = none,
			.iam_endpoint = iam_endpoint,
			.sts_endpoint = sts_endpoint,
			.metadata_endpoint = google,
			.run = run,
			.ca_file = none,
			.proxy = none,
			.no_proxy = none,
			.client_certificate = none,
			.client_key = none,
			.timeout = 5,
			.quota_project = none}};

	t.settings.credentials = t.folder->file;
	return t;
}

struct credential *load(struct test *t, json_t *file)
{
	char *text = json_dumps(file, 0);

	chmod(folder_write(t->folder, "file.json", text), 0600);
	free(text);
	json_decref(file);
	fault_clear(&t->fault);
	return credential_load(&t->settings, &t->fault);
}

void expect_taken(struct test *t, json_t *file)
{
	struct credential *c = load(t, file);

	if (!c)
		print_error("%s: %s\n", t->fault.code, t->fault.what);
	assert_non_null(c);
	credential_free(c);
}

void expect_refused(struct test *t, json_t *file, const char *code, const char *says)
{
	struct credential *c = load(t, file);

	assert_null(c);
	if (strcmp(t->fault.code, code) != 0 || !strstr(t->fault.what, says))
		print_error("%s: %s\n", t->fault.code, t->fault.what);
	assert_int_equal(t->fault.kind, FAULT_CREDENTIALS);
	assert_string_equal(t->fault.code, code);
	assert_non_null(strstr(t->fault.what, says));
	assert_null(strstr(t->fault.what, "PRIVATE"));
}

json_t *impersonated(void)
{
	return json_pack("{s:s, s:s, s:o}", "type", "impersonated_service_account",
		"service_account_impersonation_url", IAM INVITER ":generateAccessToken",
		"source_credentials", key_file(pem));
}

json_t *external(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s}}", "type", "external_account",
		"audience", PROVIDER, "subject_token_type", "urn:ietf:params:oauth:token-type:jwt",
		"token_url", "https://sts.googleapis.com/v1/token",
		"service_account_impersonation_url", IAM INVITER ":generateAccessToken",
		"credential_source", "file", "/var/run/secrets/tokens/google");
}

json_t *with(json_t *file, const char *name, json_t *value)
{
	if (value)
		json_object_set_new(file, name, value);
	else
		json_object_del(file, name);
	return file;
}

int make_pem(void **state)
{
	EVP_PKEY *key = key_rsa(2048);

	(void)state;
	pem = key_pem(key);
	EVP_PKEY_free(key);
	return pem ? 0 : -1;
}

int free_pem(void **state)
{
	(void)state;
	free(pem);
	return 0;
}
