/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/pam.d at one moment, so that a change can be shown line by line, by whatever program it was
 * made.
 */
#ifndef CLOUDINVITE_CLI_PAM_SNAPSHOT_H
#define CLOUDINVITE_CLI_PAM_SNAPSHOT_H

#include <stdbool.h>

#include "base/strbuf.h"

struct pam_snapshot {
	struct strbuf lines;	/* of all files: "/etc/pam.d/sshd: session …" and a newline */
	struct strbuf services; /* the names of those that can be read as stacks, NUL-terminated */
};

bool pam_snapshot_take(struct pam_snapshot *s);
void pam_snapshot_free(struct pam_snapshot *s);
/* Appends the lines that are gone, then those that are new: "/etc/pam.d/postlogin: + session …". A
 * line that only moved within its file is neither. */
bool pam_snapshot_compare(
	const struct pam_snapshot *before, const struct pam_snapshot *after, struct strbuf *out);
/* The name of a service that could be read then and cannot now; NULL if there is none. */
const char *pam_snapshot_broken(const struct pam_snapshot *before);

#endif
