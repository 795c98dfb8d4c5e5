/* SPDX-License-Identifier: Apache-2.0 */
/* The five calls as URLs: an address is encoded once, and is always one segment of the path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/api/request.h"

static char endpoint[] = "https://cloudidentity.googleapis.com";
static char v1[] = "v1", v1beta1[] = "v1beta1", customer[] = "C01234567";

static struct settings settings(void)
{
	return (struct settings){.endpoint = endpoint, .api_version = v1, .customer = customer};
}

static void expect_url(const struct settings *s, const struct google_call *call, const char *path)
{
	struct strbuf url = {0};
	struct fault fault = {0};

	assert_true(request_url(s, call, &url, &fault));
	assert_true(str_starts(url.data, endpoint));
	assert_string_equal(url.data + strlen(endpoint), path);
	strbuf_free(&url);
}

static void expect_refused(const struct settings *s, const char *address, enum fault_kind kind)
{
	const struct google_call call = {.method = GOOGLE_CHECK, .address = address};
	struct strbuf url = {0};
	struct fault fault = {0};

	assert_false(request_url(s, &call, &url, &fault));
	assert_int_equal(fault.kind, kind);
	assert_true(*fault.what);
	assert_int_equal(url.len, 0);
}

static void each_method_has_its_path_in_both_versions(void **state)
{
	static const struct {
		enum google_method method;
		const char *verb, *http;
	} all[] = {{GOOGLE_CHECK, ":isInvitableUser", "GET"}, {GOOGLE_GET, "", "GET"},
		{GOOGLE_SEND, ":send", "POST"}, {GOOGLE_CANCEL, ":cancel", "POST"}};
	struct settings s = settings();
	char path[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct google_call call = {
			.method = all[i].method, .address = "alice@example.com"};

		s.api_version = v1;
		str_format(path, sizeof(path), "/v1/customers/C01234567/userinvitations/%s%s",
			call.address, all[i].verb);
		expect_url(&s, &call, path);
		s.api_version = v1beta1;
		str_format(path, sizeof(path), "/v1beta1/customers/C01234567/userinvitations/%s%s",
			call.address, all[i].verb);
		expect_url(&s, &call, path);
		assert_string_equal(request_method(call.method), all[i].http);
	}
}

static void an_address_is_encoded_once_and_keeps_its_at_sign(void **state)
{
	static const struct {
		const char *address, *encoded;
	} all[] = {{"a+b@x.example", "a%2Bb@x.example"}, {"a%2Bb@x.example", "a%252bb@x.example"},
		{"o'neil@x.example", "o%27neil@x.example"},
		{"a?b#c@x.example", "a%3Fb%23c@x.example"},
		{"a-b_c.d~e@x.example", "a-b_c.d~e@x.example"}, {"..@x.example", "..@x.example"},
		{"j\xc3\xbcrgen@x.example", "j%C3%BCrgen@x.example"},
		{"a:send@x.example", "a%3Asend@x.example"},
		{"Alice@Example.COM", "alice@example.com"}, {"a\\b@x.example", "a%5Cb@x.example"},
		{"a@b@x.example", "a@b@x.example"}};
	const struct settings s = settings();
	char path[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct google_call call = {.method = GOOGLE_GET, .address = all[i].address};

		str_format(path, sizeof(path), "/v1/customers/C01234567/userinvitations/%s",
			all[i].encoded);
		expect_url(&s, &call, path);
	}
}

static void what_cannot_be_one_segment_is_refused(void **state)
{
	static const char *const bad[] = {"", "alice", "@example.com", "alice@", "a/b@example.com",
		"a b@example.com", "a\r\nHost: x@example.com", "a\x7f@example.com",
		"a\t@example.com", "a\xff@example.com", NULL};
	const struct settings s = settings();
	char long_one[300];

	(void)state;
	for (size_t i = 0; bad[i]; i++)
		expect_refused(&s, bad[i], FAULT_USAGE);
	expect_refused(&s, NULL, FAULT_USAGE);
	memset(long_one, 'a', sizeof(long_one));
	memcpy(long_one + 250, "@x.example", sizeof("@x.example"));
	expect_refused(&s, long_one, FAULT_USAGE);
}

static void a_customer_id_is_letters_digits_and_underscores(void **state)
{
	char bad[][24] = {"", "C012/345", "C0 1", "../x", "C01%2F", "C01?x=1", "C01#"};
	char my[] = "my_customer";
	struct settings s = settings();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		s.customer = bad[i];
		expect_refused(&s, "alice@example.com", FAULT_SETTINGS);
	}
	s.customer = my;
	expect_url(&s, &(struct google_call){.method = GOOGLE_LIST},
		"/v1/customers/my_customer/userinvitations?pageSize=200");
}

static void a_list_says_size_filter_order_and_page_encoded(void **state)
{
	const struct settings s = settings();
	struct google_call call = {.method = GOOGLE_LIST,
		.list_page_size = 1,
		.list_filter = "state=='invited'||state!='accepted'",
		.list_order = "update_time desc",
		.list_page_token = "a+b/c=&x"};

	(void)state;
	expect_url(&s, &call,
		"/v1/customers/C01234567/userinvitations?pageSize=1"
		"&filter=state%3D%3D%27invited%27%7C%7Cstate%21%3D%27accepted%27"
		"&orderBy=update_time%20desc&pageToken=a%2Bb%2Fc%3D%26x");
	call = (struct google_call){.method = GOOGLE_LIST, .list_page_size = 5000};
	expect_url(&s, &call, "/v1/customers/C01234567/userinvitations?pageSize=200");
}

static void only_what_has_an_effect_has_a_body_and_goes_once(void **state)
{
	(void)state;
	assert_string_equal(request_body(GOOGLE_SEND), "{}");
	assert_string_equal(request_body(GOOGLE_CANCEL), "{}");
	assert_false(method_is_idempotent(GOOGLE_SEND) || method_is_idempotent(GOOGLE_CANCEL));
	assert_null(request_body(GOOGLE_CHECK));
	assert_null(request_body(GOOGLE_GET));
	assert_null(request_body(GOOGLE_LIST));
	assert_true(method_is_idempotent(GOOGLE_CHECK) && method_is_idempotent(GOOGLE_GET) &&
		    method_is_idempotent(GOOGLE_LIST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_method_has_its_path_in_both_versions),
		cmocka_unit_test(an_address_is_encoded_once_and_keeps_its_at_sign),
		cmocka_unit_test(what_cannot_be_one_segment_is_refused),
		cmocka_unit_test(a_customer_id_is_letters_digits_and_underscores),
		cmocka_unit_test(a_list_says_size_filter_order_and_page_encoded),
		cmocka_unit_test(only_what_has_an_effect_has_a_body_and_goes_once),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
