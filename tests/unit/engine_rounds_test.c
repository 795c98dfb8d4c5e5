/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I5 (docs/design.md, "Invariants"). */
/*
 * No person is mailed twice or forgotten: thousands of people with a Google that fails in every
 * way, readers that lag, crashes at any moment, ledgers that fail, are restored and lost, a clock
 * that jumps, other senders, settings that change, and administrators who decide. Each mail is
 * checked when it is sent; that no person is forgotten is checked on the way and at the end. The
 * seed of a run is printed with an error, so that it can be repeated: CLOUDINVITE_SEED=N
 * CLOUDINVITE_ROUNDS=1. CLOUDINVITE_ROUNDS=N sets the number of people.
 */
#include "base/array.h"
#include "base/str.h"
#include "engine_admin.h"
#include "engine_copy.h"
#include "ledger/sqlite.h"

#define PEOPLE_PER_TENANT 100

static int trouble; /* failures per thousand calls */
static int totals[PERSON_STATES], ambiguous, crashes, by_name, rounds, restores, losses, jumps,
	failures, reconciled;
static uint64_t seed_now;

/* ---- a failing Google ---- */

static void inject_failures(struct call_at_google *c, struct outcome *o)
{
	static const struct outcome ways[] = {
		{.kind = FAULT_TRANSIENT, .code = "503", .retry_after = -1},
		{.kind = FAULT_TRANSIENT, .code = "503", .retry_after = 120},
		{.kind = FAULT_TRANSIENT, .code = "quota", .quota = true, .retry_after = -1},
		{.kind = FAULT_REJECTED, .code = "not_found", .retry_after = -1},
		{.kind = FAULT_REJECTED, .code = "invalid", .retry_after = -1},
		{.kind = FAULT_SETUP, .code = "api_disabled", .retry_after = -1},
		{.kind = FAULT_CREDENTIALS, .code = "invalid_grant", .retry_after = -1},
		{.kind = FAULT_STOPPED, .code = "stopped", .retry_after = -1},
	};

	o->latency_ms = (int)rng_below(300);
	if (!rng_chance(trouble))
		return;
	if (c->call.method == GOOGLE_SEND && rng_chance(500)) {
		ambiguous++;
		o->effect = rng_chance(500);
		if (rng_chance(300)) {
			o->unclear = true;
			return;
		}
		o->kind = FAULT_AMBIGUOUS;
		o->code = "cut";
		return;
	}
	*o = ways[rng_below(ARRAY_SIZE(ways))];
	o->latency_ms = (int)rng_below(20000);
}

/* ---- people ---- */

static void name(char *out, size_t size, int n)
{
	str_format(out, size, "person%d", n);
}

static void arrive(struct site *s, int n)
{
	char user[16], address[32];

	name(user, sizeof(user), n);
	str_format(address, sizeof(address), "%s@example.com", user);
	open_account(address, rng_below(4 * DAY))->invitable = !rng_chance(150);
	see_user(s, user, rng_chance(500) ? TRIGGER_LOGIN : TRIGGER_CREATED);
}

/* Some answer, some are invited by another administrator, some close their account. */
static void live(void)
{
	struct account_at_google *a = &fake_google.accounts[rng_below(fake_google.account_count)];
	struct change *now = state_of(a);

	if (now->state == INVITATION_INVITED)
		change_state(
			a, rng_chance(500) ? INVITATION_ACCEPTED : INVITATION_DECLINED, now->mails);
	else if (rng_chance(30))
		change_state(a, INVITATION_INVITED, now->mails + 1);
}

/* The administrator ends the pauses of the breaker. */
static void resume(struct site *s)
{
	check(s, ledger_resume(s->ledger, NULL, "root", &s->fault) >= 0);
}

/* … and invites a person by name while the dispatcher works. */
static void send_by_name(struct site *s)
{
	const struct engine_options options = {
		.owner = "cli@here:1", .actor = "root", .admin = true};
	struct ledger *ledger = ledger_open(s->settings, LEDGER_WRITE, &s->fault);
	struct engine *cli = engine_open(s->settings, ledger, s->google, &options, &s->fault);
	struct engine_result result;

	check(s, cli);
	engine_send(cli, fake_google.accounts[rng_below(fake_google.account_count)].address, false,
		"", NULL, NULL, &result);
	by_name += result.fault.kind == FAULT_NONE && result.person.state == PERSON_INVITED;
	engine_close(cli);
	ledger_close(ledger);
}

static const char *somebody(void)
{
	return fake_google.accounts[rng_below(fake_google.account_count)].address;
}

static void decide_something(struct site *s)
{
	const char *address = somebody();
	bool again;

	switch (rng_below(5)) {
	case 0:
		admin_approve(s, address, &again);
		account_of(address)->more += again;
		break;
	case 1:
		admin_retry(s, address);
		break;
	case 2:
		admin_block(s, address, rng_chance(300));
		break;
	case 3:
		admin_block(s, address, false);
		break;
	default:
		admin_forget(s, address);
		break;
	}
}

/* The login of a user who may have been seen before, or not by this ledger. */
static void log_in(struct site *s, const char *address)
{
	struct sighting seen = {.trigger = TRIGGER_LOGIN, .uid = 1000, .local = true};

	seen.first_seen = clock_day_start(clock_wall());
	str_copy(seen.host, sizeof(seen.host), "here");
	str_copy(seen.user, sizeof(seen.user), address);
	*strchr(seen.user, '@') = '\0';
	str_copy(seen.shell, sizeof(seen.shell), "/bin/bash");
	check(s, ledger_account_seen(s->ledger, &seen, &s->fault) >= 0);
}

static void go_and_come(struct site *s)
{
	char user[ADDRESS_MAX + 1];

	str_copy(user, sizeof(user), somebody());
	*strchr(user, '@') = '\0';
	check(s, ledger_account_removed(s->ledger, "here", user, &s->fault) >= 0);
}

/* ---- the host ---- */

static void jump(struct site *s)
{
	static const int64_t days[] = {-3650, -1, 1, 3650};

	jumps++;
	fake_google.skew_ms = rng_chance(400) ? 0 : days[rng_below(4)] * DAY * 1000;
	if (fake_google.skew_ms == 0)
		check(s, ledger_expire(s->ledger, s->settings, clock_wall(), 1000, &s->fault) >= 0);
}

/* A reload with other rules. */
static void change_settings(struct site *s)
{
	site_close(s);
	s->settings->mode = rng_chance(300) ? MODE_DRY_RUN : MODE_SEND;
	s->settings->sends_per_day = rng_chance(300) ? 1 + rng_below(5) : 100000;
	s->settings->discovered = rng_chance(500) ? DISCOVERED_SEND : DISCOVERED_HOLD;
	s->settings->resync_interval = rng_chance(200) ? 0 : (1 + rng_below(24)) * HOUR;
	site_open(s);
}

static void calm_settings(struct site *s)
{
	site_close(s);
	s->settings->mode = MODE_SEND;
	s->settings->sends_per_day = 100000;
	s->settings->resync_interval = 24 * HOUR;
	fake_google.skew_ms = 0;
	site_open(s);
}

static void disturb_ledger(struct site *s)
{
	if (rng_chance(400)) {
		back_up(s);
	} else if (has_copy(s) && rng_chance(600)) {
		restores++;
		restore(s);
	} else if (rng_chance(300)) {
		losses++;
		site_close(s);
		drop_ledger(s);
		site_open(s);
	}
}

/* The disk is full, for a while. */
static void fail_for_a_while(struct site *s)
{
	struct fault fault;

	failures++;
	sqlite3_exec(s->ledger->db, "PRAGMA query_only = 1", NULL, NULL, NULL);
	for (int64_t turns = rng_below(20); turns > 0; turns--)
		(void)engine_run(s->engine, NULL, 0, (int)rng_below(2000), &fault);
	sqlite3_exec(s->ledger->db, "PRAGMA query_only = 0", NULL, NULL, NULL);
}

static void trouble_the_host(struct site *s)
{
	if (rng_chance(8)) {
		crashes++;
		site_crash(s);
	}
	if (rng_chance(3))
		jump(s);
	if (rng_chance(5))
		pass(rng_below(DAY * 1000));
	if (rng_chance(4))
		change_settings(s);
	if (rng_chance(3))
		disturb_ledger(s);
	if (rng_chance(3))
		fail_for_a_while(s);
}

static void trouble_people(struct site *s)
{
	if (rng_chance(100))
		classify_all(s);
	if (rng_chance(50))
		resume(s);
	if (rng_chance(20))
		live();
	if (rng_chance(20))
		send_by_name(s);
	if (rng_chance(30))
		decide_something(s);
	if (rng_chance(20))
		log_in(s, somebody());
	if (rng_chance(4))
		go_and_come(s);
}

/* After the round that follows each scan: due times from a wrong clock are corrected there. */
static void look_whether_all_are_there(struct site *s)
{
	classify_all(s);
	check(s, engine_run(s->engine, NULL, 0, 0, &s->fault));
	assert_nobody_is_forgotten(s, seed_now);
}

static void chaos(struct site *s)
{
	int arrived = 0;

	while (arrived < PEOPLE_PER_TENANT || rng_chance(999)) {
		rounds++;
		if (arrived < PEOPLE_PER_TENANT && rng_chance(200))
			arrive(s, arrived++);
		if (fake_google.account_count > 0)
			trouble_people(s);
		trouble_the_host(s);
		check(s, engine_run(s->engine, NULL, 0, (int)rng_below(2000), &s->fault));
		if (rng_chance(100))
			engine_release_memory(s->engine);
		if (rng_chance(10))
			look_whether_all_are_there(s);
	}
}

struct undecided {
	char people[PEOPLE_PER_TENANT][ADDRESS_MAX + 1];
	int count;
};

static bool note_undecided(const struct person *p, void *ctx)
{
	struct undecided *u = ctx;

	if (p->reason == REASON_DRY_RUN || p->reason == REASON_DISCOVERED)
		str_copy(u->people[u->count++], sizeof(u->people[0]), p->address);
	return true;
}

/* All log in once more, and what only an administrator can decide is decided. */
static void gather_all(struct site *s)
{
	struct undecided u = {.count = 0};
	bool again;

	check(s, ledger_begin(s->ledger, &s->fault));
	for (int n = 0; n < fake_google.account_count; n++)
		log_in(s, fake_google.accounts[n].address);
	check(s, ledger_commit(s->ledger, &s->fault));
	classify_all(s);
	check(s,
		ledger_each_person(s->ledger, PERSON_HELD, NULL, 0, note_undecided, &u, &s->fault));
	for (int n = 0; n < u.count; n++)
		admin_approve(s, u.people[n], &again);
}

/* Two weeks without failures: everything that is open ends. */
static void quiet(struct site *s)
{
	struct ledger_reconcile r;

	fake_google.decide = NULL;
	calm_settings(s);
	reconciled += ledger_reconciling(s->ledger, &r, &s->fault) > 0;
	for (int day = 0; day < 14; day++) {
		resume(s);
		gather_all(s);
		for (int n = 0; n < 10 && day < 7; n++)
			live();
		run_for(s, DAY);
		look_whether_all_are_there(s);
	}
}

/* ---- what must hold ---- */

static bool ends_well(const struct person *p, struct account_at_google *a, bool blocked)
{
	switch (p->state) {
	case PERSON_INVITED:
	case PERSON_ACCEPTED:
	case PERSON_DECLINED:
	case PERSON_CANCELLED:
		return state_of(a)->mails > 0;
	case PERSON_NOT_INVITABLE:
		return !a->invitable;
	case PERSON_FAILED:
		return p->fault_text[0] != '\0';
	case PERSON_HELD:
		/* "manual": an administrator's send that was not to be; he has been told. */
		return blocked || p->reason == REASON_UNCONFIRMED ||
		       p->reason == REASON_MAX_MAILS || p->reason == REASON_MANUAL;
	case PERSON_GONE:
		return blocked;
	case PERSON_QUEUED:
	case PERSON_SENDING:
	case PERSON_UNCONFIRMED:
		break;
	}
	return false;
}

static void assert_all_end_well(struct site *s, uint64_t seed)
{
	for (int n = 0; n < fake_google.account_count; n++) {
		struct account_at_google *a = &fake_google.accounts[n];
		/* A mail of another sender after an unconfirmed send of ours counts as ours. */
		int64_t mails = state_of(a)->mails;
		int blocked = ledger_blocked(s->ledger, a->address, NULL, 0, &s->fault);
		struct person p;

		if (ledger_person(s->ledger, a->address, &p, &s->fault) == 0 && blocked)
			continue;
		totals[p.state]++;
		if (a->sends <= 1 + a->more && ends_well(&p, a, blocked) && p.our_mails <= mails)
			continue;
		print_message("# seed %llu: %s is %s (%s), %d mails by us, %lld known\n",
			(unsigned long long)seed, a->address, person_state_word(p.state),
			person_reason_word(&p), a->sends, (long long)p.our_mails);
		assert_true(a->sends <= 1 + a->more);
		assert_true(p.our_mails <= mails);
		assert_true(ends_well(&p, a, blocked));
	}
}

static void run_one_tenant(struct folder *f, uint64_t seed)
{
	char google[64];
	struct site s;

	str_format(google, sizeof(google), "parallel = %d\n", 1 + (int)(seed % 7) * 4);
	s = site_new(f, google, "sends_per_day = 100000");
	fake_google.random = seed;
	seed_now = seed;
	fake_google.lag_s = 48 * HOUR;
	fake_google.strict = true;
	fake_google.decide = inject_failures;
	trouble = 50 + (int)rng_below(400);
	chaos(&s);
	quiet(&s);
	assert_all_end_well(&s, seed);
	drop_copy(&s);
	site_end(&s);
}

static int64_t number_from(const char *variable, int64_t fallback)
{
	const char *text = getenv(variable);
	long long number;

	return text && str_number(text, 1, INT64_MAX, &number) ? number : fallback;
}

static void no_person_is_mailed_twice_and_none_is_forgotten(void **state)
{
	uint64_t seed = (uint64_t)number_from("CLOUDINVITE_SEED", 20261123);
	int64_t people = number_from("CLOUDINVITE_ROUNDS", 2500);

	print_message("# seed %llu, %lld people\n", (unsigned long long)seed, (long long)people);
	for (int64_t n = 0; n < people; n += PEOPLE_PER_TENANT)
		run_one_tenant(*state, seed++);
	print_message("# %d rounds, %d ambiguous sends, %d crashes, %d by name, %d restored, "
		      "%d lost, %d jumps, %d failures, %d reconciled in the end\n",
		rounds, ambiguous, crashes, by_name, restores, losses, jumps, failures, reconciled);
	for (int n = 0; n < PERSON_STATES; n++)
		print_message("# %-14s %d\n", person_state_word((enum person_state)n), totals[n]);
	seed_now = 0;
	if (people < 1000)
		return;
	/* The rare cases have occurred. */
	assert_true(rounds > 10000 && restores > 5 && losses > 5 && jumps > 20);
	assert_true(ambiguous > 20);
	assert_true(crashes > 5 && by_name > 5);
	assert_true(totals[PERSON_INVITED] > 0 && totals[PERSON_DECLINED] > 0);
}

/* Whatever has failed: this repeats it. */
static int tell_seed(void **state)
{
	if (seed_now != 0)
		print_message("# again: CLOUDINVITE_SEED=%llu CLOUDINVITE_ROUNDS=1\n",
			(unsigned long long)seed_now);
	return folder_free(state);
}

/* In memory if possible: every commit is synced. */
static int quick_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	str_copy(f->path, sizeof(f->path), "/dev/shm/cloudinvite-test-XXXXXX");
	*state = f;
	if (mkdtemp(f->path))
		return 0;
	free(f);
	return folder_new(state);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			no_person_is_mailed_twice_and_none_is_forgotten, quick_folder, tell_seed),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
