/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that run once, and how they and the commands wake each other: files in the run directory
 * (/run/cloudinvite). Each account of INSTANCE_NAMES has its own, which root makes beforehand; the
 * directory is root's, so that no account can put something in the place of another's file, and no
 * program ever needs the directory's lock.
 *
 *	NAME.lock  0600  locked (F_OFD_SETLK) by the program while it runs; says "pid version"
 *	NAME.wake  0640  touched by its account to wake every program; locked by the program while
 *it runs, so that the others can see that it does
 *
 * Two files, because whoever may read a file may lock it for reading: NAME.lock is closed to the
 * others, and a lock that another account holds on NAME.wake keeps the program from being seen, not
 * from running. A touch and not a socket or a pipe: an account can hold the lock of a file or of a
 * directory that it may write, and of a pipe that it reads, and would then hold up who wakes it.
 */
#ifndef CLOUDINVITE_BASE_INSTANCE_H
#define CLOUDINVITE_BASE_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"

/* Commands that have only the ledger's account touch `commands.wake`; no program runs as it. */
#define INSTANCE_COLLECTOR  "collector"
#define INSTANCE_DISPATCHER "dispatcher"
#define INSTANCE_COMMANDS   "commands"

#define INSTANCE_LOCK_MODE 0600
#define WAKEUP_FILE_MODE   0640

/* The name of a file in the run directory. */
#define INSTANCE_FILE_MAX 64
void instance_lock_file(char out[INSTANCE_FILE_MAX], const char *name);
void wakeup_file(char out[INSTANCE_FILE_MAX], const char *name);

/* What a running program holds: two descriptors, -1 where there is none. */
struct instance {
	int lock, visible;
};
#define INSTANCE_NONE ((struct instance){-1, -1})

/* Takes the lock. When another process holds it: false, `*held_by` is its pid (0 if unknown, or
 * NULL) and the fault stays FAULT_NONE; otherwise the fault says what is wrong. Files that are
 * missing are made where the run directory is the caller's own. */
bool instance_lock(struct instance *r, const char *run_dir, const char *name, pid_t *held_by,
	struct fault *fault);
void instance_unlock(struct instance *r);
/* Whether the program runs now: for every account that may read its wake file. Its pid and version
 * (either may be NULL) only its own account is told; else they are 0 and "". */
bool instance_is_running(const char *run_dir, const char *name, pid_t *pid, char version[32]);

/* An inotify descriptor (non-blocking) that becomes readable when a wake file is touched. */
int wakeup_watch(const char *run_dir, struct fault *fault);
/* Reads away what has gathered; true if there was a wake-up. */
bool wakeup_drain(int watch);
/* Wakes the programs, by the file of the account that calls it; makes nothing. Errors are silent:
 * the timed scan is the net. Never as root where the accounts are others. */
void wakeup_send(const char *run_dir);

#endif
