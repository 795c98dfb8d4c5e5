/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the room: counting in the commit of what is counted.
 */
#ifndef CLOUDINVITE_LEDGER_METERS_H
#define CLOUDINVITE_LEDGER_METERS_H

#include "base/meter.h"
#include "ledger/ledger.h"

/* Between change_begin and change_end. */
bool meters_count(struct ledger *l, enum meter meter, int label, int64_t n, struct fault *fault);

#endif
