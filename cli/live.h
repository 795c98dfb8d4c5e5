/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live: what check, get, list, send and cancel share: everything opened, and one way through a list
 * of people. A fault that concerns the whole (credential, set-up, ledger) is met once, not for
 * each.
 */
#ifndef CLOUDINVITE_CLI_LIVE_H
#define CLOUDINVITE_CLI_LIVE_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/screen.h"
#include "cli/selector.h"
#include "invite/invite.h"

struct live {
	const struct cli *cli;
	struct settings *settings;
	struct ledger *ledger;
	struct google *google;
	struct invite *invite;
	struct progress progress;
	struct screen screen;
	bool json;
};

/* False after having printed why; *exit_code is then set. */
bool live_open(struct live *live, const struct cli *cli, bool json, int *exit_code);
void live_close(struct live *live);
/* From now on the first Ctrl-C lets the person under way come to an end: for send and cancel. */
void live_finish_each(void);

/* What a verb does with one person. */
struct live_verb {
	void (*ask)(struct live *live, const char *address, struct invite_result *out, void *ctx);
	/* The exit code of an answer without fault. */
	int (*code)(const struct invite_result *result);
	/* What people read after the address. */
	void (*say)(struct screen *s, const struct invite_result *result);
	/* What machines read after "address"; after a fault with everything unknown. */
	json_t *(*json)(const struct invite_result *result);
	void *ctx;
};

/* Asks for each, prints each, returns the worst exit code. */
int live_each(
	struct live *live, const struct live_verb *verb, const struct target *list, int count);

#endif
