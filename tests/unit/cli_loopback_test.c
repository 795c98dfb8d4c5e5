/* SPDX-License-Identifier: Apache-2.0 */
/* The server to which a browser is sent at the end of a login: one answer counts, and nothing else
 * does harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "cli/api/loopback.h"

#define SHORT_MS 50
#define LONG_MS	 5000

struct test {
	struct loopback *loopback;
	struct fault fault;
	char query[256]; /* the last one */
	int checks;
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->loopback = loopback_open(0, &t->fault);
	assert_non_null(t->loopback);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	loopback_close(t->loopback);
	free(t);
	return 0;
}

/* "yes" is the answer, "no" a refusal. */
static enum oauth_answer check_query(const char *query, void *ctx)
{
	struct test *t = ctx;

	t->checks++;
	str_copy(t->query, sizeof(t->query), query);
	return strcmp(query, "yes") == 0  ? OAUTH_CODE
	       : strcmp(query, "no") == 0 ? OAUTH_REFUSED
					  : OAUTH_UNEXPECTED;
}

static enum loopback_event turn(struct test *t, int64_t timeout_ms)
{
	return loopback_wait(t->loopback, "/back", check_query, t, -1, timeout_ms);
}

static int dial(struct test *t, uint32_t address)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(loopback_port(t->loopback)),
		.sin_addr = {.s_addr = htonl(address)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int say(struct test *t, const char *request)
{
	int fd = dial(t, INADDR_LOOPBACK);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	return fd;
}

static void expect_reply(int fd, const char *starts)
{
	char reply[1024] = "";
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(reply) - 1 && (n = read(fd, reply + len, sizeof(reply) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (!str_starts(reply, starts))
		print_error("%s\n", reply);
	assert_true(str_starts(reply, starts));
	assert_non_null(strstr(reply, "\r\n\r\n"));
}

static void the_answer_ends_the_waiting(void **state)
{
	struct test *t = *state;
	int fd = say(t, "GET /back?yes HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");

	assert_int_equal(turn(t, LONG_MS), LOOPBACK_ANSWERED);
	expect_reply(fd, "HTTP/1.1 200 ");
	fd = say(t, "GET /back?no HTTP/1.1\r\n\r\n");
	assert_int_equal(turn(t, LONG_MS), LOOPBACK_ANSWERED);
	expect_reply(fd, "HTTP/1.1 200 ");
}

static void a_request_that_is_not_the_answer_changes_nothing(void **state)
{
	static const struct {
		const char *request, *reply;
	} all[] = {
		{"GET /back?other HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		{"GET /back HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		{"GET /favicon.ico HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "},
		{"GET /backwards?yes HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "},
		{"GET http://127.0.0.1/back?yes HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "},
		{"GET \r\n\r\n", "HTTP/1.1 404 "},
		{"POST /back?yes HTTP/1.1\r\n\r\n", "HTTP/1.1 405 "},
		{"\r\n\r\n", "HTTP/1.1 405 "},
		{"\x16\x03\x01 tls\r\n\r\n", "HTTP/1.1 405 "},
	};
	struct test *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		int fd = say(t, all[i].request);

		assert_int_equal(turn(t, SHORT_MS), LOOPBACK_TIMEOUT);
		expect_reply(fd, all[i].reply);
	}
	assert_int_equal(t->checks, 2);
}

static void a_request_may_come_in_pieces(void **state)
{
	static const char request[] = "GET /back?yes HTTP/1.1\r\nHost: x\r\n\r\n";
	struct test *t = *state;
	int fd = say(t, "");

	for (size_t i = 0; i < sizeof(request) - 2; i++) {
		assert_int_equal(write(fd, request + i, 1), 1);
		if (i % 8 == 0)
			assert_int_equal(turn(t, 5), LOOPBACK_TIMEOUT);
	}
	assert_int_equal(t->checks, 0);
	assert_int_equal(write(fd, "\n", 1), 1);
	assert_int_equal(turn(t, LONG_MS), LOOPBACK_ANSWERED);
	expect_reply(fd, "HTTP/1.1 200 ");
}

static void a_head_without_end_is_cut_off(void **state)
{
	struct test *t = *state;
	char *long_one = malloc(20001);
	int fd;

	assert_non_null(long_one);
	memset(long_one, 'a', 20000);
	long_one[20000] = '\0';
	fd = say(t, long_one);
	assert_int_equal(turn(t, SHORT_MS), LOOPBACK_TIMEOUT);
	assert_int_equal(t->checks, 0);
	close(fd);
	free(long_one);
}

static void a_silent_connection_is_closed_for_a_later_one(void **state)
{
	struct test *t = *state;
	int silent[20], fd;

	for (size_t i = 0; i < 20; i++) {
		silent[i] = say(t, "");
		assert_int_equal(turn(t, 2), LOOPBACK_TIMEOUT);
	}
	fd = say(t, "GET /back?yes HTTP/1.1\r\n\r\n");
	assert_int_equal(turn(t, LONG_MS), LOOPBACK_ANSWERED);
	expect_reply(fd, "HTTP/1.1 200 ");
	for (size_t i = 0; i < 20; i++)
		close(silent[i]);
}

static void the_time_limit_holds_and_input_is_reported(void **state)
{
	struct test *t = *state;
	int64_t before = clock_boot_ms();
	int input[2];

	assert_int_equal(turn(t, SHORT_MS), LOOPBACK_TIMEOUT);
	assert_in_range(clock_boot_ms() - before, SHORT_MS, LONG_MS);
	assert_int_equal(turn(t, -1), LOOPBACK_TIMEOUT);
	assert_int_equal(pipe(input), 0);
	assert_int_equal(
		loopback_wait(NULL, "/", check_query, t, input[0], SHORT_MS), LOOPBACK_TIMEOUT);
	assert_int_equal(write(input[1], "x", 1), 1);
	assert_int_equal(
		loopback_wait(t->loopback, "/", check_query, t, input[0], LONG_MS), LOOPBACK_INPUT);
	assert_int_equal(
		loopback_wait(NULL, "/", check_query, t, input[0], LONG_MS), LOOPBACK_INPUT);
	close(input[0]);
	close(input[1]);
}

static void it_is_reached_by_its_one_address_only(void **state)
{
	struct test *t = *state;
	int fd = dial(t, INADDR_LOOPBACK);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(dial(t, INADDR_LOOPBACK + 1), -1);
}

/* A program may reach 127.0.0.1 through either kind of socket. The 404 needs another user's
 * process: tests/e2e/test_login.py. */
static void our_own_user_is_sent_on_from_the_start(void **state)
{
	static const char target[] = "https://accounts.example/auth?state=s&code_challenge=c";
	struct test *t = *state;
	const char *start = loopback_start(t->loopback, target, &t->fault);
	struct sockaddr_in6 mapped = {
		.sin6_family = AF_INET6, .sin6_port = htons(loopback_port(t->loopback))};
	char request[256], reply[128];
	int fd;

	assert_non_null(start);
	str_format(request, sizeof(request), "GET %s HTTP/1.1\r\n\r\n",
		strchr(start + strlen("http://"), '/'));
	str_format(reply, sizeof(reply), "HTTP/1.1 303 See Other\r\nLocation: %s\r\n", target);
	fd = say(t, request);
	assert_int_equal(turn(t, SHORT_MS), LOOPBACK_TIMEOUT);
	expect_reply(fd, reply);
	assert_int_equal(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr), 1);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&mapped, sizeof(mapped)), 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	assert_int_equal(turn(t, SHORT_MS), LOOPBACK_TIMEOUT);
	expect_reply(fd, reply);
	assert_int_equal(t->checks, 0);
}

static void without_a_start_address_no_request_is_redirected(void **state)
{
	struct test *t = *state;
	int fd = say(t, "GET /login-0123456789abcdef HTTP/1.1\r\n\r\n");

	assert_int_equal(turn(t, SHORT_MS), LOOPBACK_TIMEOUT);
	expect_reply(fd, "HTTP/1.1 404 ");
}

static void a_taken_port_is_a_fault(void **state)
{
	struct test *t = *state;

	assert_null(loopback_open(loopback_port(t->loopback), &t->fault));
	assert_int_equal(t->fault.kind, FAULT_USAGE);
	assert_non_null(strstr(t->fault.remedy, "--port"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_answer_ends_the_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_request_that_is_not_the_answer_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_may_come_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(a_head_without_end_is_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_silent_connection_is_closed_for_a_later_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_time_limit_holds_and_input_is_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_is_reached_by_its_one_address_only, setup, teardown),
		cmocka_unit_test_setup_teardown(
			our_own_user_is_sent_on_from_the_start, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_a_start_address_no_request_is_redirected, setup, teardown),
		cmocka_unit_test_setup_teardown(a_taken_port_is_a_fault, setup, teardown),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
