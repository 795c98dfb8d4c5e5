/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <dirent.h>

#include "base/array.h"

#define MAIN "cloudinvite.conf"

static bool set(struct folder *f, const char *section, const char *key, const char *value,
	struct fault *fault)
{
	return settings_write(folder_path(f, MAIN), section, key, value, fault);
}

/* Writes [invitations] mode = send into `before`, and expects `after`. */
static void becomes(void **state, const char *before, const char *after)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s;
	char *text;

	folder_write(*state, MAIN, before);
	if (!set(*state, "invitations", "mode", "send", &fault))
		fail_msg("%s", fault.what);
	text = folder_read(*state, MAIN);
	assert_string_equal(text, after);
	free(text);
	s = settings_load(folder_path(*state, MAIN), NULL);
	assert_non_null(s);
	assert_int_equal(s->mode, MODE_SEND);
	settings_free(s);
}

static void the_value_changes_and_nothing_else(void **state)
{
	becomes(state,
		"# mine\n[google]\ncustomer = C01\n\n[invitations]\n; why\n"
		"mode = dry-run                  ; or send\ncreation_delay = 1m\n\n[people]\ngecos "
		"= no\n",
		"# mine\n[google]\ncustomer = C01\n\n[invitations]\n; why\n"
		"mode = send                  ; or send\ncreation_delay = 1m\n\n[people]\ngecos = "
		"no\n");
	becomes(state, "[invitations]\n  mode=dry-run\n", "[invitations]\n  mode= send\n");
	becomes(state, "[invitations]\nmode:\tdry-run ;x\n", "[invitations]\nmode: send ;x\n");
	becomes(state, "[invitations]\nmode = send", "[invitations]\nmode = send");
}

static void a_missing_key_goes_behind_its_sample(void **state)
{
	becomes(state, "[invitations]\n# what happens:\n;mode = dry-run\n\ncreation_delay = 1m\n",
		"[invitations]\n# what happens:\n;mode = dry-run\nmode = send\n\ncreation_delay = "
		"1m\n");
}

static void a_missing_key_goes_to_the_end_of_its_section(void **state)
{
	becomes(state, "[invitations]\ncreation_delay = 1m\n\n\n[people]\ngecos = no\n",
		"[invitations]\ncreation_delay = 1m\nmode = send\n\n\n[people]\ngecos = no\n");
	becomes(state, "[people]\n[invitations]", "[people]\n[invitations]\nmode = send\n");
}

static void a_missing_section_is_added(void **state)
{
	becomes(state, "[people]\ngecos = no\n",
		"[people]\ngecos = no\n\n[invitations]\nmode = send\n");
	becomes(state, "", "[invitations]\nmode = send\n");
	becomes(state, "# only words", "# only words\n\n[invitations]\nmode = send\n");
}

static void a_section_that_is_opened_twice_keeps_its_key(void **state)
{
	becomes(state,
		"[invitations]\ncreation_delay = 1m\n[people]\n[invitations]\nmode = dry-run\n",
		"[invitations]\ncreation_delay = 1m\n[people]\n[invitations]\nmode = send\n");
}

static void line_ends_of_windows_stay(void **state)
{
	becomes(state, "[invitations]\r\nmode = dry-run\r\ncreation_delay = 1m\r\n",
		"[invitations]\r\nmode = send\r\ncreation_delay = 1m\r\n");
	becomes(state, "[invitations]\r\ncreation_delay = 1m\r\n",
		"[invitations]\r\ncreation_delay = 1m\r\nmode = send\r\n");
}

static void a_key_of_the_same_name_elsewhere_or_in_a_comment_is_left_alone(void **state)
{
	becomes(state, "[invitations]\n# the mode = dry-run is the default\ncreation_delay = 1m\n",
		"[invitations]\n# the mode = dry-run is the default\ncreation_delay = 1m\nmode = "
		"send\n");
}

static void owner_and_mode_stay(void **state)
{
	struct folder *f = *state;
	struct stat st;

	folder_write(f, MAIN, "[invitations]\nmode = dry-run\n");
	assert_int_equal(chmod(f->file, 0640), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(f->file, 0, 12), 0);
	assert_true(set(f, "invitations", "mode", "send", NULL));
	assert_int_equal(stat(folder_path(f, MAIN), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	if (geteuid() == 0)
		assert_int_equal(st.st_gid, 12);
}

static void a_link_stays_a_link(void **state)
{
	struct folder *f = *state;
	struct stat st;
	char *text;

	folder_make(f, "managed");
	folder_write(f, "managed/real.conf", "[invitations]\nmode = dry-run\n");
	assert_int_equal(symlink("managed/real.conf", folder_path(f, MAIN)), 0);
	assert_true(set(f, "invitations", "mode", "send", NULL));
	assert_int_equal(lstat(folder_path(f, MAIN), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	text = folder_read(f, "managed/real.conf");
	assert_string_equal(text, "[invitations]\nmode = send\n");
	free(text);
}

static int count_entries(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, NULL);

	assert_true(count >= 0);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return count - 2;
}

static void nothing_is_left_behind(void **state)
{
	struct folder *f = *state;

	folder_write(f, MAIN, "[invitations]\nmode = dry-run\n");
	assert_true(set(f, "invitations", "mode", "send", NULL));
	assert_int_equal(count_entries(f->path), 1);
}

static void a_drop_in_that_counts_more_is_named(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	char *text;

	folder_write(f, MAIN, "[invitations]\nmode = dry-run\n");
	folder_make(f, "conf.d");
	folder_write(f, "conf.d/10-site.conf", "[invitations]\nmode = dry-run\n");
	assert_false(set(f, "invitations", "mode", "send", &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	assert_non_null(strstr(fault.what, "conf.d/10-site.conf:2 sets mode"));
	assert_non_null(strstr(fault.remedy, "mode = send"));
	text = folder_read(f, MAIN);
	assert_string_equal(text, "[invitations]\nmode = dry-run\n");
	free(text);
}

static void what_would_break_the_file_is_refused(void **state)
{
	static const struct {
		const char *section, *key, *value;
	} wrong[] = {
		{"invitations", "mode", "perhaps"},
		{"invitations", "mode", "send\n[people]"},
		{"invitations", "modus", "send"},
		{"google", "mode", "send"},
		{"google", "subject", "a@example.com ; b"},
		{"people", "exclude_users", "a\nb"},
		{"people", "exclude_users", "a\033[2J"},
		{"people", "exclude_users", "a\u202eb"},
		{"people", "exclude_users", "a\xff"},
	};
	struct folder *f = *state;

	folder_write(f, MAIN, "[people]\n");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct fault fault = {.kind = FAULT_NONE};

		assert_false(set(f, wrong[i].section, wrong[i].key, wrong[i].value, &fault));
		assert_int_equal(fault.kind, FAULT_SETTINGS);
	}
	char *text = folder_read(f, MAIN);
	assert_string_equal(text, "[people]\n");
	free(text);
}

static void a_file_that_does_not_load_is_not_touched(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};

	folder_write(f, MAIN, "[invitations]\nmode = dry-run\nnonsense\n");
	assert_false(set(f, "invitations", "mode", "send", &fault));
	assert_non_null(strstr(fault.what, ":3: this line is neither"));
}

static void a_list_over_several_lines_is_replaced_as_a_whole(void **state)
{
	struct folder *f = *state;
	char *text;

	folder_write(
		f, MAIN, "[people]\nexclude_users = a ; one\n  b\n# note\n\tc\n\ngecos = no\n");
	assert_true(set(f, "people", "exclude_users", "d", NULL));
	text = folder_read(f, MAIN);
	assert_string_equal(text, "[people]\nexclude_users = d ; one\n# note\n\ngecos = no\n");
	free(text);
}

/* ---- a text in place of the file ---- */

static void a_text_is_edited_and_loaded_with_the_drop_ins_and_without_a_file(void **state)
{
	struct folder *f = *state;
	struct strbuf text = {.data = NULL};
	struct fault fault = {.kind = FAULT_NONE};
	char path[PATH_MAX];
	struct settings *s;

	folder_make(f, "conf.d");
	folder_write(f, "conf.d/10-site.conf", "[google]\ncustomer = C01234567\n");
	str_copy(path, sizeof(path), folder_path(f, MAIN));
	assert_true(strbuf_add(&text, "# mine\n[people]\n"));
	assert_true(settings_edit(path, &text, "invitations", "mode", "send", &fault));
	assert_string_equal(text.data, "# mine\n[people]\n\n[invitations]\nmode = send\n");
	assert_int_equal(access(path, F_OK), -1);
	s = settings_load_text(path, &text, &fault);
	assert_non_null(s);
	assert_int_equal(s->mode, MODE_SEND);
	assert_string_equal(s->customer, "C01234567");
	assert_string_equal(settings_path(s), path);
	settings_free(s);
	strbuf_free(&text);
}

static void a_text_that_is_not_edited_stays_and_the_fault_names_the_file(void **state)
{
	struct folder *f = *state;
	struct strbuf text = {.data = NULL};
	struct fault fault = {.kind = FAULT_NONE};
	char path[PATH_MAX];

	str_copy(path, sizeof(path), folder_path(f, MAIN));
	assert_true(strbuf_add(&text, "[people]\ngecos = maybe\n"));
	assert_false(settings_edit(path, &text, "people", "gecos", "no", &fault));
	assert_string_equal(text.data, "[people]\ngecos = maybe\n");
	assert_non_null(strstr(fault.what, path));
	assert_null(settings_load_text(path, &text, &fault));
	assert_non_null(strstr(fault.what, path));
	strbuf_clear(&text);
	assert_true(strbuf_add(&text, "[people]\ngecos = yes\n"));
	assert_false(settings_edit(path, &text, "people", "gecos", "maybe", &fault));
	assert_false(settings_edit(path, &text, "people", "no_such_key", "1", &fault));
	assert_string_equal(text.data, "[people]\ngecos = yes\n");
	strbuf_free(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_value_changes_and_nothing_else),
		TEST(a_missing_key_goes_behind_its_sample),
		TEST(a_missing_key_goes_to_the_end_of_its_section),
		TEST(a_missing_section_is_added),
		TEST(a_section_that_is_opened_twice_keeps_its_key),
		TEST(line_ends_of_windows_stay),
		TEST(a_key_of_the_same_name_elsewhere_or_in_a_comment_is_left_alone),
		TEST(owner_and_mode_stay),
		TEST(a_link_stays_a_link),
		TEST(nothing_is_left_behind),
		TEST(a_drop_in_that_counts_more_is_named),
		TEST(what_would_break_the_file_is_refused),
		TEST(a_file_that_does_not_load_is_not_touched),
		TEST(a_list_over_several_lines_is_replaced_as_a_whole),
		TEST(a_text_is_edited_and_loaded_with_the_drop_ins_and_without_a_file),
		TEST(a_text_that_is_not_edited_stays_and_the_fault_names_the_file),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
