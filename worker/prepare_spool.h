/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --prepare's part for the spool: the spool and its directories are root's, 0700, and have never
 * belonged to another account.
 */
#ifndef CLOUDINVITE_WORKER_PREPARE_SPOOL_H
#define CLOUDINVITE_WORKER_PREPARE_SPOOL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"

/* The account that owned the spool's directories before 0.1.0 had a keeper. */
struct old_owner {
	const char *name;
	uid_t uid;
};

/* As root. Makes `spool`, new/, seen/ and bad/, or brings them into that state: a directory that
 * another account could have opened is replaced by a new one, in which its arrivals and markers are
 * made again. Refuses what is not cloudinvite's. */
bool prepare_spool(const char *spool, const struct old_owner *old, struct fault *fault);

#endif
