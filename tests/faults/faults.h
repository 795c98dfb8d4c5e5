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
	CALL_LINK,
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
#define CALLS 16

/* The ways that are no errno. */
#define FAULT_SHORT	 (-1) /* less than was asked for, and no error */
#define FAULT_SHORT_FULL (-2) /* the same, and the rest finds no space */
#define FAULT_BACK	 (-3) /* a day earlier */
#define FAULT_AHEAD	 (-4) /* a day later */

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
	bool silent;   /* it says no by its result alone */
	bool no_again; /* once it has succeeded, it cannot be asked for again */
	/* It takes so many calls that, unless CLOUDINVITE_FAULTS is "all", only each so manieth of
	 * the allocations and of the other calls fails, the others in one way. 0: all of them. */
	int every_memory, every_other;
};

/* Runs it once for every call and way. After each the same is asked again, without faults, and must
 * succeed. */
void faults_try(const struct scenario *s);
/* Says with which fault a test has ended early: the group's teardown for each test. */
int faults_teardown(void **state);

/* The next call fails, which is one of this kind. */
void faults_start_next(enum call call);

/* Before SQLite is used: its calls are counted, too. */
void faults_engine(void);

/* ---- for wrap.c and engine.c ---- */

/* 0: it goes well; else the way in which it fails, errno set where it is one. */
int faults_next(enum call call);
/* So many pieces of memory more (or less) are in use. */
void faults_pieces(long change);

#endif
