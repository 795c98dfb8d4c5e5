/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google: the five calls of customers.userinvitations, as the rest of the program sees them. Only
 * this room speaks HTTP. Everything is asynchronous over one curl multi handle and has no threads;
 * google_call_sync() is for those who ask one thing and wait.
 */
#ifndef CLOUDINVITE_GOOGLE_GOOGLE_H
#define CLOUDINVITE_GOOGLE_GOOGLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "people/sighting.h"
#include "settings/settings.h"

enum google_method { GOOGLE_CHECK, GOOGLE_GET, GOOGLE_LIST, GOOGLE_SEND, GOOGLE_CANCEL };
#define GOOGLE_METHODS 5

enum invitation_state {
	INVITATION_UNSPECIFIED,
	INVITATION_NOT_YET_SENT,
	INVITATION_INVITED,
	INVITATION_ACCEPTED,
	INVITATION_DECLINED,
	INVITATION_OTHER, /* a value that we do not know */
};

struct invitation {
	char address[ADDRESS_MAX + 1]; /* last segment of `name`, decoded once, lower case */
	enum invitation_state state;
	int64_t mails;	 /* mailsSentCount; 0 if absent */
	int64_t updated; /* updateTime, seconds since the epoch; 0 if absent */
};

/* One call. `address` for all but list; the list_* for list only. Strings are copied. */
struct google_call {
	enum google_method method;
	const char *address;
	int list_page_size;	     /* 1 to 200 */
	const char *list_page_token; /* NULL: the first page */
	const char *list_filter;     /* NULL, or e.g. state=='invited' */
	const char *list_order;	     /* NULL, or e.g. update_time desc */
};

/* What came back. Valid only inside the callback. fault.kind:
 *   NONE         an answer
 *   TRANSIENT    no answer, and surely no effect; may be repeated (retry_after: when, if known)
 *   SETUP        the set-up is refused, whoever is asked about; also by the token endpoint
 *   REJECTED     400, 403, 404, 409, 412: the person or the set-up, the control call decides
 *   AMBIGUOUS    send only: it may have had its effect
 *   CREDENTIALS  the credential's own file is of no use
 *   SETTINGS, USAGE  customer or address cannot be part of a request
 *   STOPPED      google_stop(), google_interrupt() */
struct google_reply {
	struct fault fault;
	int status;   /* HTTP; 0 if there was none */
	int64_t date; /* Google's own clock (Date header), seconds since the epoch; 0 if unknown */
	int64_t retry_after; /* seconds; -1 if not said */
	bool quota;	     /* 429, or 403 with a quota signal */
	int64_t duration_us;
	bool invitable; /* check */
	bool shown;	/* get: false after 404, which only means "not shown" (48 h lag) */
	bool confirmed; /* send, cancel: the Operation says done, without error */
	struct invitation invitation; /* get; send and cancel where the Operation holds it */
	bool has_invitation;
	const struct invitation *page; /* list */
	size_t page_count;
	const char *next_page_token; /* NULL at the end */
};

typedef void google_done(void *ctx, const struct google_reply *reply);

struct google;

/* Loads the credential (no network); `settings` must outlive it. NULL and the fault. */
struct google *google_open(const struct settings *settings, struct fault *fault);
/* Stops what is under way. NULL-safe. */
void google_close(struct google *g);

/* Starts a call; `done` is called exactly once, from google_poll() or google_stop(), never from
 * here. The next turn takes the token from the cache or mints it first (synchronously: the one
 * thing that blocks, bounded by `timeout`); a 401 mints a fresh one once and repeats the call,
 * which had no effect. A `done` may start calls, but not turn. */
void google_start(struct google *g, const struct google_call *call, google_done *done, void *ctx);
/* Waits until something happens at Google or one of `fds` is readable, at most timeout_ms (-1: no
 * limit), runs what is done, and returns the number of calls still under way. */
int google_poll(struct google *g, const int *fds, int nfds, int timeout_ms);
int google_in_flight(const struct google *g);
/* Ends all that is under way, and tells each `done`: sends as AMBIGUOUS where anything may have
 * been written, all else as STOPPED. What has already been answered counts. */
void google_stop(struct google *g);
/* Asked now and then while a token is minted; true ends it (SIGTERM). */
void google_interrupt(struct google *g, bool (*stop)(void *ctx), void *ctx);

/* One call, waited for (with no others under way). `reply` is valid until the next
 * google_call_sync() or google_close(). */
void google_call_sync(struct google *g, const struct google_call *call, struct google_reply *reply);

/* How far our clock is ahead of Google's, seconds, from the last Date header. */
int64_t google_clock_skew(const struct google *g);

/* "check", "get", "list", "send", "cancel". */
const char *google_method_word(enum google_method method);
/* "NOT_YET_SENT", … as Google spells them. */
const char *invitation_state_word(enum invitation_state state);
enum invitation_state invitation_state_parse(const char *word); /* any case */

#endif
