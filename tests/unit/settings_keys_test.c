/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys compared with docs/design.md, and each key's validator. The documents are searched in
 * the directory that CLOUDINVITE_SOURCE names, else in the current one.
 */
#include "base/str.h"
#include "folder.h"

#define MAIN "cloudinvite.conf"

/* ---- the documents ---- */

static FILE *document(const char *name)
{
	const char *source = getenv("CLOUDINVITE_SOURCE");
	char path[PATH_MAX];
	FILE *file;

	assert_true(str_format(path, sizeof(path), "%s/%s", source ? source : ".", name));
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s is not there: run this in the source directory", path);
	return file;
}

struct expected {
	char section[32], key[32], value[128];
};

/* "key = value   ; comment" */
static bool split_setting(char *line, struct expected *e)
{
	char *equals = strchr(line, '=');
	char *comment = strstr(line, " ;");

	if (!equals)
		return false;
	if (comment)
		*comment = '\0';
	*equals = '\0';
	return str_copy(e->key, sizeof(e->key), str_trim(line)) &&
	       str_copy(e->value, sizeof(e->value), str_trim(equals + 1));
}

/* The settings in the design, from "[google]" to the end of the block. */
static size_t design_settings(struct expected *out, size_t room)
{
	FILE *file = document("docs/design.md");
	char line[512], section[32] = "";
	size_t count = 0;

	while (fgets(line, sizeof(line), file)) {
		if (strcmp(line, "[google]\n") != 0 && section[0] == '\0')
			continue;
		if (str_starts(line, "```"))
			break;
		if (line[0] == '[') {
			*strchr(line, ']') = '\0';
			assert_true(str_copy(section, sizeof(section), line + 1));
			continue;
		}
		assert_true(count < room);
		assert_true(split_setting(line, &out[count]));
		str_copy(out[count++].section, sizeof(section), section);
	}
	(void)fclose(file);
	return count;
}

/* Keys that only the administrator can know have no default: the design shows an example. */
static bool is_example(const char *value)
{
	return strstr(value, "example.com") || strcmp(value, "C01234567") == 0;
}

struct comparison {
	struct expected expected[128];
	size_t count, at;
};

static bool compare(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx)
{
	struct comparison *c = ctx;
	const struct expected *e = &c->expected[c->at];

	(void)help;
	if (c->at >= c->count)
		fail_msg("[%s] %s is not in docs/design.md", section, key);
	c->at++;
	assert_string_equal(section, e->section);
	assert_string_equal(key, e->key);
	assert_string_equal(value, is_example(e->value) ? "" : e->value);
	assert_string_equal(origin, "default");
	return true;
}

static void every_key_of_the_design_is_there_with_its_default_and_no_other(void **state)
{
	struct comparison c = {.count = 0};
	struct settings *s = settings_load(folder_write(*state, MAIN, ""), NULL);

	c.count = design_settings(c.expected, 128);
	assert_true(c.count > 40);
	assert_non_null(s);
	assert_true(settings_each(s, compare, &c));
	assert_int_equal(c.at, c.count);
	settings_free(s);
}

/* The manual has an item for each key: ".It Ic key = default", or ".It Ic key =" without one. */
static bool is_in_manual(const char *section, const char *key, const char *value,
	const char *origin, const char *help, void *ctx)
{
	char bare[160], item[160], line[512];
	bool found = false;

	(void)section;
	(void)origin;
	(void)help;
	str_format(item, sizeof(item), ".It Ic %s No = Cm %s\n", key, value);
	str_format(bare, sizeof(bare), ".It Ic %s No =\n", key);
	rewind(ctx);
	while (!found && fgets(line, sizeof(line), ctx))
		found = strcmp(line, value[0] != '\0' ? item : bare) == 0;
	if (!found)
		fail_msg("cloudinvite.conf(5) lacks: %s", value[0] != '\0' ? item : bare);
	return true;
}

static void every_key_is_in_the_manual_with_its_default(void **state)
{
	FILE *manual = document("docs/man/cloudinvite.conf.5");
	struct settings *s = settings_load(folder_write(*state, MAIN, ""), NULL);

	assert_true(settings_each(s, is_in_manual, manual));
	settings_free(s);
	(void)fclose(manual);
}

static void the_shipped_sample_loads_and_reports_what_is_missing(void **state)
{
	struct folder *f = *state;
	FILE *sample = document("config/cloudinvite.conf");
	struct found found = {.count = 0};
	char text[16384];
	size_t n = fread(text, 1, sizeof(text), sample);
	struct settings *s;

	(void)fclose(sample);
	assert_true(n > 100 && n < sizeof(text));
	s = settings_load(folder_write_bytes(f, MAIN, text, n), NULL);
	assert_non_null(s);
	assert_int_equal(s->mode, MODE_DRY_RUN);
	settings_check(s, found_add, &found);
	assert_true(found_says(&found, "the customer is not set", "Admin console"));
	assert_true(found_says(&found, "no domain is set", "domains"));
	settings_free(s);
}

/* ---- single values ---- */

static bool loads(struct folder *f, const char *section, const char *key, const char *value,
	struct fault *fault)
{
	char text[512];
	struct settings *s;

	str_format(text, sizeof(text), "[%s]\n%s = %s\n", section, key, value);
	s = settings_load(folder_write(f, MAIN, text), fault);
	settings_free(s);
	return s;
}

static void accepts(void **state, const char *section, const char *key, const char *const *values)
{
	for (size_t i = 0; values[i]; i++) {
		struct fault fault = {.kind = FAULT_NONE};

		if (!loads(*state, section, key, values[i], &fault))
			fail_msg("%s = %s: %s", key, values[i], fault.what);
	}
}

/* Each is refused with the line, the key and a remedy. */
static void refuses(void **state, const char *section, const char *key, const char *const *values)
{
	char where[64];

	str_format(where, sizeof(where), "cloudinvite.conf:2: %s: ", key);
	for (size_t i = 0; values[i]; i++) {
		struct fault fault = {.kind = FAULT_NONE};

		if (loads(*state, section, key, values[i], &fault))
			fail_msg("%s = %s was accepted", key, values[i]);
		assert_int_equal(fault.kind, FAULT_SETTINGS);
		assert_non_null(strstr(fault.what, where));
		assert_true(strlen(fault.remedy) > 10);
	}
}

#define ACCEPTS(section, key, ...) \
	accepts(state, section, key, (const char *const[]){__VA_ARGS__, NULL})
#define REFUSES(section, key, ...) \
	refuses(state, section, key, (const char *const[]){__VA_ARGS__, NULL})

static void a_customer_is_an_id_or_my_customer(void **state)
{
	ACCEPTS("google", "customer", "", "C01234567", "C01abcDEF", "my_customer");
	REFUSES("google", "customer", "01234567", "C", "C0/../x", "customers/C01", "example.com",
		"C01 C02", "C0123456789012345678901234567890123");
}

static void an_administrator_is_one_address(void **state)
{
	ACCEPTS("google", "subject", "", "admin@example.com", "o'brien+x@sub.example.com");
	REFUSES("google", "subject", "admin", "@example.com", "admin@", "admin@localhost",
		"a@b@example.com", "admin@example.com other@example.com", "Ada <ada@example.com>");
}

static void google_is_reached_by_https_only(void **state)
{
	ACCEPTS("google", "endpoint", "https://cloudidentity.googleapis.com",
		"https://127.0.0.1:8443", "https://[::1]:8443/", "https://emulator");
	REFUSES("google", "endpoint", "", "http://127.0.0.1:80", "http://localhost",
		"cloudidentity.googleapis.com", "https://", "https:///", "https://host/path",
		"https://host:0", "https://host:65536", "https://host:port", "https://me:pw@host",
		"https://host?x", "https://ho st", "https://-host", "https://[::1");
	ACCEPTS("google", "token_endpoint", "https://oauth2.googleapis.com/token",
		"https://127.0.0.1:1/a/b%20c");
	REFUSES("google", "token_endpoint", "", "http://localhost/token", "https://me@host/token",
		"https://host/to ken", "https://host/token#x", "https://host/token?x=\"y\"",
		"ftp://host/token");
}

static void only_versions_that_are_known_are_used(void **state)
{
	ACCEPTS("google", "api_version", "v1", "v1beta1");
	REFUSES("google", "api_version", "", "v2", "1", "V1");
}

static void a_proxy_is_a_url(void **state)
{
	ACCEPTS("google", "proxy", "", "http://proxy:3128", "https://proxy.example.com",
		"socks5h://[::1]:1080/", "socks5://127.0.0.1:1080", "http://me@proxy:3128",
		"HTTP://proxy:3128", "Socks5H://proxy:1080");
	REFUSES("google", "proxy", "proxy:3128", "ftp://proxy", "http://", "http://proxy:x",
		"http://proxy/path", "http://a b", "socks4://proxy:1080", "HTTP://proxy/path",
		"http://proxy:70000", "http://proxy:3128?x", "http://proxy:3128#x");
}

static void a_proxys_password_can_be_read_in_one_way_only(void **state)
{
	ACCEPTS("google", "proxy", "http://me:p%40ss%3A%25%2f@proxy:3128", "http://me:a:b@proxy:1",
		"http://DOM;me:!$&'()*+,=~@proxy:3128", "https://me:%c3%bc@[::1]:3128");
	REFUSES("google", "proxy", "http://me:p@ss@proxy:3128", "http://:pw@proxy", "http://@proxy",
		"http://me:pw%@proxy", "http://me:pw%4@proxy", "http://me:pw%zz@proxy",
		"http://me:pw%00@proxy", "http://me:pw%0d%0aX@proxy", "http://me:pw%7f@proxy",
		"http://me:pw%7F@proxy", "http://me:p/w@proxy", "http://me:p?w@proxy",
		"http://me:p#w@proxy", "http://me:p\\w@proxy", "http://me:[@proxy",
		"http://me:pw@evil@proxy", "http://me:\xc3\xbc@proxy");
}

static void hosts_without_the_proxy_are_hosts(void **state)
{
	ACCEPTS("google", "no_proxy", "", "google.internal", ".example.com proxyless.example.org",
		"localhost,intranet", "127.0.0.1", "::1 fd00::12", "[::1] [fd00::12]");
	REFUSES("google", "no_proxy", "*", "*.example.com", "host:443", "[::1]:443", "127.0.0.1:80",
		"https://host", "host/path", "10.0.0.0/8", "[host]", "host.", "a;b", "[::1",
		"user@host");
}

static void files_are_absolute_paths(void **state)
{
	ACCEPTS("google", "credentials", "", "/etc/x.json");
	REFUSES("google", "credentials", "x.json", "~/x.json", "./x");
	ACCEPTS("storage", "spool", "/var/spool/cloudinvite", "/tmp/x/");
	REFUSES("storage", "spool", "", "spool", "../spool");
	REFUSES("storage", "passwd", "", "passwd");
	ACCEPTS("storage", "metrics_file", "", "/var/lib/x.prom");
	REFUSES("people", "map", "addresses.map");
}

static void an_address_template_has_one_person_in_it_and_a_fixed_domain(void **state)
{
	ACCEPTS("people", "address", "", "{user}@example.com", "{first}.{last}@example.com",
		"x-{user}@sub.example.com");
	REFUSES("people", "address", "{user}", "{user}@", "@example.com", "all@example.com",
		"{uid}@example.com", "{user@example.com", "user}@example.com", "{user}@{user}",
		"{user}@localhost", "{user}@example.com@evil.com", "{user} x@example.com",
		"\"{user}\"@example.com", "{user}%evil.com@example.com");
}

static void domains_are_whole_names(void **state)
{
	ACCEPTS("people", "domains", "", "example.com", "example.com example.org,sub.example.net");
	REFUSES("people", "domains", "example", "*.example.com", "@example.com", "example..com",
		"example.com.", "-x.example.com", "https://example.com", "m\xc3\xbcller.example");
}

static void uids_and_numbers_have_bounds(void **state)
{
	ACCEPTS("people", "min_uid", "0", "4294967294");
	REFUSES("people", "min_uid", "", "-1", "4294967295", "0x10", "1e3", "many", "1 2");
	ACCEPTS("google", "requests_per_minute", "0", "600");
	REFUSES("google", "requests_per_minute", "601", "-1");
	ACCEPTS("google", "parallel", "1", "256");
	REFUSES("google", "parallel", "0", "257");
	ACCEPTS("invitations", "sends_per_day", "0", "100000");
	REFUSES("invitations", "sends_per_day", "100001", "99999999999999999999");
	ACCEPTS("invitations", "max_mails", "1", "10");
	REFUSES("invitations", "max_mails", "0", "11");
}

static void spans_of_time_have_units_and_bounds(void **state)
{
	ACCEPTS("google", "timeout", "1s", "20", "5m");
	REFUSES("google", "timeout", "", "0", "6m", "1 hour", "-1s", "1.5s");
	ACCEPTS("invitations", "creation_delay", "0", "60m");
	REFUSES("invitations", "creation_delay", "61m");
	ACCEPTS("invitations", "resync_interval", "0", "24h", "90d");
	REFUSES("invitations", "resync_interval", "91d", "daily");
	ACCEPTS("privacy", "retain_history", "1d", "3650d");
	REFUSES("privacy", "retain_history", "0", "1h", "11y");
	ACCEPTS("privacy", "retain_gone", "0", "30d");
}

static void choices_are_the_words_of_the_design(void **state)
{
	ACCEPTS("invitations", "mode", "dry-run", "send");
	REFUSES("invitations", "mode", "", "Send", "dry_run", "yes");
	ACCEPTS("invitations", "triggers", "login", "created", "created, login");
	REFUSES("invitations", "triggers", "", "logout", "login created deleted");
	ACCEPTS("invitations", "discovered", "hold", "send", "ignore");
	REFUSES("invitations", "discovered", "release");
	ACCEPTS("privacy", "log_addresses", "masked", "full");
	REFUSES("privacy", "log_addresses", "none");
	ACCEPTS("worker", "role", "standalone", "host", "hub");
	REFUSES("worker", "role", "both");
	ACCEPTS("people", "gecos", "yes", "no", "on", "false");
	REFUSES("people", "gecos", "", "1", "maybe");
}

static void a_ledger_is_sqlite_or_postgresql(void **state)
{
	ACCEPTS("storage", "ledger", "sqlite:/x/ledger.db",
		"postgresql://db.example.com/cloudinvite");
	REFUSES("storage", "ledger", "", "/x/ledger.db", "sqlite:ledger.db", "mysql://db/x");
}

static void a_window_is_checked_when_it_is_read(void **state)
{
	ACCEPTS("invitations", "send_window", "", "Mon-Fri 08:00-18:00 UTC");
	REFUSES("invitations", "send_window", "Mon-Fri 08:00-18:00", "always",
		"Mon-Fri 08:00-18:00 Mars/Olympus");
}

static void a_worker_is_a_users_name(void **state)
{
	ACCEPTS("worker", "dispatcher_user", "cloudinvite", "_inviter", "svc.x-1");
	REFUSES("worker", "dispatcher_user", "", "-x", "a b", "a/b", "a:b",
		"a-name-that-is-much-too-long-for-a-user");
}

static void users_are_kept_in_lower_case_and_groups_as_they_are(void **state)
{
	struct settings *s = settings_load(
		folder_write(*state, MAIN,
			"[people]\nexclude_users = Bob CORP\\Eve\nallow_reserved_names = Admin\n"
			"include_groups = Domain-Users\n"),
		NULL);

	assert_non_null(s);
	assert_string_equal(s->exclude_users, "bob corp\\eve");
	assert_string_equal(s->allow_reserved_names, "admin");
	assert_string_equal(s->include_groups, "Domain-Users");
	settings_free(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_key_of_the_design_is_there_with_its_default_and_no_other),
		TEST(every_key_is_in_the_manual_with_its_default),
		TEST(the_shipped_sample_loads_and_reports_what_is_missing),
		TEST(a_customer_is_an_id_or_my_customer),
		TEST(an_administrator_is_one_address),
		TEST(google_is_reached_by_https_only),
		TEST(only_versions_that_are_known_are_used),
		TEST(a_proxy_is_a_url),
		TEST(a_proxys_password_can_be_read_in_one_way_only),
		TEST(hosts_without_the_proxy_are_hosts),
		TEST(files_are_absolute_paths),
		TEST(an_address_template_has_one_person_in_it_and_a_fixed_domain),
		TEST(domains_are_whole_names),
		TEST(uids_and_numbers_have_bounds),
		TEST(spans_of_time_have_units_and_bounds),
		TEST(choices_are_the_words_of_the_design),
		TEST(a_ledger_is_sqlite_or_postgresql),
		TEST(a_window_is_checked_when_it_is_read),
		TEST(a_worker_is_a_users_name),
		TEST(users_are_kept_in_lower_case_and_groups_as_they_are),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
