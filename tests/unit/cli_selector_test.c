/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/str.h"
#include "cli/common/selector.h"

static char directory[] = "/tmp/cloudinvite-who.XXXXXX";
static char ledger_url[128];
static char customer[] = "C01234567", domains[] = "example.com";
static struct settings settings = {.ledger = ledger_url, .customer = customer, .domains = domains};
static struct ledger *ledger;

/* Adds a sighting with that verdict; "" for no address. */
static void seen(const char *user, const char *host, const char *address)
{
	struct verdict v = {.kind = address[0] != '\0' ? VERDICT_MAPPED : VERDICT_EXCLUDED};
	struct sighting s = {.uid = 1000, .local = true, .first_seen = 86400};
	struct fault fault = {.kind = FAULT_NONE};
	struct ledger_sighting unclassified;

	str_copy(s.user, sizeof(s.user), user);
	str_copy(s.host, sizeof(s.host), host);
	str_copy(v.address, sizeof(v.address), address);
	str_copy(v.sentence, sizeof(v.sentence), "uid 7 is outside 1000 to 60000");
	assert_int_equal(1, ledger_account_seen(ledger, &s, &fault));
	assert_int_equal(1, ledger_unclassified(ledger, 1, &unclassified, 1, &fault));
	assert_true(ledger_set_verdict(ledger, unclassified.id, 1, &v, &fault));
}

static void known(const char *address)
{
	struct person p = {.state = PERSON_INVITED, .mails = 1, .intent_mails = -1};
	struct fault fault = {.kind = FAULT_NONE};

	str_copy(p.address, sizeof(p.address), address);
	assert_true(ledger_person_put(ledger, &p, "test", "test", &fault));
}

static int open_ledger(void **state)
{
	struct fault fault = {.kind = FAULT_NONE};

	(void)state;
	if (!mkdtemp(directory))
		return -1;
	str_format(ledger_url, sizeof(ledger_url), "sqlite:%s/ledger.db", directory);
	ledger = ledger_open(&settings, LEDGER_CREATE, &fault);
	if (!ledger)
		return -1;
	seen("alice", "web1", "alice@example.com");
	seen("alice", "web2", "alice@example.com");
	seen("sam", "web1", "sam.one@example.com");
	seen("sam", "web2", "sam.two@example.com");
	seen("backup", "web1", "");
	seen("carol@corp.test", "web1", "carol@example.com");
	known("guest@elsewhere.test");
	return 0;
}

static int close_ledger(void **state)
{
	static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm"};
	char path[160];

	(void)state;
	ledger_close(ledger);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		str_format(path, sizeof(path), "%s/%s", directory, names[i]);
		(void)unlink(path);
	}
	return rmdir(directory);
}

static void assert_means(const char *typed, const char *address)
{
	struct fault fault = {.kind = FAULT_NONE};
	char out[ADDRESS_MAX + 1];

	if (!selector_resolve(ledger, &settings, typed, out, &fault))
		fail_msg("%s: %s", typed, fault.what);
	assert_string_equal(address, out);
}

static struct fault assert_refused(const char *typed, enum fault_kind kind, const char *code)
{
	struct fault fault = {.kind = FAULT_NONE};
	char out[ADDRESS_MAX + 1];

	assert_false(selector_resolve(ledger, &settings, typed, out, &fault));
	assert_int_equal(kind, fault.kind);
	assert_string_equal(code, fault.code);
	return fault;
}

static void an_address_of_ours_is_used_as_it_is_in_lower_case(void **state)
{
	(void)state;
	assert_means("Nobody.Yet@Example.COM", "nobody.yet@example.com");
	assert_means("guest@elsewhere.test", "guest@elsewhere.test");
	assert_means("stranger@elsewhere.test", "stranger@elsewhere.test");
}

static void a_user_means_the_address_that_all_sightings_lead_to(void **state)
{
	(void)state;
	assert_means("alice", "alice@example.com");
	assert_means("alice@web2", "alice@example.com");
	assert_means("alice@WEB2", "alice@example.com");
}

static void a_user_with_several_addresses_is_refused_and_they_are_listed(void **state)
{
	struct fault fault = assert_refused("sam", FAULT_USAGE, "ambiguous");

	(void)state;
	assert_non_null(strstr(fault.remedy, "sam.one@example.com"));
	assert_non_null(strstr(fault.remedy, "sam.two@example.com"));
	assert_means("sam@web2", "sam.two@example.com");
}

static void a_network_user_may_have_an_at_in_the_name(void **state)
{
	(void)state;
	assert_means("carol@corp.test", "carol@example.com");
	assert_means("carol@corp.test@web1", "carol@example.com");
}

static void an_account_without_address_says_why(void **state)
{
	struct fault fault = assert_refused("backup", FAULT_POLICY, "no_address");

	(void)state;
	assert_non_null(strstr(fault.what, "uid 7 is outside"));
	assert_non_null(strstr(fault.remedy, "explain backup"));
}

static void whoever_was_never_seen_is_refused(void **state)
{
	(void)state;
	assert_refused("nobody", FAULT_USAGE, "unknown_target");
	assert_refused("alice@web9", FAULT_USAGE, "unknown_target");
	assert_refused("", FAULT_USAGE, "unknown_target");
	assert_refused("@", FAULT_USAGE, "unknown_target");
	assert_refused("a\033[31m@b", FAULT_USAGE, "unknown_target");
	assert_refused("-rf", FAULT_USAGE, "unknown_target");
}

static void the_same_person_twice_counts_once(void **state)
{
	char *typed[] = {(char[]){"alice"}, (char[]){"ALICE@example.com"}, (char[]){"nobody"},
		(char[]){"alice@web1"}, (char[]){"sam@web1"}};
	int count = 0;
	struct target *list = selector_resolve_all(ledger, &settings, typed, 5, &count);

	(void)state;
	assert_non_null(list);
	assert_int_equal(3, count);
	assert_string_equal("alice@example.com", list[0].address);
	assert_int_equal(FAULT_USAGE, list[1].fault.kind);
	assert_string_equal("sam.one@example.com", list[2].address);
	free(list);
}

static void user_at_host_is_split_at_the_last_at(void **state)
{
	char user[USER_MAX + 1], host[HOST_MAX + 1], longest[HOST_MAX + 16];

	(void)state;
	assert_true(selector_split("a@b@C", user, host));
	assert_string_equal("a@b", user);
	assert_string_equal("c", host);
	assert_false(selector_split("alice", user, host));
	assert_false(selector_split("alice@", user, host));
	assert_false(selector_split("@web1", user, host));
	memset(longest, 'h', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	longest[1] = '@';
	assert_false(selector_split(longest, user, host));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_of_ours_is_used_as_it_is_in_lower_case),
		cmocka_unit_test(a_user_means_the_address_that_all_sightings_lead_to),
		cmocka_unit_test(a_user_with_several_addresses_is_refused_and_they_are_listed),
		cmocka_unit_test(a_network_user_may_have_an_at_in_the_name),
		cmocka_unit_test(an_account_without_address_says_why),
		cmocka_unit_test(whoever_was_never_seen_is_refused),
		cmocka_unit_test(the_same_person_twice_counts_once),
		cmocka_unit_test(user_at_host_is_split_at_the_last_at),
	};

	return cmocka_run_group_tests_name("cli_who", tests, open_ledger, close_ledger);
}
