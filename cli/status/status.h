/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: what an administrator looks at every morning. Read whole first (status.c), then drawn for
 * people (status_screen.c) or written for machines (status_json.c).
 */
#ifndef CLOUDINVITE_CLI_STATUS_STATUS_H
#define CLOUDINVITE_CLI_STATUS_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/common/screen.h"
#include "cli/common/selector.h"
#include "cli/common/service_state.h"
#include "ratelimit/rate_limit.h"

#define STATUS_REASONS 12
#define STATUS_FAULTS  3
#define STATUS_SHOWN   5 /* people who would be invited, in dry run */

struct status_reason {
	enum person_state state;
	char reason[48];
	int64_t count;
};

/* The same fault of several people. */
struct status_fault {
	char code[48];
	char text[320];
	char address[ADDRESS_MAX + 1]; /* one of them */
	int64_t count;		       /* among those that were looked at */
};

struct status {
	const struct store *store;
	struct service_state service;
	struct ledger_summary summary;
	struct rate_limit_status rate_limit;
	struct status_reason waiting[STATUS_REASONS]; /* held and queued, the most frequent first */
	int waiting_count;
	struct status_fault faults[STATUS_FAULTS];
	int fault_count;
	char would_be[STATUS_SHOWN][ADDRESS_MAX + 1];
	int would_be_count;
	int64_t would_be_total;
};

/* What was asked for on the command line. */
struct status_request {
	bool json, all, watch;
	int64_t seconds;	     /* between two looks */
	int state;		     /* -1: any */
	const char *after;	     /* NULL: from the start */
	const struct target *target; /* NULL: everybody */
	int target_count;
};

/* Reads all of it. */
bool status_read(const struct store *store, struct status *st, struct fault *fault);
/* People standing in this state for this reason. */
int64_t status_waiting(const struct status *st, enum person_state state, const char *reason);

/* Held for anything but what nobody need look at again. */
int64_t status_undecided(const struct status *st);
/* Queued for anything but the cap, the window, reconcile and a later try. */
int64_t status_pacing(const struct status *st);
/* How long so many of them will take, seconds. */
int64_t status_expect(const struct status *st, int64_t people);

/* How it goes: one sentence, and the commands that change it. */
struct headline {
	enum style style;
	char text[800];
	const char *command; /* NULL: nothing to do */
	const char *second;
};
#define STATUS_HEADLINES 3
/* What stops everything comes first; reconcile and dry run are said whatever else is wrong. Returns
 * how many there are. */
int status_headlines(const struct status *st, struct headline out[STATUS_HEADLINES]);
void status_headline(const struct status *st, struct screen *s);
/* One screen for everybody. */
void status_draw(const struct status *st, const struct cli *cli, FILE *out);
/* People in detail, or those of one state as a table. False: a fault, or (FAULT_NONE) somebody is
 * not known, which has been said. */
bool status_draw_people(const struct status *st, const struct status_request *request,
	const struct cli *cli, FILE *out, struct fault *fault);
/* The same as JSON, person by person, so that a million of them need no memory. */
bool status_write(
	const struct status *st, const struct status_request *request, struct fault *fault);

verb_function verb_status;

#endif
