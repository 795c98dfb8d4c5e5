/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that must be right: read only what is safe to read, replace only as a whole.
 */
#ifndef CLOUDINVITE_BASE_FILE_H
#define CLOUDINVITE_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"
#include "base/strbuf.h"

/* What a file must be before it is read. */
struct file_rules {
	size_t max_size; /* bytes; a larger file is an error */
	bool secret;	 /* no rights for others, none for a group but `group_ok` */
	gid_t group_ok;	 /* a group that may read a secret (0: only root's) */
	bool trusted;	 /* owned by root or by us, and not writable by others */
	bool missing_ok; /* absent is success with an empty text */
	bool follow;	 /* follow a symbolic link at the end (settings of config management) */
};

/* Reads the whole of a regular file (never a FIFO, device or, unless `follow`, a link; opened with
 * O_NONBLOCK). False with the fault (`kind`) that names path and remedy. Appends to `out`. */
bool file_read(const char *path, const struct file_rules *rules, struct strbuf *out,
	enum fault_kind kind, struct fault *fault);
/* The same relative to a directory. */
bool file_read_at(int dir, const char *name, const struct file_rules *rules, struct strbuf *out,
	enum fault_kind kind, struct fault *fault);

/* Replaces `name` in `dir` with the bytes: temporary file (O_EXCL), write, fsync, rename, fsync of
 * the directory. The old content stays in place until the new is whole. -1 and errno on error;
 * the temporary file is then gone. */
int file_replace_at(int dir, const char *name, const void *bytes, size_t n, mode_t mode);
int file_replace(const char *path, const void *bytes, size_t n, mode_t mode);

/* All of it, over EINTR and short writes. -1 and errno on error. */
int file_write_all(int fd, const void *bytes, size_t n);

/* Opens a directory with O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC. -1 and errno. */
int file_open_dir(const char *path);

/* The same of a directory in it, which is made, 0700, where it is missing. */
int file_make_dir(const char *parent, const char *name);
/* The same of an open one. A directory that is there already is opened without the lock of the one
 * above it, which another account may hold. */
int file_make_dir_at(int parent, const char *name);

/* Closes if >= 0 and sets -1; keeps errno. */
void file_close(int *fd);

#endif
