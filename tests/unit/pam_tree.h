/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a host's PAM files below a folder, and what is said about them.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_PAM_TREE_H
#define CLOUDINVITE_TESTS_UNIT_PAM_TREE_H

#include "base/array.h"
#include "base/str.h"
#include "cli/pam/lint.h"
#include "cli/pam/stack.h"
#include "tests/unit/folder.h"

/* With the module in its place, root's alone. */
int pam_tree_new(void **state);

/* The codes of everything that is said, "code@file:line " each, in a row. */
struct said {
	char text[2048];
	int bad;
};

struct said pam_tree_review(struct folder *f, const char *spool);

#endif
