/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a host's PAM files below a folder, and the problems that are reported about them.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_PAM_TREE_H
#define CLOUDINVITE_TESTS_UNIT_PAM_TREE_H

#include "base/array.h"
#include "base/str.h"
#include "cli/pam/lint.h"
#include "cli/pam/stack.h"
#include "tests/unit/folder.h"

/* The module is in its place, and only root can write it. */
int pam_tree_new(void **state);

/* The codes of all reported problems, "code@file:line " for each, in their order. */
struct said {
	char text[2048];
	int bad;
};

struct said pam_tree_review(struct folder *f, const char *spool);
/* The same with settings, with which the lines are compared. */
struct said pam_tree_review_with(
	struct folder *f, const char *spool, const struct settings *settings);

#endif
