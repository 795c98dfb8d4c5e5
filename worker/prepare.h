/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --prepare: as root, the directories and files that the accounts need, with their owners and
 * modes: spool and its boxes, state, ledger, tokens, run. Goes through directory descriptors,
 * refuses wrong owners, and touches nothing inside a directory that an account owns.
 */
#ifndef CLOUDINVITE_WORKER_PREPARE_H
#define CLOUDINVITE_WORKER_PREPARE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"
#include "settings/settings.h"

/* The accounts, as numbers; "root" is 0 and 0. */
struct accounts {
	uid_t collector, dispatcher, ledger;
	gid_t collector_group, dispatcher_group, ledger_group;
};

bool prepare_find_accounts(
	const struct settings *settings, struct accounts *out, struct fault *fault);

/* What is there already, as it should be, is left alone. */
bool prepare_directories(const struct settings *settings, struct fault *fault);

/* The spool alone, as root: for the keeper, which has nothing to do in a directory that an account
 * can hold. */
bool prepare_spool_alone(const struct settings *settings, struct fault *fault);

/* Beside the settings: what the account of before could read becomes readable for those of now.
 * Settings and map are root's and the ledger's group's to read (0640), unless an administrator has
 * given them another group or fewer rights. private/ is the dispatcher's to search. Only as root,
 * and where it can be done: what is wrong is logged. */
void prepare_settings_files(const struct settings *settings);

#endif
