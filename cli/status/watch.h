/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watch: a picture that is drawn again and again on the terminal's alternate screen, so that the
 * normal one is unchanged afterwards. Keys: q ends it, p holds the picture, space refreshes at
 * once, ? shows or hides the line of keys.
 */
#ifndef CLOUDINVITE_CLI_STATUS_WATCH_H
#define CLOUDINVITE_CLI_STATUS_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"
#include "cli/common/context.h"

/* Draws the present state for a terminal as wide as `cli` says. False ends the watch, with a fault
 * if there is one. */
typedef bool watch_draw(const struct cli *cli, FILE *out, void *ctx, struct fault *fault);

/* Returns when q is pressed (true) or when it cannot continue (false). A signal that ends programs
 * ends this one, after the terminal has been restored. */
bool watch_run(
	const struct cli *cli, int64_t seconds, watch_draw *draw, void *ctx, struct fault *fault);

#endif
