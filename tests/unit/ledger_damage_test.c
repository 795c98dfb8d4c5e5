/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger whose files do not belong together.
 */
#include "base/str.h"
#include "ledger_site.h"

#include <limits.h>
#include <stdio.h>

/* A copy of the files that a program has open, as a backup and what a killed program leaves. */
static void copy(const char *from, const char *to)
{
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	char bytes[4096];
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		assert_int_equal(fwrite(bytes, 1, n, out), n);
	assert_int_equal(ferror(in), 0);
	assert_int_equal(fclose(in), 0);
	assert_int_equal(fclose(out), 0);
}

static void see_users(struct site *site, int from, int to)
{
	char user[32];

	for (int i = from; i < to; i++) {
		str_format(user, sizeof(user), "user%d", i * 7919 % 1000);
		saw(site, "web1", user);
	}
}

/* SQLite mixes the pages of both, and reads them without a word. */
static void a_backup_beside_an_old_log_is_noticed(void **state)
{
	struct site *site = *state;
	char log[PATH_MAX], kept_log[PATH_MAX], backup[PATH_MAX];

	str_format(log, sizeof(log), "%s-wal", site_file(site));
	str_format(kept_log, sizeof(kept_log), "%s.kept", log);
	str_format(backup, sizeof(backup), "%s.backup", site_file(site));
	site->ledger = site_open(site, LEDGER_CREATE);
	assert_non_null(site->ledger);
	see_users(site, 0, 5);
	ledger_close(site->ledger);
	copy(site_file(site), backup);
	site->ledger = site_open(site, LEDGER_WRITE);
	assert_non_null(site->ledger);
	assert_true(ledger_check_unclosed(site->ledger, &site->fault));
	assert_true(ledger_check(site->ledger, &site->fault));
	see_users(site, 5, 200);
	copy(log, kept_log);
	ledger_close(site->ledger);
	copy(backup, site_file(site));
	copy(kept_log, log);
	site->ledger = site_open(site, LEDGER_WRITE);
	if (site->ledger)
		assert_false(ledger_check_unclosed(site->ledger, &site->fault));
	assert_true(site_fault(site, "ledger_damaged"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_backup_beside_an_old_log_is_noticed, site_prepare, site_free),
	};

	return cmocka_run_group_tests_name("ledger: damage", tests, NULL, NULL);
}
