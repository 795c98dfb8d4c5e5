/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MESSAGE_IDs of the journal. They never change: administrators' searches and alerts name them.
 */
#include "telemetry/events.h"

#include <stddef.h>

const struct journal_id event_ids[] = {
	{"invited", "5ef3d1a47c5a4645af6eca8f2a6e0c39"},
	{"cancelled", "23bf2ea8ac1f4059aac6a9803885150f"},
	{"approved", "f05a89ec25ab43c48e5159f612fbd349"},
	{"blocked", "d19fc8a93b014be8b8d4ae454846effc"},
	{"guard_tripped", "6d5fb2afd80e434191c78e9ce53ced9b"},
	{"paused", "e7d53c98d73549ebb1c6fc5ec7ab355b"},
	{.event = NULL},
};
