/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of common/person: tables whose rows are sentences. A row says what a person is, what
 * happens, what the person is then, and what else the step says:
 *
 *	{"a check says no",
 *	 "queued first_check next=now", "checked",
 *	 "not_invitable not_invitable next=0", "store audit=decision cause='check: not invitable'"}
 *
 * `before` and `after` are a state, a reason, and members of struct person. `after` names what the
 * step changes: every other member must be as it was. What `step` does not name is nothing. An
 * event may be followed by the policy (what is not named is allowed), and a job's by the person as
 * it was claimed (else `before`): "permit manual | dry_run | held manual". Times are `now` (the
 * host's clock), `google` (Google's, which is 7 s ahead), `today`, with an offset: now+30,
 * google-72h, today-2d.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_PERSON_ROWS_H
#define CLOUDINVITE_TESTS_UNIT_PERSON_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"
#include "person/event.h"

#define ROW_NOW	   INT64_C(1795392000)
#define ROW_GOOGLE (ROW_NOW + 7)
#define ROW_TODAY  (ROW_NOW - INT64_C(28800)) /* midnight */

struct person_row {
	const char *what;
	const char *before; /* "": nothing is known of the person */
	const char *event;  /* and policy, and how the person was claimed */
	const char *after;  /* "": as before */
	const char *step;   /* "": nothing to store, ask or say */
};

/* Fails with the row's name, what was expected and what came out. Every stored person must keep the
 * invariants. */
void person_rows_hold(const struct person_row *rows, size_t count);

/* What the texts mean; they fail the test if they mean nothing. */
struct person row_person(const char *text);
struct send_policy row_policy(const char *text);
/* Valid until the next call. */
struct person_event row_event(const char *text, const struct person *claimed);
/* Every member, in one line. */
void row_describe(const struct person *p, char *out, size_t size);

#endif
