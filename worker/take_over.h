/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking over what one account owned. Up to October 2026 collector and dispatcher shared the
 * account `cloudinvite`, which owned every directory and file of both. --prepare gives them to the
 * accounts that replace it.
 *
 * The old account may be hostile. So a directory becomes root's, closed to others, before anything
 * in it is touched; then no name in it can change any more. What is not a plain file with one name
 * is refused. A directory that is being taken over is root:root 01700, a mode that nothing else
 * here has, so --prepare continues with it after an interruption.
 */
#ifndef CLOUDINVITE_WORKER_TAKE_OVER_H
#define CLOUDINVITE_WORKER_TAKE_OVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/fault.h"

#define TAKE_OVER_ACCOUNT "cloudinvite"

/* What becomes of the files whose names begin with `prefix`. The first rule that matches counts. */
struct owner_rule {
	const char *prefix; /* "": all others */
	uid_t uid;
	gid_t gid;
	mode_t mode;
	const char *into; /* moved into this directory, which is made; NULL: not moved */
	bool drop;	  /* removed */
	bool lock;	  /* refused while a running program locks it */
};

/* Whether the directory belongs to the old account, or is half taken over. */
bool take_over_due(const struct stat *st);
/* Gives every plain file in the open directory to its new owner. The directory itself stays root's,
 * 01700: the caller gives it its owner. Directories in it are left as they are. */
bool take_over(int fd, const char *path, const struct owner_rule *owner_rules, size_t count,
	struct fault *fault);

/* In a directory of root's: plain files that the old account or its group may read become
 * root's, 0640. Their group is `settings_group` if the name ends in .conf or .map, else
 * `secrets_group`. Other files stay as they are. Errors are logged: a program that cannot read a
 * file will say so. */
void take_over_readers(int fd, const char *path, gid_t settings_group, gid_t secrets_group);

#endif
