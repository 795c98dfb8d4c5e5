/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels: what states, reasons and verdicts mean to an administrator, and what can be done about
 * them.
 */
#ifndef CLOUDINVITE_CLI_COMMON_LABELS_H
#define CLOUDINVITE_CLI_COMMON_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/common/screen.h"
#include "cli/common/service_state.h"
#include "google/api/google.h"
#include "ledger/ledger.h"
#include "people/verdict.h"

/* "not invitable", and the colour that goes with it. */
const char *label_state(enum person_state state);
enum style label_state_style(enum person_state state);
enum style label_invitation_style(enum invitation_state state);

/* How a stable word may be typed: "Not-Yet sent" becomes "not_yet_sent". False: too long. */
bool label_parse(char *out, size_t size, const char *typed);
/* How it is shown: "not_yet_sent" becomes "not yet sent". Returns out. */
char *label_format(char *out, size_t size, const char *word);
/* "dry_run" becomes "dry run: waiting for approve"; an unknown word is shown with blanks. Returns
 * out. */
char *label_reason(char *out, size_t size, const char *reason);
/* "foreign_domain" becomes "foreign domain". */
const char *label_verdict(enum verdict_kind verdict);

/* What happens to this person next, as a sentence. Returns out. */
char *label_next_step(
	char *out, size_t size, const struct person *p, const struct service_state *service);

/* Calls `each` for every command that helps: the command line and what it does. */
void label_commands(const struct person *p, const struct service_state *service,
	void (*each)(const char *command, const char *summary, void *ctx), void *ctx);

#endif
