/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are: the change from root to the service's account, and who asked for an action.
 */
#ifndef CLOUDINVITE_BASE_PRIVDROP_H
#define CLOUDINVITE_BASE_PRIVDROP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"

/* Looks a name up in `passwd` (a file, not NSS: the account is a local system user). */
bool passwd_find(const char *user, uid_t *uid, gid_t *gid, struct fault *fault);

/* Shuts this process to others of its own account: no core, no debugger, no /proc/PID/mem, and no
 * /proc/PID/root, through which one program of the service would see what only the other's mount
 * namespace has. */
void disable_tracing(void);

/* Started as root: becomes `user` for good (groups, gid, uid; no new privileges), so that nothing
 * that a hostile service account planted is touched with root's rights, and closes the environment
 * (base/environment.h), as it does where it was started as `user`. Its groups are its own and,
 * unless `with` is NULL, that of the account `with`, with which it shares files: then the umask is
 * 007 (SQLite makes its files with the umask and gives them their mode only afterwards), else 077.
 * Started as another user, or with `user` root: stays so, with that umask. Shut in any case. False
 * with a fault that says what to do. */
bool drop_privileges(const char *user, const char *with, struct fault *fault);

/* Stays who it is and gives up everything else that root may: all capabilities, also for what it
 * would run, and new privileges. What root owns can still be written. In any case umask 077, and
 * shut. */
bool drop_capabilities(struct fault *fault);

/* Who asked, for history and journal: "alice"; "alice (as root)" where the login uid is another's;
 * "alice (sudo)" where there is no login uid and root's SUDO_USER is a plausible name. */
void audit_actor(char *out, size_t size);

/* This host's name for sightings: gethostname, lower case, no domain added. */
void local_hostname(char *out, size_t size);

#endif
