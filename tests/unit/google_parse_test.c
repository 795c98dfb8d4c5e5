/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of 2xx replies: every form of the reference, and forms that are not documented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "google/api/parse.h"

#define ALICE "customers/C01234567/userinvitations/alice@example.com"
#define INVITATION                                                                \
	"{\"name\":\"" ALICE "\",\"state\":\"INVITED\",\"mailsSentCount\":\"2\"," \
	"\"updateTime\":\"2026-11-23T04:28:01.123456789Z\"}"

static struct reply_storage memory;

static struct google_reply parse(enum google_method method, const char *body)
{
	const struct google_call call = {
		.method = method, .address = method == GOOGLE_LIST ? NULL : "alice@example.com"};
	struct google_reply reply = {0};

	reply_storage_free(&memory);
	parse_reply(&call, body, strlen(body), &memory, &reply);
	return reply;
}

static void expect_fault(enum google_method method, const char *body, enum fault_kind kind)
{
	struct google_reply r = parse(method, body);

	if (r.fault.kind != kind)
		print_error("%s: kind %d\n", body, (int)r.fault.kind);
	assert_int_equal(r.fault.kind, kind);
	assert_true(*r.fault.what);
	assert_false(r.invitable || r.confirmed || r.shown || r.has_invitation);
	assert_int_equal(r.page_count, 0);
}

static void check_is_true_only_if_it_says_true(void **state)
{
	(void)state;
	assert_true(parse(GOOGLE_CHECK, "{\"isInvitableUser\":true}").invitable);
	assert_false(parse(GOOGLE_CHECK, "{\"isInvitableUser\":false}").invitable);
	assert_false(parse(GOOGLE_CHECK, "{}").invitable);
	assert_false(parse(GOOGLE_CHECK, "{\"isInvitableUser\":null}").invitable);
	assert_int_equal(parse(GOOGLE_CHECK, "{}").fault.kind, FAULT_NONE);
	assert_true(parse(GOOGLE_CHECK, "{\"isInvitableUser\":true,\"news\":[1,{}]}").invitable);
}

static void check_refuses_a_reply_without_a_boolean(void **state)
{
	static const char *const bad[] = {"{\"isInvitableUser\":\"true\"}",
		"{\"isInvitableUser\":1}", "[]", "true", "", "{",
		"<html><title>Login</title></html>",
		"{\"isInvitableUser\":false,\"isInvitableUser\":true}",
		"{\"isInvitableUser\":true} x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_fault(GOOGLE_CHECK, bad[i], FAULT_TRANSIENT);
}

static void get_reads_the_invitation(void **state)
{
	struct google_reply r = parse(GOOGLE_GET, INVITATION);

	(void)state;
	assert_int_equal(r.fault.kind, FAULT_NONE);
	assert_true(r.shown && r.has_invitation);
	assert_string_equal(r.invitation.address, "alice@example.com");
	assert_int_equal(r.invitation.state, INVITATION_INVITED);
	assert_int_equal(r.invitation.mails, 2);
	assert_int_equal(r.invitation.updated, 1795408081);
}

static void a_count_may_be_a_number_a_string_or_absent(void **state)
{
	(void)state;
	assert_int_equal(
		parse(GOOGLE_GET, "{\"name\":\"" ALICE "\",\"mailsSentCount\":7}").invitation.mails,
		7);
	assert_int_equal(parse(GOOGLE_GET, "{\"name\":\"" ALICE "\"}").invitation.mails, 0);
	assert_int_equal(parse(GOOGLE_GET, "{\"name\":\"" ALICE "\",\"mailsSentCount\":null}")
				 .invitation.mails,
		0);
	assert_int_equal(parse(GOOGLE_GET, "{\"name\":\"" ALICE
					   "\",\"mailsSentCount\":\"9223372036854775807\"}")
				 .invitation.mails,
		INT64_MAX);
	expect_fault(GOOGLE_GET, "{\"name\":\"" ALICE "\",\"mailsSentCount\":-1}", FAULT_TRANSIENT);
	expect_fault(
		GOOGLE_GET, "{\"name\":\"" ALICE "\",\"mailsSentCount\":\"-1\"}", FAULT_TRANSIENT);
	expect_fault(GOOGLE_GET,
		"{\"name\":\"" ALICE "\",\"mailsSentCount\":\"9223372036854775808\"}",
		FAULT_TRANSIENT);
	expect_fault(
		GOOGLE_GET, "{\"name\":\"" ALICE "\",\"mailsSentCount\":1.5}", FAULT_TRANSIENT);
	expect_fault(
		GOOGLE_GET, "{\"name\":\"" ALICE "\",\"mailsSentCount\":true}", FAULT_TRANSIENT);
}

static void a_state_may_be_unknown_or_absent_but_is_text(void **state)
{
	(void)state;
	assert_int_equal(parse(GOOGLE_GET, "{\"name\":\"" ALICE "\"}").invitation.state,
		INVITATION_UNSPECIFIED);
	assert_int_equal(parse(GOOGLE_GET, "{\"name\":\"" ALICE "\",\"state\":\"EXPIRED\"}")
				 .invitation.state,
		INVITATION_OTHER);
	expect_fault(GOOGLE_GET, "{\"name\":\"" ALICE "\",\"state\":3}", FAULT_TRANSIENT);
	for (int i = 0; i < INVITATION_OTHER; i++)
		assert_int_equal(
			invitation_state_parse(invitation_state_word((enum invitation_state)i)), i);
	assert_int_equal(invitation_state_parse("invited"), INVITATION_INVITED);
	assert_int_equal(invitation_state_parse(""), INVITATION_OTHER);
	assert_string_equal(invitation_state_word(INVITATION_OTHER), "OTHER");
}

static void a_name_is_decoded_once_and_compared_without_case(void **state)
{
	struct google_reply r = parse(
		GOOGLE_GET, "{\"name\":\"customers/C9/userinvitations/Alice%40Example.com\"}");

	(void)state;
	assert_int_equal(r.fault.kind, FAULT_NONE);
	assert_string_equal(r.invitation.address, "alice@example.com");
}

static void data_of_another_person_decides_nothing(void **state)
{
	static const char bob[] = "{\"name\":\"customers/C1/userinvitations/bob@example.com\","
				  "\"state\":\"INVITED\"}";
	static const char bob_operation[] = "{\"done\":true,\"response\":{\"name\":\"customers/C1/"
					    "userinvitations/bob@example.com\"}}";

	(void)state;
	expect_fault(GOOGLE_GET, bob, FAULT_TRANSIENT);
	expect_fault(GOOGLE_SEND, bob_operation, FAULT_AMBIGUOUS);
	expect_fault(GOOGLE_CANCEL, bob_operation, FAULT_TRANSIENT);
	expect_fault(GOOGLE_GET, "{}", FAULT_TRANSIENT);
	expect_fault(GOOGLE_GET, "{\"name\":\"users/alice@example.com\"}", FAULT_TRANSIENT);
	expect_fault(
		GOOGLE_GET, "{\"name\":\"customers/C1/userinvitations/alice\"}", FAULT_TRANSIENT);
	expect_fault(GOOGLE_GET, "{\"name\":\"customers/C1/userinvitations/alice@example.com%00\"}",
		FAULT_TRANSIENT);
	expect_fault(GOOGLE_GET, "{\"name\":17}", FAULT_TRANSIENT);
}

static void a_list_may_be_empty_in_three_ways(void **state)
{
	static const char *const empty[] = {"{}", "{\"userInvitations\":[]}",
		"{\"userInvitations\":null,\"nextPageToken\":\"\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		struct google_reply r = parse(GOOGLE_LIST, empty[i]);

		assert_int_equal(r.fault.kind, FAULT_NONE);
		assert_int_equal(r.page_count, 0);
		assert_null(r.next_page_token);
	}
}

static void a_list_gives_its_rows_and_the_next_page(void **state)
{
	struct google_reply r =
		parse(GOOGLE_LIST, "{\"userInvitations\":[" INVITATION
				   ",{\"name\":\"customers/C1/userinvitations/b@x.example\","
				   "\"state\":\"NOT_YET_SENT\"}],\"nextPageToken\":\"abc\"}");

	(void)state;
	assert_int_equal(r.fault.kind, FAULT_NONE);
	assert_int_equal(r.page_count, 2);
	assert_string_equal(r.page[0].address, "alice@example.com");
	assert_string_equal(r.page[1].address, "b@x.example");
	assert_int_equal(r.page[1].state, INVITATION_NOT_YET_SENT);
	assert_string_equal(r.next_page_token, "abc");
}

static void a_row_without_an_address_does_not_hide_the_others(void **state)
{
	struct google_reply r = parse(
		GOOGLE_LIST, "{\"userInvitations\":[{\"name\":\"nonsense\"}," INVITATION "]}");

	(void)state;
	assert_int_equal(r.fault.kind, FAULT_NONE);
	assert_int_equal(r.page_count, 1);
	assert_string_equal(r.page[0].address, "alice@example.com");
}

static void a_malformed_list_is_asked_for_again(void **state)
{
	static const char *const bad[] = {"{\"userInvitations\":{}}", "{\"userInvitations\":[1]}",
		"{\"nextPageToken\":1}", "[]",
		("{\"userInvitations\":[{\"name\":\"" ALICE "\",\"state\":1}]}")};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_fault(GOOGLE_LIST, bad[i], FAULT_TRANSIENT);
}

static void a_done_operation_without_error_is_confirmed(void **state)
{
	struct google_reply r = parse(GOOGLE_SEND,
		"{\"name\":\"operations/"
		"1\",\"done\":true,\"response\":{\"@type\":\"type.googleapis.com/x\","
		"\"name\":\"" ALICE "\",\"state\":\"INVITED\",\"mailsSentCount\":\"1\"}}");

	(void)state;
	assert_int_equal(r.fault.kind, FAULT_NONE);
	assert_true(r.confirmed && r.has_invitation);
	assert_int_equal(r.invitation.mails, 1);

	r = parse(GOOGLE_SEND, "{\"done\":true}");
	assert_true(r.confirmed);
	assert_false(r.has_invitation);
	r = parse(GOOGLE_CANCEL, "{\"done\":true,\"response\":{\"@type\":\"x\"},\"error\":null}");
	assert_true(r.confirmed);
	assert_false(r.has_invitation);
}

static void an_operation_that_is_not_done_is_neither_yes_nor_no(void **state)
{
	static const char *const open[] = {"{}", "{\"name\":\"operations/1\"}", "{\"done\":false}",
		"{\"done\":null,\"metadata\":{\"@type\":\"x\"}}"};
	struct google_reply r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		r = parse(GOOGLE_SEND, open[i]);
		assert_int_equal(r.fault.kind, FAULT_NONE);
		assert_false(r.confirmed);
	}
	r = parse(GOOGLE_SEND, "{\"response\":" INVITATION "}");
	assert_false(r.confirmed);
	assert_true(r.has_invitation);
	assert_int_equal(r.invitation.state, INVITATION_INVITED);
}

static void an_operation_with_an_error_says_what_its_code_says(void **state)
{
	static const struct {
		int code;
		enum fault_kind kind;
		const char *word;
	} all[] = {{3, FAULT_REJECTED, "invalid_argument"}, {5, FAULT_REJECTED, "not_found"},
		{6, FAULT_REJECTED, "already_exists"}, {7, FAULT_REJECTED, "permission_denied"},
		{9, FAULT_REJECTED, "failed_precondition"},
		{8, FAULT_TRANSIENT, "resource_exhausted"}, {12, FAULT_SETUP, "unimplemented"},
		{16, FAULT_SETUP, "unauthenticated"}, {1, FAULT_AMBIGUOUS, "cancelled"},
		{2, FAULT_AMBIGUOUS, "unknown"}, {4, FAULT_AMBIGUOUS, "deadline_exceeded"},
		{13, FAULT_AMBIGUOUS, "internal"}, {14, FAULT_AMBIGUOUS, "unavailable"},
		{99, FAULT_AMBIGUOUS, "unknown"}, {0, FAULT_AMBIGUOUS, "unknown"},
		{-1, FAULT_AMBIGUOUS, "unknown"}};
	char body[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct google_reply r;

		str_format(body, sizeof(body),
			"{\"done\":true,\"error\":{\"code\":%d,\"message\":\"Alice@example.com is "
			"no\"}}",
			all[i].code);
		r = parse(GOOGLE_SEND, body);
		assert_int_equal(r.fault.kind, all[i].kind);
		assert_string_equal(r.fault.code, all[i].word);
		assert_false(r.confirmed);
		assert_null(strstr(r.fault.what, "example.com"));
	}
}

static void an_unexpected_reply_to_send_is_ambiguous(void **state)
{
	static const char *const bad[] = {"", "OK", "[]", "{\"done\":\"true\"}", "{\"done\":1}",
		"{\"error\":\"no\"}", "{\"error\":{}}", "{\"error\":{\"code\":\"3\"}}",
		"{\"done\":true,\"response\":[]}", "{\"done\":true,\"done\":true}",
		"{\"done\":true,\"response\":{\"name\":\"operations/1\"}}", "<html></html>"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		expect_fault(GOOGLE_SEND, bad[i], FAULT_AMBIGUOUS);
		expect_fault(GOOGLE_CANCEL, bad[i], FAULT_TRANSIENT);
	}
}

static int forget(void **state)
{
	(void)state;
	reply_storage_free(&memory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_is_true_only_if_it_says_true),
		cmocka_unit_test(check_refuses_a_reply_without_a_boolean),
		cmocka_unit_test(get_reads_the_invitation),
		cmocka_unit_test(a_count_may_be_a_number_a_string_or_absent),
		cmocka_unit_test(a_state_may_be_unknown_or_absent_but_is_text),
		cmocka_unit_test(a_name_is_decoded_once_and_compared_without_case),
		cmocka_unit_test(data_of_another_person_decides_nothing),
		cmocka_unit_test(a_list_may_be_empty_in_three_ways),
		cmocka_unit_test(a_list_gives_its_rows_and_the_next_page),
		cmocka_unit_test(a_row_without_an_address_does_not_hide_the_others),
		cmocka_unit_test(a_malformed_list_is_asked_for_again),
		cmocka_unit_test(a_done_operation_without_error_is_confirmed),
		cmocka_unit_test(an_operation_that_is_not_done_is_neither_yes_nor_no),
		cmocka_unit_test(an_operation_with_an_error_says_what_its_code_says),
		cmocka_unit_test(an_unexpected_reply_to_send_is_ambiguous),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, forget);
}
