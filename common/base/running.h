/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that run once: the lock and the wake-up in the run directory (/run/cloudinvite).
 * `<name>.lock` is locked (F_OFD_SETLK) by the running program and says "pid version"; a touch of
 * `wake` wakes every program that watches it.
 */
#ifndef CLOUDINVITE_BASE_RUNNING_H
#define CLOUDINVITE_BASE_RUNNING_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"

/* Takes the lock: the descriptor to keep open, or -1. When another process holds it, `*held_by` is
 * its pid (0 if unknown) and the fault stays FAULT_NONE; otherwise the fault says what is wrong. */
int running_lock(const char *run_dir, const char *name, pid_t *held_by, struct fault *fault);
/* Whether somebody holds the lock now; its pid and version (either may be NULL). */
bool running_is(const char *run_dir, const char *name, pid_t *pid, char version[32]);

/* An inotify descriptor (non-blocking) that becomes readable when somebody touches `wake`. */
int running_watch(const char *run_dir, struct fault *fault);
/* Reads away what has gathered; true if there was a wake-up. */
bool running_drain(int watch);
/* Wakes the others. Errors are silent: the timed scan is the net. */
void running_wake(const char *run_dir);

#endif
