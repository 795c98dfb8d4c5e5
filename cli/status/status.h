/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: what an administrator looks at every day. It is read completely first (read.c), then
 * drawn for readers (status_screen.c) or written for scripts (status_json.c).
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
#define STATUS_SHOWN   5 /* people who would be invited, in the dry run */

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
	int64_t count;		       /* among the people whose faults were read */
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

/* The options of the command line. */
struct status_request {
	bool json, all, watch;
	int64_t seconds;	     /* between two refreshes */
	int state;		     /* -1: any */
	const char *after;	     /* NULL: from the beginning */
	const struct target *target; /* NULL: all people */
	int target_count;
};

/* Reads everything. */
bool status_read(const struct store *store, struct status *st, struct fault *fault);
/* People in this state with this reason. */
int64_t status_waiting(const struct status *st, enum person_state state, const char *reason);

/* Held people who wait for an administrator's decision. */
int64_t status_undecided(const struct status *st);
/* Queued people who wait for the rate limit, and not for the daily limit, the window, reconcile or
 * a retry. */
int64_t status_pacing(const struct status *st);
/* How many seconds that many people will take. */
int64_t status_expect(const struct status *st, int64_t people);

/* The state of the service: one sentence, and the commands that change it. */
struct headline {
	enum style style;
	char text[800];
	const char *command; /* NULL: no action needed */
	const char *second;
};
#define STATUS_HEADLINES 3
/* What stops everything comes first; reconcile and dry run are always shown. Returns how many there
 * are. */
int status_headlines(const struct status *st, struct headline out[STATUS_HEADLINES]);
void status_headline(const struct status *st, struct screen *s);
/* One screen about the whole service. */
void status_draw(const struct status *st, const struct cli *cli, FILE *out);
/* People in detail, or those of one state as a table. False: a fault, or (FAULT_NONE) a person is
 * unknown, which has been printed. */
bool status_draw_people(const struct status *st, const struct status_request *request,
	const struct cli *cli, FILE *out, struct fault *fault);
/* The same as JSON, one person at a time, so that a million people need no memory. */
bool status_write(
	const struct status *st, const struct status_request *request, struct fault *fault);

verb_function verb_status;

#endif
