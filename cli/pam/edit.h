/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our line in a PAM file that people wrote: added at its end with a comment that marks it, and
 * removed so that the file is the same as before, byte for byte.
 */
#ifndef CLOUDINVITE_CLI_PAM_EDIT_H
#define CLOUDINVITE_CLI_PAM_EDIT_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/strbuf.h"

/* Appends the marked line to a text. */
bool pam_edit_add(const struct strbuf *before, struct strbuf *after);
/* The text without it; false if it is not there as it was added. */
bool pam_edit_remove(const struct strbuf *before, struct strbuf *after);

/* The same for a file of root's, which is replaced as a whole. True without a change if the line is
 * there already, or was never added. A link is followed. */
/* Whether the file, or a new one with that name, can be written: false with the cause. The file
 * system of /etc may be read-only, and so may a single file (a mount, chattr +i). */
bool pam_edit_can_write(const char *path, struct fault *fault);

bool pam_edit_file(const char *path, bool (*edit)(const struct strbuf *, struct strbuf *),
	struct fault *fault);
/* Whether the marked line is in the file. */
bool pam_edit_is_in(const char *path);

#endif
