/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that must be right: read only if they are safe to read, and replaced only as a whole.
 */
#ifndef CLOUDINVITE_BASE_FILE_H
#define CLOUDINVITE_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"
#include "base/strbuf.h"

/* What a file must be so that it is read. */
struct file_rules {
	size_t max_size; /* bytes; a larger file is an error */
	bool secret;	 /* others have no rights, and only `group_ok` of the groups */
	gid_t group_ok;	 /* a group that may read a secret (0: only root's) */
	bool trusted;	 /* owned by root or by us, and not writable by others */
	bool missing_ok; /* a file that does not exist counts as an empty text */
	bool follow;	 /* follow a symbolic link at the end (for configuration management) */
};

/* Reads a whole regular file, never a FIFO, a device or (unless `follow`) a link; it is opened
 * with O_NONBLOCK. Appends to `out`. False with a fault of that kind, which names path and
 * remedy. */
bool file_read(const char *path, const struct file_rules *rules, struct strbuf *out,
	enum fault_kind kind, struct fault *fault);
/* The same, relative to a directory. */
bool file_read_at(int dir, const char *name, const struct file_rules *rules, struct strbuf *out,
	enum fault_kind kind, struct fault *fault);

/* Replaces `name` in `dir` by the bytes: temporary file (O_EXCL), write, fsync, rename, fsync of
 * the directory. The old content stays in place until the new content is complete. -1 and errno
 * on error; the temporary file is then removed. */
int file_replace_at(int dir, const char *name, const void *bytes, size_t n, mode_t mode);
int file_replace(const char *path, const void *bytes, size_t n, mode_t mode);

/* Writes all of it, over EINTR and short writes. -1 and errno on error. */
int file_write_all(int fd, const void *bytes, size_t n);

/* Opens a directory with O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC. -1 and errno. */
int file_open_dir(const char *path);

/* Opens a directory in `parent`, which is made with mode 0700 if it does not exist. */
int file_make_dir(const char *parent, const char *name);
/* The same in an open directory. If the directory exists, `parent` is not locked: another
 * account may hold that lock. */
int file_make_dir_at(int parent, const char *name);

/* Closes if >= 0 and sets -1; keeps errno. */
void file_close(int *fd);

#endif
