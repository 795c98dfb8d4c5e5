/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: the only memory, and the only thing that collector and dispatcher share. The
 * functions are synchronous and batched, and they do not depend on the engine, which is SQLite for
 * one host (ledger/sqlite.h). This header includes that of each subject.
 *
 * Every function returns false (or -1) with a FAULT_STORAGE in `fault` on error. A function that
 * changes something may be called between ledger_begin and ledger_commit, as a part of that
 * transaction, or outside, where it is a transaction of its own. A fault inside a transaction
 * aborts it: nothing of it can be committed any more, and only ledger_rollback (or a failing
 * ledger_commit) ends it. Transactions do not nest.
 *
 * The callbacks of the functions called `each` may read from the ledger, but must not change it.
 */
#ifndef CLOUDINVITE_LEDGER_LEDGER_H
#define CLOUDINVITE_LEDGER_LEDGER_H

#include "ledger/administration.h"
#include "ledger/handle.h"
#include "ledger/people.h"
#include "ledger/reports.h"
#include "ledger/sends.h"
#include "ledger/sightings.h"

#endif
