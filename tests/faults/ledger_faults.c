/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger, when a call of its own or of SQLite fails: what is committed together exists
 * together, what was not reported as committed does not exist, and what is read is what exists. */
#include "base/str.h"
#include "faults.h"

#include "../unit/ledger_site.h"

#include "base/log.h"
#include "ratelimit/rate_limit.h"

#define ALICE "alice@example.com"
#define BOB   "bob@example.com"

static const char owner[] = "dispatcher@here";

/* ---- initial ledgers ---- */

/* Files: with Bob invited; with an intent for Alice, too; of schema version 1. */
static char *images[3];
static size_t sizes[3];
static int image; /* the one that new_site takes */

static struct site *empty_site(void)
{
	void *site = NULL;

	site_prepare(&site);
	return site;
}

static void *no_ledger(void)
{
	return empty_site();
}

static void *new_site(void)
{
	struct site *s = empty_site();

	folder_write_bytes(s->folder, "ledger.db", images[image], sizes[image]);
	assert_int_equal(chmod(site_file(s), 0600), 0);
	return s;
}

static void *with_an_intent(void)
{
	void *site;

	image = 1;
	site = new_site();
	image = 0;
	return site;
}

static void end(void *site)
{
	site_free(&site);
}

static void keep_image(struct site *s, int n)
{
	FILE *file = fopen(site_file(s), "re");
	struct stat st;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	sizes[n] = (size_t)st.st_size;
	images[n] = malloc(sizes[n]);
	assert_non_null(images[n]);
	assert_int_equal(fread(images[n], 1, sizes[n], file), sizes[n]);
	fclose(file);
}

/* ---- what another program finds in the ledger ---- */

static void assert_whole(struct site *s)
{
	assert_int_equal(
		site_number(s, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
	assert_int_equal(site_number(s, "SELECT coalesce(sum(n), 0) FROM count_person"),
		site_number(s, "SELECT count(*) FROM person"));
	assert_int_equal(site_number(s, "SELECT coalesce(sum(n), 0) FROM count_sighting"),
		site_number(s, "SELECT count(*) FROM sighting WHERE gone_day IS NULL"));
}

static int64_t intents(struct site *s)
{
	return site_number(s, "SELECT count(*) FROM person p JOIN send s ON s.address = p.address"
			      " WHERE p.state = 'sending' AND p.intent_at > 0"
			      " AND s.outcome = 'open'");
}

/* Opens, does `work` in one transaction, and closes. */
static bool in_a_group(struct site *s, bool (*work)(struct site *s), struct fault *fault)
{
	bool good = false;

	s->ledger = ledger_open(&s->settings, LEDGER_WRITE, &s->fault);
	if (s->ledger) {
		good = ledger_begin(s->ledger, &s->fault) && work(s) &&
		       ledger_commit(s->ledger, &s->fault);
		if (!good)
			ledger_rollback(s->ledger);
	}
	ledger_close(s->ledger);
	s->ledger = NULL;
	*fault = s->fault;
	fault_clear(&s->fault);
	return good;
}

/* ---- opening ---- */

static bool create(void *site, struct fault *fault)
{
	struct site *s = site;
	struct ledger *l = ledger_open(&s->settings, LEDGER_CREATE, fault);
	bool good = l && strlen(ledger_id(l)) == 32;

	ledger_close(l);
	return good;
}

static void a_ledger_or_the_beginning_of_one(void *site, bool good)
{
	struct site *s = site;

	if (good) {
		assert_whole(s);
		assert_int_equal(site_number(s, "SELECT length(ledger) FROM ledger_info"), 32);
	}
}

static void a_ledger_is_made_or_can_still_be(void **state)
{
	const struct scenario s = {
		no_ledger, create, a_ledger_or_the_beginning_of_one, end, .every_memory = 41};

	(void)state;
	faults_try(&s);
}

static void *old_ledger(void)
{
	void *site;

	image = 2;
	site = new_site();
	image = 0;
	return site;
}

static bool migrate(void *site, struct fault *fault)
{
	struct site *s = site;
	struct ledger *l = ledger_open(&s->settings, LEDGER_WRITE, fault);

	ledger_close(l);
	return l;
}

static void the_old_ledger_or_the_new_one(void *site, bool good)
{
	bool old = site_number(site, "PRAGMA user_version") == 1;

	assert_false(good && old);
	assert_int_equal(site_number(site, "SELECT count(*) FROM person"), 36);
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'"), !old);
	if (!old)
		assert_whole(site);
}

static void a_migration_that_fails_leaves_the_old_ledger(void **state)
{
	const struct scenario s = {old_ledger, migrate, the_old_ledger_or_the_new_one, end,
		.every_memory = 97, .every_other = 7};

	(void)state;
	faults_try(&s);
}

static void *of_another_customer(void)
{
	struct site *s = new_site();

	str_copy(s->customer, sizeof(s->customer), "C99999999");
	return s;
}

static bool be_refused(void *site, struct fault *fault)
{
	struct site *s = site;
	struct ledger *l = ledger_open(&s->settings, LEDGER_WRITE, fault);

	assert_null(l);
	assert_true(fault->kind != FAULT_NONE && fault->what[0] && fault->remedy[0]);
	return true;
}

static void still_the_first_customer_s(void *site, bool good)
{
	(void)good;
	assert_int_equal(site_number(site, "SELECT customer = 'C01234567' FROM ledger_info"), 1);
}

static void another_customer_s_ledger_is_never_taken(void **state)
{
	const struct scenario s = {of_another_customer, be_refused, still_the_first_customer_s, end,
		.every_memory = 11};

	(void)state;
	faults_try(&s);
}

/* ---- sends ---- */

static bool write_intent(struct site *s)
{
	struct person p = somebody(ALICE, PERSON_SENDING), stored;
	int found = ledger_person(s->ledger, ALICE, &stored, &s->fault);

	p.intent_at = 1000;
	p.next_attempt = 1000;
	return found >= 0 &&
	       ledger_person_store(s->ledger,
		       &(struct person_step){.next = p, .outcome = SEND_BEGUN},
		       found > 0 ? &stored : NULL, owner, 2000, owner, &s->fault) &&
	       ledger_count_sends(s->ledger, 1, &s->fault) >= 0;
}

static bool intend(void *site, struct fault *fault)
{
	return in_a_group(site, write_intent, fault);
}

static void an_intent_and_its_send_or_neither(void *site, bool good)
{
	assert_whole(site);
	assert_int_equal(intents(site), good ? 1 : 0);
	assert_int_equal(site_number(site, "SELECT count(*) FROM send WHERE address = '" ALICE "'"),
		good ? 1 : 0);
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM person WHERE address = '" ALICE "'"),
		good ? 1 : 0);
}

static void an_intent_that_is_not_reported_as_stored_does_not_exist(void **state)
{
	const struct scenario s = {new_site, intend, an_intent_and_its_send_or_neither, end,
		.no_again = true, .every_memory = 29};

	(void)state;
	faults_try(&s);
}

static bool write_result(struct site *s)
{
	struct person p = somebody(ALICE, PERSON_INVITED);

	p.our_mails = 1;
	return ledger_person_put(s->ledger, &p, "send: sent", owner, &s->fault) &&
	       ledger_send_end(s->ledger, ALICE, SEND_SENT, &s->fault);
}

static bool conclude(void *site, struct fault *fault)
{
	return in_a_group(site, write_result, fault);
}

/* A program that finds only the intent treats the send as unconfirmed. */
static void the_result_or_still_the_intent(void *site, bool good)
{
	assert_whole(site);
	assert_int_equal(intents(site), good ? 0 : 1);
	assert_int_equal(site_number(site, "SELECT count(*) FROM send WHERE address = '" ALICE
					   "' AND outcome = 'sent'"),
		good ? 1 : 0);
	assert_int_equal(site_number(site, "SELECT count(*) FROM person WHERE address = '" ALICE
					   "' AND state = 'invited'"),
		good ? 1 : 0);
}

static void a_result_that_is_not_reported_as_stored_leaves_the_intent(void **state)
{
	const struct scenario s = {with_an_intent, conclude, the_result_or_still_the_intent, end,
		.no_again = true, .every_memory = 29};

	(void)state;
	faults_try(&s);
}

/* ---- other operations ---- */

/* As the two programs do it: seen, evaluated, queued, claimed, a permit taken and returned. */
static bool go_the_way(struct site *s)
{
	struct sighting seen = account("here", "carol");
	struct verdict v = {.kind = VERDICT_MAPPED, .address = "carol@example.com"};
	struct person p = somebody("carol@example.com", PERSON_QUEUED), claimed[4];
	struct ledger_sighting unclassified[4];
	int64_t slot = 0, wait;

	return ledger_account_seen(s->ledger, &seen, &s->fault) >= 0 &&
	       ledger_unclassified(s->ledger, RULES, unclassified, 4, &s->fault) == 1 &&
	       ledger_set_verdict(s->ledger, unclassified[0].id, RULES, &v, &s->fault) &&
	       ledger_person_put(s->ledger, &p, "first look", owner, &s->fault) &&
	       ledger_claim(s->ledger, 1000, PRIO_BACKGROUND, owner, 2000, claimed, 4, &s->fault) ==
		       1 &&
	       rate_limit_acquire(s->ledger, &s->settings, false, 1, &slot, &wait, &s->fault) >=
		       0 &&
	       rate_limit_release(s->ledger, slot, false, &s->fault) &&
	       ledger_set(s->ledger, "resync_at", "1000", &s->fault);
}

static bool whole_way(void *site, struct fault *fault)
{
	return in_a_group(site, go_the_way, fault);
}

static void all_of_the_way_or_nothing(void *site, bool good)
{
	assert_whole(site);
	assert_int_equal(site_number(site, "SELECT count(*) FROM sighting WHERE account = 'carol'"
					   " AND verdict = 'mapped'"),
		good);
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM person WHERE lease_owner <> ''"), good);
	/* No permit is given after the clock has jumped. */
	assert_true(site_number(site, "SELECT count(*) FROM permit") <= good);
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM meta WHERE key = 'resync_at'"), good);
}

static void what_is_changed_together_is_there_together(void **state)
{
	const struct scenario s = {new_site, whole_way, all_of_the_way_or_nothing, end,
		.no_again = true, .every_memory = 47};

	(void)state;
	faults_try(&s);
}

static bool forget_bob(void *site, struct fault *fault)
{
	struct site *s = site;
	struct ledger *l = ledger_open(&s->settings, LEDGER_WRITE, fault);
	bool good = l && ledger_forget(l, BOB, NULL, fault) >= 0;

	ledger_close(l);
	return good;
}

static void bob_is_there_or_nothing_of_him(void *site, bool good)
{
	int64_t people, sends, stories;

	assert_whole(site);
	people = site_number(site, "SELECT count(*) FROM person WHERE address = '" BOB "'");
	sends = site_number(site, "SELECT count(*) FROM send WHERE address = '" BOB "'");
	stories = site_number(site, "SELECT count(*) FROM history WHERE address = '" BOB "'");
	assert_int_equal(people, good ? 0 : 1);
	assert_int_equal(sends, people);
	assert_int_equal(stories > 0, people > 0);
}

static void forget_removes_a_person_from_every_table(void **state)
{
	const struct scenario s = {
		new_site, forget_bob, bob_is_there_or_nothing_of_him, end, .every_memory = 29};

	(void)state;
	faults_try(&s);
}

/* ---- reading ---- */

struct told {
	int people, stories, accounts;
};

static bool tell_person(const struct person *p, void *ctx)
{
	assert_string_equal(p->address, BOB);
	assert_string_equal(person_reason_word(p), "first_check");
	assert_int_equal(p->state, PERSON_INVITED);
	((struct told *)ctx)->people++;
	return true;
}

static bool tell_story(const struct history_entry *e, void *ctx)
{
	assert_true(e->event[0] != '\0' && e->subject[0] != '\0');
	((struct told *)ctx)->stories++;
	return true;
}

static bool tell_account(const struct ledger_sighting *s, void *ctx)
{
	assert_string_equal(s->seen.host, "here");
	assert_string_equal(s->seen.user, "bob");
	assert_string_equal(s->seen.shell, "/bin/bash");
	assert_string_equal(s->address, BOB);
	assert_int_equal(s->verdict, VERDICT_MAPPED);
	((struct told *)ctx)->accounts++;
	return true;
}

static bool read_all(void *site, struct fault *fault)
{
	struct site *s = site;
	struct ledger *l = ledger_open(&s->settings, LEDGER_READ, fault);
	struct ledger_summary summary;
	struct told told = {0};
	char value[32];
	struct person p;
	bool good = l && ledger_person(l, BOB, &p, fault) == 1 && tell_person(&p, &told) &&
		    ledger_each_person(l, -1, NULL, 0, tell_person, &told, fault) &&
		    ledger_each_sighting(l, NULL, NULL, NULL, tell_account, &told, fault) &&
		    ledger_each_history(l, BOB, NULL, NULL, tell_story, &told, fault) &&
		    ledger_summarise(l, 1000, &summary, fault) &&
		    ledger_get(l, "control_ok_at", value, sizeof(value), fault) == 1;

	if (good) {
		assert_string_equal(value, "4711");
		assert_int_equal(told.people, 2);
		assert_int_equal(told.accounts, 1);
		assert_true(told.stories >= 3);
		assert_int_equal(summary.people[PERSON_INVITED], 1);
	}
	ledger_close(l);
	return good;
}

static void nothing_has_changed(void *site, bool good)
{
	(void)good;
	assert_whole(site);
}

static void what_is_read_is_what_is_there(void **state)
{
	const struct scenario s = {
		new_site, read_all, nothing_has_changed, end, .every_memory = 23};

	(void)state;
	faults_try(&s);
}

/* ---- */

static bool write_bob(struct site *s)
{
	struct person p = somebody(BOB, PERSON_INVITED);

	return ledger_person_put(s->ledger, &p, "send: sent", owner, &s->fault) &&
	       ledger_send_begin(s->ledger, BOB, 500, owner, &s->fault) >= 0 &&
	       ledger_send_end(s->ledger, BOB, SEND_SENT, &s->fault) &&
	       ledger_set(s->ledger, "control_ok_at", "4711", &s->fault);
}

static int make_images(void **state)
{
	struct site *s = empty_site();

	(void)state;
	faults_engine();
	s->ledger = site_open(s, LEDGER_CREATE);
	GOOD(s, s->ledger);
	arrive(s, "here", "bob", BOB);
	ledger_close(s->ledger);
	GOOD(s, in_a_group(s, write_bob, &s->fault));
	keep_image(s, 0);
	GOOD(s, in_a_group(s, write_intent, &s->fault));
	keep_image(s, 1);
	end(s);
	s = empty_site();
	site_load_v1(s);
	keep_image(s, 2);
	end(s);
	return 0;
}

static int drop_images(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		free(images[i]);
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, faults_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ledger_is_made_or_can_still_be),
		TEST(a_migration_that_fails_leaves_the_old_ledger),
		TEST(another_customer_s_ledger_is_never_taken),
		TEST(an_intent_that_is_not_reported_as_stored_does_not_exist),
		TEST(a_result_that_is_not_reported_as_stored_leaves_the_intent),
		TEST(what_is_changed_together_is_there_together),
		TEST(forget_removes_a_person_from_every_table),
		TEST(what_is_read_is_what_is_there),
	};

	folder_where = "/dev/shm"; /* thousands of ledgers need no disk */
	log_start("ledger_faults", (enum log_level)0);
	return cmocka_run_group_tests_name("ledger", tests, make_images, drop_images);
}
