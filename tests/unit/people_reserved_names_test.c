/* SPDX-License-Identifier: Apache-2.0 */
/* The file itself is included, so that its table can be tested. */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "common/people/reserved_names.c"

static void the_table_is_sorted_lower_case_and_without_repeats(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (i > 0 && strcmp(names[i - 1].name, names[i].name) >= 0)
			fail_msg("%s stands before %s", names[i - 1].name, names[i].name);
		assert_true(strlen(names[i].name) < LONGEST);
		for (const char *p = names[i].name; *p != '\0'; p++)
			assert_int_equal(*p, ascii_lower(*p));
		assert_ptr_equal(reserved_name_kind(names[i].name), names[i].group);
	}
}

static void assert_all(const char *group, const char *const *users)
{
	for (size_t i = 0; users[i]; i++) {
		const char *found = reserved_name_kind(users[i]);

		if (!found)
			fail_msg("%s is not in the list", users[i]);
		assert_string_equal(found, group);
	}
}

#define ASSERT_ALL(group, ...) assert_all(group, (const char *const[]){__VA_ARGS__, NULL})

static void users_of_cloud_images_are_reserved(void **state)
{
	(void)state;
	ASSERT_ALL("cloud image", "ubuntu", "debian", "ec2-user", "admin", "centos", "fedora",
		"rocky", "almalinux", "cloud-user", "azureuser", "opc", "core", "vagrant", "pi",
		"opensuse");
}

static void names_of_automation_are_reserved(void **state)
{
	(void)state;
	ASSERT_ALL("automation", "ansible", "jenkins", "deploy", "gitlab-runner", "github-runner",
		"runner", "puppet", "chef", "salt", "terraform", "packer", "backup", "nagios",
		"zabbix", "prometheus", "cloudinvite");
}

/* Sections 3 to 6 of RFC 2142. */
static void role_names_of_rfc_2142_are_reserved(void **state)
{
	(void)state;
	ASSERT_ALL("role name", "info", "marketing", "sales", "support", "abuse", "noc", "security",
		"postmaster", "hostmaster", "usenet", "news", "webmaster", "www", "uucp", "ftp");
}

static void shared_names_are_reserved(void **state)
{
	(void)state;
	ASSERT_ALL("shared name", "test", "guest", "demo", "root", "operator", "administrator",
		"user");
	ASSERT_ALL("service", "postgres", "git", "nobody", "www-data");
	ASSERT_ALL("machine account", "host7$", "$");
}

static void case_does_not_matter(void **state)
{
	(void)state;
	ASSERT_ALL("cloud image", "Ubuntu", "UBUNTU", "EC2-User");
}

static void names_of_people_are_not_reserved(void **state)
{
	static const char *const people[] = {"alice", "bob", "carol", "dave", "eve", "mallory", "",
		"ubuntu2", "ubunt", "xubuntu", "administrator-of-all-the-things-in-the-world",
		"rocky.balboa", "root.a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(people); i++)
		assert_null(reserved_name_kind(people[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sorted_lower_case_and_without_repeats),
		cmocka_unit_test(users_of_cloud_images_are_reserved),
		cmocka_unit_test(names_of_automation_are_reserved),
		cmocka_unit_test(role_names_of_rfc_2142_are_reserved),
		cmocka_unit_test(shared_names_are_reserved),
		cmocka_unit_test(case_does_not_matter),
		cmocka_unit_test(names_of_people_are_not_reserved),
	};

	return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
