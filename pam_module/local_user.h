/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a user is one of this host's own, from /etc/passwd and /etc/login.defs by hand: NSS could
 * block.
 */
#ifndef CLOUDINVITE_PAM_LOCAL_USER_H
#define CLOUDINVITE_PAM_LOCAL_USER_H

enum local_user {
	LOCAL_USER_COUNTS,    /* in /etc/passwd, with a uid of the range */
	LOCAL_USER_OUTSIDE,   /* in /etc/passwd, with another uid */
	LOCAL_USER_ABSENT,    /* not in /etc/passwd */
	LOCAL_USER_UNDECIDED, /* not in its first 1 MiB, or it could not be read */
};

/* min and max: -1 means UID_MIN and UID_MAX of login.defs (1000 and 60000 where it is silent). */
enum local_user local_user_find(const char *user, long long min_uid, long long max_uid);

#endif
