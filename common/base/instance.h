/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that run once, and how they and the commands wake each other: files in the run directory
 * (/run/cloudinvite). Each account of INSTANCE_NAMES has files of its own, which root makes
 * beforehand. The directory is root's, so that no account can replace another account's file, and
 * so that no program ever needs the directory's lock.
 *
 *   NAME.lock  0600  locked (F_OFD_SETLK) by the program while it runs; contains "pid version"
 *   NAME.wake  0640  touched by its account to wake every program; locked by the program while
 *                    it runs, so that the others can see that it runs
 *
 * There are two files because any account that may read a file may lock it for reading. Other
 * accounts cannot open NAME.lock; a lock that another account holds on NAME.wake keeps the program
 * from being seen, not from running. A wake-up is a touch, not a socket or a pipe: an account can
 * hold the lock of a file or directory that it may write, and of a pipe that it reads, and would
 * delay the program that wakes it.
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

/* In the run directory: what --prepare found out about the machine as root (base/machine.h). */
#define MACHINE_FILE	  "machine"
#define MACHINE_FILE_MODE 0644

#define INSTANCE_LOCK_MODE 0600
#define WAKEUP_FILE_MODE   0640

/* Bytes of the name of a file in the run directory. */
#define INSTANCE_FILE_MAX 64
void instance_lock_file(char out[INSTANCE_FILE_MAX], const char *name);
void wakeup_file(char out[INSTANCE_FILE_MAX], const char *name);

/* What a running program holds: two descriptors, -1 if not open. */
struct instance {
	int lock, visible;
};
#define INSTANCE_NONE ((struct instance){-1, -1})

/* Takes the lock. If another process holds it: false, `*held_by` is its pid (0 if unknown; may be
 * NULL), and the fault stays FAULT_NONE. Otherwise the fault says what is wrong. Missing files are
 * made if the run directory is the caller's own. */
bool instance_lock(struct instance *r, const char *run_dir, const char *name, pid_t *held_by,
	struct fault *fault);
void instance_unlock(struct instance *r);
/* Whether the program runs now; works for every account that may read its wake file. Its pid and
 * version (either may be NULL) are known only to its own account; others get 0 and "". */
bool instance_is_running(const char *run_dir, const char *name, pid_t *pid, char version[32]);

/* An inotify descriptor (non-blocking) that becomes readable when a wake file is touched. */
int wakeup_watch(const char *run_dir, struct fault *fault);
/* Reads all events that have come; true if there was a wake-up. */
bool wakeup_drain(int watch);
/* Wakes the programs with the file of the calling account; makes no file. Errors are silent: the
 * timed scan is the safety net. Never call it as root if the accounts are others. */
void wakeup_send(const char *run_dir);

#endif
