/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata server: the requests, and everything that may answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "google/auth/metadata.h"
#include "google/http/secret.h"
#include "fake_metadata_server.h"

#define OK	 "HTTP/1.1 200 OK\r\nConnection: close\r\nMetadata-Flavor: Google\r\n\r\n"
#define UNIVERSE OK "googleapis.com"
#define NAME	 OK "worker@p.iam.gserviceaccount.com\n"
#define TOKEN	 OK "{\"access_token\":\"ya29.x\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"
#define STATUS(line, body) \
	"HTTP/1.1 " line "\r\nConnection: close\r\nMetadata-Flavor: Google\r\n\r\n" body
#define STRANGER(line, body) "HTTP/1.1 " line "\r\nConnection: close\r\n\r\n" body

struct answer {
	bool ok;
	char account[256], token[64];
	struct fault fault;
	int64_t skew;
};

/* With a proxy that does not answer: the metadata server is not asked through it. */
static struct answer ask(struct fake_metadata_server *n)
{
	static char none[] = "", proxy[] = "http://127.0.0.1:9";
	struct settings s = {.metadata_endpoint = n->url,
		.ca_file = none,
		.proxy = proxy,
		.no_proxy = none,
		.client_certificate = none,
		.client_key = none,
		.timeout = 5};
	struct answer a = {.ok = false};
	struct credential_minted minted = {0};
	struct http *http = http_open(&s, &a.fault);

	assert_non_null(http);
	a.ok = metadata_token(&s, http, a.account, sizeof(a.account), &minted, &a.fault);
	assert_int_equal(a.ok, !!minted.access_token);
	str_copy(a.token, sizeof(a.token), a.ok ? minted.access_token : "");
	secret_free(minted.access_token);
	a.skew = http_clock_skew(http);
	http_close(http);
	return a;
}

static struct answer answer(struct fake_metadata_server *n)
{
	struct answer a;

	fake_metadata_server_start(n);
	a = ask(n);
	fake_metadata_server_stop(n);
	return a;
}

static void expect(
	struct fake_metadata_server n, enum fault_kind kind, const char *code, const char *what)
{
	struct answer a = answer(&n);

	assert_false(a.ok);
	if (!strstr(a.fault.what, what))
		print_error("'%s' is not in '%s'\n", what, a.fault.what);
	assert_string_equal(a.fault.code, code);
	assert_int_equal(a.fault.kind, kind);
	assert_non_null(strstr(a.fault.what, what));
	assert_true(kind == FAULT_TRANSIENT || *a.fault.remedy);
}

static void it_is_asked_for_account_and_token_and_never_through_a_proxy(void **state)
{
	static const char *const paths[] = {"GET /computeMetadata/v1/universe/universe-domain HTTP",
		"GET /computeMetadata/v1/instance/service-accounts/default/email HTTP",
		"GET /computeMetadata/v1/instance/service-accounts/default/token"
		"?scopes=https://www.googleapis.com/auth/iam HTTP"};
	struct fake_metadata_server n = {.replies = {UNIVERSE, NAME, TOKEN}};
	struct answer a = answer(&n);

	(void)state;
	assert_true(a.ok);
	assert_string_equal(a.account, "worker@p.iam.gserviceaccount.com");
	assert_string_equal(a.token, "ya29.x");
	assert_int_equal(n.count, 3);
	for (int i = 0; i < 3; i++) {
		assert_true(str_starts(n.asked[i], paths[i]));
		assert_non_null(strstr(n.asked[i], "\r\nMetadata-Flavor: Google\r\n"));
		assert_null(strstr(n.asked[i], "Authorization"));
	}
}

static void a_server_from_before_the_universes_will_do(void **state)
{
	struct fake_metadata_server n = {.replies = {STATUS("404 Not Found", ""), NAME, TOKEN}};

	(void)state;
	assert_true(answer(&n).ok);
}

static void another_universe_is_refused(void **state)
{
	(void)state;
	expect((struct fake_metadata_server){.replies = {OK "example.goog"}}, FAULT_CREDENTIALS,
		"universe", "'example.goog'");
	expect((struct fake_metadata_server){.replies = {OK ""}}, FAULT_CREDENTIALS, "universe",
		"''");
}

static void a_busy_server_is_asked_again(void **state)
{
	struct fake_metadata_server n = {
		.replies = {STATUS("503 Unavailable", ""), UNIVERSE,
			STATUS("429 Too Many Requests", ""), STATUS("500 Error", ""), NAME, TOKEN}};

	(void)state;
	assert_true(answer(&n).ok);
	assert_int_equal(n.count, 6);
}

static void one_that_stays_busy_is_for_later(void **state)
{
	struct fake_metadata_server n = {
		.replies = {STATUS("503 Unavailable", ""), STATUS("503 Unavailable", ""),
			STATUS("503 Unavailable", ""), STATUS("503 Unavailable", ""),
			STATUS("503 Unavailable", ""), UNIVERSE, NAME, TOKEN}};

	(void)state;
	expect(n, FAULT_TRANSIENT, "metadata_busy", "503");
}

static void a_connection_that_is_cut_is_tried_again(void **state)
{
	struct fake_metadata_server n = {.replies = {UNIVERSE, "", NAME, TOKEN}};

	(void)state;
	assert_true(answer(&n).ok);
}

static void a_server_without_googles_header_is_not_believed(void **state)
{
	(void)state;
	expect((struct fake_metadata_server){.replies = {STRANGER("200 OK", "googleapis.com")}},
		FAULT_SETUP, "metadata_unexpected", "no Metadata-Flavor: Google");
	expect((struct fake_metadata_server){.replies = {UNIVERSE, STRANGER("200 OK", "a@b.c")}},
		FAULT_SETUP, "metadata_unexpected", "the server that answers 200");
	expect((struct fake_metadata_server){.replies = {UNIVERSE, NAME,
						     STRANGER("200 OK",
							     "{\"access_token\":\"x\"}")}},
		FAULT_SETUP, "metadata_unexpected", "200");
	expect((struct fake_metadata_server){.replies = {UNIVERSE,
						     STRANGER("302 Found", "<html>Log in</html>")}},
		FAULT_SETUP, "metadata_unexpected", "302");
}

static void a_machine_without_an_account_is_called_that(void **state)
{
	(void)state;
	expect((struct fake_metadata_server){.replies = {UNIVERSE,
						     STATUS("404 Not Found", "<html>")}},
		FAULT_SETUP, "metadata_no_account", "no service account");
}

static void a_refusal_is_quoted(void **state)
{
	(void)state;
	expect((struct fake_metadata_server){.replies = {UNIVERSE, NAME,
						     STATUS("403 Forbidden",
							     "Unable to generate access token; IAM "
							     "returned 403\nx")}},
		FAULT_SETUP, "metadata_refused", "403 Unable to generate access token");
	expect((struct fake_metadata_server){.replies = {UNIVERSE, STATUS("400 Bad Request", "")}},
		FAULT_SETUP, "metadata_refused", "400");
}

static void an_invalid_name_or_token_is_unexpected(void **state)
{
	static const char *const tokens[] = {OK, OK "ya29.x", OK "{}",
		OK "{\"access_token\":\"a b\"}",
		OK "{\"access_token\":\"a\",\"access_token\":\"b\"}",
		OK "{\"access_token\":\"a\",\"expires_in\":-1}"};

	(void)state;
	expect((struct fake_metadata_server){.replies = {UNIVERSE, OK "two words"}}, FAULT_SETUP,
		"metadata_unexpected", "no account name");
	expect((struct fake_metadata_server){.replies = {UNIVERSE, OK}}, FAULT_SETUP,
		"metadata_unexpected", "no account name");
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		expect((struct fake_metadata_server){.replies = {UNIVERSE, NAME, tokens[i]}},
			FAULT_SETUP, "metadata_unexpected", "no token");
}

static void without_an_answer_the_remedy_says_where_there_is_one(void **state)
{
	struct fake_metadata_server n = {.replies = {NULL}};
	struct answer a;

	(void)state;
	fake_metadata_server_start(&n);
	fake_metadata_server_stop(&n);
	a = ask(&n);
	assert_string_equal(a.fault.code, "metadata_missing");
	assert_int_equal(a.fault.kind, FAULT_SETUP);
	assert_non_null(strstr(a.fault.what, n.url));
	assert_non_null(strstr(a.fault.remedy, "Google Cloud"));
}

static void its_clock_is_not_googles(void **state)
{
	struct fake_metadata_server n = {
		.replies = {"HTTP/1.1 200 OK\r\nConnection: close\r\n"
			    "Date: Mon, 01 Jan 2018 00:00:00 GMT\r\n"
			    "Metadata-Flavor: Google\r\n\r\ngoogleapis.com",
			NAME, TOKEN}};
	struct answer a = answer(&n);

	(void)state;
	assert_true(a.ok);
	assert_int_equal(a.skew, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_asked_for_account_and_token_and_never_through_a_proxy),
		cmocka_unit_test(a_server_from_before_the_universes_will_do),
		cmocka_unit_test(another_universe_is_refused),
		cmocka_unit_test(a_busy_server_is_asked_again),
		cmocka_unit_test(one_that_stays_busy_is_for_later),
		cmocka_unit_test(a_connection_that_is_cut_is_tried_again),
		cmocka_unit_test(a_server_without_googles_header_is_not_believed),
		cmocka_unit_test(a_machine_without_an_account_is_called_that),
		cmocka_unit_test(a_refusal_is_quoted),
		cmocka_unit_test(an_invalid_name_or_token_is_unexpected),
		cmocka_unit_test(without_an_answer_the_remedy_says_where_there_is_one),
		cmocka_unit_test(its_clock_is_not_googles),
	};

	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
