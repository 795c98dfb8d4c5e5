/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading files that every user can open.
 */
#ifndef CLOUDINVITE_PAM_MODULE_CACHED_H
#define CLOUDINVITE_PAM_MODULE_CACHED_H

#include <sys/types.h>

/* Like read(), but returns -1 and EAGAIN where read() would wait, as far as the file system can
 * tell. On XFS, any user who can open a file can hold its lock, and a read would wait for it
 * without end. So only what is in the kernel's cache is read. */
ssize_t read_cached(int fd, void *to, size_t want);

#endif
