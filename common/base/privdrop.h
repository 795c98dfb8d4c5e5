/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts: the change from root to a service's account, and which user asked for an action.
 */
#ifndef CLOUDINVITE_BASE_PRIVDROP_H
#define CLOUDINVITE_BASE_PRIVDROP_H

#include <stdbool.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/fault.h"

/* The entries of /etc/passwd, one after the other, with lines of any length. */
struct passwd_reader {
	FILE *file; /* NULL at first */
	char *buffer;
	size_t size;
	struct passwd entry; /* valid until the next call */
};
/* False at the end, or if the file cannot be read. */
bool passwd_next(struct passwd_reader *r);
void passwd_close(struct passwd_reader *r);

/* Looks up a name in /etc/passwd, not by NSS: the account is a local system user. */
bool passwd_find(const char *user, uid_t *uid, gid_t *gid, struct fault *fault);

/* Closes this process to others of its own account: no core dump, no debugger, no /proc/PID/mem,
 * and no /proc/PID/root, through which one program of the service would see what only the other
 * one's mount namespace has. */
void disable_tracing(void);

/* Started as root: becomes `user` for good (groups, gid, uid; no new privileges), so that root's
 * rights never touch anything that a hostile service account planted. Started as root or as
 * `user`, it also closes the environment (base/environment.h). The groups are the user's own
 * and, unless `with` is NULL, that of the account `with`, with which it shares files. The umask
 * is then 007, because SQLite makes its files with the umask and sets their mode only
 * afterwards; otherwise 077. Started as another user, or with `user` root: the user stays, with
 * that umask. Tracing is disabled in any case. False with a fault that says what to do. */
bool drop_privileges(const char *user, const char *with, struct fault *fault);

/* Stays the same user and gives up everything else that root may do: all capabilities, also for
 * programs that it would run, and new privileges. Files of root can still be written. Sets umask
 * 077 and disables tracing. */
bool drop_capabilities(struct fault *fault);

/* The user who asked, for history and journal: "alice"; "alice (as root)" if the login uid is
 * another one; "alice (sudo)" if there is no login uid and root's SUDO_USER is a plausible name. */
void audit_actor(char *out, size_t size);

/* This host's name in sightings: gethostname in lower case, without a domain added. */
void local_hostname(char *out, size_t size);

#endif
