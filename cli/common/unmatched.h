/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of the map and the settings that cannot apply on this host: they name a user or a group
 * that does not exist here, or an address outside of the organisation's domains.
 */
#ifndef CLOUDINVITE_CLI_UNMATCHED_H
#define CLOUDINVITE_CLI_UNMATCHED_H

#include "cli/common/mapping.h"

/* Calls `report` for each such rule that is like the name of something that exists, and once for
 * all others of a kind. None of them alone is an error: one map can serve many hosts. False if out
 * of memory. */
bool unmatched_rules(const struct mapping *mapping,
	void (*report)(const struct fault *note, void *ctx), void *ctx, struct fault *fault);

#endif
