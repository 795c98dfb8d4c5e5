/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of a program that runs as a service's account. Libraries look for configuration
 * and for code below the home, the directories of XDG, and paths that variables name: p11-kit loads
 * the modules that a file in ~/.config/pkcs11 lists, SoftHSM, OpenSC, OpenSSL and the libraries of
 * vendors read files. None of those may lie where a service can write, or whoever took over one
 * program would run code in the other.
 */
#ifndef CLOUDINVITE_BASE_ENVIRONMENT_H
#define CLOUDINVITE_BASE_ENVIRONMENT_H

#include <stdbool.h>

/* HOME and XDG's directories, a path that does not exist. */
#define ENVIRONMENT_NO_HOME "/nonexistent"

/* Points HOME and the directories of XDG to ENVIRONMENT_NO_HOME, and removes each other variable
 * that names a path which accounts other than root can write (environment_is_roots), with a line
 * in the log. Variables that point into /etc or /usr, as an administrator sets them in a unit,
 * stay. Call it as the account, before any library is used and before the first thread. */
void environment_close(void);

/* Whether root alone decides what lies at each absolute path in `value` (several are separated by
 * colons): every directory on the way, and the file itself, is root's, and can be written neither
 * by others nor by a group of this process. What is missing, or is neither a directory nor a
 * regular file (a device, a socket), is no obstacle. True where there is no absolute path in it. */
bool environment_is_roots(const char *value);

#endif
