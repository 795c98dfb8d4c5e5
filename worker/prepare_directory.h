/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One directory for --prepare: opened along a path on which only root can change anything, made if
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
	bool ours; /* its name alone shows it: a part of the state directory */
	/* What becomes of the files in it if it belongs to the old account. */
	const struct owner_rule *owner_rules;
	size_t owner_rule_count;
};

/* Opens the directory above `path`, along a path on which only root can change anything. It and all
 * above it are made if they are missing (root's, 0755). -1 with the fault. */
int prepare_open_parent(const char *path, struct fault *fault);

/* Opens the directory itself, or one in an open directory. -1 with the fault that names `path`. */
int prepare_open(const char *path, const struct directory_spec *want, struct fault *fault);
int prepare_at(int parent, const char *name, const char *path, const struct directory_spec *want,
	struct fault *fault);
/* The same, and closes it. */
bool prepare_as(const char *path, const struct directory_spec *want, struct fault *fault);
/* Fills in the fault from errno for `path`. Always false. */
bool prepare_error(const char *path, struct fault *fault);

#endif
