/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: what administrators do to people, as the commands of cli/ do it; and whether anybody
 * is forgotten over it.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_ENGINE_ADMIN_H
#define CLOUDINVITE_TESTS_UNIT_ENGINE_ADMIN_H

#include "base/str.h"
#include "fake_google.h"

#define ADMIN_LEASE_S 60

/* ---- decisions ---- */

bool decide(struct site *s, const char *address, struct person *p);

/* Whom an unconfirmed send has reached after all gets a second mail, if an administrator will have
 * it so: *may_mail_again. */
void admin_approve(struct site *s, const char *address, bool *may_mail_again);
void admin_retry(struct site *s, const char *address);
void admin_block(struct site *s, const char *address, bool block);

/* Not while a mail is so young that Google may hide it. */
void admin_forget(struct site *s, const char *address);

/* ---- nobody forgotten ---- */

struct looking {
	int64_t now;
	int complaints;
	uint64_t seed;
};

/* Whoever is not done with is taken up by itself, or says what an administrator is to decide. */
void assert_nobody_is_forgotten(struct site *s, uint64_t seed);

#endif
