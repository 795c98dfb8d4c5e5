/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing arrivals from the command line: what emit and scan share.
 */
#ifndef CLOUDINVITE_CLI_OPS_SPOOL_WRITER_H
#define CLOUDINVITE_CLI_OPS_SPOOL_WRITER_H

#include <stdbool.h>

#include "base/fault.h"
#include "spool/spool.h"

/* Opens new/ of the spool, if only root can use both (in a directory that others can open they
 * could delay root). -1 and the fault, which says who may do it and what to run first. */
int spool_writer_open(const char *spool, struct fault *fault);
/* 1 written, 0 the arrival exists already, -1 and the fault: FAULT_USAGE for a name that does not
 * fit into the spool. `sync`: it is on the disk when this returns. */
int spool_writer_write(int box, const char *spool, const char *user, enum trigger trigger,
	bool sync, struct fault *fault);
/* Everything in new/ is on the disk when this returns. */
bool spool_writer_sync(int box, const char *spool, struct fault *fault);

#endif
