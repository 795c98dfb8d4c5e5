/* SPDX-License-Identifier: Apache-2.0 */
/* A person's consent: the client's file, the address that is opened, and what comes back. */
#include "base/str.h"
#include "base/strbuf.h"
#include "folder.h"

#include <openssl/evp.h>

#include "base/array.h"
#include "base/log.h"
#include "google/auth/base64url.h"
#include "google/auth/oauth.h"

#define CLIENT "7-x.apps.googleusercontent.com"
#define SCOPE  "https%%3A%%2F%%2Fwww.googleapis.com%%2Fauth%%2Fcloud-identity.userinvitations"

static char google[] = "https://accounts.google.com/o/oauth2/v2/auth";

struct test {
	struct folder *folder;
	struct settings settings;
	struct oauth_client client;
	struct oauth_redirect redirect;
	struct oauth_request request;
	struct fault fault;
	char path[128], code[OAUTH_CODE_MAX];
};

static bool load(struct test *t, const char *text)
{
	str_copy(t->path, sizeof(t->path), folder_write(t->folder, "client.json", text));
	fault_clear(&t->fault);
	return oauth_client_load(&t->client, t->path, &t->fault);
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	folder_new((void **)&t->folder);
	t->settings.authorization_endpoint = google;
	assert_true(load(t, "{\"installed\":{\"client_id\":\"" CLIENT
			    "\",\"client_secret\":\"GOCSPX-s\",\"redirect_uris\":["
			    "\"http://localhost\"]}}"));
	assert_true(oauth_client_redirect(&t->client, 4711, &t->redirect, &t->fault));
	assert_true(oauth_begin(&t->request, &t->client, &t->redirect, &t->fault));
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	oauth_client_free(&t->client);
	folder_free((void **)&t->folder);
	free(t);
	return 0;
}

/* ---- the client ---- */

static bool load_web(struct test *t, const char *redirects)
{
	char text[1024];

	oauth_client_free(&t->client);
	str_format(text, sizeof(text),
		"{\"web\":{\"client_id\":\"x\",\"client_secret\":\"y\",\"redirect_uris\":%s}}",
		redirects);
	return load(t, text);
}

static void a_desktop_client_is_answered_on_any_port(void **state)
{
	struct test *t = *state;

	assert_false(t->client.web);
	assert_string_equal(t->redirect.uri, "http://127.0.0.1:4711/");
	assert_true(t->redirect.loopback);
	assert_true(oauth_client_redirect(&t->client, 0, &t->redirect, &t->fault));
	assert_int_equal(t->redirect.port, 0);
	oauth_redirect_bound(&t->redirect, 81);
	assert_string_equal(t->redirect.uri, "http://127.0.0.1:81/");
}

static void a_web_client_is_answered_where_it_is_registered(void **state)
{
	static const struct {
		const char *redirects, *uri, *path;
		bool loopback;
		uint16_t wanted, port;
	} all[] = {
		{"[\"https://a.example.com/x\",\"http://localhost:8080/cb\"]",
			"http://localhost:8080/cb", "/cb", true, 0, 8080},
		{"[\"http://localhost:8080/cb\",\"http://127.0.0.1:9000/\"]",
			"http://127.0.0.1:9000/", "/", true, 9000, 9000},
		{"[\"http://127.0.0.1\"]", "http://127.0.0.1", "/", true, 0, 80},
		{"[1,\"no address\",\"http://a.example.com/\",\"https://a.example.com/x\"]",
			"https://a.example.com/x", "/x", false, 0, 443},
		{"[\"http://127.0.0.1.example.com/\",\"http://u@x:1/\",\"https://b.example.com/\"]",
			"https://b.example.com/", "/", false, 0, 443},
	};
	struct test *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_true(load_web(t, all[i].redirects));
		assert_true(
			oauth_client_redirect(&t->client, all[i].wanted, &t->redirect, &t->fault));
		assert_string_equal(t->redirect.uri, all[i].uri);
		assert_string_equal(t->redirect.path, all[i].path);
		assert_int_equal(t->redirect.loopback, all[i].loopback);
		assert_int_equal(t->redirect.port, all[i].port);
	}
}

static void one_that_is_registered_nowhere_usable_is_refused(void **state)
{
	static const char *const redirects[] = {
		"[]", "null", "[\"ftp://localhost/\"]", "[\"http://a.example.com/\"]", "{}"};
	struct test *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(redirects); i++) {
		assert_true(load_web(t, redirects[i]));
		assert_false(oauth_client_redirect(&t->client, 0, &t->redirect, &t->fault));
		assert_int_equal(t->fault.kind, FAULT_CREDENTIALS);
		assert_non_null(strstr(t->fault.remedy, "http://127.0.0.1:8080/"));
	}
}

static void a_file_without_a_client_says_where_to_get_one(void **state)
{
	static const char *const texts[] = {"", "[]", "{}", "{\"type\":\"authorized_user\"}",
		"{\"installed\":{}}", "{\"installed\":{\"client_id\":\"x\"}}",
		"{\"installed\":{\"client_id\":\"\",\"client_secret\":\"y\"}}",
		"{\"web\":{\"client_id\":\"a b\",\"client_secret\":\"y\"}}", "{\"web\":1}"};
	struct test *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		oauth_client_free(&t->client);
		assert_false(load(t, texts[i]));
		assert_int_equal(t->fault.kind, FAULT_CREDENTIALS);
		assert_non_null(strstr(t->fault.remedy, "Download"));
	}
}

/* ---- the question ---- */

static void the_address_asks_for_one_scope_and_for_a_lasting_login(void **state)
{
	struct test *t = *state;
	struct strbuf address = {0};
	char expected[1024];

	assert_true(oauth_address(&t->request, &t->settings, "a+b@example.com", &address));
	str_format(expected, sizeof(expected),
		"%s?response_type=code&client_id=" CLIENT
		"&redirect_uri=http%%3A%%2F%%2F127.0.0.1%%3A4711%%2F&scope=" SCOPE
		"&state=%s&code_challenge=%s&code_challenge_method=S256&access_type=offline&prompt="
		"consent&login_hint=a%%2Bb%%40example.com",
		google, t->request.state, t->request.challenge);
	assert_string_equal(address.data, expected);
	assert_null(strstr(address.data, t->request.verifier));
	strbuf_free(&address);
}

static void the_challenge_is_the_digest_of_a_verifier_of_its_own(void **state)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	struct test *t = *state;
	struct oauth_request another;
	unsigned char digest[32];
	struct strbuf text = {0};

	assert_in_range(strlen(t->request.verifier), 43, 128);
	assert_int_equal(strspn(t->request.verifier, allowed), strlen(t->request.verifier));
	EVP_Digest(
		t->request.verifier, strlen(t->request.verifier), digest, NULL, EVP_sha256(), NULL);
	assert_true(base64url_add(&text, digest, sizeof(digest)));
	assert_string_equal(t->request.challenge, text.data);
	strbuf_free(&text);
	assert_true(oauth_begin(&another, &t->client, &t->redirect, &t->fault));
	assert_string_not_equal(another.verifier, t->request.verifier);
	assert_string_not_equal(another.state, t->request.state);
}

/* ---- the answer ---- */

/* In `pattern`, %s is the state of the request. */
static enum oauth_answer ask(struct test *t, const char *pattern, bool pasted)
{
	struct strbuf query = {0};
	enum oauth_answer found;

	for (const char *p = pattern; *p; p++) {
		if (p[0] == '%' && p[1] == 's') {
			strbuf_add(&query, t->request.state);
			p++;
		} else {
			strbuf_add_bytes(&query, p, 1);
		}
	}
	fault_clear(&t->fault);
	t->code[0] = '\0';
	found = (pasted ? oauth_pasted : oauth_answer)(
		&t->request, query.data ? query.data : "", t->code, &t->fault);
	strbuf_free(&query);
	return found;
}

static void the_code_is_taken_with_our_state_only(void **state)
{
	static const char *const unexpected[] = {"", "code=4/0A", "state=&code=4/0A",
		"state=x&code=4/0A", "state=%s", "state=%sx&code=4/0A",
		"state=%s&code=", "state=%s&code=a%20b", "state=%s&code=a%00b",
		"state=%s&code=a&code=b", "state=%s&state=%s&code=a", "state=x&state=%s&code=a",
		"states=%s&code=a", "state=x&error=access_denied", "error=access_denied",
		"#state=%s&code=a", "state=%s&code=%0d%0aa"};
	struct test *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(unexpected); i++) {
		if (ask(t, unexpected[i], false) != OAUTH_UNEXPECTED)
			print_error("%s\n", unexpected[i]);
		assert_int_equal(ask(t, unexpected[i], false), OAUTH_UNEXPECTED);
		assert_int_equal(t->fault.kind, FAULT_NONE);
	}
	assert_int_equal(ask(t, "state=%s&code=4%2F0Ab-_c&scope=x&authuser=0", false), OAUTH_CODE);
	assert_string_equal(t->code, "4/0Ab-_c");
	assert_int_equal(ask(t, "code=4/0A&state=%s#", false), OAUTH_CODE);
}

static void a_code_that_is_too_long_is_refused(void **state)
{
	struct test *t = *state;
	struct strbuf query = {0};

	strbuf_add(&query, "state=%s&code=");
	for (int i = 0; i < OAUTH_CODE_MAX; i++)
		strbuf_add(&query, "a");
	assert_int_equal(ask(t, query.data, false), OAUTH_UNEXPECTED);
	strbuf_free(&query);
}

static void a_person_may_paste_the_address_its_query_or_the_code(void **state)
{
	static const char *const good[] = {"http://127.0.0.1:4711/?state=%s&code=4/0A&scope=x",
		"state=%s&code=4/0A", "4/0A", "4%2F0A"};
	static const char *const bad[] = {"http://127.0.0.1:4711/?code=4/0A", "http://x/", "",
		"a b", "code=4/0A", "http://x/?state=y&code=4/0A", "4/0A#x"};
	struct test *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(ask(t, good[i], true), OAUTH_CODE);
		assert_string_equal(t->code, "4/0A");
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ask(t, bad[i], true), OAUTH_UNEXPECTED);
}

static void each_refusal_says_what_to_do(void **state)
{
	static const struct {
		const char *answer;
		enum fault_kind kind;
		const char *code, *remedy;
	} all[] = {
		{"error=access_denied", FAULT_SETUP, "consent_denied", "super administrator"},
		{"error=invalid_scope", FAULT_SETUP, "consent_scope", "Internal"},
		{"error=invalid_request&error_description=Account%20restricted", FAULT_SETUP,
			"consent_policy", CLIENT},
		{"error=admin_policy_enforced", FAULT_SETUP, "consent_policy", CLIENT},
		{"error=org_internal", FAULT_SETUP, "consent_foreign", "organisation"},
		{"error=unauthorized_client", FAULT_SETUP, "consent_client", "Desktop app"},
		{"error=server_error", FAULT_TRANSIENT, "consent_server", "again"},
		{"error=temporarily_unavailable", FAULT_TRANSIENT, "consent_server", "again"},
		{"error=something_new", FAULT_SETUP, "consent_refused", "again"},
		{"error=%1b%5b31m%0a", FAULT_SETUP, "consent_refused", "again"},
	};
	struct test *t = *state;
	char query[256];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		str_format(query, sizeof(query), "%s&state=%%s", all[i].answer);
		assert_int_equal(ask(t, query, false), OAUTH_REFUSED);
		assert_int_equal(t->fault.kind, all[i].kind);
		assert_string_equal(t->fault.code, all[i].code);
		assert_non_null(strstr(t->fault.remedy, all[i].remedy));
		assert_null(strpbrk(t->fault.what, "\033\n{}"));
		assert_null(strpbrk(t->fault.remedy, "{}"));
	}
}

/* ---- the reply ---- */

#define GRANTED "\"access_token\":\"a\",\"expires_in\":1,\"refresh_token\":\"1//r\""

static void a_reply_grants_the_scope_or_what_was_asked_for(void **state)
{
	static const struct {
		const char *body;
		bool read, granted;
	} all[] = {
		{"{" GRANTED "}", true, true},
		{"{" GRANTED ",\"scope\":\"a b c\"}", true, true},
		{"{" GRANTED ",\"scope\":\"b\"}", true, true},
		{"{" GRANTED ",\"scope\":\"a  bb c\"}", true, false},
		{"{" GRANTED ",\"scope\":\"\"}", true, false},
		{"{" GRANTED ",\"scope\":null}", true, true},
		{"{" GRANTED ",\"scope\":1}", false, false},
		{"{\"access_token\":\"a\",\"refresh_token\":\"a b\"}", false, false},
		{"{\"access_token\":\"a\",\"refresh_token\":1}", false, false},
		{"{\"refresh_token\":\"1//r\"}", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct token_response reply;

		assert_int_equal(token_response_parse(all[i].body, strlen(all[i].body), &reply),
			all[i].read);
		if (all[i].read) {
			assert_string_equal(reply.refresh_token, "1//r");
			assert_int_equal(token_response_has_scope(&reply, "b"), all[i].granted);
		}
		token_response_free(&reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_desktop_client_is_answered_on_any_port, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_web_client_is_answered_where_it_is_registered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_that_is_registered_nowhere_usable_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_file_without_a_client_says_where_to_get_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_address_asks_for_one_scope_and_for_a_lasting_login, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_challenge_is_the_digest_of_a_verifier_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_code_is_taken_with_our_state_only, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_code_that_is_too_long_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_person_may_paste_the_address_its_query_or_the_code, setup, teardown),
		cmocka_unit_test_setup_teardown(each_refusal_says_what_to_do, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_reply_grants_the_scope_or_what_was_asked_for, setup, teardown),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
