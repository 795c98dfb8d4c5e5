/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#define MAIN "cloudinvite.conf"

/* Settings that are right as a whole; each test breaks one thing. */
struct setup {
	const char *google, *people, *rest;
};

static void write_setup(struct folder *f, const struct setup *setup)
{
	char text[4096], credential[PATH_MAX], map[PATH_MAX];

	str_copy(credential, sizeof(credential), folder_write(f, "credentials.json", "{}"));
	assert_int_equal(chmod(credential, 0600), 0);
	str_copy(map, sizeof(map), folder_write(f, "addresses.map", ""));
	assert_true(str_format(text, sizeof(text),
		"[google]\ncustomer = C01234567\ncredentials = %s\n%s"
		"[people]\nmap = %s\n%s"
		"[worker]\ndispatcher_user = nobody-here\nledger_user = nobody-there\n%s",
		credential, setup->google ? setup->google : "", map,
		setup->people ? setup->people
			      : "address = {user}@example.com\ndomains = example.com\n",
		setup->rest ? setup->rest : ""));
	folder_write(f, MAIN, text);
}

static struct found check(struct folder *f)
{
	struct found found = {.count = 0};
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s = settings_load(folder_path(f, MAIN), &fault);

	if (!s)
		fail_msg("%s", fault.what);
	int count = settings_check(s, found_add, &found);

	assert_int_equal(count, found.count);
	settings_free(s);
	for (int i = 0; i < found.count; i++) {
		assert_int_equal(found.faults[i].kind, FAULT_SETTINGS);
		assert_true(str_starts(found.faults[i].what, f->path));
		assert_true(strlen(found.faults[i].remedy) > 10);
	}
	return found;
}

/* Expects exactly one finding; `collecting`: it stops the collector too. */
static void expect(struct folder *f, bool collecting, const char *what, const char *remedy)
{
	struct found found = check(f);
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s;

	assert_int_equal(found.count, 1);
	assert_true(found_says(&found, what, remedy));
	s = settings_load_checked(folder_path(f, MAIN), false, &fault);
	assert_int_equal(!s, collecting);
	settings_free(s);
	s = settings_load_checked(folder_path(f, MAIN), true, &fault);
	assert_null(s);
	assert_string_equal(fault.what, found.faults[0].what);
}

static void expect_with(
	void **state, struct setup setup, bool collecting, const char *what, const char *remedy)
{
	write_setup(*state, &setup);
	expect(*state, collecting, what, remedy);
}

static void a_right_setup_has_no_findings(void **state)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s;

	write_setup(*state, &(struct setup){.google = NULL});
	assert_int_equal(check(*state).count, 0);
	s = settings_load_checked(folder_path(*state, MAIN), true, &fault);
	assert_non_null(s);
	settings_free(s);
}

static void a_fresh_installation_can_collect_but_not_dispatch(void **state)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s = settings_load_checked(folder_write(*state, MAIN, ""), false, &fault);

	assert_non_null(s);
	settings_free(s);
	assert_null(settings_load_checked(folder_path(*state, MAIN), true, &fault));
	assert_non_null(strstr(fault.what, "the customer is not set"));
}

static void a_missing_customer_says_where_to_find_it(void **state)
{
	struct setup setup = {.rest = ""};
	struct folder *f = *state;

	write_setup(f, &setup);
	folder_make(f, "conf.d");
	folder_write(f, "conf.d/10.conf", "[google]\n\ncustomer =\n");
	expect(f, false, "/conf.d/10.conf:3: customer: the customer is not set", "Admin console");
}

/* ---- keyless ---- */

static void expect_metadata(void **state, const char *more, const char *what, const char *remedy)
{
	struct setup setup = {.rest = ""};
	struct folder *f = *state;
	char text[512];

	write_setup(f, &setup);
	str_format(text, sizeof(text), "[google]\ncredentials = metadata:\n%s", more);
	folder_write(f, "conf.d/10.conf", text);
	if (what)
		expect(f, false, what, remedy);
	else
		assert_int_equal(check(f).count, 0);
}

#define INVITER "service_account = inviter@inviter-1.iam.gserviceaccount.com\n"
#define ADMIN	"subject = admin@example.com\n"

static void metadata_needs_the_account_and_the_administrator(void **state)
{
	folder_make(*state, "conf.d");
	expect_metadata(state, INVITER ADMIN, NULL, NULL);
	expect_metadata(state, ADMIN, "service_account: metadata: requires the service account",
		"inviter@PROJECT.iam.gserviceaccount.com");
	expect_metadata(state, INVITER, "subject: metadata: requires the administrator",
		"admin@example.com");
}

static void metadata_and_a_key_exclude_each_other(void **state)
{
	folder_make(*state, "conf.d");
	expect_metadata(state, INVITER ADMIN "key = handle:0x81000001\nkey_id = abc\n",
		"credentials: metadata: and key cannot be used together", "Remove key");
}

/* ---- addresses ---- */

static void the_templates_domain_must_be_one_of_ours(void **state)
{
	expect_with(state,
		(struct setup){.people = "address = {user}@sub.example.com\n"
					 "domains = example.com example.org\n"},
		false,
		"cloudinvite.conf:6: address: the domain of the template is not listed in domains",
		"Add sub.example.com to domains");
}

static void a_template_without_domains_maps_no_user(void **state)
{
	expect_with(state, (struct setup){.people = "address = {user}@example.com\n"}, false,
		"cloudinvite.conf: [people] domains: no domain is set", "example.com");
}

static void without_template_and_map_no_user_is_mapped(void **state)
{
	struct folder *f = *state;

	write_setup(f, &(struct setup){.people = "domains = example.com\n"});
	assert_int_equal(check(f).count, 0);
	folder_make(f, "conf.d");
	folder_write(f, "conf.d/10.conf", "[people]\nmap =\n");
	expect(f, false, "neither an address template nor a map is set", "Set address");
}

static void full_names_are_used_only_if_gecos_is_trusted(void **state)
{
	expect_with(state,
		(struct setup){.people = "address = {first}.{last}@example.com\n"
					 "domains = example.com\n"},
		false, "address: {first} and {last} come from the full name", "Set gecos = yes");
	write_setup(*state, &(struct setup){.people = "address = {first}.{last}@example.com\n"
						      "domains = example.com\ngecos = yes\n"});
	assert_int_equal(check(*state).count, 0);
}

static void a_map_that_is_named_must_be_there(void **state)
{
	struct folder *f = *state;

	write_setup(f, &(struct setup){.rest = ""});
	assert_int_equal(unlink(folder_path(f, "addresses.map")), 0);
	expect(f, false, "addresses.map: No such file", "Create the file");
}

static void a_map_that_every_user_can_write_is_a_finding(void **state)
{
	struct folder *f = *state;

	write_setup(f, &(struct setup){.rest = ""});
	assert_int_equal(chmod(folder_path(f, "addresses.map"), 0666), 0);
	expect(f, false, "every user can write the map", "chmod 0644");
}

/* ---- the credential ---- */

static void a_missing_credential_concerns_dispatching_only(void **state)
{
	struct folder *f = *state;

	write_setup(f, &(struct setup){.rest = ""});
	assert_int_equal(unlink(folder_path(f, "credentials.json")), 0);
	expect(f, false, "credentials.json does not exist", "chown root:nobody-here");
}

static void a_credential_that_others_can_read_is_a_finding(void **state)
{
	static const struct {
		mode_t mode;
		const char *what;
	} modes[] = {
		{0644, "can be read by every user"},
		{0604, "can be read by every user"},
		{0602, "can be changed by other users"},
		{0620, "can be changed by other users"},
		{0601, "can be changed by other users"},
	};
	struct folder *f = *state;

	write_setup(f, &(struct setup){.rest = ""});
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(chmod(folder_path(f, "credentials.json"), modes[i].mode), 0);
		expect(f, false, modes[i].what, "chmod 0640");
	}
}

static void a_credential_of_a_foreign_group_is_a_finding(void **state)
{
	struct folder *f = *state;

	if (geteuid() != 0)
		skip();
	write_setup(f, &(struct setup){.rest = ""});
	assert_int_equal(chown(folder_path(f, "credentials.json"), 0, 54321), 0);
	assert_int_equal(check(f).count, 0);
	assert_int_equal(chmod(folder_path(f, "credentials.json"), 0640), 0);
	expect(f, false, "can be read by a group other than", "chown root:nobody-here");
	assert_int_equal(chown(folder_path(f, "credentials.json"), 54321, 0), 0);
	expect(f, false, "does not belong to root or the service's user", "chown root:");
}

static void a_credential_that_the_service_cannot_read_is_a_finding(void **state)
{
	struct folder *f = *state;

	if (geteuid() != 0)
		skip();
	write_setup(f, &(struct setup){.rest = ""});
	folder_make(f, "conf.d");
	folder_write(f, "conf.d/10.conf", "[worker]\ndispatcher_user = daemon\n");
	expect(f, false, "cannot be read by the service's user", "chown root:daemon");
	assert_int_equal(chown(folder_path(f, "credentials.json"), 0, 1), 0);
	assert_int_equal(chmod(folder_path(f, "credentials.json"), 0640), 0);
	assert_int_equal(check(f).count, 0);
}

static void a_credential_that_is_not_a_file_is_a_finding(void **state)
{
	struct folder *f = *state;

	write_setup(f, &(struct setup){.rest = ""});
	assert_int_equal(unlink(folder_path(f, "credentials.json")), 0);
	assert_int_equal(mkfifo(f->file, 0600), 0);
	expect(f, false, "is not a regular file", "");
}

static void no_credential_is_a_finding(void **state)
{
	struct folder *f = *state;

	write_setup(f, &(struct setup){.rest = ""});
	folder_make(f, "conf.d");
	folder_write(f, "conf.d/10.conf", "[google]\ncredentials =\n");
	expect(f, false, "no credential is set", "service account");
}

/* ---- passwords, other files, all checks together ---- */

static void a_password_in_a_file_that_all_can_read_is_a_finding(void **state)
{
	struct folder *f = *state;

	write_setup(f, &(struct setup){.google = "proxy = http://me:hunter2@proxy:3128\n"});
	expect(f, false, "cloudinvite.conf:4: proxy: it contains a password", "conf.d/");
	assert_null(strstr(check(f).faults[0].what, "hunter2"));
	assert_int_equal(chmod(folder_path(f, MAIN), 0640), 0);
	assert_int_equal(check(f).count, 0);
}

static void certificates_that_are_named_must_be_there(void **state)
{
	expect_with(state, (struct setup){.google = "ca_file = /nowhere/ca.pem\n"}, false,
		"ca_file: /nowhere/ca.pem: No such file", "correct the path");
}

/* The lines that name both; `pair` false: only the certificate. */
static void write_client_pair(struct folder *f, mode_t mode, bool pair)
{
	char certificate[PATH_MAX], lines[2 * PATH_MAX + 64];

	str_copy(certificate, sizeof(certificate), folder_write(f, "client.pem", ""));
	assert_int_equal(chmod(folder_write(f, "client.key", ""), mode), 0);
	str_format(lines, sizeof(lines), "client_certificate = %s\n%s%s\n", certificate,
		pair ? "client_key = " : "; ", f->file);
	write_setup(f, &(struct setup){.google = lines});
}

static void a_client_certificate_and_its_key_are_named_together(void **state)
{
	write_client_pair(*state, 0600, true);
	assert_int_equal(check(*state).count, 0);
	write_client_pair(*state, 0600, false);
	expect(*state, false, "cannot be used without its private key", "Set client_key");
	write_client_pair(*state, 0600, true);
	assert_int_equal(unlink(folder_path(*state, "client.pem")), 0);
	expect(*state, false, "client.pem: No such file", "correct the path");
}

static void a_client_key_is_checked_like_a_credential(void **state)
{
	struct folder *f = *state;

	write_client_pair(f, 0644, true);
	expect(f, false, "client.key can be read by every user", "chmod 0640");
	write_client_pair(f, 0620, true);
	expect(f, false, "client.key can be changed by other users", "chown root:nobody-here");
	assert_int_equal(unlink(folder_path(f, "client.key")), 0);
	expect(f, false, "client_key: ", "private key there, then: chown root:nobody-here");
}

static void a_uid_range_that_is_empty_stops_both(void **state)
{
	expect_with(state,
		(struct setup){.people = "address = {user}@example.com\ndomains = example.com\n"
					 "min_uid = 70000\n"},
		true, "min_uid is greater than max_uid", "the lower number");
}

/* NSS can only be asked for a group by its name, so no network user would be invited. */
static void a_pattern_of_groups_is_refused_with_network_users(void **state)
{
	static const char usual[] = "address = {user}@example.com\ndomains = example.com\n";
	static const char *const lists[] = {"exclude_groups = ext-*\n", "include_groups = a b?c\n",
		"exclude_groups = \"domain guest?\"\n"};
	char people[256];

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		str_format(people, sizeof(people), "%s%snetwork_users = yes\n", usual, lists[i]);
		expect_with(state, (struct setup){.people = people}, true,
			"a pattern cannot be used with network_users = yes", "name of each group");
		str_format(people, sizeof(people), "%s%s", usual, lists[i]);
		write_setup(*state, &(struct setup){.people = people});
		assert_int_equal(check(*state).count, 0);
	}
	str_format(people, sizeof(people),
		"%sexclude_groups = \"domain guests\" a,b\n"
		"network_users = yes\n",
		usual);
	write_setup(*state, &(struct setup){.people = people});
	assert_int_equal(check(*state).count, 0);
}

static void postgresql_is_refused_as_not_available(void **state)
{
	expect_with(state,
		(struct setup){.rest = "[storage]\nledger = postgresql://db/cloudinvite\n"}, true,
		"a PostgreSQL ledger is not available in version", "sqlite:");
}

static void the_roles_of_a_fleet_are_said_to_be_not_built_yet(void **state)
{
	expect_with(state, (struct setup){.rest = "role = host\n"}, true,
		"role: a host that reports to a hub is not available", "role = standalone");
	expect_with(state, (struct setup){.rest = "role = hub\n"}, true,
		"role: a hub that sends for a fleet is not available", "role = standalone");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_right_setup_has_no_findings),
		TEST(a_fresh_installation_can_collect_but_not_dispatch),
		TEST(a_missing_customer_says_where_to_find_it),
		TEST(metadata_needs_the_account_and_the_administrator),
		TEST(metadata_and_a_key_exclude_each_other),
		TEST(the_templates_domain_must_be_one_of_ours),
		TEST(a_template_without_domains_maps_no_user),
		TEST(without_template_and_map_no_user_is_mapped),
		TEST(full_names_are_used_only_if_gecos_is_trusted),
		TEST(a_map_that_is_named_must_be_there),
		TEST(a_map_that_every_user_can_write_is_a_finding),
		TEST(a_missing_credential_concerns_dispatching_only),
		TEST(a_credential_that_others_can_read_is_a_finding),
		TEST(a_credential_of_a_foreign_group_is_a_finding),
		TEST(a_credential_that_the_service_cannot_read_is_a_finding),
		TEST(a_credential_that_is_not_a_file_is_a_finding),
		TEST(no_credential_is_a_finding),
		TEST(a_password_in_a_file_that_all_can_read_is_a_finding),
		TEST(certificates_that_are_named_must_be_there),
		TEST(a_client_certificate_and_its_key_are_named_together),
		TEST(a_client_key_is_checked_like_a_credential),
		TEST(a_uid_range_that_is_empty_stops_both),
		TEST(a_pattern_of_groups_is_refused_with_network_users),
		TEST(postgresql_is_refused_as_not_available),
		TEST(the_roles_of_a_fleet_are_said_to_be_not_built_yet),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
