/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool (/var/spool/cloudinvite): arrivals and markers on disk.
 *
 *   new/   arrivals: empty root-owned files `<escaped user>.<trigger>`
 *   seen/  markers: `<escaped user>`, 0600, one state word; `.ledger`
 *   bad/   what does not belong in new/, up to a limit
 *   pin    a FIFO that systemd keeps open, so that the path to it stays in the kernel's cache
 *
 * The spool and its directories are root's, 0700: a login looks up names in them, and an account
 * that can open or search a directory can delay every lookup there without end. Programs of other
 * accounts ask the keeper (keeper.h).
 *
 * An arrival's name is its content, and its mtime is its time. It means: look at this user now. The
 * PAM module links this file besides libc and libpam: no heap, no locks, no state.
 */
#ifndef CLOUDINVITE_SPOOL_SPOOL_H
#define CLOUDINVITE_SPOOL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/trigger.h"

#define SPOOL_NEW	"new"
#define SPOOL_SEEN	"seen"
#define SPOOL_BAD	"bad"
#define SPOOL_PIN	"pin"
#define SPOOL_WORD_SEEN "seen" /* in a marker: seen, not decided yet */
#define SPOOL_LEDGER \
	".ledger"	   /* in seen/: id and revision of the ledger to which the markers belong */
#define SPOOL_NAME_MAX 160 /* bytes of a file name in the spool, without NUL */
#define SPOOL_USER_MAX 256 /* bytes of a user name, without NUL */
#define SPOOL_PATH_MAX 1024 /* bytes of a path in the spool, with NUL */
#define SPOOL_WORD_MAX 64   /* bytes of a marker that are read */

/* The name of a user's marker: every byte outside [A-Za-z0-9_-], except a dot that is not the
 * first, becomes %XX (upper-case hex). False if the user is empty or the name is longer than
 * SPOOL_NAME_MAX. */
bool spool_mark_name(char out[SPOOL_NAME_MAX + 1], const char *user);
/* The same with ".<trigger>". */
bool spool_arrival_name(char out[SPOOL_NAME_MAX + 1], const char *user, enum trigger trigger);
/* The reverse. False for every name that spool_arrival_name would not have written (lower-case hex,
 * needless escapes, unknown trigger, NUL in the user, too long …), except
 * for those of earlier versions. */
bool spool_parse_arrival(const char *name, char user[SPOOL_USER_MAX + 1], enum trigger *trigger);
bool spool_parse_mark(const char *name, char user[SPOOL_USER_MAX + 1]);

/* Opens `spool`/`box` for *at calls (O_PATH: it can be neither read nor synced). -1 and errno:
 * ENOTDIR for a link or a file in its place. */
int spool_open(const char *spool, const char *box);

/* Waits until files that were created in the directory are on the disk. 0, or -1 and errno. */
int spool_sync(int box);

/* Whether the name exists in the directory: 1, 0, or -1 and errno. One fstatat; links are not
 * followed. */
int spool_exists(int box, const char *name);

/* Writes an arrival: O_CREAT|O_EXCL|O_NOFOLLOW|O_NONBLOCK, 0600, without content. 1 created, 0 it
 * exists, -1 and errno (ENAMETOOLONG: left to the scan). `sync`: calls fsync for the file and its
 * directory before it returns. */
int spool_put(int new_dir, const char *user, enum trigger trigger, bool sync);

/* Reads the state word of a user's marker as untrusted input: O_NOFOLLOW|O_NONBLOCK, a regular
 * file, at most SPOOL_WORD_MAX bytes, [a-z_] only. An empty marker means SPOOL_WORD_SEEN. False if
 * there is no valid marker. */
bool spool_read_mark(int seen_dir, const char *user, char word[SPOOL_WORD_MAX + 1]);

#endif
