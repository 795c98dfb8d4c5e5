/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I17 (docs/design.md, "Invariants"). */
/* A hardware-backed key before it is opened, and the record of refused PINs. Signing is tested with
 * real tokens: tests/e2e/test_held_keys.py. */
#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "folder.h"

#include "google/auth/credential.h"
#include "google/auth/hsm/hsm_key.h"

#define TOKEN "pkcs11:token=nowhere;object=inviter"

static char endpoint[] = "https://oauth2.googleapis.com/token", admin[] = "admin@example.com";
static char inviter[] = "inviter@p.iam.gserviceaccount.com", id[] = "f00d", nothing[] = "";

struct test {
	struct folder *folder;
	struct settings settings;
	struct fault fault;
	char key[256];
};

static void begin(struct test *t, void **state, const char *key)
{
	*t = (struct test){.folder = *state,
		.settings = {.subject = admin,
			.token_endpoint = endpoint,
			.credentials = nothing,
			.service_account = inviter,
			.key_id = id,
			.quota_project = nothing}};
	assert_int_equal(chmod(t->folder->path, 0700), 0);
	assert_true(str_copy(t->key, sizeof(t->key), key));
	t->settings.key = t->key;
	t->settings.tokens = t->folder->path;
}

static void expect_refused(struct test *t, const char *code, const char *remedy)
{
	assert_null(credential_load(&t->settings, &t->fault));
	assert_int_equal(t->fault.kind, FAULT_CREDENTIALS);
	assert_string_equal(t->fault.code, code);
	assert_non_null(strstr(t->fault.remedy, remedy));
}

/* ---- the credential ---- */

static void it_is_loaded_without_a_look_at_the_token(void **state)
{
	struct test t;
	struct credential *c;

	begin(&t, state, TOKEN "?pin-value=482913");
	c = credential_load(&t.settings, &t.fault);
	assert_non_null(c);
	assert_string_equal(c->type->name, "key");
	assert_string_equal(c->identity, "inviter@p.iam.gserviceaccount.com as admin@example.com");
	assert_string_equal(c->key_id, "f00d");
	assert_string_equal(c->path, TOKEN);
	credential_free(c);
}

static void a_key_without_a_service_account_is_refused(void **state)
{
	struct test t;

	begin(&t, state, TOKEN);
	t.settings.key_id = nothing;
	expect_refused(&t, "held_key_incomplete", "gcloud iam service-accounts keys list");
	begin(&t, state, TOKEN);
	t.settings.service_account = nothing;
	expect_refused(&t, "held_key_incomplete", "service_account");
	begin(&t, state, TOKEN);
	t.settings.subject = nothing;
	expect_refused(&t, "subject_missing", "domain-wide delegation");
}

static void hash_of(struct test *t, char out[65])
{
	struct credential *c = credential_load(&t->settings, &t->fault);

	assert_non_null(c);
	str_copy(out, 65, c->hash);
	credential_free(c);
}

static void each_key_account_and_id_has_its_own_cache_and_each_pin_the_same(void **state)
{
	static char other[] = "other@p.iam.gserviceaccount.com", beef[] = "beef";
	char hashes[5][65], pin[65];
	struct test t;

	for (int i = 0; i < 5; i++) {
		begin(&t, state, i == 1 ? "handle:0x81000001" : TOKEN);
		t.settings.service_account = i == 2 ? other : inviter;
		t.settings.key_id = i == 3 ? beef : id;
		t.settings.subject = i == 4 ? other : admin;
		if (i == 4)
			t.settings.service_account = inviter;
		hash_of(&t, hashes[i]);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(hashes[i], hashes[k]);
	}
	begin(&t, state, TOKEN "?pin-value=482913");
	hash_of(&t, pin);
	assert_string_equal(pin, hashes[0]);
}

/* ---- the PIN ---- */

static void expect_pin(struct test *t, const char *pin)
{
	struct strbuf text = {0};

	assert_true(hsm_pin_read(t->settings.key, &text, &t->fault));
	assert_string_equal(text.data ? text.data : "", pin);
	strbuf_free(&text);
}

static void a_pin_is_read_without_the_end_of_its_line(void **state)
{
	struct test t;
	char key[256];

	begin(&t, state, TOKEN);
	expect_pin(&t, "");
	begin(&t, state, TOKEN "?pin-value=48%202");
	expect_pin(&t, "48 2");
	chmod(folder_write(t.folder, "pin", "482913\n"), 0600);
	assert_true(str_format(key, sizeof(key), TOKEN "?pin-source=file:%s", t.folder->file));
	begin(&t, state, key);
	expect_pin(&t, "482913");
}

static void a_file_that_is_not_a_pin_is_refused(void **state)
{
	static const char *const contents[] = {"", "\n"};
	struct strbuf text = {0};
	struct test t;
	char key[256];

	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		begin(&t, state, TOKEN);
		chmod(folder_write(t.folder, "pin", contents[i]), 0600);
		assert_true(str_format(key, sizeof(key), TOKEN "?pin-source=%s", t.folder->file));
		assert_false(hsm_pin_read(key, &text, &t.fault));
		assert_string_equal(t.fault.code, "pin_empty");
	}
	chmod(folder_write(t.folder, "pin", "482913"), 0644);
	assert_false(hsm_pin_read(key, &text, &t.fault));
	assert_non_null(strstr(t.fault.what, "pin"));
	assert_true(*t.fault.remedy);
	strbuf_free(&text);
}

static void a_refused_pin_is_remembered_until_another_is_taken(void **state)
{
	const char *key = TOKEN "?pin-value=1";
	struct test t;
	char mark[300];

	begin(&t, state, key);
	assert_true(rejected_pin_check(&t.settings, key, "1", &t.fault));
	rejected_pin_add(&t.settings, key, "1");
	assert_false(rejected_pin_check(&t.settings, key, "1", &t.fault));
	assert_string_equal(t.fault.code, "pin_refused");
	assert_true(rejected_pin_path(&t.settings, key, mark, sizeof(mark)));
	assert_non_null(strstr(t.fault.remedy, mark));

	/* Another PIN and another key are not affected. */
	assert_true(rejected_pin_check(&t.settings, key, "2", &t.fault));
	assert_true(rejected_pin_check(&t.settings, "handle:0x81000001", "1", &t.fault));
	/* The same key with another source of the same PIN is the same. */
	assert_false(rejected_pin_check(&t.settings, TOKEN "?pin-source=/x", "1", &t.fault));

	rejected_pin_clear(&t.settings, key);
	assert_true(rejected_pin_check(&t.settings, key, "1", &t.fault));
}

static void the_memory_holds_no_pin_and_is_ours_alone(void **state)
{
	const char *pin = "a-pin-that-is-long-enough-to-find";
	struct test t;
	char mark[300], bytes[256];
	struct stat st;
	ssize_t n;
	int fd;

	begin(&t, state, TOKEN);
	rejected_pin_add(&t.settings, TOKEN, pin);
	assert_true(rejected_pin_path(&t.settings, TOKEN, mark, sizeof(mark)));
	fd = open(mark, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	n = read(fd, bytes, sizeof(bytes));
	assert_true(n > 0);
	assert_null(memmem(bytes, (size_t)n, pin, strlen(pin)));
	close(fd);
}

static void without_a_place_for_the_record_no_pin_is_tried(void **state)
{
	static char nowhere[] = "/nonexistent/cloudinvite";
	struct test t;

	begin(&t, state, TOKEN);
	t.settings.tokens = nowhere;
	assert_false(rejected_pin_check(&t.settings, TOKEN, "1", &t.fault));
	assert_non_null(strstr(t.fault.remedy, "--prepare"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_loaded_without_a_look_at_the_token),
		TEST(a_key_without_a_service_account_is_refused),
		TEST(each_key_account_and_id_has_its_own_cache_and_each_pin_the_same),
		TEST(a_pin_is_read_without_the_end_of_its_line),
		TEST(a_file_that_is_not_a_pin_is_refused),
		TEST(a_refused_pin_is_remembered_until_another_is_taken),
		TEST(the_memory_holds_no_pin_and_is_ours_alone),
		TEST(without_a_place_for_the_record_no_pin_is_tried),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
