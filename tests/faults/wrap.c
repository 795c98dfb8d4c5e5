/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own code's calls, as the linker redirects them: one function for each --wrap of the Makefile.
 * Nothing here waits for a disk: what fsync promises is not tested.
 */
#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400

/* Defines the function that replaces `name`. */
#define WRAP(type, name, parameters)   \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters

static mode_t mode_of(int flags, va_list arguments)
{
	return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
}

WRAP(int, open, (const char *path, int flags, ...))
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return faults_next(CALL_OPEN) ? -1 : __real_open(path, flags, mode);
}

WRAP(int, openat, (int dir, const char *path, int flags, ...))
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return faults_next(CALL_OPEN) ? -1 : __real_openat(dir, path, flags, mode);
}

/* _FORTIFY_SOURCE makes these of open, openat and read. */
WRAP(int, __open_2, (const char *path, int flags))
{
	return faults_next(CALL_OPEN) ? -1 : __real___open_2(path, flags);
}

WRAP(int, __openat_2, (int dir, const char *path, int flags))
{
	return faults_next(CALL_OPEN) ? -1 : __real___openat_2(dir, path, flags);
}

WRAP(ssize_t, read, (int fd, void *out, size_t size))
{
	int way = faults_next(CALL_READ);

	return way > 0 ? -1 : __real_read(fd, out, way == FAULT_SHORT && size > 1 ? 1 : size);
}

WRAP(ssize_t, __read_chk, (int fd, void *out, size_t size, size_t room))
{
	int way = faults_next(CALL_READ);

	return way > 0 ? -1
		       : __real___read_chk(
				 fd, out, way == FAULT_SHORT && size > 1 ? 1 : size, room);
}

WRAP(ssize_t, pread, (int fd, void *out, size_t size, off_t from))
{
	int way = faults_next(CALL_READ);

	return way > 0 ? -1
		       : __real_pread(fd, out, way == FAULT_SHORT && size > 1 ? 1 : size, from);
}

WRAP(ssize_t, write, (int fd, const void *bytes, size_t size))
{
	int way = faults_next(CALL_WRITE);

	return way > 0 ? -1 : __real_write(fd, bytes, way < 0 && size > 1 ? size / 2 : size);
}

WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t to))
{
	int way = faults_next(CALL_WRITE);

	return way > 0 ? -1 : __real_pwrite(fd, bytes, way < 0 && size > 1 ? size / 2 : size, to);
}

WRAP(int, fsync, (int fd))
{
	(void)fd;
	return faults_next(CALL_SYNC) ? -1 : 0;
}

WRAP(int, rename, (const char *from, const char *to))
{
	return faults_next(CALL_RENAME) ? -1 : __real_rename(from, to);
}

WRAP(int, renameat, (int from_dir, const char *from, int to_dir, const char *to))
{
	return faults_next(CALL_RENAME) ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

WRAP(int, linkat, (int from_dir, const char *from, int to_dir, const char *to, int flags))
{
	return faults_next(CALL_LINK) ? -1 : __real_linkat(from_dir, from, to_dir, to, flags);
}

WRAP(int, unlink, (const char *path))
{
	return faults_next(CALL_REMOVE) ? -1 : __real_unlink(path);
}

WRAP(int, unlinkat, (int dir, const char *path, int flags))
{
	return faults_next(CALL_REMOVE) ? -1 : __real_unlinkat(dir, path, flags);
}

/* As in Linux: the descriptor is closed even if close() fails. */
WRAP(int, close, (int fd))
{
	int way = faults_next(CALL_CLOSE);
	int result = __real_close(fd);

	if (way != 0)
		errno = way;
	return way ? -1 : result;
}

WRAP(int, stat, (const char *path, struct stat *out))
{
	return faults_next(CALL_STAT) ? -1 : __real_stat(path, out);
}

WRAP(int, lstat, (const char *path, struct stat *out))
{
	return faults_next(CALL_STAT) ? -1 : __real_lstat(path, out);
}

WRAP(int, fstat, (int fd, struct stat *out))
{
	return faults_next(CALL_STAT) ? -1 : __real_fstat(fd, out);
}

WRAP(int, fstatat, (int dir, const char *path, struct stat *out, int flags))
{
	return faults_next(CALL_STAT) ? -1 : __real_fstatat(dir, path, out, flags);
}

WRAP(int, faccessat, (int dir, const char *path, int mode, int flags))
{
	return faults_next(CALL_STAT) ? -1 : __real_faccessat(dir, path, mode, flags);
}

WRAP(int, access, (const char *path, int mode))
{
	return faults_next(CALL_STAT) ? -1 : __real_access(path, mode);
}

WRAP(int, fchmod, (int fd, mode_t mode))
{
	return faults_next(CALL_CHANGE) ? -1 : __real_fchmod(fd, mode);
}

WRAP(int, futimens, (int fd, const struct timespec times[2]))
{
	return faults_next(CALL_CHANGE) ? -1 : __real_futimens(fd, times);
}

WRAP(int, ftruncate, (int fd, off_t size))
{
	return faults_next(CALL_CHANGE) ? -1 : __real_ftruncate(fd, size);
}

WRAP(int, fcntl, (int fd, int command, ...))
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	/* Releasing a lock always works. */
	if (command == F_SETLK && ((const struct flock *)argument)->l_type == F_UNLCK)
		return __real_fcntl(fd, command, argument);
	return faults_next(CALL_LOCK) ? -1 : __real_fcntl(fd, command, argument);
}

WRAP(int, flock, (int fd, int operation))
{
	return faults_next(CALL_LOCK) ? -1 : __real_flock(fd, operation);
}

WRAP(DIR *, fdopendir, (int fd))
{
	return faults_next(CALL_LIST) ? NULL : __real_fdopendir(fd);
}

WRAP(struct dirent *, readdir, (DIR * dir))
{
	return faults_next(CALL_LIST) ? NULL : __real_readdir(dir);
}

WRAP(void *, mmap, (void *at, size_t size, int protection, int flags, int fd, off_t from))
{
	return faults_next(CALL_MAP) ? MAP_FAILED
				     : __real_mmap(at, size, protection, flags, fd, from);
}

WRAP(ssize_t, getrandom, (void *out, size_t size, unsigned flags))
{
	int way = faults_next(CALL_RANDOM);

	return way > 0 ? -1 : __real_getrandom(out, way == FAULT_SHORT ? size / 2 : size, flags);
}

WRAP(int, clock_gettime, (clockid_t clock, struct timespec *out))
{
	int way = faults_next(CALL_CLOCK);
	int result = way > 0 ? -1 : __real_clock_gettime(clock, out);

	/* The others never jump. */
	if (way < 0 && clock == CLOCK_REALTIME)
		out->tv_sec += way == FAULT_BACK ? -DAY : DAY;
	return result;
}

/* ---- memory ---- */

static void *counted(void *piece)
{
	faults_pieces(piece ? 1 : 0);
	return piece;
}

WRAP(void *, malloc, (size_t size))
{
	return faults_next(CALL_MEMORY) ? NULL : counted(__real_malloc(size));
}

WRAP(void *, calloc, (size_t n, size_t size))
{
	return faults_next(CALL_MEMORY) ? NULL : counted(__real_calloc(n, size));
}

WRAP(void *, realloc, (void *old, size_t size))
{
	if (faults_next(CALL_MEMORY))
		return NULL;
	return old ? __real_realloc(old, size) : counted(__real_realloc(NULL, size));
}

WRAP(char *, strdup, (const char *s))
{
	return faults_next(CALL_MEMORY) ? NULL : counted(__real_strdup(s));
}

WRAP(void, free, (void *piece))
{
	faults_pieces(piece ? -1 : 0);
	__real_free(piece);
}

/* If memory fails here, the program ends (common/google/auth/json_xmalloc.h): another test covers
 * that. */
WRAP(void *, json_xmalloc, (size_t size))
{
	return counted(__real_malloc(size));
}
