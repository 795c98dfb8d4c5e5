/* SPDX-License-Identifier: Apache-2.0 */
/* Shows L7, L9, L13 (common/ledger/README.md). */
/*
 * Sightings: which accounts were seen, their verdicts, and what becomes of the people that they
 * lead to.
 */
#include "base/array.h"
#include "base/str.h"
#include "ledger_site.h"

#define ALICE "alice@example.com"
#define BOB   "bob@example.com"

static int unclassified(struct site *site, uint64_t rules)
{
	static struct ledger_sighting batch[16];
	int n = ledger_unclassified(site->ledger, rules, batch, 16, &site->fault);

	GOOD(site, n >= 0);
	return n;
}

static const char *verdict_of(struct site *site, const char *host, const char *user)
{
	return verdict_word(seen(site, host, user).verdict);
}

static int lost(struct site *site, const char *host, const char *user)
{
	int result = ledger_account_removed(site->ledger, host, user, &site->fault);

	GOOD(site, result >= 0);
	return result;
}

/* ---- seen ---- */

static void all_facts_come_back_as_they_were_seen(void **state)
{
	struct site *site = *state;
	struct sighting s = account("web1", "alice");
	struct ledger_sighting found;

	s.uid = 4294967294;
	s.trigger = TRIGGER_CREATED;
	s.local = false;
	memset(s.groups, 'g', sizeof(s.groups) - 1);
	str_copy(s.first, sizeof(s.first), "Zo\xc3\xab");
	str_copy(s.last, sizeof(s.last), "Robert'); DROP TABLE sighting;--");
	assert_int_equal(ledger_account_seen(site->ledger, &s, &site->fault), 1);
	found = seen(site, "web1", "alice");
	assert_true(sighting_same_facts(&found.seen, &s));
	assert_int_equal(found.seen.trigger, TRIGGER_CREATED);
	assert_int_equal(found.verdict, VERDICT_NONE);
	assert_false(found.gone);
	assert_int_equal(ledger_account_seen(site->ledger, &s, &site->fault), 0);
}

static void only_the_day_of_a_sighting_is_kept(void **state)
{
	struct site *site = *state;

	saw(site, "web1", "alice");
	assert_int_equal(seen(site, "web1", "alice").seen.first_seen % DAY, 0);
	classify(site, "web1", "alice", ALICE, RULES);
	lost(site, "web1", "alice");
	assert_int_equal(site_number(site, "SELECT count(*) FROM history WHERE sighting IS NOT NULL"
					   " AND at % 86400 <> 0"),
		0);
	assert_int_equal(site_number(site, "SELECT gone_day % 86400 FROM sighting"), 0);
	put_new(site, BOB, PERSON_QUEUED); /* the first line is from the moment of a login too */
	assert_int_equal(site_number(site, "SELECT max(at % 86400) FROM history"), 0);
}

static void changed_facts_are_evaluated_again_but_keep_trigger_and_first_day(void **state)
{
	struct site *site = *state;
	struct sighting s = account("web1", "alice");

	s.first_seen = 1000 * DAY + 5;
	s.trigger = TRIGGER_CREATED;
	assert_int_equal(ledger_account_seen(site->ledger, &s, &site->fault), 1);
	classify(site, "web1", "alice", ALICE, RULES);
	assert_int_equal(unclassified(site, RULES), 0);
	s.first_seen = 2000 * DAY;
	s.trigger = TRIGGER_LOGIN;
	assert_int_equal(ledger_account_seen(site->ledger, &s, &site->fault), 0);
	str_copy(s.groups, sizeof(s.groups), "no-cloudinvite");
	assert_int_equal(ledger_account_seen(site->ledger, &s, &site->fault), 2);
	assert_int_equal(unclassified(site, RULES), 1);
	assert_int_equal(seen(site, "web1", "alice").seen.first_seen, 1000 * DAY);
	assert_int_equal(seen(site, "web1", "alice").seen.trigger, TRIGGER_CREATED);
}

static void an_account_that_comes_back_is_new(void **state)
{
	struct site *site = *state;
	struct sighting s = account("web1", "alice");

	arrive(site, "web1", "alice", ALICE);
	assert_int_equal(lost(site, "web1", "alice"), 1);
	assert_int_equal(lost(site, "web1", "alice"), 0);
	assert_int_equal(
		unclassified(site, RULES), 0); /* an account that is gone is not evaluated */
	s.trigger = TRIGGER_CREATED;
	assert_int_equal(ledger_account_seen(site->ledger, &s, &site->fault), 1);
	assert_int_equal(unclassified(site, RULES), 1);
	assert_int_equal(seen(site, "web1", "alice").seen.trigger, TRIGGER_CREATED);
	assert_int_equal(classify(site, "web1", "alice", ALICE, RULES), VERDICT_MAPPED);
	assert_string_equal(state_of(site, ALICE), "gone account_removed");
	put_new(site, ALICE, PERSON_QUEUED); /* the caller queues again, and that holds now */
	assert_string_equal(state_of(site, ALICE), "queued first_check");
}

/* ---- verdicts ---- */

static void changed_rules_evaluate_all_sightings_again(void **state)
{
	static const uint64_t rules[] = {0, 1, INT64_MAX, 0x8000000000000000u, UINT64_MAX, RULES};
	struct site *site = *state;

	saw(site, "web1", "alice");
	saw(site, "web2", "bob");
	assert_int_equal(unclassified(site, RULES), 2);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		assert_int_equal(unclassified(site, rules[i]), 2);
		classify(site, "web1", "alice", ALICE, rules[i]);
		classify(site, "web2", "bob", "", rules[i]);
		assert_int_equal(unclassified(site, rules[i]), 0);
	}
}

static void facts_that_change_between_reading_and_judging_are_not_lost(void **state)
{
	struct site *site = *state;
	struct ledger_sighting batch[4];
	struct verdict v = {.kind = VERDICT_MAPPED, .from_template = true, .address = ALICE};
	struct ledger *collector = site_open(site, LEDGER_WRITE);
	struct sighting s = account("web1", "alice");

	GOOD(site, collector);
	saw(site, "web1", "alice");
	assert_int_equal(ledger_unclassified(site->ledger, RULES, batch, 4, &site->fault), 1);
	str_copy(s.groups, sizeof(s.groups), "no-cloudinvite");
	assert_int_equal(ledger_account_seen(collector, &s, &site->fault), 2);
	GOOD(site, ledger_set_verdict(site->ledger, batch[0].id, RULES, &v, &site->fault));
	assert_int_equal(v.kind, VERDICT_NONE);
	assert_int_equal(ledger_unclassified(site->ledger, RULES, batch, 4, &site->fault), 1);
	assert_string_equal(batch[0].seen.groups, "no-cloudinvite");
	v.kind = VERDICT_MAPPED;
	GOOD(site, ledger_set_verdict(site->ledger, batch[0].id, RULES, &v, &site->fault));
	assert_int_equal(v.kind, VERDICT_MAPPED);
	assert_int_equal(unclassified(site, RULES), 0);

	assert_int_equal(ledger_unclassified(site->ledger, 7, batch, 4, &site->fault), 1);
	assert_int_equal(ledger_account_removed(collector, "web1", "alice", &site->fault), 1);
	GOOD(site, ledger_set_verdict(site->ledger, batch[0].id, 7, &v, &site->fault));
	assert_int_equal(v.kind, VERDICT_NONE);
	ledger_close(collector);
}

static void a_person_who_is_excluded_after_all_is_not_written_to(void **state)
{
	struct site *site = *state;

	arrive(site, "web1", "alice", ALICE);
	classify(site, "web1", "alice", "", RULES + 1);
	assert_string_equal(state_of(site, ALICE), "gone excluded");
	classify(site, "web1", "alice", ALICE, RULES + 2);
	put_new(site, ALICE, PERSON_QUEUED);
	assert_string_equal(state_of(site, ALICE), "queued first_check");
}

static void one_account_of_several_is_enough_to_stay(void **state)
{
	struct site *site = *state;

	arrive(site, "web1", "alice", ALICE);
	saw(site, "web2", "alice");
	classify(site, "web2", "alice", ALICE, RULES);
	lost(site, "web1", "alice");
	assert_string_equal(state_of(site, ALICE), "queued first_check");
	assert_int_equal(person(site, ALICE).orphaned_since, 0);
	classify(site, "web2", "alice", BOB, RULES + 1);
	assert_string_equal(state_of(site, ALICE), "gone mapped");
	assert_int_equal(person(site, ALICE).orphaned_since, clock_day_start(clock_wall()));
}

/* ---- removed accounts ---- */

static void the_last_account_removed_ends_only_a_person_never_mailed(void **state)
{
	static const struct {
		enum person_state state;
		int64_t intent_at;
		const char *after;
	} cases[] = {
		{PERSON_QUEUED, 0, "gone account_removed"},
		{PERSON_HELD, 0, "gone account_removed"},
		{PERSON_HELD, 1000, "held first_check"}, /* a mail may be out: never forgotten */
		{PERSON_SENDING, 1000, "sending first_check"},
		{PERSON_UNCONFIRMED, 1000, "unconfirmed first_check"},
		{PERSON_INVITED, 0, "invited account_removed"},
		{PERSON_ACCEPTED, 0, "accepted first_check"},
		{PERSON_DECLINED, 0, "declined first_check"},
		{PERSON_CANCELLED, 0, "cancelled first_check"},
		{PERSON_NOT_INVITABLE, 0, "not_invitable first_check"},
		{PERSON_FAILED, 0, "failed rejected"},
	};
	struct site *site = *state;
	char user[32], address[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct person p;

		str_format(user, sizeof(user), "user%zu", i);
		str_format(address, sizeof(address), "user%zu@example.com", i);
		arrive(site, "web1", user, address);
		p = somebody(address, cases[i].state);
		p.intent_at = cases[i].intent_at;
		str_copy(p.fault_code, sizeof(p.fault_code), "rejected");
		put(site, &p);
		assert_int_equal(lost(site, "web1", user), 1);
		assert_string_equal(state_of(site, address), cases[i].after);
		assert_int_not_equal(person(site, address).orphaned_since, 0);
	}
}

static void a_person_who_is_invited_and_gone_is_due_at_once(void **state)
{
	struct site *site = *state;
	struct person p[2];

	arrive(site, "web1", "alice", ALICE);
	put_new(site, ALICE, PERSON_INVITED);
	assert_int_equal(ledger_claim(site->ledger, clock_wall(), PRIO_BACKGROUND, "t",
				 clock_wall() + 60, p, 2, &site->fault),
		0);
	lost(site, "web1", "alice");
	assert_int_equal(ledger_claim(site->ledger, clock_wall(), PRIO_BACKGROUND, "t",
				 clock_wall() + 60, p, 2, &site->fault),
		1);
	assert_string_equal(person_reason_word(&p[0]), "account_removed");
	assert_int_not_equal(p[0].orphaned_since, 0);
}

static void a_person_who_is_being_checked_when_the_account_goes_is_gone_afterwards(void **state)
{
	struct site *site = *state;
	struct person_event event = {.kind = EVENT_RELEASED, .now = clock_wall()};
	const struct send_policy policy = {.blocked = false};
	struct person claimed, stored;
	struct person_step step;

	arrive(site, "web1", "alice", ALICE);
	assert_int_equal(ledger_lease(site->ledger, ALICE, "dispatcher", clock_wall(),
				 clock_wall() + 60, &claimed, &site->fault),
		1);
	lost(site, "web1", "alice");
	assert_string_equal(state_of(site, ALICE), "queued first_check");
	/* The job ends, and stores that check and get are answered. */
	stored = person(site, ALICE);
	assert_int_equal(stored.orphan_reason, REASON_ACCOUNT_REMOVED);
	event.claimed = &claimed;
	event.now = clock_wall();
	stored.checked = clock_wall();
	step = person_step(&stored, &event, &policy);
	GOOD(site, ledger_person_store(site->ledger, &step, &stored, NULL, 0, "t", &site->fault));
	assert_string_equal(state_of(site, ALICE), "gone account_removed");
	assert_int_equal(person(site, ALICE).next_attempt, 0);
}

/* ---- renamed ---- */

static void a_renamed_account_keeps_its_history_and_is_evaluated_again(void **state)
{
	struct site *site = *state;
	int64_t id;

	arrive(site, "web1", "alice", ALICE);
	id = seen(site, "web1", "alice").id;
	assert_int_equal(
		ledger_account_renamed(site->ledger, "web1", "alice", "alice.b", &site->fault), 1);
	assert_int_equal(
		ledger_account_renamed(site->ledger, "web1", "alice", "other", &site->fault), 0);
	assert_int_equal(seen(site, "web1", "alice.b").id, id);
	assert_int_equal(unclassified(site, RULES), 1);
	classify(site, "web1", "alice.b", BOB, RULES);
	assert_string_equal(state_of(site, ALICE), "gone mapped");
}

static void a_rename_to_the_name_of_another_account_is_resolved(void **state)
{
	struct site *site = *state;

	arrive(site, "web1", "alice", ALICE);
	arrive(site, "web1", "bob", BOB);
	lost(site, "web1", "bob"); /* gone: the name is free */
	assert_int_equal(
		ledger_account_renamed(site->ledger, "web1", "alice", "bob", &site->fault), 1);
	assert_int_equal(seen(site, "web1", "alice").id, 0);
	assert_false(seen(site, "web1", "bob").gone);

	saw(site, "web1", "carol"); /* there: two have swapped names */
	assert_int_equal(
		ledger_account_renamed(site->ledger, "web1", "bob", "carol", &site->fault), 1);
	assert_true(seen(site, "web1", "bob").gone);
	assert_false(seen(site, "web1", "carol").gone);
	assert_int_equal(unclassified(site, RULES), 1);
}

/* ---- collisions ---- */

static void two_accounts_with_one_address_are_a_collision_in_either_order(void **state)
{
	struct site *site = *state;

	arrive(site, "web1", "alice", ALICE);
	saw(site, "web1", "Alice");
	assert_int_equal(classify(site, "web1", "Alice", ALICE, RULES), VERDICT_COLLISION);
	assert_string_equal(verdict_of(site, "web1", "alice"), "collision");
	assert_string_equal(state_of(site, ALICE), "held collision");
	assert_non_null(strstr(seen(site, "web1", "Alice").sentence, "alice"));
	assert_non_null(strstr(seen(site, "web1", "alice").sentence, "Alice"));
	assert_int_equal(classify(site, "web1", "alice", ALICE, RULES + 1), VERDICT_COLLISION);
	assert_int_equal(unclassified(site, RULES), 1); /* the others are unchanged */
}

static void a_collision_ends_when_one_of_the_two_goes_or_changes(void **state)
{
	struct site *site = *state;

	for (int how = 0; how < 4; how++) {
		struct verdict by_map = {.kind = VERDICT_MAPPED, .address = ALICE};
		char host[16];

		str_format(host, sizeof(host), "web%d", how);
		saw(site, host, "alice");
		saw(site, host, "Alice");
		classify(site, host, "alice", ALICE, RULES);
		assert_int_equal(classify(site, host, "Alice", ALICE, RULES), VERDICT_COLLISION);
		assert_int_equal(unclassified(site, RULES), 0);
		if (how == 0)
			lost(site, host, "Alice");
		else if (how == 1)
			classify(site, host, "Alice", "", RULES);
		else if (how == 2)
			classify(site, host, "Alice", BOB, RULES);
		else
			classify_as(site, host, "Alice", by_map, RULES);
		assert_int_equal(unclassified(site, RULES), 1);
		assert_int_equal(classify(site, host, "alice", ALICE, RULES), VERDICT_MAPPED);
		assert_int_equal(unclassified(site, RULES), 0);
	}
}

static void other_facts_do_not_let_one_of_a_collision_through(void **state)
{
	struct site *site = *state;
	struct sighting s = account("web1", "alice");

	saw(site, "web1", "alice");
	saw(site, "web1", "Alice");
	classify(site, "web1", "alice", ALICE, RULES);
	classify(site, "web1", "Alice", ALICE, RULES);
	str_copy(s.shell, sizeof(s.shell), "/bin/zsh");
	assert_int_equal(ledger_account_seen(site->ledger, &s, &site->fault), 2);
	assert_int_equal(unclassified(site, RULES), 1);
	assert_int_equal(classify(site, "web1", "alice", ALICE, RULES), VERDICT_COLLISION);
	assert_string_equal(verdict_of(site, "web1", "Alice"), "collision");
}

static void three_in_a_collision_stay_one_until_one_is_left(void **state)
{
	static const char *const users[] = {"alice", "Alice", "ALICE"};
	struct site *site = *state;

	for (int i = 0; i < 3; i++)
		saw(site, "web1", users[i]);
	for (int i = 0; i < 3; i++)
		classify(site, "web1", users[i], ALICE, RULES);
	lost(site, "web1", "alice");
	assert_int_equal(unclassified(site, RULES), 2);
	for (int i = 1; i < 3; i++)
		assert_int_equal(classify(site, "web1", users[i], ALICE, RULES), VERDICT_COLLISION);
	lost(site, "web1", "Alice");
	assert_int_equal(classify(site, "web1", "ALICE", ALICE, RULES), VERDICT_MAPPED);
}

static void other_hosts_and_the_map_do_not_collide(void **state)
{
	struct site *site = *state;
	struct verdict by_map = {.kind = VERDICT_MAPPED, .address = ALICE};

	arrive(site, "web1", "alice", ALICE);
	saw(site, "web2", "alice");
	assert_int_equal(classify(site, "web2", "alice", ALICE, RULES), VERDICT_MAPPED);
	saw(site, "web1", "adm-alice");
	assert_int_equal(classify_as(site, "web1", "adm-alice", by_map, RULES), VERDICT_MAPPED);
	assert_string_equal(verdict_of(site, "web1", "alice"), "mapped");
	assert_string_equal(state_of(site, ALICE), "queued first_check");
}

static void a_collision_does_not_hold_a_person_who_is_certain_or_approved(void **state)
{
	struct site *site = *state;
	struct person p = somebody(BOB, PERSON_QUEUED);

	arrive(site, "web1", "alice", ALICE);
	saw(site, "web2", "alice");
	classify(site, "web2", "alice", ALICE, RULES);
	saw(site, "web1", "Alice");
	assert_int_equal(classify(site, "web1", "Alice", ALICE, RULES), VERDICT_COLLISION);
	assert_string_equal(state_of(site, ALICE), "queued first_check"); /* web2 is certain */

	arrive(site, "web1", "bob", BOB);
	p.approved = true;
	put(site, &p);
	saw(site, "web1", "Bob");
	assert_int_equal(classify(site, "web1", "Bob", BOB, RULES), VERDICT_COLLISION);
	assert_string_equal(state_of(site, BOB), "queued first_check");
}

/* ---- a host ---- */

static void another_machine_forgets_accounts_not_people(void **state)
{
	struct site *site = *state;

	arrive(site, "web1", "alice", ALICE);
	arrive(site, "web2", "bob", BOB);
	put_new(site, ALICE, PERSON_INVITED);
	saw(site, "web1", "daemon");
	GOOD(site, ledger_host_reset(site->ledger, "web1", &site->fault));
	assert_int_equal(seen(site, "web1", "alice").id, 0);
	assert_int_not_equal(seen(site, "web2", "bob").id, 0);
	assert_string_equal(state_of(site, ALICE), "invited first_check");
	assert_int_not_equal(person(site, ALICE).orphaned_since, 0);
	assert_int_equal(person(site, BOB).orphaned_since, 0);
	/* The history still explains this mail; accounts without a person leave nothing. */
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM history WHERE address = 'alice@example.com'"
				  " AND subject = 'alice@web1' AND event = 'seen'"),
		1);
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM history WHERE subject = 'daemon@web1'"), 0);
	assert_int_equal(saw(site, "web1", "alice"), 1);
}

struct told {
	int count;
	char users[8][32];
	char words[8][32];
};

static bool tell(const char *user, enum trigger trigger, const char *word, void *ctx)
{
	struct told *t = ctx;

	(void)trigger;
	assert_true(t->count < 8);
	str_copy(t->users[t->count], 32, user);
	str_copy(t->words[t->count++], 32, word);
	return true;
}

static struct told changes(struct site *site, const char *host, int64_t *since)
{
	struct told t = {.count = 0};

	GOOD(site, ledger_changes_since(site->ledger, host, *since, since, tell, &t, &site->fault));
	return t;
}

static void a_host_learns_the_states_of_its_own_accounts_only(void **state)
{
	struct site *site = *state;
	int64_t web1 = 0, web2 = 0;
	struct told t;

	saw(site, "web1", "alice");
	saw(site, "web1", "daemon");
	saw(site, "web2", "alice");
	assert_int_equal(changes(site, "web1", &web1).count, 0); /* not evaluated yet */

	classify(site, "web1", "daemon", "", RULES);
	t = changes(site, "web1", &web1);
	assert_int_equal(t.count, 1);
	assert_string_equal(t.users[0], "daemon");
	assert_string_equal(t.words[0], "excluded");
	assert_int_equal(changes(site, "web2", &web2).count, 0);

	classify(site, "web1", "alice", ALICE, RULES);
	classify(site, "web2", "alice", ALICE, RULES);
	assert_string_equal(changes(site, "web1", &web1).words[0], "mapped");
	put_new(site, ALICE, PERSON_QUEUED);
	put_new(site, ALICE, PERSON_INVITED);
	t = changes(site, "web1", &web1);
	assert_int_equal(t.count, 1);
	assert_string_equal(t.words[0], "invited");
	assert_string_equal(changes(site, "web2", &web2).words[0], "invited");

	assert_int_equal(changes(site, "web1", &web1).count, 0);
	classify(site, "web1", "alice", ALICE, RULES + 1); /* the same verdict changes nothing */
	assert_int_equal(changes(site, "web1", &web1).count, 0);
	lost(site, "web1", "alice"); /* the collector knows: there is no marker to write */
	web1 = 0;
	assert_int_equal(changes(site, "web1", &web1).count, 1);
}

static bool count_one(const struct ledger_sighting *s, void *ctx)
{
	(void)s;
	++*(int *)ctx;
	return true;
}

static int fitting(struct site *site, const char *host, const char *user, const char *address)
{
	int n = 0;

	GOOD(site, ledger_each_sighting(
			   site->ledger, host, user, address, count_one, &n, &site->fault));
	return n;
}

static void sightings_are_found_by_host_user_and_address(void **state)
{
	struct site *site = *state;

	arrive(site, "web1", "alice", ALICE);
	arrive(site, "web1", "bob", BOB);
	saw(site, "web2", "alice");
	classify(site, "web2", "alice", ALICE, RULES);
	saw(site, "web2", "daemon");
	assert_int_equal(fitting(site, NULL, NULL, NULL), 4);
	assert_int_equal(fitting(site, "web1", NULL, NULL), 2);
	assert_int_equal(fitting(site, NULL, "alice", NULL), 2);
	assert_int_equal(fitting(site, "web2", "alice", NULL), 1);
	assert_int_equal(fitting(site, NULL, NULL, ALICE), 2);
	assert_int_equal(fitting(site, "web1", NULL, ALICE), 1);
	assert_int_equal(fitting(site, NULL, "bob", ALICE), 0);
	assert_int_equal(fitting(site, NULL, NULL, ""), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, site_new, site_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_facts_come_back_as_they_were_seen),
		TEST(only_the_day_of_a_sighting_is_kept),
		TEST(changed_facts_are_evaluated_again_but_keep_trigger_and_first_day),
		TEST(an_account_that_comes_back_is_new),
		TEST(changed_rules_evaluate_all_sightings_again),
		TEST(facts_that_change_between_reading_and_judging_are_not_lost),
		TEST(a_person_who_is_excluded_after_all_is_not_written_to),
		TEST(one_account_of_several_is_enough_to_stay),
		TEST(the_last_account_removed_ends_only_a_person_never_mailed),
		TEST(a_person_who_is_invited_and_gone_is_due_at_once),
		TEST(a_person_who_is_being_checked_when_the_account_goes_is_gone_afterwards),
		TEST(a_renamed_account_keeps_its_history_and_is_evaluated_again),
		TEST(a_rename_to_the_name_of_another_account_is_resolved),
		TEST(two_accounts_with_one_address_are_a_collision_in_either_order),
		TEST(a_collision_ends_when_one_of_the_two_goes_or_changes),
		TEST(other_facts_do_not_let_one_of_a_collision_through),
		TEST(three_in_a_collision_stay_one_until_one_is_left),
		TEST(other_hosts_and_the_map_do_not_collide),
		TEST(a_collision_does_not_hold_a_person_who_is_certain_or_approved),
		TEST(another_machine_forgets_accounts_not_people),
		TEST(a_host_learns_the_states_of_its_own_accounts_only),
		TEST(sightings_are_found_by_host_user_and_address),
	};

	return cmocka_run_group_tests_name("ledger: sightings", tests, NULL, NULL);
}
