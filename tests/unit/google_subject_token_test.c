/* SPDX-License-Identifier: Apache-2.0 */
/* The subject token: from a file or a URL, as text or inside JSON. */
#include "base/str.h"
#include "base/strbuf.h"
#include "google_keyless.h"

#include "base/log.h"
#include "google/auth/subject_token.h"
#include "fake_metadata_server.h"

struct fetched {
	bool ok;
	struct strbuf token;
	struct fault fault;
};

/* Takes ownership of `source`. */
static struct fetched fetch(struct test *t, json_t *source)
{
	static char path[] = "/etc/cloudinvite/credentials.json";
	struct credential c = {.settings = &t->settings, .path = path};
	struct subject_source from = {.file = NULL};
	struct fetched out = {.ok = false};
	struct http *http = http_open(&t->settings, &out.fault);

	assert_true(subject_source_read(&from, &c, source, &out.fault));
	out.ok = subject_token(&from, &c, http, &out.token, &out.fault);
	subject_source_free(&from);
	http_close(http);
	json_decref(source);
	return out;
}

static void expect_token(struct test *t, json_t *source, const char *token)
{
	struct fetched got = fetch(t, source);

	if (!got.ok)
		print_error("%s: %s\n", got.fault.code, got.fault.what);
	assert_true(got.ok);
	assert_string_equal(got.token.data, token);
	strbuf_free(&got.token);
}

static void expect_no_token(struct test *t, json_t *source, const char *code, const char *what)
{
	struct fetched got = fetch(t, source);

	assert_false(got.ok);
	if (!strstr(got.fault.what, what))
		print_error("%s: %s\n", got.fault.code, got.fault.what);
	assert_string_equal(got.fault.code, code);
	assert_non_null(strstr(got.fault.what, what));
	assert_null(strstr(got.fault.what, "eyJ"));
	strbuf_free(&got.token);
}

static json_t *token_file(struct test *t, const char *content, int mode, const char *field)
{
	json_t *source = json_pack("{s:s}", "file", folder_write(t->folder, "token", content));

	assert_int_equal(chmod(t->folder->file, (mode_t)mode), 0);
	if (field)
		json_object_set_new(source, "format",
			json_pack("{s:s, s:s}", "type", "json", "subject_token_field_name", field));
	return source;
}

static void a_file_is_read_as_text_or_as_json(void **state)
{
	struct test t = begin(state);

	expect_token(&t, token_file(&t, "eyJ.a.b\n", 0600, NULL), "eyJ.a.b");
	expect_token(&t, token_file(&t, "{\"id\":\"eyJ.c.d\"}", 0600, "id"), "eyJ.c.d");
	expect_no_token(&t, token_file(&t, "{\"other\":\"eyJ\"}", 0600, "id"),
		"subject_token_unexpected", "'id'");
	expect_no_token(
		&t, token_file(&t, "{\"id\":1}", 0600, "id"), "subject_token_unexpected", "'id'");
	expect_no_token(&t, token_file(&t, "eyJ", 0600, "id"), "subject_token_unexpected", "'id'");
	expect_no_token(&t, token_file(&t, "", 0600, NULL), "subject_token_unexpected",
		"does not contain a token");
	expect_no_token(&t, token_file(&t, "eyJ a", 0600, NULL), "subject_token_unexpected",
		"does not contain a token");
	expect_no_token(&t, token_file(&t, "eyJ\x01", 0600, NULL), "subject_token_unexpected",
		"does not contain a token");
	expect_no_token(&t, json_pack("{s:s}", "file", "/nonexistent/token"), "missing",
		"/nonexistent/token");
}

static void a_token_that_every_user_can_read_is_refused_unless_accepted(void **state)
{
	struct test t = begin(state);

	expect_no_token(&t, token_file(&t, "eyJ.a.b", 0644, NULL), "readable_by_others", "token");
	expect_no_token(&t, token_file(&t, "eyJ.a.b", 0666, NULL), "readable_by_others", "token");
	t.settings.metadata_exposed = EXPOSED_ACCEPT;
	expect_token(&t, token_file(&t, "eyJ.a.b", 0644, NULL), "eyJ.a.b");
	expect_no_token(&t, token_file(&t, "eyJ.a.b", 0666, NULL), "writable_by_others", "token");
}

static void a_token_without_end_is_refused(void **state)
{
	struct test t = begin(state);
	char *large = malloc(70000);

	memset(large, 'a', 69999);
	large[69999] = '\0';
	expect_no_token(&t, token_file(&t, large, 0600, NULL), "too_large", "65536");
	free(large);
}

static json_t *metadata_server_source(const struct fake_metadata_server *n, const char *field)
{
	char url[128];
	json_t *source;

	str_format(url, sizeof(url), "%s/identity?api-version=1", n->url);
	source = json_pack("{s:s, s:{s:s}}", "url", url, "headers", "Metadata", "True");
	if (field)
		json_object_set_new(source, "format",
			json_pack("{s:s, s:s}", "type", "json", "subject_token_field_name", field));
	return source;
}

static void a_url_is_asked_with_its_headers(void **state)
{
	struct fake_metadata_server n = {.replies = {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
						     "{\"access_token\":\"eyJ.e.f\",\"x\":1}"}};
	struct test t = begin(state);

	fake_metadata_server_start(&n);
	t.settings.metadata_endpoint = n.url;
	expect_token(&t, metadata_server_source(&n, "access_token"), "eyJ.e.f");
	fake_metadata_server_stop(&n);
	assert_true(str_starts(n.asked[0], "GET /identity?api-version=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(n.asked[0], "\r\nMetadata: True\r\n"));
}

static void a_refusal_of_the_url_is_reported(void **state)
{
	struct fake_metadata_server n = {
		.replies = {"HTTP/1.1 403 No\r\nConnection: close\r\n\r\neyJ",
			"HTTP/1.1 302 No\r\nConnection: close\r\n"
			"Location: http://127.0.0.1:1/\r\n\r\n",
			"HTTP/1.1 503 No\r\nConnection: close\r\n\r\n"}};
	struct test t = begin(state);

	fake_metadata_server_start(&n);
	t.settings.metadata_endpoint = n.url;
	expect_no_token(&t, metadata_server_source(&n, NULL), "subject_token_refused", "403");
	expect_no_token(&t, metadata_server_source(&n, NULL), "subject_token_refused", "302");
	expect_no_token(&t, metadata_server_source(&n, NULL), "subject_token_refused", "503");
	fake_metadata_server_stop(&n);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_read_as_text_or_as_json),
		TEST(a_token_that_every_user_can_read_is_refused_unless_accepted),
		TEST(a_token_without_end_is_refused),
		TEST(a_url_is_asked_with_its_headers),
		TEST(a_refusal_of_the_url_is_reported),
	};

	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
