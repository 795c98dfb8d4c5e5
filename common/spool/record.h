/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol between keeper and collector: records of one fixed size, one in each packet, over a
 * SOCK_SEQPACKET. The collector's account may be hostile, so a record is accepted only if each of
 * its bytes is as an honest writer would have left it.
 *
 *   The collector asks           and the keeper
 *   N count                      sends up to `count` arrivals: A …, then E
 *   D name                       makes an arrival the marker of its user, then unlinks it
 *   T name                       unlinks an arrival
 *   M name word                  writes a marker
 *   C name word                  changes a marker that exists
 *   F name word                  writes a marker if there is none
 *   U name                       removes a marker
 *   L time                       sends all markers, or those before `time`: K …, then E
 *   B name count                 removes the markers unless they belong to the ledger of this id,
 *                                and notes its revision: E, with the word `older` (and nothing is
 *                                done) if they belong to a later revision
 *   S word                       sends how many files are in `new` or `bad`: E
 *   P                            sends the first failure of D, T, M, C, F and U since the last P: E
 *
 *   The keeper sends
 *   W                            something has come into new/ since the last N
 *   A time name                  an arrival and its mtime
 *   K time name [word]           a marker and its mtime
 *   E status time count …        the end of an answer; status is 0, or errno with what failed in
 *                                `name` and its directory in `word`
 */
#ifndef CLOUDINVITE_SPOOL_RECORD_H
#define CLOUDINVITE_SPOOL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

#define SPOOL_LIST_MOST	 65536	 /* arrivals that one N may ask for */
#define SPOOL_WORD_OLDER "older" /* in the answer to B */

enum spool_verb {
	SPOOL_ASK_ARRIVALS = 'N',
	SPOOL_ASK_SEEN = 'D',
	SPOOL_ASK_TAKE = 'T',
	SPOOL_ASK_MARK = 'M',
	SPOOL_ASK_CHANGE = 'C',
	SPOOL_ASK_FIRST = 'F',
	SPOOL_ASK_UNMARK = 'U',
	SPOOL_ASK_MARKS = 'L',
	SPOOL_ASK_BIND = 'B',
	SPOOL_ASK_STAT = 'S',
	SPOOL_ASK_FLUSH = 'P',
	SPOOL_TELL_NEWS = 'W',
	SPOOL_TELL_ARRIVAL = 'A',
	SPOOL_TELL_MARK = 'K',
	SPOOL_TELL_END = 'E',
};

/* Both sides are built together and run on one machine, so numbers have the machine's byte
 * order. */
struct spool_record {
	char verb; /* enum spool_verb */
	char zero[3];
	int32_t status; /* errno, or 0 */
	int64_t time;	/* seconds since the epoch */
	int64_t count;
	char name[168]; /* at most SPOOL_NAME_MAX bytes, then NULs */
	char word[64];	/* less than SPOOL_WORD_MAX bytes of [a-z_], then NULs */
};
_Static_assert(sizeof(struct spool_record) == 256, "a record has no padding");

/* Makes a record; everything that is not given is zero. `name` and `word` may be NULL. False if one
 * of them does not fit. */
bool spool_record_make(struct spool_record *r, char verb, const char *name, const char *word);

/* Whether `n` bytes from the collector are a request, or from the keeper an answer: size, verb, and
 * for this verb the grammar of its name (spool.h) and word, and the range of its numbers. */
bool spool_record_is_request(const struct spool_record *r, size_t n);
bool spool_record_is_answer(const struct spool_record *r, size_t n);

#endif
