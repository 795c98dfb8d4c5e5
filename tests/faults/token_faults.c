/* SPDX-License-Identifier: Apache-2.0 */
/* The token cache, when a call fails: there is still a token, and nothing that could be mistaken
 * for one. The refresh token, which must not be lost: it is stored, or the failure is reported. */
#include "base/str.h"
#include "faults.h"

#include "../unit/folder.h"

#include <dirent.h>
#include <jansson.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "google/auth/refresh_store.h"
#include "google/auth/token.h"
#include "google/auth/token_file.h"
#include "google/http/secret.h"

struct site {
	struct folder *folder;
	struct settings settings;
	struct credential credential;
	struct http *http;
	char tokens[80];
	int minted;
};

/* ---- a credential that mints without a network ---- */

static bool mint(
	struct credential *c, struct http *http, struct credential_minted *out, struct fault *fault)
{
	struct site *s = c->data;
	char value[32];

	(void)http;
	str_format(value, sizeof(value), "token-%d", ++s->minted);
	out->access_token = strdup(value);
	out->expires_in = 3599;
	if (out->access_token)
		return true;
	fault_set(fault, FAULT_STORAGE, "no_memory", "no memory for a token");
	return fault_remedy(fault, "Try again.");
}

static const struct credential_type fake = {.name = "fake", .mint = mint};

static void *new_site(void)
{
	struct site *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	folder_new((void **)&s->folder);
	folder_make(s->folder, "tokens");
	str_copy(s->tokens, sizeof(s->tokens), s->folder->file);
	assert_int_equal(chmod(s->tokens, 0700), 0);
	s->settings = (struct settings){.tokens = s->tokens, .state = s->tokens, .timeout = 5};
	s->credential =
		(struct credential){.type = &fake, .data = s, .identity = "x as y", .hash = "abc"};
	s->http = http_open(&s->settings, NULL);
	assert_non_null(s->http);
	return s;
}

static void end(void *site)
{
	struct site *s = site;

	http_close(s->http);
	folder_free((void **)&s->folder);
	free(s);
}

static bool get(void *site, struct fault *fault)
{
	struct site *s = site;
	struct token token;
	bool good = token_get(&s->credential, s->http, &s->settings, NULL, &token, fault);

	assert_true(good == (!!token.value));
	if (token.value)
		assert_int_equal(strncmp(token.value, "token-", 6), 0);
	token_clear(&token);
	return good;
}

/* Checks what another process finds. */
static void a_whole_token_or_none(void *site, bool good)
{
	struct site *s = site;
	DIR *dir = opendir(s->tokens);
	const struct dirent *entry;
	struct token token = {0};
	int box = token_file_dir(&s->settings, NULL);

	(void)good;
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		assert_true(entry->d_name[0] != '.' || strlen(entry->d_name) <= 2);
	closedir(dir);
	if (token_file_read(box, "abc", &token))
		assert_int_equal(strncmp(token.value, "token-", 6), 0);
	else
		assert_int_not_equal(
			access(folder_path(s->folder, "tokens/token-abc.json"), F_OK), 0);
	token_clear(&token);
	close(box);
	assert_true(s->minted <= 3);
}

static void a_first_token_is_had_anyway(void **state)
{
	const struct scenario s = {new_site, get, a_whole_token_or_none, end, .silent = false};

	(void)state;
	faults_try(&s);
}

static void *with_token(void)
{
	struct site *s = new_site();

	assert_true(get(s, NULL));
	return s;
}

static void a_kept_token_is_had_or_another(void **state)
{
	const struct scenario s = {with_token, get, a_whole_token_or_none, end, .silent = false};

	(void)state;
	faults_try(&s);
}

static void *with_a_stale_token(void)
{
	struct site *s = new_site();
	struct token old = {.value = (char[]){"token-0"}, .minted_at = clock_wall() - 3600};
	int box = token_file_dir(&s->settings, NULL);

	old.expires = old.minted_at + 3599;
	assert_int_equal(token_file_write(box, &s->credential, &old), 0);
	close(box);
	return s;
}

static bool get_fresh(void *site, struct fault *fault)
{
	const struct site *s = site;

	return get(site, fault) && s->minted > 0;
}

static void a_stale_token_gives_way_as_a_whole(void **state)
{
	const struct scenario s = {
		with_a_stale_token, get_fresh, a_whole_token_or_none, end, .silent = false};

	(void)state;
	faults_try(&s);
}

static bool peek(void *site, struct fault *fault)
{
	struct site *s = site;
	struct token token;
	bool good = token_peek(&s->credential, &s->settings, &token, fault);

	if (good)
		assert_string_equal(token.value, "token-1");
	token_clear(&token);
	return good;
}

static void a_look_at_the_token_shows_it_or_nothing(void **state)
{
	const struct scenario s = {with_token, peek, a_whole_token_or_none, end, .silent = true};

	(void)state;
	faults_try(&s);
}

/* ---- the refresh token that Google has replaced ---- */

static void *with_refresh_token(void)
{
	struct site *s = new_site();
	struct refresh_store r;

	assert_true(refresh_store_key(&r, "client", "first"));
	assert_true(refresh_store_write(&r, &s->settings, "second", NULL));
	return s;
}

static bool rotate(void *site, struct fault *fault)
{
	struct site *s = site;
	struct refresh_store r = {.name = ""};

	if (!refresh_store_key(&r, "client", "first") ||
		refresh_store_write(&r, &s->settings, "third", fault))
		return r.name[0] != '\0';
	/* The caller gives the remedy. */
	assert_int_equal(fault->kind, FAULT_STORAGE);
	assert_non_null(strstr(fault->what, "cannot be stored in"));
	assert_null(strstr(fault->what, "Success"));
	return false;
}

static void the_one_before_or_the_new_one(void *site, bool good)
{
	struct site *s = site;
	struct refresh_store r;
	char *token;

	assert_true(refresh_store_key(&r, "client", "first"));
	token = refresh_store_read(&r, &s->settings);
	assert_non_null(token);
	if (good || strcmp(token, "second") != 0)
		assert_string_equal(token, "third");
	secret_free(token);
}

static void a_refresh_token_is_stored_or_its_loss_is_reported(void **state)
{
	const struct scenario s = {
		with_refresh_token, rotate, the_one_before_or_the_new_one, end, .silent = true};

	(void)state;
	faults_try(&s);
}

/* ---- JSON ---- */

void *__real_json_xmalloc(size_t size);

static void without_memory_no_json_is_read_on(void **state)
{
	int status = -1;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		faults_start_next(CALL_MEMORY);
		_exit(!!__real_json_xmalloc(16));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 8);
}

#define TEST(name) cmocka_unit_test_teardown(name, faults_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_first_token_is_had_anyway),
		TEST(a_kept_token_is_had_or_another),
		TEST(a_stale_token_gives_way_as_a_whole),
		TEST(a_look_at_the_token_shows_it_or_nothing),
		TEST(a_refresh_token_is_stored_or_its_loss_is_reported),
		cmocka_unit_test(without_memory_no_json_is_read_on),
	};

	/* jansson's memory too. */
	json_set_alloc_funcs(malloc, free);
	log_start("token_faults", (enum log_level)0);
	return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
