/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules of one person promise, with the ledger, the engine and Google's clock: no account
 * mails the people of several addresses, and no approval outlives its account.
 */
#include "base/array.h"
#include "fake_google.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char alice[] = "alice@example.com";

static void see(struct site *s, const char *host, const char *first, const char *last)
{
	struct sighting seen = {.trigger = TRIGGER_LOGIN, .uid = 1001, .local = true};

	seen.first_seen = clock_day_start(clock_wall());
	str_copy(seen.host, sizeof(seen.host), host);
	str_copy(seen.user, sizeof(seen.user), "mallory");
	str_copy(seen.shell, sizeof(seen.shell), "/bin/bash");
	str_copy(seen.first, sizeof(seen.first), first);
	str_copy(seen.last, sizeof(seen.last), last);
	check(s, ledger_account_seen(s->ledger, &seen, &s->fault) >= 0);
}

static void set_map(struct site *s, const char *text)
{
	map_free(s->map);
	s->map = map_parse(text, strlen(text), "map", &s->fault);
	assert_non_null(s->map);
}

static void set_address_rule(struct site *s, const char *rule)
{
	free(s->settings->address);
	s->settings->address = strdup(rule);
}

static void approve(struct site *s, const char *address)
{
	struct person_event event = {.kind = EVENT_APPROVED, .now = clock_wall()};

	check(s,
		ledger_person_apply(s->ledger, address, &event, NULL, "root", NULL, &s->fault) > 0);
}

static int mails(void)
{
	int sum = 0;

	for (int n = 0; n < fake_google.account_count; n++)
		sum += fake_google.accounts[n].sends;
	return sum;
}

/* ---- one account, several addresses ---- */

static void a_slip_in_the_map_mails_no_stranger(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account("mary@example.com", 30 * DAY);
	open_account("paul@example.com", 30 * DAY);
	see_user(&s, "bob", TRIGGER_LOGIN);
	run_once(&s);
	assert_person(&s, "bob@example.com", PERSON_NOT_INVITABLE, "not_invitable");
	set_map(&s, "bob mary@example.com\n");
	run_once(&s);
	assert_person(&s, "mary@example.com", PERSON_HELD, "address_changed");
	set_map(&s, "bob paul@example.com\n");
	run_once(&s);
	assert_person(&s, "mary@example.com", PERSON_GONE, "mapped");
	assert_person(&s, "paul@example.com", PERSON_HELD, "address_changed");
	run_for(&s, 40 * DAY);
	assert_int_equal(mails(), 0);
	approve(&s, "paul@example.com");
	run_once(&s);
	assert_person(&s, "paul@example.com", PERSON_INVITED, "sent");
	assert_int_equal(mails(), 1);
	site_end(&s);
}

/* The line goes, and another one comes: the account still led elsewhere before. */
static void a_way_round_by_no_address_at_all_is_none(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	open_account("mary@example.com", 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	set_map(&s, "alice -\n");
	run_once(&s);
	set_map(&s, "alice mary@example.com\n");
	run_once(&s);
	assert_person(&s, "mary@example.com", PERSON_HELD, "address_changed");
	set_map(&s, "alice -\n");
	run_once(&s);
	assert_person(&s, "mary@example.com", PERSON_GONE, "excluded");
	set_map(&s, "alice mary@example.com\n");
	run_once(&s);
	assert_person(&s, "mary@example.com", PERSON_HELD, "address_changed");
	assert_int_equal(mails(), 1);
	site_end(&s);
}

static void another_rule_asks_about_all_and_mails_none(void **state)
{
	struct site s = site_new(*state, "", "");
	char user[32], address[64];

	for (int n = 0; n < 20; n++) {
		str_format(user, sizeof(user), "person%d", n);
		see_user(&s, user, TRIGGER_LOGIN);
		str_format(address, sizeof(address), "person%d.x@example.com", n);
		if (n % 2)
			open_account(address, 30 * DAY);
	}
	run_once(&s);
	set_address_rule(&s, "{user}.x@example.com");
	run_once(&s);
	assert_person(&s, "person1.x@example.com", PERSON_HELD, "address_changed");
	assert_person(&s, "person2.x@example.com", PERSON_NOT_INVITABLE, "not_invitable");
	assert_int_equal(mails(), 0);
	/* A newcomer under the new rule is none of them. */
	open_account("nina.x@example.com", 30 * DAY);
	see_user(&s, "nina", TRIGGER_LOGIN);
	run_once(&s);
	assert_person(&s, "nina.x@example.com", PERSON_INVITED, "sent");
	site_end(&s);
}

/* Users can change their own names: the first one counts. */
static void a_user_with_eight_names_causes_one_mail(void **state)
{
	static const char *const names[] = {"zero", "one", "two", "three", "zero", "four", "one"};
	struct site s = site_new(*state, "", "");
	char address[64];

	s.settings->gecos = true;
	set_address_rule(&s, "{first}.{last}@example.com");
	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		str_format(address, sizeof(address), "boss.%s@example.com", names[n]);
		if (!find_account(address))
			open_account(address, 30 * DAY);
		see(&s, "here", "boss", names[n]);
		run_once(&s);
		run_for(&s, 2 * HOUR);
	}
	run_for(&s, 5 * DAY);
	assert_int_equal(mails(), 1);
	assert_person(&s, "boss.zero@example.com", PERSON_INVITED, "sent");
	assert_person(&s, "boss.one@example.com", PERSON_HELD, "address_changed");
	/* The owner's own account, on another host, is not mallory's. */
	see(&s, "there", "boss", "one");
	run_once(&s);
	assert_person(&s, "boss.one@example.com", PERSON_INVITED, "sent");
	assert_int_equal(mails(), 2);
	site_end(&s);
}

static void in_dry_run_a_changed_address_is_shown_as_such(void **state)
{
	struct site s = site_new(*state, "", "mode = dry-run");

	open_account("mary@example.com", 30 * DAY);
	see_user(&s, "bob", TRIGGER_LOGIN);
	run_once(&s);
	set_map(&s, "bob mary@example.com\n");
	run_once(&s);
	assert_person(&s, "mary@example.com", PERSON_HELD, "address_changed");
	site_end(&s);
}

/* ---- renames ---- */

static void rename_account(struct site *s, const char *from, const char *to)
{
	check(s, ledger_account_renamed(s->ledger, "here", from, to, &s->fault) > 0);
	run_once(s);
}

static void an_invitation_of_a_name_that_is_gone_says_so(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	open_account("alicia@example.com", 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	rename_account(&s, "alice", "alicia");
	assert_person(&s, alice, PERSON_INVITED, "renamed");
	/* The new name is another person, with an unmanaged account of its own. */
	assert_person(&s, "alicia@example.com", PERSON_INVITED, "sent");
	/* The name is back: the same person, and no second mail. */
	rename_account(&s, "alicia", "alice");
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_person(&s, "alicia@example.com", PERSON_INVITED, "renamed");
	run_for(&s, 5 * DAY);
	assert_int_equal(account_of(alice)->sends, 1);
	assert_int_equal(fake_google.counts[GOOGLE_CANCEL], 0);
	site_end(&s);
}

static void cancel_on_delete_is_for_names_that_are_gone_too(void **state)
{
	struct site s = site_new(*state, "", "cancel_on_delete = yes");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	rename_account(&s, "alice", "alicia");
	assert_person(&s, alice, PERSON_CANCELLED, "renamed");
	assert_int_equal(fake_google.counts[GOOGLE_CANCEL], 1);
	site_end(&s);
}

/* The map gives both names the same address. */
static void a_rename_that_keeps_the_address_cancels_nothing(void **state)
{
	struct site s = site_new(*state, "", "cancel_on_delete = yes");

	open_account(alice, 30 * DAY);
	set_map(&s, "alice alice@example.com\nalicia alice@example.com\n");
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	rename_account(&s, "alice", "alicia");
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_int_equal(fake_google.counts[GOOGLE_CANCEL], 0);
	site_end(&s);
}

/* ---- blocks of people who were forgotten ---- */

static int unblock(struct site *s)
{
	s->fault = (struct fault){.kind = FAULT_NONE};
	return ledger_unblock(s->ledger, alice, "root", &s->fault);
}

static void forget_alice(struct site *s, bool block)
{
	const struct ledger_block_note note = {"forgotten", "root"};

	check(s, ledger_forget(s->ledger, alice, block ? &note : NULL, &s->fault) > 0);
}

/* Of whichever of the two commands came first. */
static void a_block_that_forget_leaves_lasts_until_google_shows_the_mail(void **state)
{
	for (int n = 0; n < 3; n++) {
		struct site s = site_new(*state, "", "");

		fake_google.lag_s = 48 * HOUR;
		open_account(alice, 30 * DAY);
		see_user(&s, "alice", TRIGGER_LOGIN);
		run_once(&s);
		assert_person(&s, alice, PERSON_INVITED, "sent");
		if (n > 0)
			check(&s, ledger_block(s.ledger, alice, "asked", "root", &s.fault));
		forget_alice(&s, n != 1);
		assert_int_equal(unblock(&s), -1);
		assert_string_equal(s.fault.code, "recent_mail");
		pass(71 * HOUR * 1000);
		assert_int_equal(unblock(&s), -1);
		see_user(&s, "alice", TRIGGER_LOGIN);
		run_once(&s);
		assert_int_equal(account_of(alice)->sends, 1);
		pass(HOUR * 1000 + 1000);
		assert_int_equal(unblock(&s), 1);
		run_once(&s);
		run_for(&s, DAY);
		assert_person(&s, alice, PERSON_INVITED, "by_others");
		assert_int_equal(account_of(alice)->sends, 1);
		site_end(&s);
	}
}

/* The clock of this host is a week ahead at the mail: Google's date counts. */
static void the_date_of_the_mail_is_googles(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	fake_google.skew_ms = 7 * DAY * 1000;
	/* Two replies, a minute apart, so that Google's clock is sure. */
	see_user(&s, "bob", TRIGGER_LOGIN);
	run_once(&s);
	run_for(&s, 60);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	forget_alice(&s, true);
	fake_google.skew_ms = 0;
	pass((72 * HOUR + 5) * 1000);
	assert_int_equal(unblock(&s), 1);
	site_end(&s);
}

static void a_block_without_a_mail_ends_at_once(void **state)
{
	struct site s = site_new(*state, "", "mode = dry-run");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	forget_alice(&s, true);
	assert_int_equal(unblock(&s), 1);
	assert_int_equal(unblock(&s), 0);
	site_end(&s);
}

/* ---- blocks and a lost ledger ---- */

static void lose_ledger(struct site *s)
{
	site_close(s);
	unlink(folder_path(s->folder, "ledger.db"));
	unlink(folder_path(s->folder, "ledger.db-wal"));
	unlink(folder_path(s->folder, "ledger.db-shm"));
	site_open(s);
}

static void a_block_survives_a_lost_ledger(void **state)
{
	struct site s = site_new(*state, "", "");
	char why[64] = "";

	open_account(alice, 30 * DAY);
	open_account("bob@example.com", 30 * DAY);
	check(&s, ledger_block(s.ledger, alice, "asked\tnot to be\nwritten to", "root", &s.fault));
	check(&s, ledger_block(s.ledger, "bob@example.com", "by mistake", "root", &s.fault));
	check(&s, ledger_unblock(s.ledger, "bob@example.com", "root", &s.fault) > 0);
	lose_ledger(&s);
	assert_int_equal(ledger_blocked(s.ledger, alice, why, sizeof(why), &s.fault), 1);
	assert_string_equal(why, "asked not to be written to");
	see_user(&s, "alice", TRIGGER_LOGIN);
	see_user(&s, "bob", TRIGGER_LOGIN);
	run_once(&s);
	run_for(&s, 4 * DAY);
	assert_int_equal(account_of(alice)->sends, 0);
	assert_int_equal(account_of("bob@example.com")->sends, 1);
	site_end(&s);
}

/* The date of the mail, too. */
static void a_forgotten_person_stays_blocked_in_a_new_ledger(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	forget_alice(&s, true);
	lose_ledger(&s);
	assert_int_equal(unblock(&s), -1);
	assert_string_equal(s.fault.code, "recent_mail");
	site_end(&s);
}

static void a_copy_that_cannot_be_read_stops_the_programs(void **state)
{
	struct site s = site_new(*state, "", "");
	struct ledger *other;

	check(&s, ledger_block(s.ledger, alice, "asked", "root", &s.fault));
	folder_write(*state, "blocks/list", "alice@example.com\tyesterday\n");
	other = ledger_open(s.settings, LEDGER_WRITE, &s.fault);
	assert_null(other);
	assert_string_equal(s.fault.code, "block_copy");
	site_end(&s);
}

/* ---- approvals ---- */

static void an_approval_does_not_count_for_the_next_account_of_that_name(void **state)
{
	struct site s = site_new(*state, "", "");

	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	open_account(alice, 30 * DAY);
	run_for(&s, DAY + HOUR);
	assert_person(&s, alice, PERSON_HELD, "discovered");
	account_of(alice)->invitable = false;
	approve(&s, alice);
	run_once(&s);
	assert_person(&s, alice, PERSON_NOT_INVITABLE, "not_invitable");
	check(&s, ledger_account_removed(s.ledger, "here", "alice", &s.fault) > 0);
	assert_false(person_of(&s, alice).approved);
	site_end(&s);
}

#define PROMISE(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_free)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PROMISE(a_slip_in_the_map_mails_no_stranger),
		PROMISE(a_way_round_by_no_address_at_all_is_none),
		PROMISE(another_rule_asks_about_all_and_mails_none),
		PROMISE(a_user_with_eight_names_causes_one_mail),
		PROMISE(in_dry_run_a_changed_address_is_shown_as_such),
		PROMISE(an_invitation_of_a_name_that_is_gone_says_so),
		PROMISE(cancel_on_delete_is_for_names_that_are_gone_too),
		PROMISE(a_rename_that_keeps_the_address_cancels_nothing),
		PROMISE(a_block_that_forget_leaves_lasts_until_google_shows_the_mail),
		PROMISE(the_date_of_the_mail_is_googles),
		PROMISE(a_block_without_a_mail_ends_at_once),
		PROMISE(a_block_survives_a_lost_ledger),
		PROMISE(a_forgotten_person_stays_blocked_in_a_new_ledger),
		PROMISE(a_copy_that_cannot_be_read_stops_the_programs),
		PROMISE(an_approval_does_not_count_for_the_next_account_of_that_name),
	};

	return cmocka_run_group_tests_name("engine: people", tests, NULL, NULL);
}
