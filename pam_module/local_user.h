/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a user is one of this host's own. It is read from /etc/passwd and /etc/login.defs
 * directly, because NSS could block.
 */
#ifndef CLOUDINVITE_PAM_LOCAL_USER_H
#define CLOUDINVITE_PAM_LOCAL_USER_H

enum local_user {
	LOCAL_USER_COUNTS,    /* in /etc/passwd, and the uid is in the range */
	LOCAL_USER_OUTSIDE,   /* in /etc/passwd, but the uid is not in the range */
	LOCAL_USER_ABSENT,    /* not in /etc/passwd */
	LOCAL_USER_UNDECIDED, /* not in its first 1 MiB, or not readable */
};

/* -1 for min or max means UID_MIN or UID_MAX of login.defs (1000 and 60000 if it has none). */
enum local_user local_user_find(const char *user, long long min_uid, long long max_uid);

#endif
