/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --prepare's part of the spool: the spool and its boxes are root's, 0700, and have never been
 * anybody else's.
 */
#ifndef CLOUDINVITE_WORKER_PREPARE_SPOOL_H
#define CLOUDINVITE_WORKER_PREPARE_SPOOL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"

/* The account that the spool's boxes belonged to before 0.1.0 had a keeper. */
struct old_owner {
	const char *name;
	uid_t uid;
};

/* As root. Makes `spool`, new/, seen/ and bad/, or brings them into that state: a directory that
 * another account could have opened gives its place to a fresh one, and the arrivals and marks in
 * it are made again in the fresh one. Refuses what is not cloudinvite's. */
bool prepare_spool(const char *spool, const struct old_owner *old, struct fault *fault);

#endif
