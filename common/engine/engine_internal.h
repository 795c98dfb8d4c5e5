/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the engine share.
 *
 *   engine.c       opening, one run, waiting
 *   batch.c        one batch: replies, what is started next, in one commit
 *   job.c          one person's way through the events of person/event.h
 *   apply.c        settings and ledger -> policy; stores a step
 *   replies.c      what every reply says about the whole
 *   schedule.c     who comes next, with which permits of the rate limit, and when to look again
 *   pipeline.c     what goes on between two commits
 *   gate.c         the control call and the pause
 *   breaker.c      the same rejection for five people: pure
 *   resync.c       what became of people who are not asked about one by one
 *   backlog.c      many people at once: the list is read first
 *   observe.c      what the list, or get, shows of one person
 *   reconcile.c    whether mails may be out that the ledger does not know of
 *   send_journal.c the line outside the ledger that tells so
 *   classify.c     sightings -> verdicts -> people
 *   admin.c        the administrator's commands, …
 *   admin_send.c   … of which the send is one of its own
 *   admin_call.c   one call that a command waits for, and the result
 *   admin_refusal.c  what is said when the rules refuse
 *
 * A batch decides everything within one transaction, and takes it for done only after the commit:
 *
 *   replies ──► person_step ──► permits, intents ──► COMMIT ──► google_start
 *      ▲                                               │ failed: nothing of it has happened; the
 *      └──────────────── google_poll ◄─────────────────┘ replies stay and are decided again
 */
#ifndef CLOUDINVITE_ENGINE_ENGINE_INTERNAL_H
#define CLOUDINVITE_ENGINE_ENGINE_INTERNAL_H

#include "engine/breaker.h"
#include "engine/engine.h"
#include "engine/send_journal.h"
#include "ratelimit/rate_limit.h"
#include "settings/window.h"

#define LEASE_S		 900		/* beyond the longest job of three calls */
#define CONTROL_FRESH_MS INT64_C(60000) /* how long the control call's reply is good */
#define AMBIGUOUS_SENDS	 3		/* in a row: no more before the control call */

enum job_phase {
	JOB_FREE,
	JOB_READY,	   /* `action` waits for a permit */
	JOB_IN_FLIGHT,	   /* `action` is with Google */
	JOB_REPLIED,	   /* `reply` waits for a batch */
	JOB_AWAIT_CONTROL, /* `action` was rejected: the control call tells whether it is the person
			    */
};

struct job {
	struct engine *engine;
	struct job *next_free;
	enum job_phase phase;
	enum person_action action;
	struct person claimed; /* as it was claimed: what a call without effect leads back to */
	struct person person;  /* as of the last commit */
	int64_t ready_ms;      /* since when it is ready */
	int64_t permit;	       /* of the call under way, if permit_open */
	bool permit_open;
	struct google_reply reply; /* without its page */

	/* What this batch has decided: it counts after the commit. */
	bool decided;
	bool granted; /* step.action may be started, with next_permit */
	int64_t next_permit;
	struct person_step step;
};

/* A call that is about no person: the control call, a page of a resync. */
struct global_call {
	enum call_phase { CALL_IDLE, CALL_WANTED, CALL_IN_FLIGHT, CALL_REPLIED } phase;
	int64_t permit, next_permit;
	bool permit_open;
	bool granted; /* in this batch */
	struct google_reply reply;
};

struct gate {
	struct global_call call;
	bool passed; /* ever, … */
	int64_t passed_ms;
	int ambiguous; /* sends in a row whose effect is unknown */
	int streak;    /* setup pauses without a success of `refused` between: delays the probes */
	enum google_method refused;
	bool probe_now; /* at start: the setup may have been corrected */
	struct breaker breaker;
};

struct resync {
	struct global_call call;
	bool under_way;
	bool by_get;	  /* few people are open: a get for each is cheaper than the list */
	bool reconciles;  /* begun for that: reconcile.c */
	int64_t backlog;  /* begun for so many people at least who wait for it; 0: not */
	int failures;	  /* in a row: pages that could not be read */
	int64_t next_at;  /* of the next resync, or of the next try within one; 0: not read yet */
	char *page_token; /* of the next page; NULL: the first */
	int pages;	  /* so far */
	char (*people)[ADDRESS_MAX + 1]; /* by_get: who is to be asked about */
	int people_count, people_at;
	/* the reply */
	struct invitation *page;
	size_t page_count;
	char *next_token; /* NULL: it was the last page */
	enum resync_step {
		RESYNC_STAY,
		RESYNC_NEXT,
		RESYNC_RETRY,
		RESYNC_RESTART,
		RESYNC_OVER
	} step;
};

struct engine {
	const struct settings *settings;
	struct ledger *ledger;
	struct google *google;
	char owner[96];
	char actor[64];
	bool admin;
	bool draining;
	bool changed; /* a state, a verdict: the collector has markers to write */

	struct job *jobs; /* `room` of them; those from `used` on were never written to, … */
	int used;	  /* … and so take no memory */
	int room, parallel;
	struct job *free;
	int busy;	    /* jobs that are not free */
	int in_flight;	    /* calls with Google: jobs' and global ones */
	bool failure;	    /* a reply that waits for a batch is a fault */
	int replies;	    /* replies that wait for a batch, … */
	int64_t replied_ms; /* … the first of them since then */

	struct gate gate;
	struct resync resync;
	struct ledger_pause pause;
	bool paused;
	struct ledger_reconcile reconcile;
	bool reconciling;
	struct send_journal journal;

	int transient_in_a_row; /* calls that may work later, without a success between, … */
	int rested_for;		/* … as many as that when it last took a rest, … */
	int rests;		/* … and so many rests since a success */

	int64_t google_date;	/* the newest Date of Google, … */
	int64_t google_date_ms; /* … and when (clock_boot_ms) it came */
	int64_t window_from, window_until;
	int64_t window_opens; /* what window_open said, and while it holds */

	/* one batch */
	int64_t now;
	int64_t ahead_ms;    /* of the boot's clock, at the last batch; 0: none yet */
	int64_t sends_today; /* -1: not counted yet */
	bool succeeded, throttled;
	int intents;	     /* of sends, in its commit */
	int64_t sends_begun; /* with them */
	bool realigns;	     /* the send journal is to tell of this ledger from its commit on */
	int64_t retry_after;
	int wanted, claimed; /* people */

	int64_t next_ms;       /* when there is something to do without a reply */
	int64_t permits_at_ms; /* no permit before that */
	int64_t backoff_ms;    /* the ledger fails */
	bool arrivals;	       /* people may have come since backlog.c has looked, … */
	bool classifying;      /* … and more may follow at once */
	char waits_for[128];
	struct engine_counts counts;
};

/* No person is claimed, and none goes on. */
static inline bool engine_is_stopped(const struct engine *e)
{
	return e->draining || e->paused;
}

/* ---- batch.c ---- */
bool batch_run(struct engine *e, struct fault *fault);

/* ---- job.c ---- */
struct job *job_take_free(struct engine *e);
void job_free(struct job *j);
static inline struct job *job_first(struct engine *e)
{
	return e->jobs;
}
static inline struct job *job_end(struct engine *e)
{
	return e->jobs + e->used;
}
/* The person as this batch has it. */
const struct person *job_person(const struct job *j);
/* The call that the job wants a permit for; ACTION_NONE: it wants none now. */
enum person_action job_wants(const struct job *j);
bool job_awaits_control(const struct job *j);
/* Within the batch's transaction; false: the ledger fails. */
bool job_claimed(struct job *j, const struct person *p, struct fault *fault);
bool job_replied(struct job *j, struct fault *fault);
bool job_control(
	struct job *j, enum error_scope scope, const struct fault *why, struct fault *fault);
/* Whether a job that wants its next call may go on towards it; ends it if not. */
bool job_may_go_on(struct job *j, struct fault *fault);
/* The permit is there. A send's intent is written now, or the job ends after all. */
bool job_granted(struct job *j, int64_t permit, struct fault *fault);
bool job_release(struct job *j, struct fault *fault);
/* After the commit. */
void job_apply(struct job *j);
/* After a rollback. */
void job_forget(struct job *j);

/* ---- apply.c: what jobs and the administrator's send share ---- */
enum google_method engine_method_of(enum person_action action);
/* What Google shows of a person; NULL: nothing (404). `date`: Google's clock at the reply. */
struct evidence engine_evidence(const struct invitation *shown, int64_t date, int64_t now);
struct person_event engine_event(const struct engine *e, enum person_event_kind kind);
void engine_event_of_reply(struct person_event *event, enum person_action call,
	const struct google_reply *reply, bool *setup);
/* `send`: including what only the decision to send needs. */
bool engine_policy(struct engine *e, bool send, struct send_policy *policy, struct fault *fault);
/* Steps `p`, and stores what must be stored, for a person that this engine has leased. */
bool engine_step(struct engine *e, const struct person *p, const struct person_event *event,
	struct person_step *step, struct fault *fault);
/* Steps and stores `p`, a person with no job and no lease: read in this transaction, or
 * PERSON_UNKNOWN. */
bool engine_step_free(struct engine *e, const struct person *p, const struct person_event *event,
	struct person_step *step, struct fault *fault);
void engine_log_step(const struct engine *e, const struct person_step *step);

/* ---- schedule.c ---- */
/* Leases as many people as can be carried on now. */
bool schedule_claim(struct engine *e, struct fault *fault);
/* Gives permits to the control call, to people, to the resync; writes the intents of the sends. */
bool schedule_permits(struct engine *e, struct fault *fault);
/* Before anything is begun: whether nothing gets through any more. */
void schedule_rest(struct engine *e);
/* After the commit: when to look again. */
bool schedule_plan(struct engine *e, struct fault *fault);

/* ---- pipeline.c ---- */
/* How many people may be in jobs at once. */
int pipeline_depth(const struct settings *settings);
/* Hands the job's action to Google. */
void pipeline_start(struct job *j);
/* Between two batches: starts calls that wait for nothing but a free connection. */
void pipeline_start_ready(struct engine *e);
/* How long the next batch may still wait for more replies. */
int64_t pipeline_commit_delay_ms(const struct engine *e);

/* ---- gate.c ---- */
bool gate_control_is_fresh(const struct engine *e);
void gate_control_passed(struct engine *e);
/* What a rejection is about, if the control call has ended so. */
enum error_scope gate_scope_of(enum fault_kind kind);
void gate_want_control(struct engine *e);
bool gate_control_replied(struct engine *e, enum error_scope *scope, struct fault *fault);
void gate_start_control(struct engine *e);
/* Google refuses the setup: sending pauses. */
bool gate_refused(
	struct engine *e, enum google_method method, const struct fault *why, struct fault *fault);
/* One more person is rejected; *tripped: that makes five, and no person is charged. */
bool gate_person_rejected(struct engine *e, enum google_method method, const char *address,
	const struct fault *why, bool *tripped, struct fault *fault);
/* Google says slow down. */
void gate_throttled(struct engine *e, const struct google_reply *reply);
/* Every reply, once, as it comes in. */
void gate_note_reply(struct engine *e, enum google_method method, const struct google_reply *reply);
/* Whether too many sends in a row were ambiguous. */
bool gate_holds_sends(const struct engine *e);
/* Reads the pause; wants a probe when one is due. */
bool gate_refresh(struct engine *e, struct fault *fault);
/* A pause that the engine has begun, because Google refuses the setup. */
bool gate_is_setup_pause(const struct engine *e);
/* When the next probe is due (clock_wall); 0: none. */
int64_t gate_probe_at(const struct engine *e);

/* ---- admin_call.c: false where only the ledger has failed ---- */
struct admin_waiting {
	engine_progress *progress;
	void *ctx;
};
bool admin_wait_for_permit(
	struct engine *e, const struct admin_waiting *w, int64_t *permit, struct fault *fault);
/* `reply` with its page is valid until the next call. */
void admin_call_with_permit(
	struct engine *e, const struct google_call *call, struct google_reply *reply);
bool admin_return_permit(
	struct engine *e, int64_t permit, const struct google_reply *reply, struct fault *fault);
/* These three. */
bool admin_call(struct engine *e, const struct google_call *call, const struct admin_waiting *w,
	struct google_reply *reply, struct fault *fault);
/* The control call; *why: its fault. */
bool admin_control(struct engine *e, const struct admin_waiting *w, enum error_scope *scope,
	struct fault *why, struct fault *fault);
/* Whether a rejection is about the person: asks the control call if that has not passed lately. If
 * the setup is rejected, *rejection becomes that. */
bool admin_resolve_rejection(struct engine *e, const struct admin_waiting *w,
	struct fault *rejection, enum error_scope *scope, struct fault *fault);
bool admin_plain_address(const char *address, char plain[ADDRESS_MAX + 1], struct fault *fault);
void admin_load_result(struct engine *e, const char *address, struct engine_result *out);
void admin_apply_reply(
	const struct google_reply *reply, enum google_method method, struct engine_result *out);

/* ---- admin_refusal.c ---- */
void admin_refuse(
	struct engine *e, enum person_refusal refusal, const char *address, struct fault *fault);
/* Whether the pause, as gate_refresh() has read it, lets an administrator send. */
bool admin_pause_allows(struct engine *e, struct fault *refusal);

/* ---- observe.c ---- */
/* Google shows a person: what that means, if the ledger knows one. `unknown_too`: and for people
 * that only a sighting knows. */
bool observe_invitation(struct engine *e, const char *address, const struct evidence *seen,
	bool unknown_too, struct fault *fault);

/* ---- backlog.c ---- */
/* Before people are claimed: begins to read the list when a backlog has come. */
bool backlog_check(struct engine *e, struct fault *fault);
/* Whether that is not known yet: the sightings that have come are still being classified. */
bool backlog_is_coming(const struct engine *e);
/* Whether the people who have been put back still wait for the list. */
bool backlog_scans_first(const struct engine *e);

/* ---- resync.c ---- */
/* Reads the list now, whatever the settings' interval says, for so many people. */
void resync_for_backlog(struct engine *e, int64_t people);
/* Numbers that the ledger keeps. */
bool resync_read_number(
	struct engine *e, const char *key, int64_t fallback, int64_t *out, struct fault *fault);
bool resync_write_number(struct engine *e, const char *key, int64_t number, struct fault *fault);
/* Whether there is to be one at all. */
bool resync_is_wanted(const struct engine *e);
/* Begins one when it is due; wants its next call. */
bool resync_check(struct engine *e, struct fault *fault);
/* Takes what a page, or a get, has shown into the ledger. */
bool resync_replied(struct engine *e, struct fault *fault);
/* After the commit: on to the next page; hands a granted call to Google. */
void resync_apply(struct engine *e);
void resync_free(struct engine *e);

/* ---- reconcile.c ---- */
/* At the opening: whether the ledger is the one that has sent the last mail. */
bool reconcile_open(struct engine *e, struct fault *fault);
/* Before a batch: what the ledger says of it. */
bool reconcile_refresh(struct engine *e, struct fault *fault);
/* Within the batch: records what has been heard; ends it. */
bool reconcile_decide(struct engine *e, struct fault *fault);
/* Once in a batch that would send: whether the ledger still knows of the last mail. */
bool reconcile_check_ledger(struct engine *e, struct fault *fault);
/* The intents of the batch, in its commit, … */
bool reconcile_count_intents(struct engine *e, struct fault *fault);
/* … and after it. */
void reconcile_write_journal(struct engine *e);
/* Google has shown a person who was in the ledger as `before`. */
bool reconcile_observed(struct engine *e, const struct person *before, const struct evidence *seen,
	struct fault *fault);
/* A resync is due, and by the whole list. */
bool reconcile_wants_resync(const struct engine *e);
/* One that was begun for it has read the list to its end. */
bool reconcile_list_read(struct engine *e, struct fault *fault);
/* When a person who waits for it is looked at again, at the latest. */
int64_t reconcile_until(const struct engine *e);
/* In how many milliseconds it may be over; -1: that depends on something else. */
int64_t reconcile_wait_ms(const struct engine *e);

/* Whether it waits for Google's clock, and nothing else brings a reply. */
bool reconcile_needs_clock(const struct engine *e);

/* ---- replies.c ---- */
/* Google's clock now, as far as it is known; 0: never heard. */
int64_t engine_google_now(const struct engine *e);
/* Copies what is to be kept of a reply, and counts it. */
void engine_replied(struct engine *e, enum google_method method, const struct google_reply *reply,
	struct google_reply *kept);

#endif
