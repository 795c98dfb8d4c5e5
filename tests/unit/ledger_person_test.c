/* SPDX-License-Identifier: Apache-2.0 */
/* Shows L5, L6, L14 (common/ledger/README.md). */
/*
 * People: their states, who claims them, and when.
 */
#include "base/array.h"
#include "base/str.h"
#include "ledger_site.h"

#define ALICE "alice@example.com"
#define BOB   "bob@example.com"
#define LATER 1000

static struct person waiting(const char *address, enum priority priority, int64_t due)
{
	struct person p = somebody(address, PERSON_QUEUED);

	p.priority = priority;
	p.next_attempt = due;
	return p;
}

static int claim(struct site *site, int64_t now, const char *owner, struct person *out, int max)
{
	int n = ledger_claim(
		site->ledger, now, PRIO_BACKGROUND, owner, now + 60, out, max, &site->fault);

	GOOD(site, n >= 0);
	return n;
}

static int64_t next_due(struct site *site)
{
	int64_t due = -1;

	GOOD(site, ledger_next_due(site->ledger, &due, &site->fault));
	return due;
}

static void a_person_comes_back_as_it_was_put(void **state)
{
	struct site *site = *state;
	struct person p = {.address = ALICE,
		.state = PERSON_UNCONFIRMED,
		.reason = REASON_UNCONFIRMED,
		.next_attempt = 1,
		.priority = PRIO_RETRY,
		.attempts = 2,
		.fault_code = "later",
		.fault_text = "503",
		.mails = 3,
		.our_mails = 4,
		.intent_at = 5,
		.intent_date = 6,
		.intent_mails = 7,
		.approved = true,
		.resend = true,
		.discovered = true,
		.address_changed = true,
		.checked = 8,
		.first_day = DAY};
	struct person found;

	assert_int_equal(ledger_person(site->ledger, ALICE, &found, &site->fault), 0);
	put(site, &p);
	found = person(site, ALICE);
	p.changed = found.changed;
	p.orphaned_since = found.orphaned_since;
	assert_memory_equal(&found, &p, sizeof(p));
	assert_in_range(clock_wall() - found.changed, 0, 5);
}

static void every_state_has_its_word(void **state)
{
	struct site *site = *state;
	enum person_state parsed;

	for (int i = 0; i < PERSON_STATES; i++) {
		put_new(site, ALICE, (enum person_state)i);
		assert_int_equal(person(site, ALICE).state, i);
		assert_true(person_state_parse(person_state_word((enum person_state)i), &parsed));
		assert_int_equal(parsed, i);
	}
	assert_false(person_state_parse("Queued", &parsed));
	assert_false(person_state_parse("", &parsed));
}

static void an_unknown_word_is_an_error(void **state)
{
	struct site *site = *state;
	struct person p;

	put_new(site, ALICE, PERSON_QUEUED);
	site_sql(site, "UPDATE person SET state = 'blissful'");
	assert_int_equal(ledger_person(site->ledger, ALICE, &p, &site->fault), -1);
	assert_true(site_fault(site, "ledger_unexpected"));
	assert_non_null(strstr(site->fault.what, "blissful"));
}

static void history_has_every_change_of_state_or_reason_and_no_other(void **state)
{
	struct site *site = *state;
	struct person p = somebody(ALICE, PERSON_QUEUED);
	int64_t changed;

	put(site, &p);
	site_sql(site, "UPDATE person SET changed = 77");
	p.attempts = 3;
	put(site, &p);
	changed = person(site, ALICE).changed;
	assert_int_equal(changed, 77);
	assert_int_equal(site_number(site, "SELECT count(*) FROM history"), 1);
	p.reason = REASON_DAILY_LIMIT;
	put(site, &p);
	p.state = PERSON_HELD;
	put(site, &p);
	assert_int_equal(site_number(site, "SELECT count(*) FROM history"), 3);
	assert_true(person(site, ALICE).changed > 77);
	assert_int_equal(
		site_number(site, "SELECT event = 'held' AND cause = 'a test' AND actor = 'tester'"
				  " FROM history ORDER BY id DESC LIMIT 1"),
		1);
}

/* ---- the order of people ---- */

static void claims_take_new_people_first_then_retries_then_background_oldest_first(void **state)
{
	static const char *const order[] = {
		"n1@x.com", "n2@x.com", "r1@x.com", "r2@x.com", "s1@x.com"};
	struct site *site = *state;
	struct person people[] = {
		waiting("s1@x.com", PRIO_BACKGROUND, 10),
		waiting("r2@x.com", PRIO_RETRY, 40),
		waiting("n2@x.com", PRIO_NEW, 90),
		waiting("n1@x.com", PRIO_NEW, 80),
		waiting("r1@x.com", PRIO_RETRY, 30),
		waiting("n3@x.com", PRIO_NEW, LATER + 1),
	};
	struct person out[8];

	for (size_t i = 0; i < ARRAY_SIZE(people); i++)
		put(site, &people[i]);
	assert_int_equal(next_due(site), 10);
	assert_int_equal(claim(site, LATER, "one", out, 3), 3);
	for (int i = 0; i < 3; i++)
		assert_string_equal(out[i].address, order[i]);
	assert_int_equal(claim(site, LATER, "two", out, 8), 2);
	assert_string_equal(out[0].address, order[3]);
	assert_string_equal(out[1].address, order[4]);
	assert_int_equal(claim(site, LATER, "two", out, 8), 0);
	assert_int_equal(next_due(site), LATER + 1);
}

static void resyncs_can_be_left_aside(void **state)
{
	struct site *site = *state;
	struct person p = waiting(ALICE, PRIO_BACKGROUND, 10), out[2];

	put(site, &p);
	assert_int_equal(ledger_claim(site->ledger, LATER, PRIO_RETRY, "one", LATER + 60, out, 2,
				 &site->fault),
		0);
	assert_int_equal(claim(site, LATER, "one", out, 2), 1);
}

static void only_a_person_with_something_due_is_claimed(void **state)
{
	static const bool claimable[PERSON_STATES] = {
		[PERSON_QUEUED] = true,
		[PERSON_UNCONFIRMED] = true,
		[PERSON_SENDING] = true,
		[PERSON_INVITED] = true,
	};
	struct site *site = *state;

	for (int i = 0; i < PERSON_STATES; i++) {
		struct person p = somebody(ALICE, (enum person_state)i), out[2];

		p.next_attempt = 10;
		put(site, &p);
		assert_int_equal(next_due(site), claimable[i] ? 10 : 0);
		assert_int_equal(claim(site, LATER, "one", out, 2), claimable[i]);
		p.next_attempt = 0;
		put(site, &p);
		assert_int_equal(next_due(site), 0);
		assert_int_equal(claim(site, LATER, "one", out, 2), 0);
	}
}

/* ---- leases ---- */

static void a_lease_ends_with_the_result_with_release_or_with_time(void **state)
{
	struct site *site = *state;
	struct person p = waiting(ALICE, PRIO_NEW, 10), out[2];

	put(site, &p);
	assert_int_equal(claim(site, LATER, "one", out, 2), 1);
	assert_int_equal(next_due(site), LATER + 60);
	assert_int_equal(claim(site, LATER + 59, "two", out, 2), 0);
	assert_int_equal(claim(site, LATER + 60, "two", out, 2), 1); /* one has died */

	GOOD(site, ledger_release(site->ledger, "one", NULL, &site->fault));
	assert_int_equal(claim(site, LATER + 61, "three", out, 2), 0); /* it is two's now */
	GOOD(site, ledger_release(site->ledger, "two", BOB, &site->fault));
	assert_int_equal(claim(site, LATER + 61, "three", out, 2), 0);
	GOOD(site, ledger_release(site->ledger, "two", ALICE, &site->fault));
	assert_int_equal(next_due(site), 10);
	assert_int_equal(claim(site, LATER + 61, "three", out, 2), 1);

	put(site, &p);
	assert_int_equal(claim(site, LATER + 62, "four", out, 2), 1);
}

static void one_person_can_be_leased_by_name(void **state)
{
	struct site *site = *state;
	struct ledger *l = site->ledger;
	struct person p = somebody(ALICE, PERSON_DECLINED), out;

	assert_int_equal(ledger_lease(l, ALICE, "cli", LATER, LATER + 60, &out, &site->fault), 0);
	put(site, &p);
	assert_int_equal(ledger_lease(l, ALICE, "cli", LATER, LATER + 60, &out, &site->fault), 1);
	assert_int_equal(out.state, PERSON_DECLINED);
	assert_int_equal(ledger_lease(l, ALICE, "other", LATER, LATER + 60, &out, &site->fault), 0);
	assert_int_equal(ledger_lease(l, ALICE, "cli", LATER, LATER + 90, &out, &site->fault), 1);
	assert_int_equal(
		ledger_lease(l, ALICE, "other", LATER + 89, LATER + 99, &out, &site->fault), 0);
	assert_int_equal(
		ledger_lease(l, ALICE, "other", LATER + 90, LATER + 99, &out, &site->fault), 1);
	assert_int_equal(next_due(site), 0); /* declined: a lease makes no person due */
}

static void an_intent_stays_with_the_process_that_committed_it(void **state)
{
	struct site *site = *state;
	struct ledger *l = site->ledger;
	struct person p = waiting(ALICE, PRIO_NEW, 10), out[2];

	for (int known = 0; known < 2; known++) {
		p.state = PERSON_SENDING;
		GOOD(site, ledger_person_store(l, &(struct person_step){.next = p},
				   known ? &p : NULL, "one", LATER + 60, "one", &site->fault));
		assert_int_equal(next_due(site), LATER + 60);
		assert_int_equal(claim(site, LATER, "two", out, 2), 0);
		assert_int_equal(ledger_may_lease(l, ALICE, "two", LATER, out, &site->fault), 0);
		assert_int_equal(ledger_may_lease(l, ALICE, "one", LATER, out, &site->fault), 1);
		assert_int_equal(out[0].state, PERSON_SENDING);
		assert_int_equal(
			ledger_may_lease(l, ALICE, "two", LATER + 60, out, &site->fault), 1);
		assert_int_equal(ledger_may_lease(l, BOB, "two", LATER, out, &site->fault), 0);
		assert_int_equal(claim(site, LATER + 60, "two", out, 2), 1); /* one has died */
		p.state = PERSON_QUEUED;
		put(site, &p);
	}
}

static void a_lease_from_a_wrong_clock_does_not_block_a_person_for_ever(void **state)
{
	struct site *site = *state;
	struct person p = waiting(ALICE, PRIO_NEW, 10), out[2];
	int64_t year = 365 * DAY;

	put(site, &p);
	assert_int_equal(claim(site, LATER + year, "one", out, 2), 1); /* a clock a year ahead */
	assert_int_equal(claim(site, LATER, "two", out, 2), 1);
	GOOD(site, ledger_release(site->ledger, "two", NULL, &site->fault));
	assert_int_equal(claim(site, LATER + year, "one", out, 2), 1);
	assert_int_equal(
		ledger_lease(site->ledger, ALICE, "two", LATER, LATER + 60, out, &site->fault), 1);
}

#define CROWD 300

static bool claims_all(struct site *site, int number)
{
	struct ledger *l = site_open(site, LEDGER_WRITE);
	struct person out[7];
	char owner[16];

	str_format(owner, sizeof(owner), "owner%d", number);
	for (int n = 1; l && n != 0;) {
		n = ledger_claim(
			l, LATER, PRIO_BACKGROUND, owner, LATER + 60, out, 7, &site->fault);
		if (n < 0)
			return false;
		for (int i = 0; i < n; i++)
			if (!ledger_note(l,
				    &(struct history_entry){.event = "claimed", .actor = "x"},
				    &site->fault))
				return false;
	}
	ledger_close(l);
	return l;
}

static void programs_that_claim_at_once_never_claim_the_same(void **state)
{
	struct site *site = *state;
	char address[64];

	GOOD(site, ledger_begin(site->ledger, &site->fault));
	for (int i = 0; i < CROWD; i++) {
		struct person p;

		str_format(address, sizeof(address), "user%d@example.com", i);
		p = waiting(address, (enum priority)(i % 3), 10 + i);
		put(site, &p);
	}
	GOOD(site, ledger_commit(site->ledger, &site->fault));
	at_once(site, 4, claims_all);
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM history WHERE event = 'claimed'"), CROWD);
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM person WHERE lease_owner LIKE 'owner%'"),
		CROWD);
}

/* ---- all people ---- */

struct page {
	int count;
	char last[ADDRESS_MAX + 1];
};

static bool turn(const struct person *p, void *ctx)
{
	struct page *page = ctx;

	assert_true(strcmp(p->address, page->last) > 0);
	str_copy(page->last, sizeof(page->last), p->address);
	page->count++;
	return true;
}

static void people_come_in_pages_in_order_of_address(void **state)
{
	struct site *site = *state;
	struct page page = {.count = 0};
	char address[64];

	for (int i = 0; i < 25; i++) {
		str_format(address, sizeof(address), "user%d@example.com", i * 7 % 25);
		put_new(site, address, i % 5 == 0 ? PERSON_FAILED : PERSON_INVITED);
	}
	for (int pages = 1; pages <= 3; pages++) {
		GOOD(site, ledger_each_person(
				   site->ledger, -1, page.last, 10, turn, &page, &site->fault));
		assert_int_equal(page.count, pages < 3 ? pages * 10 : 25);
	}
	page = (struct page){.count = 0};
	GOOD(site, ledger_each_person(
			   site->ledger, PERSON_FAILED, NULL, 0, turn, &page, &site->fault));
	assert_int_equal(page.count, 5);
}

/* Any way of changing people and accounts, in any order: the counts stay those of the rows. */
static void the_summary_counts_what_is_there(void **state)
{
	struct site *site = *state;
	struct ledger_summary sum;
	unsigned random = 4711;
	char user[32], address[64], sql[160];

	print_message("# seed %u\n", random);
	GOOD(site, ledger_begin(site->ledger, &site->fault));
	for (int i = 0; i < 2000; i++) {
		unsigned who, what;

		random = random * 1103515245u + 12345u;
		who = (random >> 8) % 40;
		what = (random >> 20) % 8;
		str_format(user, sizeof(user), "user%u", who);
		str_format(address, sizeof(address), "user%u@example.com", who);
		if (what == 0)
			saw(site, "web1", user);
		else if (what == 1 && seen(site, "web1", user).id != 0)
			classify(site, "web1", user, random % 3 != 0 ? address : "", RULES);
		else if (what == 2)
			GOOD(site, ledger_account_removed(
					   site->ledger, "web1", user, &site->fault) >= 0);
		else if (what == 3)
			GOOD(site, ledger_forget(site->ledger, address, NULL, &site->fault) >= 0);
		else if (what == 4)
			GOOD(site, ledger_block(site->ledger, address, "x", "t", &site->fault));
		else if (what == 5)
			GOOD(site, ledger_unblock(site->ledger, address, "t", &site->fault) >= 0);
		else
			put_new(site, address, (enum person_state)(random % PERSON_STATES));
	}
	GOOD(site, ledger_commit(site->ledger, &site->fault));
	GOOD(site, ledger_summarise(site->ledger, clock_wall(), &sum, &site->fault));
	for (int i = 0; i < PERSON_STATES; i++) {
		str_format(sql, sizeof(sql), "SELECT count(*) FROM person WHERE state = '%s'",
			person_state_word((enum person_state)i));
		assert_int_equal(sum.people[i], site_number(site, sql));
	}
	for (int i = 0; i <= VERDICT_COLLISION; i++) {
		str_format(sql, sizeof(sql),
			"SELECT count(*) FROM sighting WHERE verdict = '%s' AND gone_day IS NULL",
			verdict_word((enum verdict_kind)i));
		assert_int_equal(sum.sightings[i], site_number(site, sql));
	}
	assert_int_equal(sum.queue[PRIO_NEW],
		site_number(site, "SELECT count(*) FROM person WHERE state = 'queued'"));
	assert_int_equal(sum.blocked, site_number(site, "SELECT count(*) FROM block"));
	assert_true(sum.people[PERSON_QUEUED] > 0 && sum.blocked > 0); /* all kinds were present */
}

static void the_summary_knows_what_waits_longest(void **state)
{
	struct site *site = *state;
	struct person p = somebody(ALICE, PERSON_UNCONFIRMED);
	struct ledger_summary sum;

	GOOD(site, ledger_summarise(site->ledger, LATER, &sum, &site->fault));
	assert_int_equal(sum.oldest_due, 0);
	assert_int_equal(sum.oldest_unconfirmed, 0);
	p.intent_at = 500;
	p.next_attempt = 700;
	put(site, &p);
	p = somebody(BOB, PERSON_QUEUED);
	p.next_attempt = 600;
	p.priority = PRIO_BACKGROUND;
	put(site, &p);
	GOOD(site, ledger_summarise(site->ledger, LATER, &sum, &site->fault));
	assert_int_equal(sum.oldest_due, 600);
	assert_int_equal(sum.oldest_unconfirmed, 500);
	assert_int_equal(sum.queue[PRIO_BACKGROUND], 1);
	assert_int_equal(sum.queue[PRIO_NEW], 0);
}

static bool add_reason(const char *reason, int64_t count, void *ctx)
{
	char *out = ctx;

	str_format(out + strlen(out), 128 - strlen(out), "%s %lld, ", reason, (long long)count);
	return true;
}

static void reasons_are_counted_most_frequent_first(void **state)
{
	struct site *site = *state;
	struct person p = somebody(ALICE, PERSON_HELD);
	char reasons[128] = "";

	p.reason = REASON_DRY_RUN;
	put(site, &p);
	p.reason = REASON_DISCOVERED;
	put(site, &p);
	str_copy(p.address, sizeof(p.address), BOB);
	put(site, &p);
	str_copy(p.address, sizeof(p.address), "carol@example.com");
	p.reason = REASON_COLLISION;
	put(site, &p);
	GOOD(site,
		ledger_each_reason(site->ledger, PERSON_HELD, add_reason, reasons, &site->fault));
	assert_string_equal(reasons, "discovered 2, collision 1, ");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, site_new, site_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_person_comes_back_as_it_was_put),
		TEST(every_state_has_its_word),
		TEST(an_unknown_word_is_an_error),
		TEST(history_has_every_change_of_state_or_reason_and_no_other),
		TEST(claims_take_new_people_first_then_retries_then_background_oldest_first),
		TEST(resyncs_can_be_left_aside),
		TEST(only_a_person_with_something_due_is_claimed),
		TEST(a_lease_ends_with_the_result_with_release_or_with_time),
		TEST(one_person_can_be_leased_by_name),
		TEST(an_intent_stays_with_the_process_that_committed_it),
		TEST(a_lease_from_a_wrong_clock_does_not_block_a_person_for_ever),
		TEST(programs_that_claim_at_once_never_claim_the_same),
		TEST(people_come_in_pages_in_order_of_address),
		TEST(the_summary_counts_what_is_there),
		TEST(the_summary_knows_what_waits_longest),
		TEST(reasons_are_counted_most_frequent_first),
	};

	return cmocka_run_group_tests_name("ledger: people", tests, NULL, NULL);
}
