/* SPDX-License-Identifier: Apache-2.0 */
/* Shows L1, L2 (common/ledger/README.md). */
/*
 * Commits: changes that belong together are there together, or not at all, whenever a program dies.
 */
#include "base/str.h"
#include "ledger_site.h"

#include <signal.h>
#include <time.h>

#define SEED   20261123u
#define ROUNDS 30

static int64_t count_people(struct site *site)
{
	return site_number(site, "SELECT count(*) FROM person");
}

static void a_change_outside_a_group_is_committed_at_once(void **state)
{
	put_new(*state, "alice@example.com", PERSON_QUEUED);
	assert_int_equal(count_people(*state), 1);
}

static void a_group_is_seen_by_others_as_a_whole(void **state)
{
	struct site *site = *state;

	GOOD(site, ledger_begin(site->ledger, &site->fault));
	put_new(site, "alice@example.com", PERSON_QUEUED);
	put_new(site, "bob@example.com", PERSON_QUEUED);
	assert_int_equal(count_people(site), 0);
	assert_string_equal(state_of(site, "bob@example.com"), "queued first_check");
	GOOD(site, ledger_commit(site->ledger, &site->fault));
	assert_int_equal(count_people(site), 2);
}

static void a_group_that_is_rolled_back_never_was(void **state)
{
	struct site *site = *state;

	GOOD(site, ledger_begin(site->ledger, &site->fault));
	put_new(site, "alice@example.com", PERSON_QUEUED);
	ledger_rollback(site->ledger);
	assert_int_equal(count_people(site), 0);
	ledger_rollback(site->ledger); /* without a transaction it does nothing */
	put_new(site, "bob@example.com", PERSON_QUEUED);
	assert_int_equal(count_people(site), 1);
}

static void groups_do_not_nest(void **state)
{
	struct site *site = *state;

	GOOD(site, ledger_begin(site->ledger, &site->fault));
	put_new(site, "alice@example.com", PERSON_QUEUED);
	assert_false(ledger_begin(site->ledger, &site->fault));
	assert_true(site_fault(site, "ledger_nested"));
	GOOD(site, ledger_commit(site->ledger, &site->fault)); /* the outer one continues */
	assert_int_equal(count_people(site), 1);
	assert_false(ledger_commit(site->ledger, &site->fault));
	assert_true(site_fault(site, "ledger_transaction_aborted"));
}

static void a_group_in_which_something_failed_cannot_be_committed(void **state)
{
	struct person unlawful = somebody("", PERSON_QUEUED);
	struct site *site = *state;

	GOOD(site, ledger_begin(site->ledger, &site->fault));
	put_new(site, "alice@example.com", PERSON_QUEUED);
	assert_false(ledger_person_put(site->ledger, &unlawful, "", "", &site->fault));
	assert_true(site_fault(site, "ledger_failed"));
	assert_false(ledger_set(site->ledger, "after", "it", &site->fault));
	assert_true(site_fault(site, "ledger_transaction_aborted"));
	assert_false(ledger_commit(site->ledger, &site->fault));
	assert_true(site_fault(site, "ledger_transaction_aborted"));
	assert_int_equal(count_people(site), 0);
	put_new(site, "bob@example.com", PERSON_QUEUED); /* and the handle can still be used */
	assert_int_equal(count_people(site), 1);
}

static bool ask_again(const struct person *p, void *ctx)
{
	struct site *site = ctx;
	struct person other;

	assert_int_equal(ledger_person(site->ledger, p->address, &other, &site->fault), 1);
	assert_false(ledger_each_person(
		site->ledger, -1, NULL, 0, ask_again, ctx, &site->fault)); /* the same: refused */
	return true;
}

static void each_may_ask_other_things_and_is_told_when_it_asks_the_same(void **state)
{
	struct site *site = *state;

	put_new(site, "alice@example.com", PERSON_QUEUED);
	GOOD(site, ledger_each_person(site->ledger, -1, NULL, 0, ask_again, site, &site->fault));
	assert_true(site_fault(site, "ledger_nested"));
}

static void a_reader_reads_while_another_program_writes(void **state)
{
	struct site *site = *state;
	struct ledger *reader = site_open(site, LEDGER_READ);
	struct person p;

	GOOD(site, reader);
	GOOD(site, ledger_begin(site->ledger, &site->fault));
	put_new(site, "alice@example.com", PERSON_QUEUED);
	assert_int_equal(ledger_person(reader, "alice@example.com", &p, &site->fault), 0);
	GOOD(site, ledger_commit(site->ledger, &site->fault));
	assert_int_equal(ledger_person(reader, "alice@example.com", &p, &site->fault), 1);
	assert_false(ledger_person_put(reader, &p, "", "", &site->fault));
	assert_true(site_fault(site, "ledger_read_only"));
	ledger_close(reader);
}

/* ---- kill -9 ---- */

/* Transactions of an intent and its send, on which at-most-one depends, until it is killed. */
static void write_pairs(struct site *site)
{
	struct ledger *l = site_open(site, LEDGER_WRITE);
	struct person p = somebody("x", PERSON_SENDING);

	for (int i = 0; l; i++) {
		str_format(p.address, sizeof(p.address), "p%d-%d@example.com", (int)getpid(), i);
		p.intent_at = 1000;
		if (!ledger_begin(l, &site->fault) ||
			!ledger_person_put(l, &p, "send: begun", "t", &site->fault) ||
			ledger_send_begin(l, p.address, 1000, "t", &site->fault) < 0 ||
			!ledger_commit(l, &site->fault))
			break;
	}
	_exit(1);
}

static void pause_ms(unsigned ms)
{
	const struct timespec time = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&time, NULL);
}

/* However slow this host is. */
static void wait_for_a_pair(struct site *site, int64_t before)
{
	for (int n = 0; n < 2000 && count_people(site) <= before; n++)
		pause_ms(5);
}

static void kill_nine_leaves_nothing_half(void **state)
{
	struct site *site = *state;
	unsigned random = SEED;
	int64_t before = 0;

	print_message("# seed %u\n", SEED);
	for (int round = 0; round < ROUNDS; round++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			write_pairs(site);
		if (round % 2 == 0)
			wait_for_a_pair(site, before);
		random = random * 1103515245u + 12345u;
		pause_ms(15 + (random >> 16) % 40);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(site_number(site, "SELECT count(*) FROM person p LEFT JOIN send s"
						   " ON s.address = p.address WHERE s.id IS NULL"),
			0);
		assert_int_equal(
			site_number(site, "SELECT count(*) FROM send"), count_people(site));
		assert_int_equal(site_number(site, "SELECT coalesce(sum(n), 0) FROM count_person"),
			count_people(site));
		assert_true(count_people(site) >= before);
		before = count_people(site);
	}
	assert_true(before >= ROUNDS / 2);
	assert_int_equal(
		site_number(site, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

static bool counts_up(struct site *site, int number)
{
	struct ledger *l = site_open(site, LEDGER_WRITE);
	char value[32] = "0";
	long long n = 0;

	(void)number;
	for (int i = 0; i < 50; i++) {
		if (!l || !ledger_begin(l, &site->fault) ||
			ledger_get(l, "counter", value, sizeof(value), &site->fault) < 0 ||
			!str_number(value, 0, 1000000, &n))
			return false;
		str_format(value, sizeof(value), "%lld", n + 1);
		if (!ledger_set(l, "counter", value, &site->fault) ||
			!ledger_commit(l, &site->fault))
			return false;
	}
	ledger_close(l);
	return true;
}

static void groups_of_several_programs_come_one_after_the_other(void **state)
{
	struct site *site = *state;
	char value[32];

	at_once(site, 4, counts_up);
	assert_int_equal(
		ledger_get(site->ledger, "counter", value, sizeof(value), &site->fault), 1);
	assert_string_equal(value, "200");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, site_new, site_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_outside_a_group_is_committed_at_once),
		TEST(a_group_is_seen_by_others_as_a_whole),
		TEST(a_group_that_is_rolled_back_never_was),
		TEST(groups_do_not_nest),
		TEST(a_group_in_which_something_failed_cannot_be_committed),
		TEST(each_may_ask_other_things_and_is_told_when_it_asks_the_same),
		TEST(a_reader_reads_while_another_program_writes),
		TEST(kill_nine_leaves_nothing_half),
		TEST(groups_of_several_programs_come_one_after_the_other),
	};

	return cmocka_run_group_tests_name("ledger: commits", tests, NULL, NULL);
}
