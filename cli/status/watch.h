/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watch: a picture that is drawn again and again on the terminal's other screen, so that what stood
 * there before stands there afterwards. Keys: q ends it, p holds the picture, space looks at once,
 * ? shows the line of keys or takes it away.
 */
#ifndef CLOUDINVITE_CLI_STATUS_WATCH_H
#define CLOUDINVITE_CLI_STATUS_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"
#include "cli/common/context.h"

/* Draws what is so now for a terminal as wide as cli says. False: it ends; a fault if there is one.
 */
typedef bool watch_draw(const struct cli *cli, FILE *out, void *ctx, struct fault *fault);

/* Until q is pressed (true), or it cannot go on (false). A signal that ends programs ends this one,
 * after the terminal is as it was. */
bool watch_run(
	const struct cli *cli, int64_t seconds, watch_draw *draw, void *ctx, struct fault *fault);

#endif
