/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts: SIGINT, SIGTERM, SIGHUP and SIGQUIT end a verb at any moment, and a shell sees the
 * signal (status 130 for Ctrl-C). Before that, the verb's cleanup runs, and the verb's child is
 * ended. A change that must be made completely or not at all is made between interrupt_hold() and
 * interrupt_release(): a signal that arrives meanwhile ends the verb at the release. Signals that
 * were ignored when the program started (nohup) stay ignored.
 */
#ifndef CLOUDINVITE_CLI_COMMON_INTERRUPT_H
#define CLOUDINVITE_CLI_COMMON_INTERRUPT_H

#include <signal.h>
#include <sys/types.h>

/* Runs in the signal handler: async-signal-safe functions only. */
typedef void interrupt_cleanup(void);

/* Call once, when the program starts. */
void interrupt_catch(void);
/* Sets what an interrupt does before it ends the program; NULL: nothing. */
void interrupt_at_end(interrupt_cleanup *cleanup);
/* Holds the signals back. Calls nest: the release restores `before`. Keeps errno. */
void interrupt_hold(sigset_t *before);
void interrupt_release(const sigset_t *before);
/* The signals that would end the verb: those of the four that are not ignored. */
void interrupt_signals(sigset_t *out);

/* A child that an interrupt ends too; 0: none. Call it while the signals are held back, so that the
 * pid is always that of a child that has not been waited for. */
void interrupt_child(pid_t child);
/* In a child, after fork(), while the signals are held back: the child must not run the parent's
 * cleanup. */
void interrupt_forked(void);

#endif
