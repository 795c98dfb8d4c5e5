/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of --prepare that finds out who reaches the metadata server: root connects to it, and
 * then a child that has become `nobody`. google/auth/metadata_exposure.h stores the result for the
 * dispatcher, which refuses the machine's token if every user can get it.
 */
#ifndef CLOUDINVITE_WORKER_DISPATCHER_METADATA_PROBE_H
#define CLOUDINVITE_WORKER_DISPATCHER_METADATA_PROBE_H

#include <stdbool.h>

#include "base/fault.h"
#include "settings/settings.h"

/* Does nothing if the credential does not come from a metadata server, if metadata_exposed =
 * accept, or without root. Waits a few seconds for a network that is not up yet. False only if the
 * result cannot be stored; the dispatcher decides what it means. */
bool metadata_probe(const struct settings *settings, struct fault *fault);

#endif
