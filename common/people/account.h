/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local accounts, read from the passwd and group files, never through NSS.
 */
#ifndef CLOUDINVITE_PEOPLE_ACCOUNT_H
#define CLOUDINVITE_PEOPLE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fault.h"

struct account {
	const char *user; /* all strings point into the table */
	const char *gecos;
	const char *shell;
	uint32_t uid;
	uint32_t gid;
};

/* The passwd file as a table, sorted by name. If a name has several lines, the first counts. */
struct account_table {
	struct account *accounts;
	size_t count;
	bool whole; /* it may be compared with an earlier one: uid 0 is there, and no line is broken
		     */
	size_t broken_line; /* the first broken line (1-based), 0 if none */
	char *text;
};

/* Reads a passwd file of any size. Lines that begin with + or - (NIS), comments (#) and empty lines
 * are ignored, and so are blanks before a line, as libc does. */
bool account_read(const char *passwd_file, struct account_table *out, struct fault *fault);
bool account_parse(const char *text, size_t n, struct account_table *out);
/* By name; NULL if there is none. */
const struct account *account_find(const struct account_table *t, const char *user);
void account_table_free(struct account_table *t);

/* The group file: which of `names` (a list as in settings) have which members. */
struct group_table;
struct group_table *group_read(const char *group_file, const char *names, struct fault *fault);
struct group_table *group_parse(const char *text, size_t n, const char *names);
/* The names of the groups (of those asked for) that the user is in, primary or supplementary,
 * sorted, as a list that str_each_word reads. False if they cannot be determined: `out` is too
 * small, or a line of the file that may matter is broken. For network users, pass gid (gid_t)-1. */
bool group_names(const struct group_table *t, const char *user, gid_t gid, char *out, size_t size);
/* The first line (1-based) that is broken and may matter, 0 if none. A member that has a colon, a
 * semicolon or a blank in it is one: libc ignores the members that such a line means. */
size_t group_broken_line(const struct group_table *t);
/* The groups of those asked for that exist, by name; one that has two lines is there twice. */
size_t group_count(const struct group_table *t);
const char *group_name_at(const struct group_table *t, size_t i);
/* Whether the file can be complete: it has a line with gid 0, and its last line has an end. An
 * empty file, or one that was cut while it was written, is not whole, and members may be missing in
 * it. */
bool group_file_whole(const struct group_table *t);
void group_table_free(struct group_table *t);

#endif
