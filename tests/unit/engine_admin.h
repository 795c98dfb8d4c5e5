/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: the actions of administrators, as the commands of cli/ perform them, and whether they
 * lose a person.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_ENGINE_ADMIN_H
#define CLOUDINVITE_TESTS_UNIT_ENGINE_ADMIN_H

#include "base/str.h"
#include "fake_google.h"

#define ADMIN_LEASE_S 60

/* ---- decisions ---- */

bool decide(struct site *s, const char *address, struct person *p);

/* A person who was reached by an unconfirmed send gets a second mail if an administrator decides
 * so: *may_mail_again. */
void admin_approve(struct site *s, const char *address, bool *may_mail_again);
void admin_retry(struct site *s, const char *address);
void admin_block(struct site *s, const char *address, bool block);

/* Refused while a mail is so recent that Google may hide it. */
void admin_forget(struct site *s, const char *address);

/* ---- no person is forgotten ---- */

struct looking {
	int64_t now;
	int violations;
	uint64_t seed;
};

/* Every person whose state is not final is due, or says what an administrator must decide. */
void assert_nobody_is_forgotten(struct site *s, uint64_t seed);

#endif
