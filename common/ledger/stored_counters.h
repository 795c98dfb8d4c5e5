/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting in the transaction of what is counted.
 */
#ifndef CLOUDINVITE_LEDGER_STORED_COUNTERS_H
#define CLOUDINVITE_LEDGER_STORED_COUNTERS_H

#include "ledger/ledger.h"
#include "telemetry/counters.h"

/* Between txn_begin and txn_end. */
bool stored_counter_add(
	struct ledger *l, enum counter counter, int label, int64_t n, struct fault *fault);

/* Version 1 of the schema had other words in some names. Gives their values the names that
 * counter_name makes today. Between txn_begin and txn_end. */
bool stored_counters_migrate_v1(struct ledger *l, struct fault *fault);

#endif
