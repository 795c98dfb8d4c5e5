/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and replacing files that may be hostile or half written.
 *
 * A file is checked after it was opened, by its descriptor, so that it cannot be exchanged in
 * between. A replacement is written to a temporary file and renamed, so that a reader sees the old
 * content or the new one and a power failure leaves one of them.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/strbuf.h"

/* Checks whether the file may be read; if not, the fault says why. */
static bool file_check(const char *name, const struct stat *st, const struct file_rules *rules,
	enum fault_kind kind, struct fault *fault)
{
	if (!S_ISREG(st->st_mode)) {
		fault_set(fault, kind, "not_regular", "%s: is not a regular file", name);
		return fault_remedy(fault, "Put a regular file in its place.");
	}
	if (rules->max_size && (unsigned long long)st->st_size > rules->max_size)
		return fault_set(fault, kind, "too_large",
			"%s: is too large (%lld bytes; the limit is %zu)", name,
			(long long)st->st_size, rules->max_size);
	if (rules->secret && ((st->st_mode & (S_IRWXO | S_IWGRP | S_IXGRP)) ||
				     ((st->st_mode & S_IRGRP) && st->st_gid != 0 &&
					     st->st_gid != rules->group_ok))) {
		fault_set(fault, kind, "readable_by_others",
			"%s: other users can read it (mode %04o)", name,
			(unsigned)(st->st_mode & 07777));
		return fault_remedy(fault, "chmod 600 %s", name);
	}
	if (rules->trusted && st->st_uid != 0 && st->st_uid != geteuid()) {
		fault_set(fault, kind, "wrong_owner",
			"%s: belongs to uid %u instead of root or the service's user", name,
			(unsigned)st->st_uid);
		return fault_remedy(fault, "chown root %s", name);
	}
	if (rules->trusted && (st->st_mode & (S_IWOTH | (st->st_gid != 0 ? S_IWGRP : 0)))) {
		fault_set(fault, kind, "writable_by_others",
			"%s: other users can write it (mode %04o)", name,
			(unsigned)(st->st_mode & 07777));
		return fault_remedy(fault, "chmod go-w %s", name);
	}
	return true;
}

/* Describes why a file cannot be read, from errno: anything other than its mode and type. */
static bool say_unreadable(const char *name, enum fault_kind kind, struct fault *fault)
{
	fault_set(fault, kind, "unreadable", "%s: cannot be read: %s", name, strerror(errno));
	return fault_remedy(fault, "Try again. If this persists, see the kernel log.");
}

static bool say_no_memory(const char *name, enum fault_kind kind, struct fault *fault)
{
	fault_set(fault, kind, "no_memory", "%s: out of memory while reading it", name);
	return fault_remedy(
		fault, "Try again. If this persists, find out what uses the host's memory.");
}

static bool file_take(int fd, const char *name, const struct file_rules *rules, struct strbuf *out,
	enum fault_kind kind, struct fault *fault)
{
	char buffer[16384];
	size_t taken = 0;
	bool good = true;
	ssize_t n;

	while (good && (n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		taken += n > 0 ? (size_t)n : 0;
		if (n < 0)
			good = say_unreadable(name, kind, fault);
		else if (rules->max_size && taken > rules->max_size) /* it has grown since fstat */
			good = fault_set(fault, kind, "too_large", "%s: is larger than %zu bytes",
				name, rules->max_size);
		else if (!strbuf_add_bytes(out, buffer, (size_t)n))
			good = say_no_memory(name, kind, fault);
	}
	/* The file may have held a key. */
	explicit_bzero(buffer, sizeof(buffer));
	return good;
}

static bool say_unopened(const char *name, enum fault_kind kind, struct fault *fault)
{
	switch (errno) {
	case ENOENT:
		return fault_set(fault, kind, "missing", "%s: %s", name, strerror(errno));
	case EACCES:
	case EPERM:
		fault_set(fault, kind, "unreadable", "%s: %s", name, strerror(errno));
		return fault_remedy(
			fault, "Run the command as root, or make the file readable for this user.");
	case ELOOP:
		fault_set(fault, kind, "unreadable", "%s: is a symbolic link", name);
		return fault_remedy(fault, "Put a regular file in its place.");
	default:
		return say_unreadable(name, kind, fault);
	}
}

bool file_read_at(int dir, const char *name, const struct file_rules *rules, struct strbuf *out,
	enum fault_kind kind, struct fault *fault)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (rules->follow ? 0 : O_NOFOLLOW);
	int fd = openat(dir, name, flags);
	struct stat st;
	bool good = false;

	if (fd < 0 && errno == ENOENT && rules->missing_ok)
		return strbuf_add(out, "");
	if (fd < 0)
		return say_unopened(name, kind, fault);
	if (fstat(fd, &st) != 0)
		say_unreadable(name, kind, fault);
	else
		good = file_check(name, &st, rules, kind, fault) &&
		       file_take(fd, name, rules, out, kind, fault);
	file_close(&fd);
	return good;
}

bool file_read(const char *path, const struct file_rules *rules, struct strbuf *out,
	enum fault_kind kind, struct fault *fault)
{
	return file_read_at(AT_FDCWD, path, rules, out, kind, fault);
}

int file_write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* Writes the whole temporary file and forces it to the disk. */
static int write_temporary(int dir, const char *temporary, const void *bytes, size_t n, mode_t mode)
{
	int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result = -1;

	if (fd < 0)
		return -1;
	/* fchmod, because the umask may be anything. */
	if (file_write_all(fd, bytes, n) == 0 && fchmod(fd, mode) == 0 && fsync(fd) == 0)
		result = 0;
	file_close(&fd);
	return result;
}

static int replace_at(int dir, const char *name, const void *bytes, size_t n, mode_t mode)
{
	char temporary[NAME_MAX + 1];
	unsigned long long random;
	int saved;

	errno = EIO; /* a short read: getrandom leaves errno alone */
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -1;
	/* The temporary name begins with a dot, so that no program that reads the directory
	 * takes it. */
	if (!str_format(temporary, sizeof(temporary), ".%.200s.%016llx", name, random)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (write_temporary(dir, temporary, bytes, n, mode) != 0)
		goto fail;
	if (renameat(dir, temporary, dir, name) != 0)
		goto fail;
	/* The rename itself must survive a power failure. */
	return fsync(dir);
fail:
	saved = errno;
	(void)unlinkat(dir, temporary, 0);
	errno = saved;
	return -1;
}

/* Signals are held back: one that ended the process in between would leave the temporary file
 * behind. */
int file_replace_at(int dir, const char *name, const void *bytes, size_t n, mode_t mode)
{
	sigset_t ends, before;
	int result, saved;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGQUIT);
	pthread_sigmask(SIG_BLOCK, &ends, &before);
	result = replace_at(dir, name, bytes, n, mode);
	saved = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return result;
}

int file_replace(const char *path, const void *bytes, size_t n, mode_t mode)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];
	int dir, result;

	if (!slash) {
		str_copy(directory, sizeof(directory), ".");
	} else if (!str_format(directory, sizeof(directory), "%.*s",
			   slash == path ? 1 : (int)(slash - path), path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* The directory may be a symbolic link that the administrator made; only the last part
	 * is ours. */
	dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	result = file_replace_at(dir, slash ? slash + 1 : path, bytes, n, mode);
	file_close(&dir);
	return result;
}

int file_open_dir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_dir_at(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int file_make_dir_at(int parent, const char *name)
{
	int dir = open_dir_at(parent, name);

	if (dir < 0 && errno == ENOENT && (mkdirat(parent, name, 0700) == 0 || errno == EEXIST))
		dir = open_dir_at(parent, name);
	return dir;
}

int file_make_dir(const char *parent, const char *name)
{
	int above = file_open_dir(parent);
	int dir = above >= 0 ? file_make_dir_at(above, name) : -1;

	file_close(&above);
	return dir;
}

void file_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}
