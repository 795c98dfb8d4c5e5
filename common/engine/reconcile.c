/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconcile: a tenant has one ledger. When mails may be out that this one does not know of, because
 * it was restored from a copy, because it took the place of a lost one, or because Google shows
 * mails that it did not send, it sends none until one resync has read the whole list and the last
 * of those mails is 72 hours old by Google's clock: before that, what Google does not show proves
 * nothing. Checks go on meanwhile; a person who may be invited is queued for "reconcile".
 */
#include "engine/engine_internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/minmax.h"
#include "base/str.h"

#define ELSEWHERE_PEOPLE 3 /* so many are not a single invitation from the console */
#define WAIT_MIN_S	 60
#define RESYNC_WAIT_S	 600

/* ---- beginning ---- */

static const char *text_of(const char *why)
{
	if (strcmp(why, "restored") == 0)
		return "The ledger is older than the last mail from this host: it was restored "
		       "from a backup and does not know who was invited since then.";
	if (strcmp(why, "other_ledger") == 0)
		return "Another ledger sent mails from this host before: this ledger does not know "
		       "to which people.";
	if (strcmp(why, "other_machine") == 0)
		return "This ledger is a copy that another machine made: a clone, or an image with "
		       "a ledger in it. It does not know who was invited from the other machine.";
	return "Google shows mails of the last three days that this ledger did not send, to three "
	       "or more of its people: another ledger is in use for this organisation, or this "
	       "ledger was restored from a backup.";
}

/* Of two mails the later one counts (0: it may be out now), and the list is to be read again. */
static bool start(struct engine *e, const char *why, int64_t mail_date, struct fault *fault)
{
	struct ledger_reconcile r = {.since = e->now, .mail_date = mail_date};

	if (e->reconciling && mail_date != 0)
		r.mail_date = max_i64(e->reconcile.mail_date, mail_date);
	str_copy(r.cause, sizeof(r.cause), why);
	str_copy(r.text, sizeof(r.text), text_of(why));
	if (!ledger_reconcile(e->ledger, &r, e->actor, fault))
		return false;
	if (!e->reconciling)
		log_event(LOG_LEVEL_ERROR, "reconcile",
			"%s No invitations are sent until Google is certain to show all of those "
			"mails, at most 72 hours. To override this: cloudinvite resume",
			r.text);
	e->reconcile = r;
	e->reconciling = true;
	return true;
}

/* A ledger that was restored is another one: for the people for which the collector has written
 * markers since, and for the send journal, which would not notice the same copy a second time. */
static bool start_as_another(struct engine *e, const char *why, struct fault *fault)
{
	return start(e, why, e->journal.mail_date, fault) && ledger_take_new_id(e->ledger, fault);
}

/* ---- the send journal ---- */

/* *why: NULL where it knows of no other mails than the ledger. False: fault. */
static bool compare_journal(struct engine *e, const char **why, struct fault *fault)
{
	const struct send_journal *w = &e->journal;
	int64_t sends;

	*why = NULL;
	if (w->ledger[0] == '\0')
		return true;
	sends = ledger_sends_begun(e->ledger, fault);
	if (strcmp(w->ledger, ledger_id(e->ledger)) != 0)
		*why = "other_ledger";
	else if (sends < w->sends)
		*why = "restored";
	return sends >= 0;
}

static bool start_alone(struct engine *e, const char *why, struct fault *fault)
{
	return ledger_begin(e->ledger, fault) &&
	       ledger_end(e->ledger, start_as_another(e, why, fault), fault);
}

/* ---- what the collector has found out ---- */

/* The other machine may send at this moment. A restored ledger from which no mail has been sent, by
 * the ledger and by the journal, lacks none. */
static bool start_as_copy(struct engine *e, const char *cause, int64_t sends, struct fault *fault)
{
	if (strcmp(cause, "restored") != 0)
		return start(e, cause, 0, fault);
	return (sends == 0 && e->journal.ledger[0] == '\0') ||
	       start(e, cause, e->journal.mail_date, fault);
}

/* On a clone this program may be the first to start: then it notes the copy itself. A machine
 * without an id says nothing. */
static bool note_other_machine(struct engine *e, struct fault *fault)
{
	char now[MACHINE_FACT_SIZE], named[MACHINE_FACT_SIZE] = "";
	int found = ledger_get(e->ledger, LEDGER_MACHINE, named, sizeof(named), fault);

	machine_read_id(now);
	if (found <= 0 || *now == '\0' || strcmp(named, now) == 0)
		return found >= 0;
	return ledger_set(e->ledger, LEDGER_MACHINE, now, fault) &&
	       ledger_note_copy(e->ledger, "other_machine", fault) &&
	       ledger_take_new_id(e->ledger, fault);
}

/* In a transaction. The ledger has its new id already. */
static bool take_noted_copy(struct engine *e, bool *taken, struct fault *fault)
{
	char cause[sizeof(e->reconcile.cause)];
	int64_t sends;
	int found = ledger_noted_copy(e->ledger, cause, sizeof(cause), fault);

	*taken = found > 0;
	if (found <= 0)
		return found == 0;
	sends = ledger_sends_begun(e->ledger, fault);
	if (sends < 0 || !ledger_forget_copy(e->ledger, fault) ||
		!start_as_copy(e, cause, sends, fault))
		return false;
	e->sends_begun = sends;
	return true;
}

static bool take_noted_copy_alone(struct engine *e, bool *taken, struct fault *fault)
{
	return ledger_begin(e->ledger, fault) &&
	       ledger_end(e->ledger,
		       note_other_machine(e, fault) && take_noted_copy(e, taken, fault), fault);
}

bool reconcile_open(struct engine *e, struct fault *fault)
{
	struct fault unkept;
	const char *why;
	bool copy = false;

	e->now = clock_wall();
	if (!send_journal_open(&e->journal, e->settings, &unkept) && !e->admin)
		log_fault(LOG_LEVEL_WARN, "send_journal", &unkept);
	if (!reconcile_refresh(e, fault) || !take_noted_copy_alone(e, &copy, fault) ||
		!compare_journal(e, &why, fault))
		return false;
	if (!why)
		return true;
	if (!copy && !start_alone(e, why, fault))
		return false;
	/* Said once: from now on it speaks of this ledger. */
	e->sends_begun = ledger_sends_begun(e->ledger, fault);
	send_journal_write(&e->journal, e->settings, ledger_id(e->ledger), e->sends_begun,
		e->journal.mail_date);
	return e->sends_begun >= 0;
}

bool reconcile_count_intents(struct engine *e, struct fault *fault)
{
	if (e->intents > 0)
		e->sends_begun = ledger_count_sends(e->ledger, e->intents, fault);
	return e->sends_begun >= 0;
}

void reconcile_write_journal(struct engine *e)
{
	if (e->intents > 0 || e->realigns)
		send_journal_write(&e->journal, e->settings, ledger_id(e->ledger), e->sends_begun,
			max_i64(engine_google_now(e), e->journal.mail_date));
}

/* A copy written over the open file. */
bool reconcile_check_ledger(struct engine *e, struct fault *fault)
{
	int64_t sends;
	bool copy = false;

	if (!take_noted_copy(e, &copy, fault))
		return false;
	if (copy)
		return e->realigns = true;
	sends = ledger_sends_begun(e->ledger, fault);
	if (sends < 0)
		return false;
	if (e->reconciling || sends >= e->journal.sends)
		return true;
	/* Said once, as at the opening. */
	e->sends_begun = sends;
	e->realigns = true;
	return start_as_another(e, "restored", fault);
}

/* ---- Google's word ---- */

struct foreign_mails {
	int64_t people, since; /* Google's clock */
};

static bool read_count(struct engine *e, struct foreign_mails *t, struct fault *fault)
{
	char value[64];
	long long people, since;
	char *blank;
	int found = ledger_get(e->ledger, "mails_elsewhere", value, sizeof(value), fault);

	*t = (struct foreign_mails){.people = 0};
	if (found <= 0)
		return found == 0;
	blank = strchr(value, ' ');
	if (!blank)
		return true;
	*blank++ = '\0';
	if (str_number(value, 0, ELSEWHERE_PEOPLE, &people) &&
		str_number(blank, 0, INT64_MAX, &since))
		*t = (struct foreign_mails){people, since};
	return true;
}

static bool write_count(struct engine *e, const struct foreign_mails *t, struct fault *fault)
{
	char value[64];

	str_format(value, sizeof(value), "%" PRId64 " %" PRId64, t->people, t->since);
	return ledger_set(e->ledger, "mails_elsewhere", t->people > 0 ? value : NULL, fault);
}

/* One or two such mails are an administrator's in the console, and history says so; each person is
 * counted once, as the mails are noted with that. */
bool reconcile_observed(struct engine *e, const struct person *before, const struct evidence *seen,
	struct fault *fault)
{
	struct foreign_mails t;

	if (!evidence_mailed_elsewhere(before, seen))
		return true;
	if (!ledger_count(e->ledger,
		    before->our_mails > 0 ? COUNTER_UNEXPLAINED_MAILS : COUNTER_FOREIGN_MAILS,
		    seen->mails - max_i64(before->mails, 0), fault))
		return false;
	if (e->reconciling)
		return true;
	if (!read_count(e, &t, fault))
		return false;
	if (t.people == 0 || seen->date < t.since || seen->date - t.since >= GOOGLE_LAG_S)
		t = (struct foreign_mails){.since = seen->date};
	t.people++;
	if (t.people < ELSEWHERE_PEOPLE)
		return write_count(e, &t, fault);
	t.people = 0;
	return write_count(e, &t, fault) && start(e, "mails_elsewhere", seen->date, fault);
}

/* ---- until it is over ---- */

bool reconcile_refresh(struct engine *e, struct fault *fault)
{
	int found = ledger_reconciling(e->ledger, &e->reconcile, fault);

	if (found < 0)
		return false;
	e->reconciling = found > 0;
	return true;
}

bool reconcile_needs_clock(const struct engine *e)
{
	return e->reconciling && e->reconcile.list_read && engine_google_now(e) == 0 &&
	       !engine_is_stopped(e) && !e->admin;
}

bool reconcile_wants_resync(const struct engine *e)
{
	return e->reconciling && !e->reconcile.list_read;
}

bool reconcile_list_read(struct engine *e, struct fault *fault)
{
	if (!reconcile_wants_resync(e))
		return true;
	e->reconcile.list_read = true;
	return ledger_reconcile(e->ledger, &e->reconcile, e->actor, fault);
}

/* How long, by Google's clock; 0: that time is over; -1: not known. A Date before the mail's is one
 * of another clock: it counts from there. */
static int64_t left(const struct engine *e)
{
	int64_t date = engine_google_now(e), age = date - e->reconcile.mail_date;

	if (date == 0 || e->reconcile.mail_date == 0)
		return -1;
	return max_i64(GOOGLE_LAG_S - max_i64(age, 0), 0);
}

int64_t reconcile_until(const struct engine *e)
{
	int64_t wait = left(e);

	if (wait < 0)
		wait = GOOGLE_LAG_S;
	else if (wait == 0)
		wait = RESYNC_WAIT_S;
	return e->now + max_i64(wait, WAIT_MIN_S);
}

int64_t reconcile_wait_ms(const struct engine *e)
{
	int64_t wait = e->reconciling ? left(e) : -1;

	return wait > 0 ? wait * 1000 : -1;
}

static bool date_it(struct engine *e, struct fault *fault)
{
	int64_t date = engine_google_now(e);

	if (date == 0 || (e->reconcile.mail_date != 0 && e->reconcile.mail_date <= date))
		return true;
	e->reconcile.mail_date = date;
	return ledger_reconcile(e->ledger, &e->reconcile, e->actor, fault);
}

bool reconcile_decide(struct engine *e, struct fault *fault)
{
	if (!e->reconciling)
		return true;
	if (!date_it(e, fault))
		return false;
	if (!e->reconcile.list_read || left(e) != 0)
		return true;
	e->reconciling = false;
	if (ledger_reconciled(e->ledger,
		    "Google now shows all mails that were sent without this ledger", e->actor,
		    fault) < 0)
		return false;
	log_event(LOG_LEVEL_NOTE, "reconciled", "invitations are sent again");
	return true;
}
