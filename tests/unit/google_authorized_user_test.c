/* SPDX-License-Identifier: Apache-2.0 */
/* A person's login as a credential: what is accepted, what is refused, and how a refresh token that
 * Google replaces is stored. */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "google/auth/credential.h"
#include "google/auth/refresh_store.h"
#include "google/http/secret.h"

#define CLIENT "7-x.apps.googleusercontent.com"
#define GCLOUD "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"

static char none[] = "", admin[] = "Admin@Example.com", other[] = "other@example.com";
static char project[] = "inviter-1", service[] = "cloudinvite";

struct test {
	struct folder *folder;
	struct settings settings;
	struct fault fault;
	char state[128], path[128], endpoint[96];
};

static void begin(struct test *t, void **state)
{
	*t = (struct test){.folder = *state,
		.settings = {.subject = none,
			.service_account = none,
			.key = none,
			.key_id = none,
			.quota_project = none,
			.ca_file = none,
			.proxy = none,
			.no_proxy = none,
			.client_certificate = none,
			.client_key = none,
			.dispatcher_user = service,
			.timeout = 5}};
	folder_make(t->folder, "state");
	str_copy(t->state, sizeof(t->state), t->folder->file);
	str_copy(t->path, sizeof(t->path), folder_path(t->folder, "login.json"));
	str_copy(t->endpoint, sizeof(t->endpoint), "https://oauth2.googleapis.com/token");
	t->settings.state = t->state;
	t->settings.credentials = t->path;
	t->settings.token_endpoint = t->endpoint;
}

static json_t *login(void)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "type", "authorized_user", "client_id", CLIENT,
		"client_secret", "GOCSPX-s", "refresh_token", "1//first");
}

static json_t *with(const char *name, json_t *value)
{
	json_t *file = login();

	json_object_set_new(file, name, value);
	return file;
}

/* Takes ownership of `file`. */
static struct credential *load(struct test *t, json_t *file)
{
	char *text = json_dumps(file, 0);

	chmod(folder_write(t->folder, "login.json", text), 0600);
	free(text);
	json_decref(file);
	fault_clear(&t->fault);
	return credential_load(&t->settings, &t->fault);
}

static void expect_taken(struct test *t, json_t *file, const char *identity)
{
	struct credential *c = load(t, file);

	assert_non_null(c);
	assert_non_null(strstr(c->identity, identity));
	assert_string_equal(c->client_id, CLIENT);
	credential_free(c);
}

static void expect_refused(struct test *t, json_t *file, const char *code, const char *remedy)
{
	assert_null(load(t, file));
	assert_int_equal(t->fault.kind, FAULT_CREDENTIALS);
	assert_string_equal(t->fault.code, code);
	assert_non_null(strstr(t->fault.remedy, remedy));
	assert_null(strstr(t->fault.what, "1//"));
	assert_null(strstr(t->fault.what, "GOCSPX"));
}

/* ---- the file ---- */

static void a_login_needs_no_subject(void **state)
{
	struct test t;

	begin(&t, state);
	expect_taken(&t, login(), t.path);
	expect_taken(&t, with("account", json_string("admin@example.com")), "admin@example.com");
	/* gcloud leaves it empty. */
	expect_taken(&t, with("account", json_string("")), t.path);
	expect_taken(&t, with("account", json_integer(1)), t.path);
}

static void a_missing_member_is_named(void **state)
{
	static const char *const members[] = {"client_id", "client_secret", "refresh_token"};
	static const char *const bad[] = {"null", "1", "\"\"", "\"with blank\"", "\"line\\nend\""};
	struct test t;

	begin(&t, state);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
			expect_refused(&t,
				with(members[i], json_loads(bad[k], JSON_DECODE_ANY, NULL)),
				"login_incomplete", "cloudinvite login");
			assert_non_null(strstr(t.fault.what, members[i]));
		}
	}
}

static void a_subject_is_never_ignored(void **state)
{
	struct test t;

	begin(&t, state);
	t.settings.subject = admin;
	expect_taken(&t, with("account", json_string("admin@example.com")), "admin@example.com");
	expect_refused(&t, login(), "subject_unknown", "Leave subject empty");
	t.settings.subject = other;
	expect_refused(&t, with("account", json_string("admin@example.com")), "subject_differs",
		"--account other@example.com");
}

static void gclouds_client_needs_a_project_of_ones_own(void **state)
{
	struct test t;
	struct credential *c;
	json_t *file;

	begin(&t, state);
	expect_refused(&t, with("client_id", json_string(GCLOUD)), "gcloud_without_project",
		"quota_project");
	file = with("client_id", json_string(GCLOUD));
	json_object_set_new(file, "quota_project_id", json_string("of-the-file"));
	c = load(&t, file);
	assert_non_null(c);
	assert_string_equal(c->quota_project, "of-the-file");
	credential_free(c);
	t.settings.quota_project = project;
	c = load(&t, with("quota_project_id", json_string("of-the-file")));
	assert_string_equal(c->quota_project, project);
	credential_free(c);
}

static void its_token_uri_is_not_looked_at(void **state)
{
	struct test t;
	struct credential *c;

	begin(&t, state);
	c = load(&t, with("token_uri", json_string("https://evil.example.com/token")));
	assert_non_null(c);
	assert_string_equal(c->token_endpoint, "https://oauth2.googleapis.com/token");
	credential_free(c);
	expect_refused(&t, with("universe_domain", json_string("example.cloud")), "universe", "");
}

/* ---- replaced refresh tokens ---- */

static struct refresh_store store_for(const char *token)
{
	struct refresh_store r;

	assert_true(refresh_store_key(&r, CLIENT, token));
	return r;
}

static void expect_kept(struct test *t, const struct refresh_store *r, const char *token)
{
	char *kept = refresh_store_read(r, &t->settings);

	if (token)
		assert_string_equal(kept, token);
	else
		assert_null(kept);
	secret_free(kept);
}

static char *stored_file(struct test *t, const struct refresh_store *r)
{
	static char path[256];

	str_format(path, sizeof(path), "%s/private/%s", t->state, r->name);
	return path;
}

static void a_replaced_token_is_kept_for_us_alone(void **state)
{
	struct refresh_store r = store_for("1//first");
	struct stat st;
	struct test t;

	begin(&t, state);
	expect_kept(&t, &r, NULL);
	assert_true(refresh_store_write(&r, &t.settings, "1//second", &t.fault));
	expect_kept(&t, &r, "1//second");
	assert_int_equal(stat(stored_file(&t, &r), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(refresh_store_write(&r, &t.settings, "1//third", &t.fault));
	expect_kept(&t, &r, "1//third");
	refresh_store_remove(&r, &t.settings);
	expect_kept(&t, &r, NULL);
	refresh_store_remove(&r, &t.settings);
}

/* Another file has another token and so another name: the new file takes precedence. */
static void it_belongs_to_the_files_own_token(void **state)
{
	struct refresh_store first = store_for("1//first"), again = store_for("1//other"), shifted;
	struct test t;

	begin(&t, state);
	assert_true(refresh_store_write(&first, &t.settings, "1//second", &t.fault));
	expect_kept(&t, &again, NULL);
	assert_true(refresh_store_key(&shifted, CLIENT "1", "//first"));
	assert_string_not_equal(shifted.name, first.name);
	assert_null(strstr(first.name, "first"));
}

static void the_caches_key_survives_a_new_refresh_token(void **state)
{
	struct refresh_store r = store_for("1//first");
	struct credential *before, *after;
	struct test t;

	begin(&t, state);
	before = load(&t, login());
	assert_true(refresh_store_write(&r, &t.settings, "1//second", &t.fault));
	after = load(&t, login());
	assert_string_equal(before->hash, after->hash);
	credential_free(before);
	credential_free(after);
}

static void what_others_could_have_written_is_ignored(void **state)
{
	static const char good[] = "{\"refresh_token\":\"1//second\"}";
	static const char *const bad[] = {"", "{}", "[]", "{\"refresh_token\":1}",
		"{\"refresh_token\":\"\"}", "{\"refresh_token\":\"a b\"}",
		"{\"refresh_token\":\"a\\nb\"}",
		"{\"refresh_token\":\"a\",\"refresh_token\":\"b\"}"};
	struct refresh_store r = store_for("1//first");
	char path[256], name[128];
	struct test t;

	begin(&t, state);
	str_copy(path, sizeof(path), stored_file(&t, &r));
	folder_make(t.folder, "state/private");
	str_format(name, sizeof(name), "state/private/%s", r.name);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		chmod(folder_write(t.folder, name, bad[i]), 0600);
		expect_kept(&t, &r, NULL);
	}
	chmod(folder_write(t.folder, name, good), 0600);
	expect_kept(&t, &r, "1//second");
	chmod(path, 0644);
	expect_kept(&t, &r, NULL);
	chmod(path, 0600);
	assert_int_equal(rename(path, folder_path(t.folder, "elsewhere")), 0);
	assert_int_equal(symlink(folder_path(t.folder, "elsewhere"), path), 0);
	expect_kept(&t, &r, NULL);
}

static void a_directory_that_cannot_be_written_is_a_fault(void **state)
{
	static char nowhere[] = "/nowhere/state";
	struct refresh_store r = store_for("1//first");
	struct test t;

	begin(&t, state);
	t.settings.state = nowhere;
	expect_kept(&t, &r, NULL);
	assert_false(refresh_store_write(&r, &t.settings, "1//second", &t.fault));
	assert_int_equal(t.fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(t.fault.what, nowhere));
	assert_null(strstr(t.fault.what, "1//"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_login_needs_no_subject, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(a_missing_member_is_named, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(
			a_subject_is_never_ignored, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(
			gclouds_client_needs_a_project_of_ones_own, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(
			its_token_uri_is_not_looked_at, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(
			a_replaced_token_is_kept_for_us_alone, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(
			it_belongs_to_the_files_own_token, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(
			the_caches_key_survives_a_new_refresh_token, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(
			what_others_could_have_written_is_ignored, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(
			a_directory_that_cannot_be_written_is_a_fault, folder_new, folder_free),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
