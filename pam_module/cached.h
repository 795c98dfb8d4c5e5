/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading files that are open to everybody.
 */
#ifndef CLOUDINVITE_PAM_MODULE_CACHED_H
#define CLOUDINVITE_PAM_MODULE_CACHED_H

#include <sys/types.h>

/* Like read(), but -1 and EAGAIN where it would have waited, as far as the file system can tell: on
 * XFS whoever can open a file can hold its lock, for which a read waits without end. So only what
 * is in the kernel's cache is read. */
ssize_t read_cached(int fd, void *to, size_t want);

#endif
