/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An end for --prepare. What it prepares may lie in a directory that another account can open, of
 * an installation of before or of the services' own, and such an account can hold it: a call of
 * root's then waits in the kernel, where no signal reaches it. So a child does the work, and says
 * at what, and the program that was started waits for it no longer than a start may take.
 */
#ifndef CLOUDINVITE_WORKER_PREPARE_BOUNDED_H
#define CLOUDINVITE_WORKER_PREPARE_BOUNDED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

#define PREPARE_MOST_MS INT64_C(80000) /* systemd gives a start 90 s */

typedef bool prepare_act(const void *ctx, struct fault *fault);

/* Runs it in a child. False with its fault, or with `prepare_held`, which names the path at which
 * it was when the time was up. */
bool prepare_bounded(prepare_act *act, const void *ctx, int64_t most_ms, struct fault *fault);
/* In the child: what it works at from now on. Elsewhere nothing. */
void prepare_works_at(const char *path);

#endif
