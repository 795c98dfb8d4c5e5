/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake_google.h"

struct fake_google fake_google;

/* splitmix64: the same numbers for the same seed everywhere. */
static uint64_t rng_next(void)
{
	uint64_t z = (fake_google.random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t rng_below(int64_t n)
{
	return n > 0 ? (int64_t)(rng_next() % (uint64_t)n) : 0;
}

bool rng_chance(int per_mille)
{
	return rng_below(1000) < per_mille;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t ms = id == CLOCK_REALTIME ? fake_google.wall_ms + fake_google.skew_ms
					  : fake_google.boot_ms;

	if (id != CLOCK_REALTIME && id != CLOCK_BOOTTIME && id != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = ms / 1000;
	ts->tv_nsec = ms % 1000 * 1000000;
	return 0;
}

/* Random numbers come from the seed. */
ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
	uint64_t number = rng_next();

	(void)flags;
	for (size_t n = 0; n < length; n++)
		((unsigned char *)buffer)[n] = (unsigned char)(number >> n % 8 * 8);
	return (ssize_t)length;
}

void pass(int64_t ms)
{
	fake_google.wall_ms += ms;
	fake_google.boot_ms += ms;
}

struct account_at_google *find_account(const char *address)
{
	for (int n = 0; n < fake_google.account_count; n++)
		if (strcmp(fake_google.accounts[n].address, address) == 0)
			return &fake_google.accounts[n];
	return NULL;
}

struct account_at_google *account_of(const char *address)
{
	struct account_at_google *a = find_account(address);

	if (!a)
		abort();
	return a;
}

struct change *state_of(struct account_at_google *a)
{
	return &a->changes[a->change_count - 1];
}

void change_state(struct account_at_google *a, enum invitation_state state, int64_t mails)
{
	if (a->change_count == FAKE_GOOGLE_CHANGES) {
		memmove(a->changes, a->changes + 1, sizeof(a->changes) - sizeof(a->changes[0]));
		a->change_count--;
	}
	a->changes[a->change_count++] = (struct change){fake_google.wall_ms / 1000, state, mails};
}

struct account_at_google *open_account(const char *address, int64_t age)
{
	struct account_at_google *a = &fake_google.accounts[fake_google.account_count++];

	*a = (struct account_at_google){.invitable = true};
	a->shown_from = fake_google.wall_ms / 1000 - age + 48 * HOUR;
	str_copy(a->address, sizeof(a->address), address);
	change_state(a, INVITATION_NOT_YET_SENT, 0);
	a->changes[0].at = 0;
	return a;
}

const struct change *visible(struct account_at_google *a)
{
	int64_t at = fake_google.wall_ms / 1000 - rng_below(fake_google.lag_s + 1);
	const struct change *seen = NULL;

	if (!a || !a->invitable || fake_google.wall_ms / 1000 < a->shown_from)
		return NULL;
	for (int n = 0; n < a->change_count; n++)
		if (n == 0 || a->changes[n].at <= at)
			seen = &a->changes[n];
	return seen;
}

void fill(struct invitation *out, const char *address, const struct change *seen)
{
	*out = (struct invitation){.state = seen->state, .mails = seen->mails, .updated = seen->at};
	str_copy(out->address, sizeof(out->address), address);
}

static void see_call(const struct call_at_google *c)
{
	fake_google.counts[c->call.method]++;
	if (fake_google.seen && fake_google.seen_count < FAKE_GOOGLE_SEEN)
		fake_google.seen[fake_google.seen_count++] = fake_google.boot_ms;
}

void mail(struct account_at_google *a)
{
	/* A person who has been invited or has declined for longer than any reader lags and any
	 * check takes must not be mailed. */
	assert_true(!fake_google.strict || a->more > 0 ||
		    state_of(a)->state == INVITATION_NOT_YET_SENT ||
		    fake_google.wall_ms / 1000 - state_of(a)->at <= fake_google.lag_s + 2 * DAY);
	a->sends++;
	if (a->sends > 1 + a->more)
		print_message("# %s: mail number %d\n", a->address, a->sends);
	assert_true(a->sends <= 1 + a->more);
	change_state(a, INVITATION_INVITED, state_of(a)->mails + 1);
}

static void answer_send(struct call_at_google *c, struct google_reply *reply)
{
	struct account_at_google *a = find_account(c->address);

	if (c->outcome.effect && a && a->invitable)
		mail(a);
	if (!a || !a->invitable)
		fault_set(&reply->fault, FAULT_REJECTED, "not_invitable", "not invitable");
	reply->confirmed = !c->outcome.unclear;
}

/* Pages of two, so that small tests have several. */
static void answer_list(struct call_at_google *c, struct google_reply *reply)
{
	static struct invitation page[2];
	static char token[32];
	long long at = 0;
	int n = 0;

	(void)str_number(c->token, 0, FAKE_GOOGLE_ACCOUNTS, &at);
	for (; at < fake_google.account_count && n < 2 && n < c->call.list_page_size; at++) {
		struct account_at_google *a = &fake_google.accounts[at];
		const struct change *seen = visible(a);

		if (seen)
			fill(&page[n++], a->address, seen);
	}
	str_format(token, sizeof(token), "%lld", at);
	reply->page = page;
	reply->page_count = (size_t)n;
	reply->next_page_token = at < fake_google.account_count ? token : NULL;
}

static void answer_well(struct call_at_google *c, struct google_reply *reply)
{
	struct account_at_google *a = find_account(c->address);
	const struct change *seen;

	switch (c->call.method) {
	case GOOGLE_CHECK:
		reply->invitable = a && a->invitable;
		break;
	case GOOGLE_GET:
		seen = visible(a);
		reply->shown = seen;
		if (seen)
			fill(&reply->invitation, c->address, seen);
		break;
	case GOOGLE_LIST:
		answer_list(c, reply);
		break;
	case GOOGLE_SEND:
		answer_send(c, reply);
		break;
	case GOOGLE_CANCEL:
		if (a)
			change_state(a, INVITATION_NOT_YET_SENT, state_of(a)->mails);
		reply->confirmed = true;
		break;
	}
}

void tell(struct call_at_google *c)
{
	struct google_reply reply = {
		.date = fake_google.wall_ms / 1000, .retry_after = -1, .status = 200};
	struct account_at_google *a = find_account(c->address);

	if (c->outcome.date_s != NO_DATE)
		reply.date += c->outcome.date_s;
	else
		reply.date = 0;
	if (c->outcome.kind != FAULT_STOPPED)
		see_call(c);
	if (c->outcome.kind == FAULT_NONE) {
		answer_well(c, &reply);
	} else {
		fault_set(&reply.fault, c->outcome.kind, c->outcome.code, "%s", c->outcome.code);
		reply.quota = c->outcome.quota;
		reply.retry_after = c->outcome.retry_after;
		if (c->call.method == GOOGLE_SEND && c->outcome.effect && a && a->invitable)
			mail(a);
	}
	c->done(c->ctx, &reply);
}

struct google *google_open(const struct settings *settings, struct fault *fault)
{
	static struct google google;

	(void)settings;
	(void)fault;
	return &google;
}

void google_close(struct google *g)
{
	(void)g;
}

static const struct outcome stood_still = {.kind = FAULT_STOPPED, .code = "stood_still"};

/* A call without effect gets a new moment with a new permit. */
static bool is_too_late(const struct call_at_google *c)
{
	return c->call.begin_until_ms != 0 && fake_google.boot_ms > c->call.begin_until_ms &&
	       (!c->asks || c->call.method == GOOGLE_SEND || c->call.method == GOOGLE_CANCEL);
}

void google_start(struct google *g, const struct google_call *call, google_done *done, void *ctx)
{
	struct call_at_google *c = &fake_google.calls[fake_google.call_count++];

	(void)g;
	assert_true(fake_google.call_count <= FAKE_GOOGLE_CALLS);
	*c = (struct call_at_google){.call = *call, .done = done, .ctx = ctx};
	if (call->address)
		str_copy(c->address, sizeof(c->address), call->address);
	if (call->list_page_token)
		str_copy(c->token, sizeof(c->token), call->list_page_token);
	c->outcome =
		(struct outcome){.effect = true, .latency_ms = 10, .code = "", .retry_after = -1};
	if (fake_google.decide)
		fake_google.decide(c, &c->outcome);
	c->ends_ms = fake_google.boot_ms + c->outcome.latency_ms;
	if (is_too_late(c))
		c->outcome = stood_still;
}

/* A 401: the same request goes out again, when the engine permits it. As in google.c. */
static bool repeat(struct call_at_google *c)
{
	int64_t wait;

	if (c->outcome.repeats == 0)
		return false;
	if (!c->asks)
		see_call(c);
	if (c->asks && is_too_late(c)) {
		c->outcome = stood_still;
		return false;
	}
	wait = c->call.permit ? c->call.permit(c->call.permit_ctx) : 0;
	c->asks = wait > 0;
	if (!c->asks)
		c->outcome.repeats--;
	c->ends_ms = fake_google.boot_ms + (c->asks ? wait : c->outcome.latency_ms);
	return true;
}

static bool tell_one_that_is_due(void)
{
	for (int n = 0; n < fake_google.call_count; n++) {
		struct call_at_google c = fake_google.calls[n];

		if (c.ends_ms > fake_google.boot_ms)
			continue;
		if (repeat(&fake_google.calls[n]))
			return true;
		fake_google.calls[n] = fake_google.calls[--fake_google.call_count];
		tell(&c);
		return true;
	}
	return false;
}

int google_poll(struct google *g, const int *fds, int nfds, int timeout_ms)
{
	int64_t wait = timeout_ms;
	bool told = false;

	(void)g;
	(void)fds;
	(void)nfds;
	if (fake_google.crashed)
		return 0;
	for (int n = 0; n < fake_google.call_count; n++)
		if (wait < 0 || fake_google.calls[n].ends_ms - fake_google.boot_ms < wait)
			wait = fake_google.calls[n].ends_ms - fake_google.boot_ms;
	if (wait > 0)
		pass(wait);
	while (tell_one_that_is_due())
		told = true;
	fake_google.still = told || wait > 0 ? 0 : fake_google.still + 1;
	/* No busy waiting: either something happens, or time advances. */
	assert_true(fake_google.still < 100);
	return fake_google.call_count;
}

int google_in_flight(const struct google *g)
{
	(void)g;
	return fake_google.call_count;
}

void google_stop(struct google *g)
{
	(void)g;
	while (fake_google.call_count > 0) {
		struct call_at_google c = fake_google.calls[--fake_google.call_count];

		c.outcome.kind = c.call.method == GOOGLE_SEND ? FAULT_AMBIGUOUS : FAULT_STOPPED;
		c.outcome.code = "stopped";
		tell(&c);
	}
}

void google_interrupt(struct google *g, bool (*stop)(void *ctx), void *ctx)
{
	(void)g;
	(void)stop;
	(void)ctx;
}

static void keep_reply(void *ctx, const struct google_reply *reply)
{
	*(struct google_reply *)ctx = *reply;
}

void google_call_sync(struct google *g, const struct google_call *call, struct google_reply *reply)
{
	google_start(g, call, keep_reply, reply);
	while (google_poll(g, NULL, 0, 1000) > 0)
		;
}

int64_t google_clock_skew(const struct google *g)
{
	(void)g;
	return 0;
}

const char *google_method_word(enum google_method method)
{
	static const char *const words[GOOGLE_METHODS] = {"check", "get", "list", "send", "cancel"};

	return words[method];
}

const char *invitation_state_word(enum invitation_state state)
{
	static const char *const words[] = {
		"STATE_UNSPECIFIED", "NOT_YET_SENT", "INVITED", "ACCEPTED", "DECLINED", "OTHER"};

	return words[state];
}

void check(struct site *s, bool ok)
{
	if (!ok)
		print_message("# %s | %s\n", s->fault.what, s->fault.remedy);
	assert_true(ok);
}

void site_open(struct site *s)
{
	const struct engine_options options = {.owner = "dispatcher@here", .actor = "dispatcher"};

	s->ledger = ledger_open(s->settings, LEDGER_CREATE, &s->fault);
	check(s, s->ledger);
	s->google = google_open(s->settings, &s->fault);
	s->engine = engine_open(s->settings, s->ledger, s->google, &options, &s->fault);
	check(s, s->engine);
}

void site_close(struct site *s)
{
	engine_close(s->engine);
	google_close(s->google);
	ledger_close(s->ledger);
	s->engine = NULL;
	s->ledger = NULL;
}

void site_crash(struct site *s)
{
	while (fake_google.call_count > 0) {
		struct call_at_google *c = &fake_google.calls[--fake_google.call_count];
		struct account_at_google *a = find_account(c->address);

		if (c->call.method == GOOGLE_SEND && rng_chance(500) && a && a->invitable)
			mail(a);
	}
	resync_free(s->engine);
	send_journal_close(&s->engine->journal);
	free(s->engine->jobs);
	free(s->engine);
	ledger_rollback(s->ledger);
	ledger_close(s->ledger);
	site_open(s);
}

struct site site_new(struct folder *f, const char *google, const char *more)
{
	struct site s = {.folder = f};
	struct strbuf t = {0};

	fake_google = (struct fake_google){
		.wall_ms = INT64_C(1795392000000), .boot_ms = 1000000, .random = 1};
	log_start("test", (enum log_level)0);
	strbuf_addf(&t,
		"[google]\ncustomer = C01234567\ncredentials = /nonexistent\nsubject = "
		"admin@example.com\n"
		"%s%s\n[people]\naddress = {user}@example.com\n"
		"domains = example.com\nmap =\n[storage]\nledger = sqlite:%s/ledger.db\n"
		"tokens = %s\n"
		"[invitations]\n%s%s\n",
		strstr(google, "requests_per_minute") ? "" : "requests_per_minute = 0\n", google,
		f->path, f->path, strstr(more, "mode =") ? "" : "mode = send\n", more);
	s.settings = settings_load(folder_write(f, "cloudinvite.conf", t.data), &s.fault);
	strbuf_free(&t);
	check(&s, s.settings);
	s.map = map_load("", &s.fault);
	site_open(&s);
	return s;
}

void site_end(struct site *s)
{
	if (s->engine)
		site_close(s);
	map_free(s->map);
	settings_free(s->settings);
	unlink(folder_path(s->folder, "ledger.db"));
	unlink(folder_path(s->folder, "ledger.db-wal"));
	unlink(folder_path(s->folder, "ledger.db-shm"));
	unlink(folder_path(s->folder, "last-mail"));
	unlink(folder_path(s->folder, "last-request"));
	unlink(folder_path(s->folder, "blocks/list"));
}

void see_user(struct site *s, const char *user, enum trigger trigger)
{
	struct sighting seen = {
		.trigger = trigger, .uid = 1000 + fake_google.account_count, .local = true};

	seen.first_seen = clock_day_start(clock_wall());
	str_copy(seen.host, sizeof(seen.host), "here");
	str_copy(seen.user, sizeof(seen.user), user);
	str_copy(seen.shell, sizeof(seen.shell), "/bin/bash");
	check(s, ledger_account_seen(s->ledger, &seen, &s->fault) > 0);
}

void classify_all(struct site *s)
{
	check(s, engine_classify(s->engine, s->map, 10000, &s->fault) >= 0);
}

void run_for(struct site *s, int64_t seconds)
{
	int64_t end = fake_google.boot_ms + seconds * 1000;

	while (fake_google.boot_ms < end) {
		int64_t left = end - fake_google.boot_ms;

		check(s, engine_run(s->engine, NULL, 0,
				 left < DAY * 1000 ? (int)left : (int)DAY * 1000, &s->fault));
	}
}

void run_once(struct site *s)
{
	classify_all(s);
	do
		check(s, engine_run(s->engine, NULL, 0, 25, &s->fault));
	while (!engine_idle(s->engine));
}

struct person person_of(struct site *s, const char *address)
{
	struct person p;

	check(s, ledger_person(s->ledger, address, &p, &s->fault) >= 0);
	return p;
}

void assert_person(struct site *s, const char *address, enum person_state state, const char *reason)
{
	struct person p;

	assert_int_equal(ledger_person(s->ledger, address, &p, &s->fault), 1);
	assert_string_equal(person_state_word(p.state), person_state_word(state));
	assert_string_equal(person_reason_word(&p), reason);
}

void assert_calls(int checks, int gets, int sends)
{
	assert_int_equal(fake_google.counts[GOOGLE_CHECK], checks);
	assert_int_equal(fake_google.counts[GOOGLE_GET], gets);
	assert_int_equal(fake_google.counts[GOOGLE_SEND], sends);
}
