/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the room: counting in the commit of what is counted.
 */
#ifndef CLOUDINVITE_LEDGER_STORED_COUNTERS_H
#define CLOUDINVITE_LEDGER_STORED_COUNTERS_H

#include "ledger/ledger.h"
#include "telemetry/counters.h"

/* Between change_begin and change_end. */
bool stored_counter_add(
	struct ledger *l, enum counter counter, int label, int64_t n, struct fault *fault);

#endif
