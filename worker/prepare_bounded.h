/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A time limit for --prepare. What it prepares may lie in a directory that another account can
 * open, from an older installation or of the services themselves. Such an account can lock it, and
 * then a system call of root's waits in the kernel, where no signal reaches it. So a child does the
 * work and reports which path it works at, and the program itself waits no longer than a start may
 * take.
 */
#ifndef CLOUDINVITE_WORKER_PREPARE_BOUNDED_H
#define CLOUDINVITE_WORKER_PREPARE_BOUNDED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

#define PREPARE_MOST_MS INT64_C(80000) /* systemd allows 90 s for a start */

typedef bool prepare_act(const void *ctx, struct fault *fault);

/* Runs it in a child. False with its fault, or with `prepare_held`, which names the path that it
 * was working at when the time was over. */
bool prepare_bounded(prepare_act *act, const void *ctx, int64_t most_ms, struct fault *fault);
/* In the child: sets the path that it works at. Elsewhere it does nothing. */
void prepare_works_at(const char *path);

#endif
