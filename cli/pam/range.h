/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uids of the users whose logins a line of our module reports.
 */
#ifndef CLOUDINVITE_CLI_PAM_RANGE_H
#define CLOUDINVITE_CLI_PAM_RANGE_H

#include "common/pam/arguments.h"

struct pam_range {
	long long min, max;
	const char *min_from,
		*max_from; /* "min_uid=", "UID_MIN of /etc/login.defs", "its default" */
};

/* As the module does it: the arguments count, then login.defs below `root`, then 1000 and 60000. */
void pam_range_of(const char *root, const struct arguments *arguments, struct pam_range *out);

#endif
