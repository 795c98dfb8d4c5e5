/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call to the API asks and what comes back: methods, states of an invitation, outcomes. It
 * needs neither libcurl nor jansson, so that code which only evaluates outcomes does not depend on
 * them.
 */
#ifndef CLOUDINVITE_GOOGLE_TYPES_H
#define CLOUDINVITE_GOOGLE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/limits.h"

/* The OAuth scope that a token for the API has. */
#define GOOGLE_SCOPE "https://www.googleapis.com/auth/cloud-identity.userinvitations"
/* The scope of a token that only asks IAM to sign. */
#define IAM_SCOPE "https://www.googleapis.com/auth/iam"

/* Seconds. Google shows an invitation up to 48 hours late. What it still does not show after three
 * days was never sent. */
#define GOOGLE_LAG_S (72 * INT64_C(3600))

enum google_method { GOOGLE_CHECK, GOOGLE_GET, GOOGLE_LIST, GOOGLE_SEND, GOOGLE_CANCEL };
#define GOOGLE_METHODS 5

enum invitation_state {
	INVITATION_UNSPECIFIED,
	INVITATION_NOT_YET_SENT,
	INVITATION_INVITED,
	INVITATION_ACCEPTED,
	INVITATION_DECLINED,
	INVITATION_OTHER, /* a value that is unknown here */
};

struct invitation {
	char address[ADDRESS_MAX + 1]; /* last segment of `name`, decoded once, lower case */
	enum invitation_state state;
	int64_t mails;	 /* mailsSentCount; 0 if absent */
	int64_t updated; /* updateTime, seconds since the epoch; 0 if absent */
};

/* One call. `address` is for all methods but list; list_* are for list only. Strings are copied.
 *
 * begin_until_ms (clock_boot_ms): the request is not begun later, because the program may have
 * stood still since it decided on it; the call is then STOPPED, with the code "stood_still". 0: it
 * may begin at any time.
 *
 * permit: asked before the same request is sent again, which is so after a 401, or when libcurl
 * found its connection dead. Returns 0 if it may be sent, or in how many milliseconds to ask again.
 * NULL: it may. */
struct google_call {
	enum google_method method;
	const char *address;
	int list_page_size;	     /* 1 to 200 */
	const char *list_page_token; /* NULL: first page */
	const char *list_filter;     /* NULL, or e.g. state=='invited' */
	const char *list_order;	     /* NULL, or e.g. update_time desc */
	int64_t begin_until_ms;
	int64_t (*permit)(void *ctx);
	void *permit_ctx;
};

/* What came back. Valid only inside the callback. fault.kind:
 *   NONE         an answer
 *   TRANSIENT    no answer, and surely no effect; may be repeated (retry_after: when, if known)
 *   SETUP        the configuration is refused, whatever the person; also by the token endpoint
 *   REJECTED     400, 403, 404, 409, 412: the person or the configuration; the control call decides
 *   AMBIGUOUS    send only: it may have had its effect
 *   CREDENTIALS  the credential's own file cannot be used
 *   SETTINGS, USAGE  customer or address cannot be part of a request
 *   STOPPED      google_stop(), google_interrupt() */
struct google_reply {
	struct fault fault;
	int status;   /* HTTP; 0 if there was none */
	int64_t date; /* Google's own clock (Date header), seconds since the epoch; 0 if unknown, or
			 if it is not certain that Google wrote the reply */
	int64_t retry_after; /* seconds; -1 if not given */
	bool quota;	     /* 429, or 403 with a quota signal */
	int64_t duration_us;
	bool invitable; /* check */
	bool shown;	/* get: false after 404, which only means "not shown" (48 h lag) */
	bool confirmed; /* send, cancel: the Operation is done, without an error */
	struct invitation invitation; /* get; also send and cancel if the Operation holds it */
	bool has_invitation;
	const struct invitation *page; /* list */
	size_t page_count;
	const char *next_page_token; /* NULL at the end */
};

/* "check", "get", "list", "send", "cancel". */
const char *google_method_word(enum google_method method);
/* "NOT_YET_SENT", … as Google spells them. */
const char *invitation_state_word(enum invitation_state state);
enum invitation_state invitation_state_parse(const char *word); /* any case */

#endif
