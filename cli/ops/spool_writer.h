/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing arrivals by hand: what emit and scan share.
 */
#ifndef CLOUDINVITE_CLI_OPS_SPOOL_WRITER_H
#define CLOUDINVITE_CLI_OPS_SPOOL_WRITER_H

#include <stdbool.h>

#include "base/fault.h"
#include "spool/spool.h"

/* Opens new/ of the spool, if spool and new/ are root's alone (in a directory that others can open
 * root could be held up). -1 and the fault, which knows who may and what to run first. */
int spool_writer_open(const char *spool, struct fault *fault);
/* 1 written, 0 one is waiting already, -1 and the fault: FAULT_USAGE for a name that the spool does
 * not take. `sync`: it is on the disk when this returns. */
int spool_writer_write(int box, const char *spool, const char *user, enum trigger reason, bool sync,
	struct fault *fault);
/* Whatever lies in new/ is on the disk when this returns. */
bool spool_writer_sync(int box, const char *spool, struct fault *fault);

#endif
