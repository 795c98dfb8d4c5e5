/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "worker/collector/host.h"

#define HOST "collector/host"

/* A state directory, as --prepare leaves it. */
static int state_new(void **state)
{
	int rc = folder_new(state);

	folder_make(*state, "collector");
	return rc;
}

static struct host loaded(struct folder *f)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct host h;

	assert_true(host_load(&h, f->path, f->path, "web1", &fault));
	return h;
}

static void saved(struct folder *f, const struct host *h)
{
	struct fault fault = {.kind = FAULT_NONE};

	assert_true(host_save(h, h, f->path, &fault));
}

static void write_host(struct folder *f, const char *text)
{
	folder_write(f, HOST, text);
	assert_int_equal(chmod(folder_path(f, HOST), 0600), 0);
}

static void what_is_saved_is_loaded(void **state)
{
	struct folder *f = *state;
	struct host h = loaded(f);

	assert_true(h.first);
	assert_true(host_add(&h, "zoe", 1003, RECORD_ABSENT, 1790000002));
	assert_true(host_add(&h, "alice", 1001, RECORD_KNOWN, 0));
	assert_true(host_add(&h, "bob", 1002, RECORD_NEW, 1790000001));
	host_sort(&h);
	h.guard_tripped = true;
	saved(f, &h);
	host_free(&h);
	h = loaded(f);
	assert_false(h.first);
	assert_true(h.guard_tripped);
	assert_string_equal(h.old_name, "web1");
	assert_int_equal(h.count, 3);
	assert_string_equal(h.records[0].user, "alice");
	assert_int_equal(h.records[0].uid, 1001);
	assert_int_equal(h.records[0].state, RECORD_KNOWN);
	assert_int_equal(h.records[1].state, RECORD_NEW);
	assert_int_equal(h.records[1].since, 1790000001);
	assert_int_equal(h.records[2].state, RECORD_ABSENT);
	assert_int_equal(h.records[2].since, 1790000002);
	host_free(&h);
}

static void the_word_of_an_earlier_version_is_read_and_replaced(void **state)
{
	struct folder *f = *state;
	struct host h;
	char *text;

	write_host(f, "cloudinvite-host 1\nbrake set\nend 0\n");
	h = loaded(f);
	assert_false(h.first);
	assert_true(h.guard_tripped);
	saved(f, &h);
	host_free(&h);
	text = folder_read(f, HOST);
	assert_non_null(strstr(text, "\nchange_guard tripped\n"));
	assert_null(strstr(text, "brake"));
	free(text);
}

static void names_of_any_bytes_come_back_as_they_were(void **state)
{
	static const char *const names[] = {
		"..", "a b\nknown 0 root", "x%20y", "\xc3\xa9\xff", "~"};
	struct folder *f = *state;
	struct host h = loaded(f);

	for (int i = 0; i < 5; i++)
		assert_true(host_add(&h, names[i], 1001, RECORD_KNOWN, 0));
	host_sort(&h);
	saved(f, &h);
	host_free(&h);
	h = loaded(f);
	assert_false(h.first);
	assert_int_equal(h.count, 5);
	assert_string_equal(h.records[0].user, "..");
	assert_string_equal(h.records[1].user, "a b\nknown 0 root");
	assert_string_equal(h.records[2].user, "x%20y");
	host_free(&h);
}

static void a_name_that_the_spool_does_not_take_is_left_out(void **state)
{
	struct folder *f = *state;
	struct host h = loaded(f);
	char longest[300];

	memset(longest, 'b', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_true(host_add(&h, "alice", 1001, RECORD_KNOWN, 0));
	assert_true(host_add(&h, longest, 1002, RECORD_KNOWN, 0));
	saved(f, &h);
	host_free(&h);
	h = loaded(f);
	assert_false(h.first);
	assert_int_equal(h.count, 1);
	host_free(&h);
}

/* Whatever is wrong with it, none of it is used, and the start is the first one. */
static void a_broken_file_counts_as_none(void **state)
{
	static const char *const broken[] = {
		"cloudinvite-host 2\nknown 1001 alice\nend 1\n",
		"known 1001 alice\nend 1\n",
		"cloudinvite-host 1\nknown 1001\nend 1\n",
		"cloudinvite-host 1\nknown alice 1001\nend 1\n",
		"cloudinvite-host 1\nknown -1 alice\nend 1\n",
		"cloudinvite-host 1\nknown 4294967295 alice\nend 1\n",
		"cloudinvite-host 1\nknown 1001 ../alice\nend 1\n",
		"cloudinvite-host 1\nknown 1001 al%69ce\nend 1\n",
		"cloudinvite-host 1\nknown 1001 alice 1790000000\nend 1\n",
		"cloudinvite-host 1\nnew 1001 alice\nend 1\n",
		"cloudinvite-host 1\nnew 1001 alice tomorrow\nend 1\n",
		"cloudinvite-host 1\nnew 1001 alice -5\nend 1\n",
		"cloudinvite-host 1\nnew 1001 alice 99999999999999999999\nend 1\n",
		"cloudinvite-host 1\nknown 1002 bob\nknown 1001 alice\nend 2\n",
		"cloudinvite-host 1\nknown 1001 alice\nknown 1001 alice\nend 2\n",
		"cloudinvite-host 1\nchange_guard off\nend 0\n",
		"cloudinvite-host 1\nchange_guard\nend 0\n",
		"cloudinvite-host 1\nchange_guard set\nend 0\n",
		"cloudinvite-host 1\nbrake off\nend 0\n",
		"cloudinvite-host 1\nmystery 1001 alice\nend 1\n",
		"cloudinvite-host 1\nknown 1001 alice\nknown 1002 bob\n",
		"cloudinvite-host 1\nknown 1001 alice\nend 2\n",
		"cloudinvite-host 1\nknown 1001 alice\nend 1\nknown 1002 bob\n",
		"cloudinvite-host 1\nchange_guard tripped\nmachine abc\nknown 1001 alice\nknown",
	};
	struct folder *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct host h;

		write_host(f, broken[i]);
		h = loaded(f);
		if (!h.first || h.count != 0 || h.guard_tripped || h.old_machine.id[0] ||
			host_cloned(&h))
			fail_msg("believed: %s", broken[i]);
		host_free(&h);
	}
}

static void a_file_with_a_nul_in_it_counts_as_none(void **state)
{
	static const char text[] = "cloudinvite-host 1\nend 0\n\0known 1001 alice\n";
	struct folder *f = *state;
	struct host h;

	folder_write_bytes(f, HOST, text, sizeof(text) - 1);
	assert_int_equal(chmod(folder_path(f, HOST), 0600), 0);
	h = loaded(f);
	assert_true(h.first);
	assert_int_equal(h.count, 0);
	host_free(&h);
}

static void a_file_that_others_may_write_is_refused(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	struct host h;

	write_host(f, "cloudinvite-host 1\nend 0\n");
	assert_int_equal(chmod(folder_path(f, HOST), 0666), 0);
	assert_false(host_load(&h, f->path, f->path, "web1", &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	host_free(&h);
}

static void a_link_in_its_place_is_refused(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	struct host h;

	assert_int_equal(symlink("/etc/passwd", folder_path(f, HOST)), 0);
	assert_false(host_load(&h, f->path, f->path, "web1", &fault));
	host_free(&h);
}

static void is_machine(struct host *h, const char *id)
{
	str_copy(h->machine.id, sizeof(h->machine.id), id);
}

static void another_machine_id_is_a_copy(void **state)
{
	struct folder *f = *state;
	struct host h;

	write_host(
		f, "cloudinvite-host 1\nname web0\nmachine of-another\nknown 1001 alice\nend 1\n");
	h = loaded(f);
	is_machine(&h, "mine");
	assert_true(host_cloned(&h));
	is_machine(&h, "of-another");
	assert_false(host_cloned(&h));
	host_free(&h);
}

/* An image whose id was emptied, and its clone. */
static void an_id_where_there_was_none_is_a_copy_and_is_written_down(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	struct host h;
	char *text;

	write_host(f, "cloudinvite-host 1\nname web1\nknown 1001 alice\nend 1\n");
	h = loaded(f);
	is_machine(&h, "");
	assert_false(host_cloned(&h));
	is_machine(&h, "mine");
	assert_true(host_cloned(&h));
	assert_true(host_save(&h, &h, f->path, &fault));
	text = folder_read(f, "collector/host");
	assert_non_null(strstr(text, "\nmachine mine\n"));
	free(text);
	host_free(&h);
}

static void an_id_that_cannot_be_read_now_is_not_forgotten(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	struct host h;
	char *text;

	write_host(f, "cloudinvite-host 1\nname web1\nmachine once\nproduct p\ninstance i\n"
		      "known 1001 alice\nend 1\n");
	h = loaded(f);
	assert_string_equal(h.machine.product, "p"); /* the folder has none */
	is_machine(&h, "once");
	assert_false(host_cloned(&h));
	assert_true(host_save(&h, &h, f->path, &fault));
	text = folder_read(f, "collector/host");
	assert_non_null(strstr(text, "machine once\nproduct p\ninstance i\n"));
	free(text);
	host_free(&h);
}

static void equal_ids_on_other_hardware_are_a_copy(void **state)
{
	struct folder *f = *state;
	struct host h;

	write_host(f, "cloudinvite-host 1\nname web1\nmachine one\nproduct p\nend 0\n");
	folder_write(f, "machine", "q");
	h = loaded(f);
	is_machine(&h, "one");
	assert_string_equal(h.machine.product, "q");
	assert_true(host_cloned(&h));
	host_free(&h);
}

static void another_name_may_be_a_copy_unless_the_hardware_is_the_same(void **state)
{
	struct folder *f = *state;
	struct host h;

	write_host(f, "cloudinvite-host 1\nname web0\nmachine one\nend 0\n");
	h = loaded(f);
	is_machine(&h, "one");
	assert_false(host_cloned(&h));
	assert_true(host_may_be_cloned(&h));
	assert_false(host_has_learned(&h));
	str_copy(h.machine.product, sizeof(h.machine.product), "p");
	assert_true(host_has_learned(&h));
	str_copy(h.old_machine.product, sizeof(h.old_machine.product), "p");
	assert_false(host_may_be_cloned(&h));
	host_free(&h);
}

static void other_users_cannot_read_it(void **state)
{
	struct folder *f = *state;
	struct host h = loaded(f);
	struct stat st;

	saved(f, &h);
	host_free(&h);
	assert_int_equal(stat(folder_path(f, HOST), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, state_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_saved_is_loaded),
		TEST(the_word_of_an_earlier_version_is_read_and_replaced),
		TEST(names_of_any_bytes_come_back_as_they_were),
		TEST(a_name_that_the_spool_does_not_take_is_left_out),
		TEST(a_broken_file_counts_as_none),
		TEST(a_file_with_a_nul_in_it_counts_as_none),
		TEST(a_file_that_others_may_write_is_refused),
		TEST(a_link_in_its_place_is_refused),
		TEST(another_machine_id_is_a_copy),
		TEST(an_id_where_there_was_none_is_a_copy_and_is_written_down),
		TEST(an_id_that_cannot_be_read_now_is_not_forgotten),
		TEST(equal_ids_on_other_hardware_are_a_copy),
		TEST(another_name_may_be_a_copy_unless_the_hardware_is_the_same),
		TEST(other_users_cannot_read_it),
	};

	return cmocka_run_group_tests_name("collector: the baseline", tests, NULL, NULL);
}
