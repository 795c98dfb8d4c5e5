/* SPDX-License-Identifier: Apache-2.0 */
/* Two people on the way to their mails, when a call of the ledger, of SQLite or of our own code
 * fails at any point: no person is mailed twice (the fake Google asserts it with each mail) or
 * forgotten, whether the program continues or is killed at the first error. */
#include "base/str.h"
#include "faults.h"

#include "../unit/fake_google.h"

static const char *const users[] = {"alice", "bob"};
#define USERS 2

static void *new_site(void)
{
	struct site *s = calloc(1, sizeof(*s));
	void *folder = NULL;

	assert_non_null(s);
	folder_new(&folder);
	*s = site_new(folder, "", "");
	for (int n = 0; n < USERS; n++) {
		char address[64];

		str_format(address, sizeof(address), "%s@example.com", users[n]);
		open_account(address, 5 * DAY);
		see_user(s, users[n], TRIGGER_LOGIN);
	}
	site_close(s);
	return s;
}

static void end(void *site)
{
	struct site *s = site;
	void *folder = s->folder;

	site_end(s);
	folder_free(&folder);
	free(s);
}

static bool start(struct site *s, struct fault *fault)
{
	const struct engine_options options = {.owner = "dispatcher@here", .actor = "dispatcher"};

	s->ledger = ledger_open(s->settings, LEDGER_WRITE, fault);
	s->google = google_open(s->settings, fault);
	s->engine =
		s->ledger ? engine_open(s->settings, s->ledger, s->google, &options, fault) : NULL;
	return s->engine;
}

/* As after kill -9: Google carries out what it has been asked. */
static void die(struct site *s)
{
	while (fake_google.call_count > 0) {
		struct call_at_google *c = &fake_google.calls[--fake_google.call_count];
		struct account_at_google *a = find_account(c->address);

		if (c->call.method == GOOGLE_SEND && a)
			mail(a);
	}
	resync_free(s->engine);
	send_journal_close(&s->engine->journal);
	free(s->engine->jobs);
	free(s->engine);
	s->engine = NULL;
}

static bool turn_for(struct site *s, int64_t seconds, bool goes_on, struct fault *fault)
{
	int64_t until = fake_google.boot_ms + seconds * 1000;
	bool good = engine_classify(s->engine, s->map, 100, fault) >= 0;

	while ((good || goes_on) && fake_google.boot_ms < until) {
		struct fault another = {.kind = FAULT_NONE};

		if (engine_run(s->engine, NULL, 0, 600000, &another))
			continue;
		if (fault->kind == FAULT_NONE)
			*fault = another;
		good = false;
		if (goes_on && engine_classify(s->engine, s->map, 100, &another) < 0)
			return false;
	}
	return good;
}

static bool work(struct site *s, bool goes_on, struct fault *fault)
{
	bool good = start(s, fault) && turn_for(s, 4 * DAY, goes_on, fault);

	if (!good && !goes_on && s->engine)
		die(s);
	site_close(s);
	return good;
}

static bool go_on(void *site, struct fault *fault)
{
	return work(site, true, fault);
}

static bool die_of_it(void *site, struct fault *fault)
{
	return work(site, false, fault);
}

/* What another program knows of them. */
static void look(struct site *s, bool good, bool killed)
{
	struct ledger *l = ledger_open(s->settings, LEDGER_READ, &s->fault);

	check(s, l);
	for (int n = 0; n < fake_google.account_count; n++) {
		struct account_at_google *a = &fake_google.accounts[n];
		struct person p = {.state = PERSON_GONE};
		int found = ledger_person(l, a->address, &p, &s->fault);

		check(s, found >= 0);
		assert_true(a->sends <= 1);
		if (!good)
			continue;
		assert_int_equal(found, 1);
		if (a->sends == 1 || !killed)
			assert_int_equal(p.state, PERSON_INVITED);
		else
			assert_true(p.state == PERSON_UNCONFIRMED || p.state == PERSON_HELD);
	}
	ledger_close(l);
}

static void invited_once(void *site, bool good)
{
	look(site, good, false);
}

static void invited_once_or_unconfirmed(void *site, bool good)
{
	look(site, good, true);
}

static void a_program_that_continues_mails_each_person_once(void **state)
{
	const struct scenario s = {
		new_site, go_on, invited_once, end, .every_memory = 97, .every_other = 7};

	(void)state;
	faults_try(&s);
}

static void a_program_that_dies_mails_no_person_twice(void **state)
{
	const struct scenario s = {new_site, die_of_it, invited_once_or_unconfirmed, end,
		.every_memory = 97, .every_other = 7};

	(void)state;
	faults_try(&s);
}

static int engine(void **state)
{
	(void)state;
	faults_engine();
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, faults_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_program_that_continues_mails_each_person_once),
		TEST(a_program_that_dies_mails_no_person_twice),
	};

	folder_where = "/dev/shm"; /* thousands of ledgers need no disk */
	return cmocka_run_group_tests_name("invite", tests, engine, NULL);
}
