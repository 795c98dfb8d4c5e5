/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs about people in the ledger.
 */
#ifndef CLOUDINVITE_CLI_PEOPLE_PEOPLE_H
#define CLOUDINVITE_CLI_PEOPLE_PEOPLE_H

#include "cli/common/context.h"

verb_function verb_approve, verb_block, verb_enable, verb_explain, verb_forget, verb_history,
	verb_retry, verb_unblock;

/* Approves people who were held for the dry run: `all`, or those who were approved while it lasted.
 * Returns the exit code. */
int approve_dry_run(const struct cli *cli, bool all);

#endif
