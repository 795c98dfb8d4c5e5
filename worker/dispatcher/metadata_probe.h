/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of --prepare that finds out who reaches the metadata server: root connects to it, and
 * then a child that is nobody any more. google/auth/metadata_exposure.h keeps the result for the
 * dispatcher, which refuses the machine's token where everybody can have it.
 */
#ifndef CLOUDINVITE_WORKER_DISPATCHER_METADATA_PROBE_H
#define CLOUDINVITE_WORKER_DISPATCHER_METADATA_PROBE_H

#include <stdbool.h>

#include "base/fault.h"
#include "settings/settings.h"

/* Does nothing where the credential does not come from such a neighbour, where metadata_exposed =
 * accept, or without root. Waits a few seconds for a network that is not up yet. False only if the
 * result cannot be kept; what it is, is the dispatcher's business. */
bool metadata_probe(const struct settings *settings, struct fault *fault);

#endif
