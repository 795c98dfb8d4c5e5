/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery: how a finished reply is sent, or not.
 */
#ifndef CLOUDINVITE_EMULATOR_DELIVER_H
#define CLOUDINVITE_EMULATOR_DELIVER_H

#include <microhttpd.h>

#include "emulator.h"
#include "request.h"

/* Whether the fault closes the connection without a reply. */
bool action_drops_connection(enum fault_action action);
/* Queues the reply, or cuts the connection; what MHD's handler returns. */
enum MHD_Result deliver(struct emulator *e, struct request *r, struct MHD_Connection *connection);

#endif
