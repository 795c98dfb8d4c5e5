/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As the service: what root does with files that the service's account owns, a child does that has
 * become that account, so that nothing that was planted there is touched with root's rights.
 */
#ifndef CLOUDINVITE_CLI_COMMON_RUN_AS_H
#define CLOUDINVITE_CLI_COMMON_RUN_AS_H

#include "cli/common/context.h"

/* Runs `act` in a child that has become the account; its exit code, or that of the fault that was
 * printed when there could be no such child. */
int run_as_service(const struct settings *settings, enum local_account account,
	int (*act)(void *ctx), void *ctx);
/* The same of any account, without the ledger's group. */
int run_as_user(const char *user, int (*act)(void *ctx), void *ctx);
/* Runs `act` in a child as it is: it becomes the service itself, by cli_settings. */
int run_in_child(int (*act)(void *ctx), void *ctx);
/* Runs a verb in a child, as if it had been typed. */
int run_verb_in_child(const struct cli *cli, int argc, char **argv);

#endif
