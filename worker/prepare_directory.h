/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One directory for --prepare: opened by a way on which only root can change anything, made where
 * it is missing, and given its owner and mode, or refused.
 */
#ifndef CLOUDINVITE_WORKER_PREPARE_DIRECTORY_H
#define CLOUDINVITE_WORKER_PREPARE_DIRECTORY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"
#include "worker/take_over.h"

/* A directory as it must be. An account owns only leaves, so that no path to a file of root's leads
 * through a directory that an account can change. */
struct directory_spec {
	uid_t uid;
	gid_t gid;
	mode_t mode;
	bool ours; /* its name alone says so: a part of the state directory */
	/* What becomes of its files where it belongs to the account of before. */
	const struct owner_rule *owner_rules;
	size_t owner_rule_count;
};

/* Opens the directory above `path`, on whose way only root can change anything; it is made (root's,
 * 0755) with all above it where missing. -1 with the fault. */
int prepare_open_parent(const char *path, struct fault *fault);

/* The directory itself, or one in an open directory: -1 with the fault that names `path`. */
int prepare_open(const char *path, const struct directory_spec *want, struct fault *fault);
int prepare_at(int parent, const char *name, const char *path, const struct directory_spec *want,
	struct fault *fault);
/* The same, closed again. */
bool prepare_as(const char *path, const struct directory_spec *want, struct fault *fault);
/* What errno says of `path`. Always false. */
bool prepare_error(const char *path, struct fault *fault);

#endif
