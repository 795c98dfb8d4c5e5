/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words: what states, reasons and verdicts mean to an administrator, and what can be done about
 * them.
 */
#ifndef CLOUDINVITE_CLI_WORDS_H
#define CLOUDINVITE_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/service_state.h"
#include "cli/screen.h"
#include "google/api/google.h"
#include "ledger/ledger.h"
#include "people/verdict.h"

/* "not invitable"; the colour that goes with it. */
const char *words_state(enum person_state state);
enum ink words_state_ink(enum person_state state);
enum ink words_invitation_ink(enum invitation_state state);

/* How a stable word may be typed: "Not-Yet sent" -> "not_yet_sent". False: too long. */
bool words_typed(char *out, size_t size, const char *typed);
/* And how it is shown: "not_yet_sent" -> "not yet sent". Returns out. */
char *words_spaced(char *out, size_t size, const char *word);
/* "dry_run" -> "dry run: nothing is sent yet"; an unknown word as it is, with blanks. Returns out.
 */
char *words_reason(char *out, size_t size, const char *reason);
/* "foreign_domain" -> "foreign domain" */
const char *words_verdict(enum verdict_kind verdict);

/* What happens to this person next, as a sentence. Returns out. */
char *words_next(
	char *out, size_t size, const struct person *p, const struct service_state *service);

/* Calls `each` with every command that helps here: the command line and what it does. */
void words_commands(const struct person *p, const struct service_state *service,
	void (*each)(const char *command, const char *does, void *ctx), void *ctx);

#endif
