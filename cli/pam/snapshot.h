/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/pam.d at one moment, so that a change can be told line by line, whoever has made it.
 */
#ifndef CLOUDINVITE_CLI_PAM_SNAPSHOT_H
#define CLOUDINVITE_CLI_PAM_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

struct pam_snapshot {
	struct pam_file {
		char *name;
		struct strbuf text;
		bool readable; /* as a stack */
	} * files;
	size_t count, room;
};

bool pam_snapshot_take(struct pam_snapshot *s);
void pam_snapshot_free(struct pam_snapshot *s);
/* Appends what differs: "/etc/pam.d/postlogin: + session …", a line each. */
bool pam_snapshot_compare(
	const struct pam_snapshot *before, const struct pam_snapshot *after, struct strbuf *out);
/* The name of a service that could be read before and cannot now; NULL if there is none. */
const char *pam_snapshot_broken(
	const struct pam_snapshot *before, const struct pam_snapshot *after);

#endif
