/* SPDX-License-Identifier: Apache-2.0 */
/* What --prepare has found out about the metadata server, and when that result is used. */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "base/clock.h"
#include "google/auth/metadata_exposure.h"

static char google[] = "http://metadata.google.internal", other[] = "http://169.254.169.254";

struct host {
	struct folder *folder;
	char run[PATH_MAX];
	struct settings settings;
	struct fault fault;
};

static struct host begin(void **state)
{
	struct host h = {.folder = *state, .settings = {.metadata_endpoint = google}};

	str_copy(h.run, sizeof(h.run), folder_path(h.folder, "run"));
	return h;
}

static bool allows(struct host *h)
{
	h->settings.run = h->run;
	fault_clear(&h->fault);
	return metadata_exposure_allows(&h->settings, &h->fault);
}

static void found(struct host *h, enum metadata_exposure reach)
{
	int dir = open(h->folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	h->settings.run = h->run;
	assert_int_equal(metadata_exposure_write(dir, &h->settings, reach, "because"), 0);
	close(dir);
}

static void expect_unknown(struct host *h, const char *why)
{
	assert_false(allows(h));
	assert_string_equal(h->fault.code, "metadata_reach_unknown");
	assert_int_equal(h->fault.kind, FAULT_CREDENTIALS);
	assert_non_null(strstr(h->fault.what, why));
	assert_non_null(strstr(h->fault.remedy, "--prepare"));
}

static void what_is_closed_to_others_may_be_used(void **state)
{
	struct host h = begin(state);

	found(&h, METADATA_PROTECTED);
	assert_true(allows(&h));
	assert_int_equal(h.fault.kind, FAULT_NONE);
}

static void what_is_open_to_all_is_refused_with_rule_and_setting(void **state)
{
	struct host h = begin(state);

	found(&h, METADATA_EXPOSED);
	assert_false(allows(&h));
	assert_string_equal(h.fault.code, "metadata_exposed");
	assert_int_equal(h.fault.kind, FAULT_CREDENTIALS);
	assert_non_null(strstr(h.fault.what, "could act as the administrator"));
	assert_non_null(strstr(h.fault.remedy, "cloudinvite-metadata.nft"));
	assert_non_null(strstr(h.fault.remedy, "metadata_exposed = accept."));
}

static void the_settings_may_accept_it(void **state)
{
	struct host h = begin(state);

	h.settings.metadata_exposed = EXPOSED_ACCEPT;
	assert_true(allows(&h));
	found(&h, METADATA_EXPOSED);
	assert_true(allows(&h));
}

static void an_unchecked_exposure_is_refused_too(void **state)
{
	struct host h = begin(state);

	expect_unknown(&h, "not checked yet");
	found(&h, METADATA_UNKNOWN);
	expect_unknown(&h, "because");
}

static void another_endpoint_is_another_question(void **state)
{
	struct host h = begin(state);

	found(&h, METADATA_PROTECTED);
	h.settings.metadata_endpoint = other;
	expect_unknown(&h, "metadata_endpoint has changed");
}

static void what_was_found_before_the_host_booted_does_not_count(void **state)
{
	struct host h = begin(state);

	folder_write(h.folder, "run.metadata",
		"closed\nhttp://metadata.google.internal\n"
		"00000000-0000-0000-0000-000000000000\n2026-11-23T00:00:00Z\nx\n");
	expect_unknown(&h, "restarted since the last check");
}

static void a_file_that_others_could_have_written_is_ignored(void **state)
{
	struct host h = begin(state);

	found(&h, METADATA_PROTECTED);
	chmod(folder_path(h.folder, "run.metadata"), 0666);
	expect_unknown(&h, "");
	unlink(h.folder->file);
	assert_int_equal(symlink("/etc/hostname", h.folder->file), 0);
	expect_unknown(&h, "");
}

static void a_broken_file_counts_as_unknown(void **state)
{
	static const char *const broken[] = {
		"", "closed", "closed\n", "\n\n\n\n", "closed\nclosed\n"};
	struct host h = begin(state);

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		folder_write(h.folder, "run.metadata", broken[i]);
		expect_unknown(&h, "");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_closed_to_others_may_be_used),
		TEST(what_is_open_to_all_is_refused_with_rule_and_setting),
		TEST(the_settings_may_accept_it),
		TEST(an_unchecked_exposure_is_refused_too),
		TEST(another_endpoint_is_another_question),
		TEST(what_was_found_before_the_host_booted_does_not_count),
		TEST(a_file_that_others_could_have_written_is_ignored),
		TEST(a_broken_file_counts_as_unknown),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
