/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An explanation: every account that a name may stand for, and every address to which they lead. It
 * is collected first (explain.c), then shown to readers (explain_screen.c) or to scripts
 * (explain_json.c).
 */
#ifndef CLOUDINVITE_CLI_PEOPLE_EXPLAIN_H
#define CLOUDINVITE_CLI_PEOPLE_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/common/service_state.h"
#include "people/verdict.h"

struct candidate {
	struct ledger_sighting found;
	struct verdict verdict; /* under the present settings and map */
};

struct explanation {
	struct store store;
	struct service_state service;
	struct address_map *map;
	struct candidate *candidates;
	size_t candidate_count, candidate_room;
	char (*addresses)[ADDRESS_MAX + 1];
	size_t address_count, address_room;
	bool no_sighting; /* there is no sighting; this one was made from the passwd file */
	bool failed;	  /* out of memory */
};

/* False: fault. */
bool explain_show(const struct explanation *x, const struct cli *cli, struct fault *fault);
/* Returns the exit code. */
int explain_show_json(const struct explanation *x);

#endif
