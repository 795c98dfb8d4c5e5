/* SPDX-License-Identifier: Apache-2.0 */
/* The token cache: one process mints, and nothing is used that others could have written. */
#include "base/str.h"
#include "folder.h"

#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "google/auth/credential.h"
#include "google/auth/token.h"
#include "google/auth/token_request.h"

#define PROCESSES 50

/* ---- a credential that mints without a network ---- */

struct mint {
	const char *count_file; /* grows by a byte for each token */
	int64_t expires_in;
	bool fail;
	int slow_ms;
};

static int minted(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (int)st.st_size;
}

static bool fake_mint(
	struct credential *c, struct http *http, struct credential_minted *out, struct fault *fault)
{
	const struct mint *m = c->data;
	const struct timespec slow = {.tv_nsec = m->slow_ms * 1000000L};
	int fd = open(m->count_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	char value[32];

	(void)http;
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	nanosleep(&slow, NULL);
	if (m->fail)
		return fault_set(fault, FAULT_SETUP, "token_delegation_missing", "no");
	str_format(value, sizeof(value), "token-%d", minted(m->count_file));
	out->access_token = strdup(value);
	out->expires_in = m->expires_in;
	return true;
}

static const struct credential_type fake = {.name = "fake", .mint = fake_mint};

struct test {
	struct folder *folder;
	struct settings settings;
	struct mint mint;
	struct credential credential;
	struct http *http;
	struct fault fault;
	char tokens[128], count[128], file[128];
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	folder_new((void **)&t->folder);
	folder_make(t->folder, "tokens");
	str_copy(t->tokens, sizeof(t->tokens), t->folder->file);
	chmod(t->tokens, 0700);
	str_format(t->count, sizeof(t->count), "%s/count", t->folder->path);
	str_format(t->file, sizeof(t->file), "%s/token-abc.json", t->tokens);
	t->settings = (struct settings){.tokens = t->tokens, .timeout = 5};
	t->mint = (struct mint){.count_file = t->count, .expires_in = 3599};
	t->credential = (struct credential){
		.type = &fake, .data = &t->mint, .identity = "x as y", .hash = "abc"};
	t->http = http_open(&t->settings, &t->fault);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	http_close(t->http);
	folder_free((void **)&t->folder);
	free(t);
	return 0;
}

static char *get(struct test *t, const char *refused)
{
	struct token token;
	char *value;

	fault_clear(&t->fault);
	if (!token_get(&t->credential, t->http, &t->settings, refused, &token, &t->fault))
		return NULL;
	value = strdup(token.value);
	token_clear(&token);
	return value;
}

static void expect_none(struct test *t)
{
	char *got = get(t, NULL);

	assert_null(got);
	free(got);
}

static void expect_token(struct test *t, const char *refused, const char *value)
{
	char *got = get(t, refused);

	assert_non_null(got);
	assert_string_equal(got, value);
	free(got);
}

static void write_cache(struct test *t, const char *value, int64_t expires, int64_t minted_at)
{
	char text[300];

	str_format(text, sizeof(text),
		"{\"access_token\":\"%s\",\"expires\":%lld,\"minted_at\":%lld,\"minted_by\":\"x\"}",
		value, (long long)expires, (long long)minted_at);
	assert_int_equal(file_replace(t->file, text, strlen(text), 0600), 0);
}

/* ---- the promises ---- */

static void a_token_is_minted_once_and_kept_for_us_alone(void **state)
{
	struct test *t = *state;
	struct stat st;

	expect_token(t, NULL, "token-1");
	expect_token(t, NULL, "token-1");
	assert_int_equal(minted(t->count), 1);
	assert_int_equal(stat(t->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void fifty_processes_that_ask_at_once_mint_one(void **state)
{
	struct test *t = *state;
	int failed = 0, status, go[2];
	char byte;

	t->mint.slow_ms = 200;
	assert_int_equal(pipe(go), 0);
	for (int i = 0; i < PROCESSES; i++) {
		if (fork())
			continue;
		close(go[1]);
		(void)!read(go[0], &byte, 1); /* all start when the pipe is closed */
		char *value = get(t, NULL);
		bool good = value && strcmp(value, "token-1") == 0;

		free(value);
		_exit(!good);
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		failed += status != 0;
	}
	assert_int_equal(failed, 0);
	assert_int_equal(minted(t->count), 1);
}

static void a_refused_token_is_never_used_again(void **state)
{
	struct test *t = *state;

	expect_token(t, NULL, "token-1");
	expect_token(t, "token-1", "token-2");
	expect_token(t, NULL, "token-2");
	/* A later caller with the same refused token gets what the first one minted. */
	expect_token(t, "token-1", "token-2");
	assert_int_equal(minted(t->count), 2);
}

static void a_token_is_stale_before_it_ends(void **state)
{
	struct test *t = *state;
	int64_t now = clock_wall();

	write_cache(t, "fresh", now + TOKEN_SLACK + 5, now - 3000);
	expect_token(t, NULL, "fresh");
	write_cache(t, "stale", now + TOKEN_SLACK - 1, now - 3000);
	expect_token(t, NULL, "token-1");
}

static void what_a_wrong_clock_wrote_is_ignored(void **state)
{
	struct test *t = *state;
	int64_t now = clock_wall();

	write_cache(t, "from-the-future", now + 3600, now + 1000);
	expect_token(t, NULL, "token-1");
	write_cache(t, "for-ever", now + 315360000, now);
	expect_token(t, NULL, "token-2");
	write_cache(t, "negative", -5, now);
	expect_token(t, NULL, "token-3");
}

static void what_is_not_a_token_file_is_replaced(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "null", "{\"access_token\":1}",
		"{\"access_token\":\"\",\"expires\":9999999999}",
		"{\"access_token\":\"a b\",\"expires\":9999999999}",
		"{\"access_token\":\"a\\r\\nX: y\",\"expires\":9999999999}", "\x01\x02\x03",
		"{\"access_token\":\"a\",\"access_token\":\"b\",\"expires\":9999999999}"};
	struct test *t = *state;
	char expected[16];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(file_replace(t->file, bad[i], strlen(bad[i]), 0600), 0);
		str_format(expected, sizeof(expected), "token-%zu", i + 1);
		expect_token(t, NULL, expected);
		expect_token(t, NULL, expected);
	}
}

static void what_others_could_have_written_is_ignored(void **state)
{
	struct test *t = *state;
	int64_t now = clock_wall();
	char elsewhere[128];

	write_cache(t, "readable", now + 3000, now);
	chmod(t->file, 0644);
	expect_token(t, NULL, "token-1");

	str_format(elsewhere, sizeof(elsewhere), "%s/elsewhere", t->folder->path);
	write_cache(t, "linked", now + 3000, now);
	assert_int_equal(rename(t->file, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, t->file), 0);
	expect_token(t, NULL, "token-2");

	unlink(t->file);
	assert_int_equal(mkfifo(t->file, 0600), 0);
	expect_token(t, NULL, "token-3");

	if (!geteuid()) {
		write_cache(t, "foreign", now + 3000, now);
		assert_int_equal(chown(t->file, 12345, 0), 0);
		expect_token(t, NULL, "token-4");
	}
}

static void a_huge_file_is_not_read(void **state)
{
	struct test *t = *state;
	char *huge = calloc(1, 1 << 20);

	memset(huge, ' ', 1 << 20);
	assert_int_equal(file_replace(t->file, huge, 1 << 20, 0600), 0);
	free(huge);
	expect_token(t, NULL, "token-1");
}

static void without_a_directory_it_goes_on_uncached(void **state)
{
	static char missing[] = "/nonexistent/tokens";
	struct test *t = *state;

	t->settings.tokens = missing;
	expect_token(t, NULL, "token-1");
	expect_token(t, NULL, "token-2");
	assert_true(t->credential.cache_said);
	t->settings.tokens = t->tokens;
	chmod(t->tokens, 0777);
	expect_token(t, NULL, "token-3");
	assert_int_equal(access(t->file, F_OK), -1);
}

static void a_failure_is_passed_on_and_not_kept(void **state)
{
	struct test *t = *state;

	t->mint.fail = true;
	expect_none(t);
	assert_string_equal(t->fault.code, "token_delegation_missing");
	t->mint.fail = false;
	expect_token(t, NULL, "token-2");
}

static bool stop_now(void *ctx)
{
	++*(int *)ctx;
	return true;
}

static void waiting_for_another_minter_can_be_stopped(void **state)
{
	struct test *t = *state;
	char lock[160];
	int asked = 0, fd;

	str_format(lock, sizeof(lock), "%s/token-abc.lock", t->tokens);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	http_interrupt(t->http, stop_now, &asked);
	expect_none(t);
	assert_int_equal(t->fault.kind, FAULT_STOPPED);
	assert_int_equal(asked, 1);
	assert_int_equal(minted(t->count), 0);
	close(fd);
}

static void a_peek_shows_what_there_is_and_mints_nothing(void **state)
{
	struct test *t = *state;
	struct token token;

	assert_false(token_peek(&t->credential, &t->settings, &token, &t->fault));
	assert_int_equal(t->fault.kind, FAULT_NONE);
	expect_token(t, NULL, "token-1");
	assert_true(token_peek(&t->credential, &t->settings, &token, &t->fault));
	assert_string_equal(token.value, "token-1");
	assert_true(token_fresh(&token));
	assert_non_null(strstr(token.minted_by, "google_token_test"));
	assert_int_equal(token.expires - token.minted_at, 3599);
	token_clear(&token);
	assert_int_equal(minted(t->count), 1);
}

static void files_of_credentials_that_are_gone_are_removed(void **state)
{
	struct test *t = *state;
	const struct timespec long_ago[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
	char old[160], new[160], other[160];

	str_format(old, sizeof(old), "%s/token-old.json", t->tokens);
	str_format(new, sizeof(new), "%s/token-new.json", t->tokens);
	str_format(other, sizeof(other), "%s/other", t->tokens);
	assert_int_equal(file_replace(old, "{}", 2, 0600), 0);
	assert_int_equal(file_replace(new, "{}", 2, 0600), 0);
	assert_int_equal(file_replace(other, "{}", 2, 0600), 0);
	assert_int_equal(utimensat(AT_FDCWD, old, long_ago, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, other, long_ago, 0), 0);
	expect_token(t, NULL, "token-1");
	assert_int_equal(access(old, F_OK), -1);
	assert_int_equal(access(new, F_OK), 0);
	assert_int_equal(access(other, F_OK), 0);
}

static void a_token_reply_is_read_as_the_standard_says(void **state)
{
	static const struct {
		const char *body;
		int64_t expires_in; /* 0: refused */
	} all[] = {{"{\"access_token\":\"a\",\"expires_in\":3599,\"token_type\":\"Bearer\"}", 3599},
		{"{\"access_token\":\"a\",\"expires_in\":\"3599\",\"token_type\":\"bearer\"}",
			3599},
		{"{\"access_token\":\"a\"}", 3600},
		{"{\"access_token\":\"a\",\"expires_in\":99999999}", 43200},
		{"{\"access_token\":\"a\",\"expires_in\":0}", 0},
		{"{\"access_token\":\"a\",\"expires_in\":-1}", 0},
		{"{\"access_token\":\"a\",\"expires_in\":\"soon\"}", 0},
		{"{\"access_token\":\"a\",\"expires_in\":true}", 0},
		{"{\"access_token\":\"a\",\"token_type\":\"mac\"}", 0},
		{"{\"access_token\":\"a\\nb\"}", 0}, {"{\"access_token\":\"\"}", 0},
		{"{\"access_token\":7}", 0}, {"{}", 0}, {"", 0}, {"<html>", 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct credential_minted m = {0};

		assert_int_equal(token_response_parse_access(all[i].body, strlen(all[i].body), &m),
			all[i].expires_in > 0);
		if (all[i].expires_in)
			assert_int_equal(m.expires_in, all[i].expires_in);
		free(m.access_token);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_is_minted_once_and_kept_for_us_alone),
		TEST(fifty_processes_that_ask_at_once_mint_one),
		TEST(a_refused_token_is_never_used_again),
		TEST(a_token_is_stale_before_it_ends),
		TEST(what_a_wrong_clock_wrote_is_ignored),
		TEST(what_is_not_a_token_file_is_replaced),
		TEST(what_others_could_have_written_is_ignored),
		TEST(a_huge_file_is_not_read),
		TEST(without_a_directory_it_goes_on_uncached),
		TEST(a_failure_is_passed_on_and_not_kept),
		TEST(waiting_for_another_minter_can_be_stopped),
		TEST(a_peek_shows_what_there_is_and_mints_nothing),
		TEST(files_of_credentials_that_are_gone_are_removed),
		cmocka_unit_test(a_token_reply_is_read_as_the_standard_says),
	};

	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
