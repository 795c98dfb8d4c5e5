/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults: what went wrong, as a value. Its kind says what a program does about it; its sentence
 * says what an administrator should know: what happened, where, and what to do next.
 */
#ifndef CLOUDINVITE_BASE_FAULT_H
#define CLOUDINVITE_BASE_FAULT_H

#include <stdbool.h>

enum fault_kind {
	FAULT_NONE = 0,
	FAULT_USAGE,	   /* the command line */
	FAULT_SETTINGS,	   /* cloudinvite.conf or a file that it names */
	FAULT_CREDENTIALS, /* the credential itself; nothing was sent to Google's API */
	FAULT_STORAGE,	   /* ledger, spool, state, disk */
	FAULT_TRANSIENT,   /* it surely had no effect and may work later */
	FAULT_SETUP,	   /* Google refuses the whole configuration: no person is charged */
	FAULT_REJECTED,	   /* Google refuses this person, unless the control call shows otherwise */
	FAULT_AMBIGUOUS,   /* a send whose effect is unknown: never repeat it blindly */
	FAULT_POLICY,	   /* held or refused by our own rules */
	FAULT_STOPPED,	   /* the program was told to stop meanwhile */
};

/* Both texts are safe to print on a terminal and hold no secret. `remedy` may be empty. */
struct fault {
	enum fault_kind kind;
	char code[48];	  /* a stable word for machines: "token_clock_skew"; may be empty */
	char what[320];	  /* "cloudinvite.conf:12: requests_per_minute: 'many' is not a number" */
	char remedy[640]; /* "Write a number from 0 to 600.", or a whole command */
};

/* Fills in the fault; `format` gives `what`. Control characters in the result are made visible.
 * Returns false, so that `return fault_set(...)` can end a function that returns true for
 * success. `f` may be NULL. */
bool fault_set(struct fault *f, enum fault_kind kind, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Adds the remedy. Returns false, like fault_set. */
bool fault_remedy(struct fault *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Out of memory. Returns false, like fault_set. */
bool fault_no_memory(struct fault *f, enum fault_kind kind);
void fault_clear(struct fault *f);

/* The word of a kind: "transient", "setup", … */
const char *fault_kind_word(enum fault_kind kind);
/* The exit code of a kind (docs/design.md, "Commands"): 0 yes, 2 usage, 3 settings, 4
 * credentials, 5 later, 6 refused by Google, 7 held by policy, 8 storage. Exit code 1 ("no")
 * does not come from a fault. */
int fault_exit_code(enum fault_kind kind);

#endif
