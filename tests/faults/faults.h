/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults, injected: the nth call that the code under test makes fails once, for every n, in each
 * way in which such a call can fail. The linker hands the calls of our own code to wrap.c
 * (--wrap); those of SQLite come through its own hooks (engine.c).
 */
#ifndef CLOUDINVITE_TESTS_FAULTS_FAULTS_H
#define CLOUDINVITE_TESTS_FAULTS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

enum call {
	CALL_OPEN,
	CALL_READ,
	CALL_WRITE,
	CALL_SYNC,
	CALL_RENAME,
	CALL_REMOVE,
	CALL_CLOSE,
	CALL_STAT,
	CALL_CHANGE, /* mode, times, size */
	CALL_LOCK,
	CALL_LIST,
	CALL_MAP,
	CALL_RANDOM,
	CALL_CLOCK,
	CALL_MEMORY,
};
#define CALLS 15

/* The ways that are no errno. */
#define FAULT_SHORT	 (-1) /* less than was asked for, and no error */
#define FAULT_SHORT_FULL (-2) /* the same, and the rest finds no space */
#define FAULT_BACK	 (-3) /* a day earlier */
#define FAULT_AHEAD	 (-4) /* a day later */

/* What has been begun and must be over when the calls are: descriptors and pieces of memory. */
struct balance {
	int descriptors;
	long pieces;
};

/* ---- for the tests ---- */

/* One thing that the code does. */
struct scenario {
	/* A new site; nothing fails yet. */
	void *(*prepare)(void);
	/* The calls that are to fail: true if they say that it has been done. Gives back all that
	 * it has taken. */
	bool (*act)(void *site, struct fault *fault);
	/* What must hold afterwards, whatever was said. */
	void (*look)(void *site, bool good);
	void (*end)(void *site);
	bool silent;	  /* it says no by its result alone */
	bool no_again;	  /* once it has succeeded, it cannot be asked for again */
	int every_memory; /* only each so manieth of the allocations; 0: all of them */
};

/* Runs it once for every call and way. After each the same is asked again, without faults, and must
 * succeed. */
void faults_try(const struct scenario *s);
/* Says with which fault a test has ended early: the group's teardown for each test. */
int faults_teardown(void **state);

/* For those who count the calls themselves: the call number `at` fails in the way number `way`; 0:
 * none, but they are counted. */
void faults_start(unsigned long at, int way);
/* The next call fails, which is one of this kind. */
void faults_start_next(enum call call);
/* The number of calls since. */
unsigned long faults_stop(void);
/* In how many ways the call number `at` of the last run can fail. */
int faults_ways(unsigned long at);
bool faults_is_memory(unsigned long at);
/* "call 12 of 40, write: No space left on device". */
const char *faults_text(void);
struct balance faults_balance(void);

/* Before SQLite is used: its calls are counted, too. */
void faults_engine(void);

/* ---- for wrap.c and engine.c ---- */

/* 0: it goes well; else the way in which it fails, errno set where it is one. */
int faults_next(enum call call);
/* So many pieces of memory more (or less) are in use. */
void faults_pieces(long change);

#endif
