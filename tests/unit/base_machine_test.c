/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tells a machine from its copies.
 */
#include "base/machine.h"
#include "folder.h"

#include "base/array.h"
#include "base/str.h"

static struct machine read_below(struct folder *f)
{
	struct machine m;

	machine_read(&m, f->path, folder_path(f, "run"));
	return m;
}

static void no_id_has_many_faces(void **state)
{
	static const char *const none[] = {"", "\n", "uninitialized\n", "uninitialized", "a b\n"};
	struct folder *f = *state;

	assert_string_equal(read_below(f).id, "");
	folder_make(f, "etc");
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		folder_write(f, "etc/machine-id", none[i]);
		assert_string_equal(read_below(f).id, "");
	}
	folder_write(f, "etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	assert_string_equal(read_below(f).id, "0123456789abcdef0123456789abcdef");
}

static void cloud_and_firmware_tell_the_rest(void **state)
{
	static const char *const parts[] = {
		"run", "var", "var/lib", "var/lib/cloud", "var/lib/cloud/data"};
	struct folder *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		folder_make(f, parts[i]);
	folder_write(f, "run/machine", "00ff");
	folder_write(f, "var/lib/cloud/data/instance-id", "i-0abc\n");
	assert_string_equal(read_below(f).product, "00ff");
	assert_string_equal(read_below(f).instance, "i-0abc");
}

static void the_uuid_is_stored_as_a_hash_and_defaults_say_nothing(void **state)
{
	static const char *const defaults[] = {"00000000-0000-0000-0000-000000000000\n",
		"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF\n", "03000200-0400-0500-0006-000700080009\n",
		""};
	static const char *const parts[] = {
		"sys", "sys/class", "sys/class/dmi", "sys/class/dmi/id", "sys/hypervisor"};
	char product[MACHINE_FACT_SIZE], other[MACHINE_FACT_SIZE];
	struct folder *f = *state;

	machine_product(f->path, product);
	assert_string_equal(product, "");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		folder_make(f, parts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		folder_write(f, "sys/class/dmi/id/product_uuid", defaults[i]);
		machine_product(f->path, product);
		assert_string_equal(product, "");
	}
	folder_write(f, "sys/hypervisor/uuid", "4c4c4544-0043-4810-8052-b4c04f4e3232\n");
	machine_product(f->path, product);
	assert_int_equal(strlen(product), 16);
	assert_null(strstr(product, "4c4c4544"));
	folder_write(f, "sys/hypervisor/uuid", "4c4c4544-0043-4810-8052-b4c04f4e3233\n");
	machine_product(f->path, other);
	assert_string_not_equal(product, other);
}

static void one_fact_that_differs_makes_another_machine(void **state)
{
	static const struct {
		struct machine before, now;
		bool another, proved;
	} rows[] = {
		{{.id = ""}, {.id = ""}, false, false},
		{{.id = "a"}, {.id = "a"}, false, false},
		{{.id = "a"}, {.id = "b"}, true, false},
		{{.id = ""}, {.id = "b"}, true, false},
		{{.id = "a"}, {.id = ""}, false, false},
		{{"a", "p", ""}, {"a", "q", ""}, true, false},
		{{"a", "p", ""}, {"a", "p", ""}, false, true},
		{{"a", "p", ""}, {"a", "", ""}, false, false},
		{{"a", "", ""}, {"a", "p", ""}, false, false},
		{{"a", "", "i"}, {"a", "", "j"}, true, false},
		{{"", "", "i"}, {"", "", "i"}, false, true},
		{{"a", "p", "i"}, {"b", "p", "i"}, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			machine_is_another(&rows[i].before, &rows[i].now), rows[i].another);
		assert_int_equal(machine_is_proved(&rows[i].before, &rows[i].now), rows[i].proved);
	}
}

static void what_is_not_known_now_is_as_before(void **state)
{
	const struct machine before = {"a", "p", "i"}, now = {"", "q", ""};
	struct machine m = machine_merge(&before, &now);

	(void)state;
	assert_string_equal(m.id, "a");
	assert_string_equal(m.product, "q");
	assert_string_equal(m.instance, "i");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_id_has_many_faces, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(
			cloud_and_firmware_tell_the_rest, folder_new, folder_free),
		cmocka_unit_test_setup_teardown(
			the_uuid_is_stored_as_a_hash_and_defaults_say_nothing, folder_new,
			folder_free),
		cmocka_unit_test(one_fact_that_differs_makes_another_machine),
		cmocka_unit_test(what_is_not_known_now_is_as_before),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
