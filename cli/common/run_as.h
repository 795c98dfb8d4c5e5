/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acting as the service: when root works with files of the service's account, a child that has
 * become that account does it, so that root's rights never touch anything that was planted there.
 */
#ifndef CLOUDINVITE_CLI_COMMON_RUN_AS_H
#define CLOUDINVITE_CLI_COMMON_RUN_AS_H

#include "cli/common/context.h"

/* Runs `act` in a child that has become the account. Returns its exit code, or that of the printed
 * fault if there could be no such child. */
int run_as_service(const struct settings *settings, enum local_account account,
	int (*act)(void *ctx), void *ctx);
/* The same for any account, without the ledger's group. */
int run_as_user(const char *user, int (*act)(void *ctx), void *ctx);
/* Runs `act` in a child that stays the same user; it changes to the service itself, by
 * cli_settings. */
int run_in_child(int (*act)(void *ctx), void *ctx);
/* Runs a verb in a child, as if a user had typed it. */
int run_verb_in_child(const struct cli *cli, int argc, char **argv);

#endif
