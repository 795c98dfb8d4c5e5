/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define WAYS	  6
#define CALLS_MAX 65536
#define FDS_MAX	  64

static const struct {
	const char *word;
	int ways[WAYS];
} kinds[CALLS] = {
	[CALL_OPEN] = {"open", {EIO, ENOSPC, EINTR, EMFILE, EACCES}},
	[CALL_READ] = {"read", {EIO, EINTR, FAULT_SHORT}},
	[CALL_WRITE] = {"write", {EIO, ENOSPC, EINTR, EDQUOT, FAULT_SHORT, FAULT_SHORT_FULL}},
	[CALL_SYNC] = {"fsync", {EIO, ENOSPC, EINTR}},
	[CALL_RENAME] = {"rename", {EIO, ENOSPC, EACCES}},
	[CALL_LINK] = {"link", {EIO, ENOSPC, EPERM, EMLINK}},
	[CALL_REMOVE] = {"unlink", {EIO, EACCES}},
	[CALL_CLOSE] = {"close", {EIO, EINTR}},
	[CALL_STAT] = {"stat", {EIO, ENOMEM}},
	[CALL_CHANGE] = {"fchmod, futimens or ftruncate", {EIO, EPERM}},
	[CALL_LOCK] = {"lock", {EIO, ENOLCK, EINTR}},
	[CALL_LIST] = {"opendir or readdir", {EIO, ENOMEM}},
	[CALL_MAP] = {"mmap", {ENOMEM}},
	[CALL_RANDOM] = {"getrandom", {EINTR, ENOSYS, FAULT_SHORT}},
	[CALL_CLOCK] = {"clock_gettime", {EINVAL, FAULT_BACK, FAULT_AHEAD}},
	[CALL_MEMORY] = {"malloc", {ENOMEM}},
};

static struct {
	bool on;
	unsigned long at, calls;
	int way;
	bool full; /* the next write finds no space */
	long pieces;
	unsigned char seen[CALLS_MAX]; /* the calls of the last run without faults, */
	unsigned long length;	       /* and their number */
	bool trying;
	char text[128];
} now;

/* Resources that must be released at the end: descriptors and pieces of memory. */
struct balance {
	int descriptors;
	long pieces;
};

/* ---- the calls ---- */

int faults_next(enum call call)
{
	int way;

	if (!now.on)
		return 0;
	if (now.full && call == CALL_WRITE) {
		now.full = false;
		errno = ENOSPC;
		return ENOSPC;
	}
	if (now.at == 0 && now.calls < CALLS_MAX)
		now.seen[now.calls] = (unsigned char)call;
	if (++now.calls != now.at)
		return 0;
	way = kinds[call].ways[now.way];
	now.full = way == FAULT_SHORT_FULL;
	if (way > 0)
		errno = way;
	return way;
}

void faults_pieces(long change)
{
	now.pieces += change;
}

static const char *way_word(int way)
{
	switch (way) {
	case FAULT_SHORT:
		return "short";
	case FAULT_SHORT_FULL:
		return "short, then no space";
	case FAULT_BACK:
		return "a day back";
	case FAULT_AHEAD:
		return "a day ahead";
	default:
		return strerror(way);
	}
}

static void start(unsigned long at, int way)
{
	now.at = at;
	now.way = way;
	now.calls = 0;
	now.full = false;
	if (at > 0)
		str_format(now.text, sizeof(now.text), "call %lu of %lu, %s: %s", at, now.length,
			kinds[now.seen[at - 1]].word, way_word(kinds[now.seen[at - 1]].ways[way]));
	else
		str_copy(now.text, sizeof(now.text), "without a fault");
	now.on = true;
}

void faults_start_next(enum call call)
{
	now.seen[0] = (unsigned char)call;
	start(1, 0);
}

static void stop(void)
{
	now.on = false;
	if (now.at == 0) {
		assert_true(now.calls <= CALLS_MAX);
		now.length = now.calls;
	}
}

/* The number of ways in which the call can fail. */
static int ways(unsigned long at)
{
	int n = 0;

	while (n < WAYS && kinds[now.seen[at - 1]].ways[n] != 0)
		n++;
	return n;
}

static struct balance balance(void)
{
	struct balance b = {0, now.pieces};

	for (int fd = 0; fd < FDS_MAX; fd++)
		b.descriptors += fcntl(fd, F_GETFD) >= 0;
	return b;
}

/* ---- scenarios ---- */

static void assert_said(const struct scenario *s, bool good, const struct fault *fault)
{
	if (good || s->silent)
		return;
	if (fault->kind == FAULT_NONE || !fault->what[0] || !fault->remedy[0] || !fault->code[0] ||
		strstr(fault->what, "Success"))
		fail_msg("says no more than [%s] %s | %s", fault->code, fault->what, fault->remedy);
}

static void try_one(const struct scenario *s, unsigned long at, int way)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct balance before, after;
	void *site = s->prepare();
	bool good;

	before = balance();
	errno = 0;
	start(at, way);
	good = s->act(site, &fault);
	stop();
	after = balance();
	assert_said(s, good, &fault);
	assert_int_equal(after.descriptors, before.descriptors);
	assert_int_equal(after.pieces, before.pieces);
	assert_true(at > 0 || good);
	s->look(site, good);
	if (!good || !s->no_again) {
		fault_clear(&fault);
		if (!s->act(site, &fault))
			fail_msg("the next time: [%s] %s", fault.code, fault.what);
		s->look(site, true);
	}
	s->end(site);
}

/* Whether the call must fail in that way. */
static bool is_due(const struct scenario *s, unsigned long at, int way)
{
	const char *asked = getenv("CLOUDINVITE_FAULTS");

	if (s->every_memory == 0 || (asked && strcmp(asked, "all") == 0))
		return true;
	if (now.seen[at - 1] == CALL_MEMORY)
		return at < 10 || at % (unsigned long)s->every_memory == 0;
	if (s->every_other > 0 && at % (unsigned long)s->every_other != 0)
		return false;
	return (int)(at % (unsigned long)ways(at)) == way;
}

void faults_try(const struct scenario *s)
{
	unsigned long faults = 0;

	/* Tables and time zones that a process makes once are made by the first call. */
	now.trying = true;
	try_one(s, 0, 0);
	try_one(s, 0, 0);
	for (unsigned long at = 1; at <= now.length; at++) {
		for (int way = 0; way < ways(at); way++) {
			if (!is_due(s, at, way))
				continue;
			try_one(s, at, way);
			faults++;
		}
	}
	now.trying = false;
	print_message("# %lu calls, %lu faults\n", now.length, faults);
}

int faults_teardown(void **state)
{
	(void)state;
	now.on = false;
	if (now.trying)
		print_message("# %s\n", now.text);
	now.trying = false;
	return 0;
}
