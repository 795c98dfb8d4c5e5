/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --prepare: makes, as root, the directories and files that the accounts need, with their owners
 * and modes: spool, state, ledger, tokens, run. It works with directory descriptors, refuses wrong
 * owners, and touches nothing inside a directory that an account owns.
 */
#ifndef CLOUDINVITE_WORKER_PREPARE_H
#define CLOUDINVITE_WORKER_PREPARE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"
#include "settings/settings.h"

/* The accounts' numbers; those of "root" are 0 and 0. */
struct accounts {
	uid_t collector, dispatcher, ledger;
	gid_t collector_group, dispatcher_group, ledger_group;
};

bool prepare_find_accounts(
	const struct settings *settings, struct accounts *out, struct fault *fault);

/* What exists and is as it should be stays as it is. */
bool prepare_directories(const struct settings *settings, struct fault *fault);

/* Only the spool, as root: for the keeper, which never works in a directory that an account can
 * lock. */
bool prepare_spool_alone(const struct settings *settings, struct fault *fault);

/* The files beside the settings: what the old account could read becomes readable for the new ones.
 * Settings and map are readable for root and the ledger's group (0640), unless an administrator has
 * given them another group or fewer rights. The dispatcher may search private/. Only as root;
 * errors are logged. */
void prepare_settings_files(const struct settings *settings);

#endif
