/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report: one page for people who do not use the command line. It is read completely first
 * (read.c), then written part by part (page.c and the files of its parts), and stored as requested
 * (report.c).
 *
 * The page contains no address and no account's name unless `names` was requested. It needs no
 * script and loads nothing.
 */
#ifndef CLOUDINVITE_CLI_REPORT_REPORT_H
#define CLOUDINVITE_CLI_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "cli/common/progress.h"
#include "cli/status/status.h"

#define REPORT_MAX	 ((size_t)2 * 1024 * 1024) /* bytes of a page; it usually has fewer */
#define REPORT_WEEKS	 12
#define REPORT_WEEKS_MAX 53
#define REPORT_HOSTS	 25  /* those with the most accounts */
#define REPORT_PEOPLE	 200 /* who are named */
#define REPORT_GENERATOR "cloudinvite report"

/* How far people have come. A person at one stage has passed the earlier ones. */
struct report_stages {
	int64_t seen, unmanaged, invited;
	int64_t accepted, declined, cancelled; /* of the invited; the others have not answered */
	int64_t stuck;			       /* waits for an administrator */
};

struct report_host {
	char name[HOST_MAX + 1];
	int64_t accounts;
	struct report_stages stages; /* a person counts on every host */
};

struct report {
	struct status status;
	bool names; /* addresses are shown */
	int week_count;
	struct ledger_week weeks[REPORT_WEEKS_MAX]; /* oldest first */
	struct report_stages people;
	struct report_host hosts[REPORT_HOSTS]; /* the largest first */
	int host_count;
	int64_t hosts_all;	   /* including those that are not shown */
	struct report_host others; /* the sums of those that are not shown */
	int64_t accounts;
};

/* ---- reading ---- */

/* Adds `n` people with that state and reason to the stages that they have passed. */
void report_stage(
	struct report_stages *stages, enum person_state state, const char *reason, int64_t n);
/* Invited, without an answer so far. */
int64_t report_open(const struct report_stages *stages);
/* Reads everything; the caller has set `names` and `week_count`. */
bool report_read(const struct store *store, struct report *r, struct progress *progress,
	struct fault *fault);

/* ---- writing ---- */

bool report_page(struct report *r, struct strbuf *out, struct fault *fault);
/* A text that may contain an address: masked unless names were requested. */
void report_prose(const struct report *r, struct strbuf *out, const char *s);

void report_style(struct strbuf *out); /* with the policy that allows only this style */
void report_funnel(const struct report *r, struct strbuf *out);
void report_weeks(const struct report *r, struct strbuf *out);
void report_hosts(const struct report *r, struct strbuf *out);
/* What is stuck, and the people, if names were requested. */
bool report_stuck(struct report *r, struct strbuf *out, struct fault *fault);

verb_function verb_report;

#endif
