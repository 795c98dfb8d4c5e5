/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconcile: a tenant has one ledger. When mails may be out that this one does not know of, because
 * it was restored from a copy, because it took the place of a lost one, or because Google shows
 * mails that it did not send, nobody is mailed by it until one sweep has read the whole list and
 * the last of those mails is 72 hours old by Google's clock: before that, what Google does not show
 * proves nothing. Questions go on meanwhile; who may be invited is queued for "reconcile".
 */
#include "invite/inside.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define ELSEWHERE_PEOPLE 3 /* so many are no single invitation from the console any more */
#define WAIT_MIN_S	 60
#define SWEEP_WAIT_S	 600

/* ---- beginning ---- */

static const char *text_of(const char *why)
{
	if (strcmp(why, "restored") == 0)
		return "The ledger is older than the last mail from this host: it was restored "
		       "from a backup and does not know who was invited since then.";
	if (strcmp(why, "other_ledger") == 0)
		return "Another ledger sent mails from this host before: this ledger does not know "
		       "to which people.";
	return "Google shows mails of the last three days that this ledger did not send, to three "
	       "or more of its people: another ledger is in use for this organisation, or this "
	       "ledger was restored from a backup.";
}

/* Whatever was known, the later mail counts, and the list is to be read anew. */
static bool start(struct invite *i, const char *why, int64_t mail_date, struct fault *fault)
{
	struct ledger_reconcile r = {.since = i->now, .mail_date = mail_date};

	if (i->reconciling && i->reconcile.mail_date > mail_date)
		r.mail_date = i->reconcile.mail_date;
	str_copy(r.cause, sizeof(r.cause), why);
	str_copy(r.text, sizeof(r.text), text_of(why));
	if (!ledger_reconcile(i->ledger, &r, i->actor, fault))
		return false;
	if (!i->reconciling)
		log_event(LOG_LEVEL_ERROR, "reconcile",
			"%s No invitations are sent until Google is certain to show all of those "
			"mails, at most 72 hours. To override this: cloudinvite resume",
			r.text);
	i->reconcile = r;
	i->reconciling = true;
	return true;
}

/* A ledger that was restored is another one: for those whom the collector has marked as known
 * since, and for the witness, which would not notice the same copy a second time. */
static bool start_as_another(struct invite *i, const char *why, struct fault *fault)
{
	return start(i, why, i->witness.mail_date, fault) && ledger_take_new_id(i->ledger, fault);
}

/* ---- the witness ---- */

/* *why: NULL where it knows of no other mails than the ledger. False: fault. */
static bool ask_witness(struct invite *i, const char **why, struct fault *fault)
{
	const struct witness *w = &i->witness;
	int64_t sends;

	*why = NULL;
	if (w->ledger[0] == '\0')
		return true;
	sends = ledger_sends_begun(i->ledger, fault);
	if (strcmp(w->ledger, ledger_id(i->ledger)) != 0)
		*why = "other_ledger";
	else if (sends < w->sends)
		*why = "restored";
	return sends >= 0;
}

static bool start_alone(struct invite *i, const char *why, struct fault *fault)
{
	if (!ledger_begin(i->ledger, fault))
		return false;
	if (start_as_another(i, why, fault) && ledger_commit(i->ledger, fault))
		return true;
	ledger_rollback(i->ledger);
	return false;
}

bool reconcile_open(struct invite *i, struct fault *fault)
{
	struct fault unkept;
	const char *why;

	i->now = clock_wall();
	if (!witness_open(&i->witness, i->settings, &unkept) && !i->admin)
		log_fault(LOG_LEVEL_WARN, "witness", &unkept);
	if (!reconcile_look(i, fault) || !ask_witness(i, &why, fault))
		return false;
	if (!why)
		return true;
	if (!start_alone(i, why, fault))
		return false;
	/* Said once: from now on it speaks of this ledger. */
	i->sends_begun = ledger_sends_begun(i->ledger, fault);
	witness_write(&i->witness, i->settings, ledger_id(i->ledger), i->sends_begun,
		i->witness.mail_date);
	return i->sends_begun >= 0;
}

bool reconcile_count(struct invite *i, struct fault *fault)
{
	if (i->intents > 0)
		i->sends_begun = ledger_count_sends(i->ledger, i->intents, fault);
	return i->sends_begun >= 0;
}

void reconcile_sends(struct invite *i)
{
	int64_t date = invite_google_now(i);

	if (i->intents > 0 || i->realigns)
		witness_write(&i->witness, i->settings, ledger_id(i->ledger), i->sends_begun,
			date > i->witness.mail_date ? date : i->witness.mail_date);
}

/* A copy written over the open file. */
bool reconcile_still_whole(struct invite *i, struct fault *fault)
{
	int64_t sends = ledger_sends_begun(i->ledger, fault);

	if (sends < 0)
		return false;
	if (i->reconciling || sends >= i->witness.sends)
		return true;
	/* Said once, as at the opening. */
	i->sends_begun = sends;
	i->realigns = true;
	return start_as_another(i, "restored", fault);
}

/* ---- Google's word ---- */

struct tally {
	int64_t people, since; /* Google's clock */
};

static bool read_tally(struct invite *i, struct tally *t, struct fault *fault)
{
	char value[64];
	long long people = 0, since = 0;
	char *blank;
	int found = ledger_get(i->ledger, "mails_elsewhere", value, sizeof(value), fault);

	*t = (struct tally){.people = 0};
	if (found <= 0)
		return found == 0;
	blank = strchr(value, ' ');
	if (!blank)
		return true;
	*blank++ = '\0';
	if (str_number(value, 0, ELSEWHERE_PEOPLE, &people) &&
		str_number(blank, 0, INT64_MAX, &since))
		*t = (struct tally){people, since};
	return true;
}

static bool write_tally(struct invite *i, const struct tally *t, struct fault *fault)
{
	char value[64];

	str_format(value, sizeof(value), "%" PRId64 " %" PRId64, t->people, t->since);
	return ledger_set(i->ledger, "mails_elsewhere", t->people > 0 ? value : NULL, fault);
}

/* One or two such mails are an administrator's in the console, and history says so; each person is
 * counted once, as the mails are noted with that. */
bool reconcile_noted(struct invite *i, const struct person *before, const struct evidence *e,
	struct fault *fault)
{
	struct tally t;

	if (!evidence_mailed_elsewhere(before, e))
		return true;
	if (!ledger_count(i->ledger,
		    before->our_mails > 0 ? COUNTER_UNEXPLAINED_MAILS : COUNTER_FOREIGN_MAILS,
		    e->mails - (before->mails > 0 ? before->mails : 0), fault))
		return false;
	if (i->reconciling)
		return true;
	if (!read_tally(i, &t, fault))
		return false;
	if (t.people == 0 || e->date < t.since || e->date - t.since >= GOOGLE_LAG_S)
		t = (struct tally){.since = e->date};
	t.people++;
	if (t.people < ELSEWHERE_PEOPLE)
		return write_tally(i, &t, fault);
	t.people = 0;
	return write_tally(i, &t, fault) && start(i, "mails_elsewhere", e->date, fault);
}

/* ---- until it is over ---- */

bool reconcile_look(struct invite *i, struct fault *fault)
{
	int found = ledger_reconciling(i->ledger, &i->reconcile, fault);

	if (found < 0)
		return false;
	i->reconciling = found > 0;
	/* The sweep hears Google's clock by itself. */
	if (i->reconciling && i->reconcile.list_read && invite_google_now(i) == 0 &&
		!round_stopped(i) && !i->solo && !i->admin)
		control_want(i);
	return true;
}

bool reconcile_wants_sweep(const struct invite *i)
{
	return i->reconciling && !i->reconcile.list_read;
}

bool reconcile_swept(struct invite *i, struct fault *fault)
{
	if (!reconcile_wants_sweep(i))
		return true;
	i->reconcile.list_read = true;
	return ledger_reconcile(i->ledger, &i->reconcile, i->actor, fault);
}

/* How long, by Google's clock; 0: that time is over; -1: not known. A Date before the mail's is one
 * of another clock: it counts from there. */
static int64_t left(const struct invite *i)
{
	int64_t date = invite_google_now(i), age = date - i->reconcile.mail_date;

	if (date == 0 || i->reconcile.mail_date == 0)
		return -1;
	return age >= GOOGLE_LAG_S ? 0 : GOOGLE_LAG_S - (age > 0 ? age : 0);
}

int64_t reconcile_due(const struct invite *i)
{
	int64_t wait = left(i);

	if (wait < 0)
		wait = GOOGLE_LAG_S;
	else if (wait == 0)
		wait = SWEEP_WAIT_S;
	return i->now + (wait > WAIT_MIN_S ? wait : WAIT_MIN_S);
}

int64_t reconcile_wait_ms(const struct invite *i)
{
	int64_t wait = i->reconciling ? left(i) : -1;

	return wait > 0 ? wait * 1000 : -1;
}

static bool date_it(struct invite *i, struct fault *fault)
{
	int64_t date = invite_google_now(i);

	if (date == 0 || (i->reconcile.mail_date != 0 && i->reconcile.mail_date <= date))
		return true;
	i->reconcile.mail_date = date;
	return ledger_reconcile(i->ledger, &i->reconcile, i->actor, fault);
}

bool reconcile_decide(struct invite *i, struct fault *fault)
{
	if (!i->reconciling)
		return true;
	if (!date_it(i, fault))
		return false;
	if (!i->reconcile.list_read || left(i) != 0)
		return true;
	i->reconciling = false;
	if (ledger_reconciled(i->ledger,
		    "Google now shows all mails that were sent without this ledger", i->actor,
		    fault) < 0)
		return false;
	log_event(LOG_LEVEL_NOTE, "reconciled", "invitations are sent again");
	return true;
}
