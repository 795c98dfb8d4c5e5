/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of a program that runs as a service's account. Libraries look for configuration
 * and for code below the home directory, in XDG's directories and at paths that variables name:
 * p11-kit loads the modules that a file in ~/.config/pkcs11 lists; SoftHSM, OpenSC, OpenSSL and
 * vendors' libraries read files. None of these may lie where a service can write. Otherwise an
 * attacker who has taken over one program could run code in the other.
 */
#ifndef CLOUDINVITE_BASE_ENVIRONMENT_H
#define CLOUDINVITE_BASE_ENVIRONMENT_H

#include <stdbool.h>

/* A path that does not exist, for HOME and XDG's directories. */
#define ENVIRONMENT_NO_HOME "/nonexistent"

/* Points HOME and XDG's directories to ENVIRONMENT_NO_HOME. Removes every other variable that
 * names a path which accounts other than root can write (environment_is_roots), and logs it.
 * Variables that point into /etc or /usr, as an administrator sets them in a unit, stay. Call it
 * as the account, before any library is used and before the first thread. */
void environment_close(void);

/* Whether only root decides what lies at each absolute path in `value` (colons separate
 * several): every directory on the way and the file itself belong to root, and neither others
 * nor a group of this process can write them. A path that does not exist, or that is neither a
 * directory nor a regular file (a device, a socket), passes. True if `value` has no absolute
 * path. */
bool environment_is_roots(const char *value);

#endif
