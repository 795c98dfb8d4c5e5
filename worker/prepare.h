/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --prepare: as root, the directories that the programs need, with their owners and modes: spool
 * and its boxes, state, tokens, run. Goes through directory descriptors, refuses wrong owners, and
 * touches nothing inside a directory that the worker owns.
 */
#ifndef CLOUDINVITE_WORKER_PREPARE_H
#define CLOUDINVITE_WORKER_PREPARE_H

#include <stdbool.h>

#include "base/fault.h"
#include "settings/settings.h"

/* What is there already, as it should be, is left alone. */
bool prepare_directories(const struct settings *settings, struct fault *fault);

/* Opens the directory above `path`, on whose way only root can change anything; it is made (root's,
 * 0755) with all above it where missing. -1 with the fault. */
int prepare_open_parent(const char *path, struct fault *fault);

#endif
