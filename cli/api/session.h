/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An API session: what check, get, list, send and cancel share. It opens everything, and runs a
 * command for a list of people. A fault that concerns all of them (credential, configuration,
 * ledger) is reported once.
 */
#ifndef CLOUDINVITE_CLI_API_SESSION_H
#define CLOUDINVITE_CLI_API_SESSION_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/common/context.h"
#include "cli/common/progress.h"
#include "cli/common/screen.h"
#include "cli/common/selector.h"
#include "engine/engine.h"

struct api_session {
	const struct cli *cli;
	struct settings *settings;
	struct ledger *ledger;
	struct google *google;
	struct engine *engine;
	struct progress progress;
	struct screen screen;
	bool json;
};

/* False after printing why; *exit_code is then set. */
bool api_session_open(
	struct api_session *session, const struct cli *cli, bool json, int *exit_code);
void api_session_close(struct api_session *session);
/* From now on the first Ctrl-C lets the current person be finished: for send and cancel. */
void finish_current_on_interrupt(void);

/* What a verb does for one person. */
struct target_command {
	void (*call)(struct api_session *session, const char *address, struct engine_result *out,
		void *ctx);
	/* The exit code of an answer without fault. */
	int (*exit_code)(const struct engine_result *result);
	/* What people read after the address. */
	void (*print)(struct screen *s, const struct engine_result *result);
	/* What machines read after "address"; after a fault with everything unknown. */
	json_t *(*json)(const struct engine_result *result);
	void *ctx;
};

/* Runs the command for each target, prints each result, and returns the worst exit code. */
int for_each_target(struct api_session *session, const struct target_command *command,
	const struct target *list, int count);

#endif
