/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault injection: the nth call of the code under test fails once, for every n, in each way in
 * which such a call can fail. The linker redirects our own code's calls to wrap.c (--wrap);
 * SQLite's come through its own hooks (engine.c).
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

/* Ways that are not an errno. */
#define FAULT_SHORT	 (-1) /* less than requested, without an error */
#define FAULT_SHORT_FULL (-2) /* the same, and the rest finds no space */
#define FAULT_BACK	 (-3) /* a day earlier */
#define FAULT_AHEAD	 (-4) /* a day later */

/* ---- for the tests ---- */

/* One operation of the code. */
struct scenario {
	/* Makes a new site; nothing fails yet. */
	void *(*prepare)(void);
	/* Makes the calls that will fail: true if they report success. Releases everything that it
	 * has taken. */
	bool (*act)(void *site, struct fault *fault);
	/* Checks what must hold afterwards, whatever was reported. */
	void (*look)(void *site, bool good);
	void (*end)(void *site);
	bool silent;   /* it reports failure only by its result */
	bool no_again; /* after a success, it cannot be requested again */
	/* It makes so many calls that, unless CLOUDINVITE_FAULTS is "all", only every nth
	 * allocation and every nth other call fails, the others in one way. 0: all of them. */
	int every_memory, every_other;
};

/* Runs it once for every call and way. After each, the same is requested again without faults, and
 * must succeed. */
void faults_try(const struct scenario *s);
/* Prints the fault with which a test ended early: the group's teardown for each test. */
int faults_teardown(void **state);

/* The next call of this kind fails. */
void faults_start_next(enum call call);

/* Call it before SQLite is used: its calls are counted too. */
void faults_engine(void);

/* ---- for wrap.c and engine.c ---- */

/* 0: it succeeds; otherwise the way in which it fails, with errno set if there is one. */
int faults_next(enum call call);
/* Changes the number of pieces of memory in use. */
void faults_pieces(long change);

#endif
