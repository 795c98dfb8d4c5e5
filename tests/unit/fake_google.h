/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a fake Google that is a table, and a clock that advances when there is nothing else to
 * do. The engine and the ledger are the real ones; the functions of google.h are defined here and
 * replace the library's.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_FAKE_GOOGLE_H
#define CLOUDINVITE_TESTS_UNIT_FAKE_GOOGLE_H

#include "base/str.h"
#include "base/strbuf.h"
#include "folder.h"

#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/engine_internal.h"

#define FAKE_GOOGLE_ACCOUNTS 512
#define FAKE_GOOGLE_CALLS    64
#define FAKE_GOOGLE_CHANGES  8
#define FAKE_GOOGLE_SEEN     65536
#define HOUR		     INT64_C(3600)
#define DAY		     (24 * HOUR)
#define NO_DATE		     INT64_MAX

/* What Google's readers may still see: the states of an account, and when each began. */
struct change {
	int64_t at;
	enum invitation_state state;
	int64_t mails;
};

struct account_at_google {
	char address[ADDRESS_MAX + 1];
	bool invitable;
	int64_t shown_from; /* get and list hide accounts of the last 48 h */
	struct change changes[FAKE_GOOGLE_CHANGES];
	int change_count;
	int sends; /* requests that had an effect, … */
	int more;  /* … and how many more than one an administrator wanted */
};

/* The result of one call. */
struct outcome {
	enum fault_kind kind;
	const char *code;
	bool quota;
	int64_t retry_after;
	bool effect;	/* for a send: it mails */
	bool unclear;	/* … but the Operation does not say so */
	int repeats;	/* so many requests before it are answered by 401 */
	int64_t date_s; /* the reply's Date is so far ahead of Google's clock; NO_DATE: it has none
			 */
	int latency_ms;
};

struct call_at_google {
	struct google_call call;
	char address[ADDRESS_MAX + 1];
	char token[32];
	google_done *done;
	void *ctx;
	int64_t ends_ms;
	bool asks; /* it waits for the permit of a repeat */
	struct outcome outcome;
};

struct fake_google {
	int64_t wall_ms, boot_ms;
	int64_t skew_ms; /* this host's clock minus Google's, which is wall_ms */
	struct account_at_google accounts[FAKE_GOOGLE_ACCOUNTS];
	int account_count;
	struct call_at_google calls[FAKE_GOOGLE_CALLS];
	int call_count;
	int counts[GOOGLE_METHODS]; /* calls that arrived at Google */
	int64_t lag_s;		    /* the largest one of get and list */
	bool strict;		    /* no administrator sends by name with --resend */
	bool crashed;		    /* no result is delivered any more */
	uint64_t random;
	/* Decides on the call; NULL: it succeeds. */
	void (*decide)(struct call_at_google *c, struct outcome *o);
	/* When Google saw each call, for the rate limit. */
	int64_t *seen;
	int seen_count;
	int still; /* turns in a row in which the clock stood still and no result was delivered */
};

extern struct fake_google fake_google;

/* ---- chance and clock ---- */

int64_t rng_below(int64_t n);

/* True in so many of a thousand cases. */
bool rng_chance(int per_mille);
void pass(int64_t ms);

/* ---- accounts ---- */

struct account_at_google *find_account(const char *address);

/* The account, which must exist. */
struct account_at_google *account_of(const char *address);
struct change *state_of(struct account_at_google *a);
void change_state(struct account_at_google *a, enum invitation_state state, int64_t mails);

/* An unmanaged account that was opened so long ago. */
struct account_at_google *open_account(const char *address, int64_t age);

/* The state that a lagging reader sees. NULL: none. */
const struct change *visible(struct account_at_google *a);
void fill(struct invitation *out, const char *address, const struct change *seen);

/* ---- Google ---- */

struct google {
	int unused;
};

void mail(struct account_at_google *a);
void tell(struct call_at_google *c);

/* ---- the site ---- */

struct site {
	struct folder *folder;
	struct settings *settings;
	struct address_map *map;
	struct ledger *ledger;
	struct google *google;
	struct engine *engine;
	struct fault fault;
};

void check(struct site *s, bool ok);
void site_open(struct site *s);
void site_close(struct site *s);

/* kill -9: what is in memory is lost; Google may have got what was sent. */
void site_crash(struct site *s);

/* Settings that send at once; `more` are further lines for [invitations], `google` for [google]. */
struct site site_new(struct folder *f, const char *google, const char *more);
void site_end(struct site *s);
void see_user(struct site *s, const char *user, enum trigger trigger);
void classify_all(struct site *s);

/* Runs until there is nothing to do before `seconds` from now. */
void run_for(struct site *s, int64_t seconds);

/* Does what is due now, like --once. */
void run_once(struct site *s);
struct person person_of(struct site *s, const char *address);
void assert_person(
	struct site *s, const char *address, enum person_state state, const char *reason);
void assert_calls(int checks, int gets, int sends);

#endif
