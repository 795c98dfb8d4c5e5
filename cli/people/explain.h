/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An explanation: every account that a name may stand for, and every address that they lead to.
 * Found first (explain.c), then shown to people (explain_screen.c) or to machines (explain_json.c).
 */
#ifndef CLOUDINVITE_CLI_PEOPLE_EXPLAIN_H
#define CLOUDINVITE_CLI_PEOPLE_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/common/service_state.h"
#include "people/verdict.h"

struct candidate {
	struct ledger_sighting found;
	struct verdict verdict; /* by the present settings and map */
};

struct explanation {
	struct store store;
	struct service_state service;
	struct address_map *map;
	struct candidate *candidates;
	size_t candidate_count, candidate_room;
	char (*addresses)[ADDRESS_MAX + 1];
	size_t address_count, address_room;
	bool unseen; /* the one sighting was made up here, from the passwd file */
	bool failed; /* memory */
};

/* False: fault. */
bool explain_show(const struct explanation *x, const struct cli *cli, struct fault *fault);
/* The exit code. */
int explain_show_json(const struct explanation *x);

#endif
