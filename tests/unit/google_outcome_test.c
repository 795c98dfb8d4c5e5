/* SPDX-License-Identifier: Apache-2.0 */
/* Which replies, and which missing replies, allow a send to be repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/api/outcome.h"

#define API_ERROR(code, status) \
	"{\"error\":{\"code\":" code ",\"message\":\"x\",\"status\":\"" status "\"}}"

static struct google_reply read_reply(
	enum google_method method, struct http_reply http, const char *body)
{
	const struct google_call call = {.method = method, .address = "alice@example.com"};
	struct reply_storage memory = {0};
	struct google_reply out;

	strbuf_add(&http.body, body);
	outcome_from_http(&call, NULL, "C01234567", "https://cloudidentity.googleapis.com/v1/x",
		&http, &memory, &out);
	strbuf_free(&http.body);
	reply_storage_free(&memory);
	return out;
}

static void a_request_that_was_not_written_may_be_repeated(void **state)
{
	static const struct {
		CURLcode curl;
		enum fault_kind kind;
	} all[] = {{CURLE_COULDNT_RESOLVE_HOST, FAULT_TRANSIENT},
		{CURLE_COULDNT_CONNECT, FAULT_TRANSIENT},
		{CURLE_OPERATION_TIMEDOUT, FAULT_TRANSIENT},
		{CURLE_SSL_CONNECT_ERROR, FAULT_TRANSIENT},
		{CURLE_PEER_FAILED_VERIFICATION, FAULT_SETUP},
		{CURLE_SSL_CACERT_BADFILE, FAULT_SETUP},
		{CURLE_ABORTED_BY_CALLBACK, FAULT_STOPPED}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct http_reply http = {.curl = (int)all[i].curl, .retry_after = -1};

		for (int m = 0; m < GOOGLE_METHODS; m++) {
			struct google_reply r = read_reply((enum google_method)m, http, "");

			assert_int_equal(r.fault.kind, all[i].kind);
			assert_non_null(strstr(r.fault.what, "cloudidentity.googleapis.com"));
		}
	}
}

static void a_send_that_may_have_been_written_is_unconfirmed(void **state)
{
	static const CURLcode all[] = {CURLE_SEND_FAIL_REWIND, CURLE_OPERATION_TIMEDOUT,
		CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE,
		CURLE_WRITE_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_ABORTED_BY_CALLBACK,
		CURLE_PEER_FAILED_VERIFICATION};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct http_reply http = {
			.curl = (int)all[i], .maybe_sent = true, .retry_after = -1};

		assert_int_equal(read_reply(GOOGLE_SEND, http, "").fault.kind, FAULT_AMBIGUOUS);
		assert_int_not_equal(
			read_reply(GOOGLE_CHECK, http, "").fault.kind, FAULT_AMBIGUOUS);
		assert_int_not_equal(
			read_reply(GOOGLE_CANCEL, http, "").fault.kind, FAULT_AMBIGUOUS);
	}
}

static void half_a_reply_is_none_whatever_its_status(void **state)
{
	static const int codes[] = {200, 400, 403, 429};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct http_reply http = {.status = codes[i],
			.curl = CURLE_PARTIAL_FILE,
			.maybe_sent = true,
			.retry_after = -1};

		assert_int_equal(read_reply(GOOGLE_SEND, http, "{\"done\":true}").fault.kind,
			FAULT_AMBIGUOUS);
		assert_int_equal(
			read_reply(GOOGLE_CHECK, http, "{\"isInvitableUser\":true}").fault.kind,
			FAULT_TRANSIENT);
		assert_false(
			read_reply(GOOGLE_CHECK, http, "{\"isInvitableUser\":true}").invitable);
	}
}

static void the_status_decides_whether_a_send_may_be_repeated(void **state)
{
	static const struct {
		int status;
		enum fault_kind kind;
		const char *body;
	} all[] = {{0, FAULT_AMBIGUOUS, ""}, {101, FAULT_AMBIGUOUS, ""},
		{200, FAULT_NONE, "{\"done\":true}"}, {201, FAULT_AMBIGUOUS, "{\"done\":true}"},
		{204, FAULT_AMBIGUOUS, ""}, {206, FAULT_AMBIGUOUS, "{\"done\":true}"},
		{200, FAULT_AMBIGUOUS, "<html>"}, {301, FAULT_AMBIGUOUS, ""},
		{304, FAULT_AMBIGUOUS, ""}, {307, FAULT_AMBIGUOUS, "{}"},
		{403, FAULT_AMBIGUOUS, "<html>Blocked</html>"}, {404, FAULT_AMBIGUOUS, "<html>"},
		{499, FAULT_AMBIGUOUS, API_ERROR("499", "CANCELLED")},
		{400, FAULT_REJECTED, API_ERROR("400", "FAILED_PRECONDITION")},
		{403, FAULT_REJECTED, API_ERROR("403", "PERMISSION_DENIED")},
		{403, FAULT_TRANSIENT, API_ERROR("403", "RESOURCE_EXHAUSTED")},
		{404, FAULT_REJECTED, API_ERROR("404", "NOT_FOUND")}, {408, FAULT_AMBIGUOUS, ""},
		{409, FAULT_REJECTED, API_ERROR("409", "ABORTED")}, {429, FAULT_TRANSIENT, ""},
		{500, FAULT_AMBIGUOUS, API_ERROR("500", "INTERNAL")},
		{502, FAULT_AMBIGUOUS, "<html>"},
		{503, FAULT_AMBIGUOUS, API_ERROR("503", "UNAVAILABLE")},
		{504, FAULT_AMBIGUOUS, ""}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct http_reply http = {
			.status = all[i].status, .maybe_sent = true, .retry_after = -1};
		struct google_reply r = read_reply(GOOGLE_SEND, http, all[i].body);

		if (r.fault.kind != all[i].kind)
			print_error("%d %s\n", all[i].status, all[i].body);
		assert_int_equal(r.fault.kind, all[i].kind);
		assert_int_equal(r.status, all[i].status);
	}
}

static void an_unprocessed_request_may_be_repeated(void **state)
{
	const struct http_reply http = {.curl = CURLE_HTTP2, .unprocessed = true};
	struct google_reply r = read_reply(GOOGLE_SEND, http, "");

	(void)state;
	assert_int_equal(r.fault.kind, FAULT_TRANSIENT);
	assert_string_equal(r.fault.code, "network_refused");
	assert_non_null(strstr(r.fault.remedy, "Nothing was done"));
}

static void a_page_in_googles_place_is_called_that(void **state)
{
	const struct http_reply http = {
		.status = 200, .maybe_sent = true, .content_type = "text/html; charset=UTF-8"};
	struct google_reply r = read_reply(GOOGLE_CHECK, http, "<html>Please log in</html>");

	(void)state;
	assert_int_equal(r.fault.kind, FAULT_TRANSIENT);
	assert_non_null(strstr(r.fault.what, "cloudidentity.googleapis.com: "));
	assert_non_null(strstr(r.fault.what, "not JSON"));
	assert_non_null(strstr(r.fault.remedy, "text/html"));
	assert_non_null(strstr(r.fault.remedy, "login page"));
}

/* libcurl reports for these that a protocol is not supported, or that memory is short. */
static void a_reply_that_is_not_http_is_transient(void **state)
{
	static const CURLcode all[] = {
		CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_OUT_OF_MEMORY};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct http_reply http = {.curl = (int)all[i], .maybe_sent = true};
		struct google_reply r = read_reply(GOOGLE_CHECK, http, "");

		assert_int_equal(r.fault.kind, FAULT_TRANSIENT);
		assert_string_equal(r.fault.code, "reply_broken");
		assert_int_equal(read_reply(GOOGLE_SEND, http, "").fault.kind, FAULT_AMBIGUOUS);
	}
}

#define EOF_OF_OPENSSL                                                                        \
	"OpenSSL SSL_read: OpenSSL/3.5.9: error:0A000126:SSL routines::unexpected eof while " \
	"reading, errno 0"
#define RESET	  "Recv failure: Connection reset by peer"
#define RESET_OLD "OpenSSL SSL_read: Connection reset by peer, errno 104" /* libcurl 7.76 */

static void assert_code(enum google_method method, const struct http_reply *http,
	enum fault_kind kind, const char *code)
{
	struct google_reply r = read_reply(method, *http, "");

	if (strcmp(r.fault.code, code) != 0)
		print_error("curl %d, status %d: %s\n", http->curl, http->status, http->error);
	assert_string_equal(r.fault.code, code);
	assert_int_equal(r.fault.kind, kind);
}

static void a_connection_that_ends_during_a_request_is_cut_with_every_code_of_libcurl(void **state)
{
	static const CURLcode all[] = {CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_HTTP2,
		CURLE_HTTP2_STREAM, CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING};
	static const char *const texts[] = {EOF_OF_OPENSSL, RESET, RESET_OLD};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all) * ARRAY_SIZE(texts) * 2; i++) {
		struct http_reply http = {.curl = (int)all[i / 2 % ARRAY_SIZE(all)],
			.status = i % 2 ? 200 : 0,
			.maybe_sent = true,
			.retry_after = -1};

		str_copy(http.error, sizeof(http.error), texts[i / 2 / ARRAY_SIZE(all)]);
		assert_code(GOOGLE_CHECK, &http, FAULT_TRANSIENT, "network_cut");
		assert_code(GOOGLE_SEND, &http, FAULT_AMBIGUOUS, "network_cut");
	}
}

static void a_connection_that_ends_during_the_handshake_is_a_failed_handshake(void **state)
{
	const struct http_reply http = {.curl = CURLE_SSL_CONNECT_ERROR,
		.error = "TLS connect error: error:0A000126:SSL routines::unexpected eof while "
			 "reading"};

	(void)state;
	assert_code(GOOGLE_CHECK, &http, FAULT_TRANSIENT, "tls_handshake");
	assert_code(GOOGLE_SEND, &http, FAULT_TRANSIENT, "tls_handshake");
}

/* libcurl found an idle connection dead and then failed before the request. */
static void the_end_of_an_earlier_connection_does_not_hide_the_failure(void **state)
{
	static const struct {
		CURLcode curl;
		enum fault_kind kind;
		const char *code;
	} all[] = {{CURLE_COULDNT_RESOLVE_HOST, FAULT_TRANSIENT, "network_name"},
		{CURLE_COULDNT_CONNECT, FAULT_TRANSIENT, "network_connect"},
		{CURLE_OPERATION_TIMEDOUT, FAULT_TRANSIENT, "network_timeout"},
		{CURLE_PEER_FAILED_VERIFICATION, FAULT_SETUP, "tls_untrusted"},
		{CURLE_ABORTED_BY_CALLBACK, FAULT_STOPPED, "stopped"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct http_reply http = {.curl = (int)all[i].curl, .error = EOF_OF_OPENSSL};

		assert_code(GOOGLE_CHECK, &http, all[i].kind, all[i].code);
		assert_code(GOOGLE_SEND, &http, all[i].kind, all[i].code);
	}
}

static void without_a_text_about_an_end_the_code_of_libcurl_decides(void **state)
{
	static const struct {
		CURLcode curl;
		int status;
		const char *code;
	} all[] = {{CURLE_HTTP2, 0, "network_http2"}, {CURLE_HTTP2, 200, "network_http2"},
		{CURLE_HTTP2_STREAM, 0, "network_http2"}, {CURLE_RECV_ERROR, 0, "network_cut"},
		{CURLE_RECV_ERROR, 200, "reply_broken"}, {CURLE_PARTIAL_FILE, 200, "network_cut"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct http_reply http = {.curl = (int)all[i].curl,
			.status = all[i].status,
			.maybe_sent = true,
			.retry_after = -1,
			.error = "OpenSSL SSL_read: OpenSSL/3.5.9: error:0A000119:SSL "
				 "routines::decryption failed or bad record mac, errno 0"};

		assert_code(GOOGLE_CHECK, &http, FAULT_TRANSIENT, all[i].code);
		assert_code(GOOGLE_SEND, &http, FAULT_AMBIGUOUS, all[i].code);
	}
}

static void a_certificate_that_is_not_trusted_names_ca_file(void **state)
{
	const struct http_reply http = {.curl = CURLE_PEER_FAILED_VERIFICATION,
		.error = "self-signed certificate in certificate chain"};
	struct google_reply r = read_reply(GOOGLE_CHECK, http, "");

	(void)state;
	assert_string_equal(r.fault.code, "tls_untrusted");
	assert_non_null(strstr(r.fault.what, "self-signed"));
	assert_non_null(strstr(r.fault.remedy, "ca_file"));
}

static void a_proxy_that_refuses_is_named_and_a_sick_one_is_for_later(void **state)
{
	struct http_reply http = {.curl = CURLE_RECV_ERROR, .proxy_status = 407};

	(void)state;
	assert_int_equal(read_reply(GOOGLE_SEND, http, "").fault.kind, FAULT_SETUP);
	assert_non_null(strstr(read_reply(GOOGLE_SEND, http, "").fault.remedy, "password"));
	http.proxy_status = 502;
	assert_int_equal(read_reply(GOOGLE_SEND, http, "").fault.kind, FAULT_TRANSIENT);
}

static void date_wait_and_duration_are_passed_on(void **state)
{
	const struct http_reply http = {.status = 429,
		.maybe_sent = true,
		.date = 1795408081,
		.retry_after = 17,
		.duration_us = 1234};
	struct google_reply r =
		read_reply(GOOGLE_CHECK, http, API_ERROR("429", "RESOURCE_EXHAUSTED"));

	(void)state;
	assert_int_equal(r.date, 1795408081);
	assert_int_equal(r.retry_after, 17);
	assert_int_equal(r.duration_us, 1234);
	assert_true(r.quota);
}

/* A proxy's page, a part of a reply, the error of another API in between: their Date is that of
 * another program's clock. */
static void only_a_reply_of_googles_own_tells_its_clock(void **state)
{
	static const struct {
		enum google_method method;
		int status, curl;
		const char *body;
		bool google;
	} rows[] = {
		{GOOGLE_CHECK, 200, 0, "{\"isInvitableUser\":true}", true},
		{GOOGLE_CHECK, 200, 0, "{\"isInvitableUser\":\"yes\"}", false},
		{GOOGLE_CHECK, 200, 0, "<html>Log in</html>", false},
		{GOOGLE_CHECK, 200, CURLE_PARTIAL_FILE, "{\"isInvitableUser\":true}", false},
		{GOOGLE_LIST, 200, 0, "{}", true},
		{GOOGLE_LIST, 200, 0, "[]", false},
		{GOOGLE_SEND, 200, 0, "{\"done\":true}", true},
		{GOOGLE_SEND, 204, 0, "", false},
		{GOOGLE_SEND, 502, 0, "<html>Bad Gateway</html>", false},
		{GOOGLE_SEND, 503, 0, API_ERROR("503", "UNAVAILABLE"), true},
		{GOOGLE_SEND, 503, 0, "{\"error\":\"the proxy is busy\"}", false},
		{GOOGLE_SEND, 503, 0, API_ERROR("14", "UNAVAILABLE"), false},
		{GOOGLE_CHECK, 302, 0, "", false},
		{GOOGLE_GET, 404, 0, API_ERROR("404", "NOT_FOUND"), true},
		{GOOGLE_GET, 404, 0, "not found", false},
		{GOOGLE_CHECK, 429, 0, "slow down", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct http_reply http = {.status = rows[i].status,
			.curl = rows[i].curl,
			.maybe_sent = true,
			.date = 1795408081,
			.retry_after = -1};

		assert_int_equal(read_reply(rows[i].method, http, rows[i].body).date,
			rows[i].google ? 1795408081 : 0);
	}
}

static void a_request_that_came_too_late_has_surely_had_no_effect(void **state)
{
	const struct http_reply http = {
		.curl = CURLE_ABORTED_BY_CALLBACK, .too_late = true, .retry_after = -1};
	struct http_reply begun = http;
	struct google_reply r = read_reply(GOOGLE_SEND, http, "");

	(void)state;
	assert_int_equal(r.fault.kind, FAULT_STOPPED);
	assert_string_equal(r.fault.code, "stood_still");
	begun.maybe_sent = true; /* its headers have left */
	assert_int_equal(read_reply(GOOGLE_SEND, begun, "").fault.kind, FAULT_AMBIGUOUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_that_was_not_written_may_be_repeated),
		cmocka_unit_test(a_send_that_may_have_been_written_is_unconfirmed),
		cmocka_unit_test(half_a_reply_is_none_whatever_its_status),
		cmocka_unit_test(the_status_decides_whether_a_send_may_be_repeated),
		cmocka_unit_test(an_unprocessed_request_may_be_repeated),
		cmocka_unit_test(a_page_in_googles_place_is_called_that),
		cmocka_unit_test(a_reply_that_is_not_http_is_transient),
		cmocka_unit_test(
			a_connection_that_ends_during_a_request_is_cut_with_every_code_of_libcurl),
		cmocka_unit_test(a_connection_that_ends_during_the_handshake_is_a_failed_handshake),
		cmocka_unit_test(the_end_of_an_earlier_connection_does_not_hide_the_failure),
		cmocka_unit_test(without_a_text_about_an_end_the_code_of_libcurl_decides),
		cmocka_unit_test(a_certificate_that_is_not_trusted_names_ca_file),
		cmocka_unit_test(a_proxy_that_refuses_is_named_and_a_sick_one_is_for_later),
		cmocka_unit_test(date_wait_and_duration_are_passed_on),
		cmocka_unit_test(only_a_reply_of_googles_own_tells_its_clock),
		cmocka_unit_test(a_request_that_came_too_late_has_surely_had_no_effect),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
