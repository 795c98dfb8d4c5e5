/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the room: what its files share.
 *
 *   invite.c    opening, one turn, waiting
 *   round.c     one round: what has come back, what is started next, in one commit
 *   claim.c     who comes next, with which slots of the pace
 *   wave.c      what goes on between two rounds
 *   course.c    one person's way: claim, questions, answers
 *   mailing.c   the part of it that mails: policy, intent, result
 *   ending.c    how it ends: put, back, retry
 *   reconcile.c whether mails may be out that the ledger does not know of
 *   witness.c   the line outside the ledger that tells so
 *   evidence.c  what Google's answers prove
 *   policy.c    whether the mail may go now
 *   control.c   the control call, the pause, the brakes
 *   sweep.c     what became of those who are not asked about one by one
 *   bulk.c      a bulk start reads the list first
 *   shown.c     what the list, or get, shows of one person
 *   judge.c     sightings -> verdicts -> people
 *   ask.c       the administrator's commands
 *
 * A round decides everything within one transaction and takes it for done only after the commit:
 *
 *   answers ──► decide ──► slots, intents ──► COMMIT ──► google_start
 *      ▲                                        │ failed: nothing of it has happened;
 *      └────────────── google_poll ◄────────────┘ the answers stay and are decided again
 */
#ifndef CLOUDINVITE_INVITE_INSIDE_H
#define CLOUDINVITE_INVITE_INSIDE_H

#include "invite/evidence.h"
#include "invite/invite.h"
#include "invite/policy.h"
#include "invite/witness.h"
#include "ratelimit/rate_limit.h"
#include "settings/window.h"

#define LEASE_S		 900		      /* beyond the longest course of three calls */
#define CONTROL_FRESH_MS INT64_C(60000)	      /* how long the control call's answer is good */
#define CHECKED_FRESH_S	 (24 * INT64_C(3600)) /* how long check and get clear the way for a send */
#define BRAKE_PEOPLE	 5
#define AMBIGUOUS_SENDS	 3

/* Why a person is on its way. */
enum purpose {
	PURPOSE_INVITE, /* check, get, send */
	PURPOSE_SETTLE, /* get: did the mail go out? */
	PURPOSE_WATCH,	/* get: what became of the invitation? */
	PURPOSE_CANCEL, /* cancel: the account is gone */
};

enum course_phase {
	COURSE_FREE,
	COURSE_READY,	 /* `step` waits for a slot of the pace */
	COURSE_CALLING,	 /* `step` is with Google */
	COURSE_ANSWERED, /* `answer` waits for a round */
	COURSE_DOUBT,	 /* refused: the control call tells whether it is the person */
	COURSE_OVER, /* of one that an administrator waits for: `fault` and `person` tell the end */
};

/* What a round has decided; it counts once that is committed. */
enum course_next { NEXT_NOTHING, NEXT_READY, NEXT_CALL, NEXT_DOUBT, NEXT_END };

struct course {
	struct invite *invite;
	struct course *next_free;
	enum course_phase phase;
	enum purpose purpose;
	enum google_method step;
	bool by_name;		    /* invite_send: an administrator waits for the end of it, … */
	const char *why;	    /* … and has said why, … */
	struct invite_result *told; /* … and is told what Google said; else NULL */
	struct person before; /* as it was claimed: what a call without effect leads back to */
	struct person person; /* as the ledger has it */
	int64_t ready_ms;     /* since when it is ready */
	int64_t slot;	      /* of the call under way, if slot_open */
	bool slot_open;
	struct google_reply answer; /* without its page */

	enum course_next next;
	enum google_method next_step;
	struct person after;
	int64_t next_slot;
	const char *event; /* for the log, after the commit */
	char cause[200];
	struct fault fault; /* what ended it; NONE: nothing */
};

/* Calls that are about nobody: the control call, the pages of a sweep. */
struct errand {
	enum errand_phase { ERRAND_IDLE, ERRAND_WANTED, ERRAND_CALLING, ERRAND_ANSWERED } phase;
	int64_t slot, next_slot;
	bool slot_open;
	bool granted; /* in this round */
	struct google_reply answer;
};

/* The same refusal of one method for different people, with no success between. */
struct brake {
	char code[48];
	char people[BRAKE_PEOPLE][ADDRESS_MAX + 1];
	int count;
};

struct control {
	struct errand call;
	bool passed; /* ever, … */
	int64_t passed_ms;
	int ambiguous; /* sends in a row whose effect is unknown */
	int streak;    /* set-up pauses without a success of `refused` between: the probes' pace */
	enum google_method refused;
	bool probe_now; /* at start: somebody may have mended it */
	bool braked;	/* and not yet resumed */
	struct brake brakes[GOOGLE_METHODS];
};

struct sweep {
	struct errand call;
	bool under_way;
	bool by_get;	  /* few are open: get for each is cheaper */
	bool reconciles;  /* begun for that: reconcile.c */
	int64_t bulk;	  /* begun for so many people at least who wait for it; 0: not */
	int troubles;	  /* in a row: pages that could not be read */
	int64_t next_at;  /* of the next sweep, or of the next try within one; 0: not read yet */
	char *page_token; /* of the next page; NULL: the first */
	int pages;	  /* so far */
	char (*people)[ADDRESS_MAX + 1]; /* by_get: who is to be asked about */
	int people_count, people_at;
	/* the answer */
	struct invitation *page;
	size_t page_count;
	char *next_token; /* NULL: it was the last page */
	enum sweep_step { SWEEP_STAY, SWEEP_ON, SWEEP_RETRY, SWEEP_ANEW, SWEEP_OVER } step;
};

struct invite {
	const struct settings *settings;
	struct ledger *ledger;
	struct google *google;
	char owner[96];
	char actor[64];
	bool admin;
	bool draining;
	bool changed; /* a state, a verdict: the collector has marks to write */

	struct course *courses; /* `room` of them; those from `used` on were never written to, … */
	int used;		/* … and so take no memory */
	int room, parallel;
	struct course *free;
	int busy;	     /* courses that are not free */
	int calling;	     /* calls with Google: courses' and errands' */
	bool trouble;	     /* an answer that waits for a round is a fault */
	int answered;	     /* answers that wait for a round, … */
	int64_t answered_ms; /* … the first of them since then */
	struct course *solo; /* ask.c: nobody else is claimed */

	struct control control;
	struct sweep sweep;
	struct ledger_pause pause;
	bool paused;
	struct ledger_reconcile reconcile;
	bool reconciling;
	struct witness witness;

	int later_in_a_row; /* calls that may work later, without a success between, … */
	int rested_for;	    /* … as many as that when it last took a rest, … */
	int rests;	    /* … and so many rests since a success */

	int64_t google_date;	/* the newest Date of Google, … */
	int64_t google_date_ms; /* … and when (clock_boot_ms) it came */
	int64_t window_from, window_until,
		window_opens; /* what window_open said, and while it holds */

	/* one round */
	int64_t now;
	int64_t ahead_ms;    /* of the boot's clock, at the last round; 0: none yet */
	int64_t sends_today; /* -1: not counted yet */
	bool succeeded, throttled;
	int intents;	     /* of sends, in its commit */
	int64_t sends_begun; /* with them */
	bool realigns;	     /* the witness is to tell of this ledger from its commit on */
	int64_t retry_after;
	int wanted, claimed; /* people */

	int64_t next_ms;     /* when there is something to do without an answer */
	int64_t slots_at_ms; /* no slot before that */
	int64_t backoff_ms;  /* the ledger fails */
	bool quiet;	     /* the last round found nothing that could be done */
	bool arrivals;	     /* somebody may have come since bulk.c has looked, … */
	bool judging;	     /* … and more may follow at once */
	char waits_for[128];
	struct invite_counts counts;
};

/* ---- round.c ---- */
bool round_run(struct invite *i, struct fault *fault);
struct course *round_take_free(struct invite *i);
void round_free(struct course *c);
/* Gives back what the courses of a busy time took; does nothing while one is busy. */
void round_release_memory(struct invite *i);
/* Whether a course that wants its next call may go on towards it; ends it if not. */
bool round_let_go(struct invite *i, struct course *c, struct fault *fault);

static inline struct course *round_first(struct invite *i)
{
	return i->courses;
}

static inline struct course *round_end(struct invite *i)
{
	return i->courses + i->used;
}

/* It wants its next call. */
static inline bool round_going(const struct course *c)
{
	return c->next == NEXT_READY;
}

static inline bool round_stopped(const struct invite *i)
{
	return i->draining || (i->paused && !i->solo);
}

/* ---- claim.c ---- */
/* Leases as many people as can be carried on now. */
bool claim_people(struct invite *i, struct fault *fault);
/* Gives slots to the control call, to people, to the sweep; writes the intents of the sends. */
bool claim_slots(struct invite *i, struct fault *fault);
/* Before anything is begun: whether nothing gets through any more. */
void claim_rest(struct invite *i);
/* After the commit: when to look again. */
bool claim_plan(struct invite *i, struct fault *fault);

/* ---- wave.c ---- */
/* How many people may be on their way at once. */
int wave_room(const struct settings *settings);
/* A check has found somebody: on to get, without a round, where nothing is against it. */
bool wave_straight_on(struct course *c);
/* Between two rounds: starts questions that wait for nothing but a free line. */
void wave_go_on(struct invite *i);
/* How long the next round may still wait for more answers. */
int64_t wave_gathers_ms(const struct invite *i);

/* ---- course.c: within the round (but for course_start); false: the ledger fails ---- */
/* A person has been claimed: what is the purpose, what the first step? */
bool course_claimed(struct course *c, const struct person *p, struct fault *fault);
/* Decides on the answer, or on what the control call has said about it. */
bool course_answered(struct course *c, struct fault *fault);
enum doubt { DOUBT_PERSON, DOUBT_SETUP, DOUBT_LATER };
bool course_doubt_over(struct course *c, enum doubt doubt, struct fault *fault);
/* After the commit: hands the step to Google. */
void course_start(struct course *c);

/* ---- ending.c: how a course ends; c->after is what the person is to be then ---- */
void ending_state(struct course *c, enum person_state state, const char *reason, int64_t due);
void ending_clear_intent(struct person *p);
void ending_clear_fault(struct person *p);
void ending_note_fault(struct person *p, const struct fault *why);
/* Nobody has touched the person since it was claimed. */
bool ending_still_ours(struct course *c, bool *ours, struct fault *fault);
/* With c->after in the ledger, and an event for the log (or NULL). */
bool ending_put(struct course *c, const char *event, struct fault *fault);
/* The same, and the journal of the send is closed. */
bool ending_send(struct course *c, const char *outcome, const char *event, struct fault *fault);
/* Back to how it was before, without effect. */
bool ending_back(struct course *c, struct fault *fault);
/* The same again later, backing off; charged as one failed attempt. */
bool ending_retry(struct course *c, const struct fault *why, struct fault *fault);
/* For the whole set-up's sake: the dispatch pauses, nobody is charged. */
bool ending_setup(struct course *c, struct fault *fault);
/* For the quota's sake: the pace slows down, nobody is charged. */
bool ending_quota(struct course *c, struct fault *fault);

/* ---- mailing.c: what stands before and after the one call that mails somebody ---- */
/* May it go? Ends the course if not. */
bool mailing_cleared(struct course *c, struct fault *fault);
/* The intent, in the same commit as its slot. */
bool mailing_intend(struct course *c, struct fault *fault);
bool mailing_answered(struct course *c, struct fault *fault);
bool mailing_unclear(struct course *c, struct fault *fault);
/* Found in `sending`: its process died between intent and result. */
bool mailing_interrupted(struct course *c, struct fault *fault);
/* ---- control.c ---- */
bool control_fresh(const struct invite *i);
void control_want(struct invite *i);
bool control_answered(struct invite *i, enum doubt *doubt, struct fault *fault);
void control_start(struct invite *i);
/* The set-up is refused: the dispatch pauses. */
bool control_refused(
	struct invite *i, enum google_method method, const struct fault *why, struct fault *fault);
/* One more person is refused; *braked: that makes five, and nobody is charged. */
bool control_person_failed(
	struct invite *i, const struct course *c, bool *braked, struct fault *fault);
/* Google says slow down: by that call, too, though it is about nobody. */
void control_throttled(struct invite *i, const struct google_reply *reply);
/* Every answer, once, as it comes in. */
void control_noted(struct invite *i, enum google_method method, const struct google_reply *reply);
/* Whether too many sends in a row were ambiguous. */
bool control_holds_sends(const struct invite *i);
/* Reads the pause; wants a probe when one is due. */
bool control_look(struct invite *i, struct fault *fault);
/* When the next probe is due (clock_wall); 0: none. */
int64_t control_probe_at(const struct invite *i);

/* ---- shown.c ---- */
/* Google shows somebody: what that means for the person, if the ledger knows one. `strangers`: and
 * for whom only a sighting knows. */
bool shown_saw(struct invite *i, const char *address, const struct evidence *e, bool strangers,
	struct fault *fault);

/* ---- bulk.c ---- */
/* Before people are claimed: begins to read the list when a bulk has come. */
bool bulk_look(struct invite *i, struct fault *fault);
/* Whether it is not known yet: those who have come are still being judged. */
bool bulk_is_coming(const struct invite *i);
/* Whether those who have been put back still wait for the list. */
bool bulk_reads_first(const struct invite *i);
/* The list has been read to its end. */
bool bulk_over(struct invite *i, struct fault *fault);

/* ---- sweep.c ---- */
/* Reads the list now, whatever the settings' period says, for so many people. */
void sweep_for_bulk(struct invite *i, int64_t people);
/* Numbers that the ledger keeps. */
bool sweep_read_number(
	struct invite *i, const char *key, int64_t fallback, int64_t *out, struct fault *fault);
bool sweep_write_number(struct invite *i, const char *key, int64_t number, struct fault *fault);
/* Whether there is to be one at all. */
bool sweep_wanted(const struct invite *i);
/* Begins one when it is due; wants its next call. */
bool sweep_look(struct invite *i, struct fault *fault);
/* Takes what a page, or a get, has shown into the ledger. */
bool sweep_answered(struct invite *i, struct fault *fault);
/* After the commit: on to the next page; hands a granted call to Google. */
void sweep_settle(struct invite *i);
void sweep_free(struct invite *i);

/* ---- reconcile.c ---- */
/* At the opening: whether the ledger is the one that has sent the last mail. */
bool reconcile_open(struct invite *i, struct fault *fault);
/* Before a round: what the ledger says of it. */
bool reconcile_look(struct invite *i, struct fault *fault);
/* Within the round: notes what has been heard; ends it. */
bool reconcile_decide(struct invite *i, struct fault *fault);
/* Once in a round that would send: whether the ledger still knows of the last mail. */
bool reconcile_still_whole(struct invite *i, struct fault *fault);
/* The intents of the round, in its commit, … */
bool reconcile_count(struct invite *i, struct fault *fault);
/* … and after it. */
void reconcile_sends(struct invite *i);
/* Google has shown somebody who stood in the ledger as `before`. */
bool reconcile_noted(struct invite *i, const struct person *before, const struct evidence *e,
	struct fault *fault);
/* A sweep is due, and by the whole list. */
bool reconcile_wants_sweep(const struct invite *i);
/* One that was begun for it has read the list to its end. */
bool reconcile_swept(struct invite *i, struct fault *fault);
/* When somebody who waits for it is looked at again, at the latest. */
int64_t reconcile_due(const struct invite *i);
/* In how many milliseconds it may be over; -1: that depends on something else. */
int64_t reconcile_wait_ms(const struct invite *i);

/* ---- invite.c ---- */
/* Google's clock now, as far as it is known; 0: never heard. */
int64_t invite_google_now(const struct invite *i);
/* Copies what is to be kept of a reply, and counts it. */
void invite_took(struct invite *i, enum google_method method, const struct google_reply *reply,
	struct google_reply *kept);

#endif
