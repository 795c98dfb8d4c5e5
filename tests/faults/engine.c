/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's calls, which the linker cannot wrap: its system calls by the hooks that its unix VFS has
 * for tests, its memory by its own configuration, and its fsync because a program's function comes
 * before the library's.
 */
#include "faults.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"

/* ---- system calls ---- */

/* Replaces libc's, for the library as well. */
int fsync(int fd)
{
	(void)fd;
	return faults_next(CALL_SYNC) ? -1 : 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return faults_next(CALL_SYNC) ? -1 : 0;
}

/* The names are those of wrap.c. */
static const struct {
	const char *name;
	sqlite3_syscall_ptr call;
} hooks[] = {
	{"open", (sqlite3_syscall_ptr)open},
	{"close", (sqlite3_syscall_ptr)close},
	{"pread", (sqlite3_syscall_ptr)pread},
	{"pread64", (sqlite3_syscall_ptr)pread},
	{"pwrite", (sqlite3_syscall_ptr)pwrite},
	{"pwrite64", (sqlite3_syscall_ptr)pwrite},
	{"stat", (sqlite3_syscall_ptr)stat},
	{"fstat", (sqlite3_syscall_ptr)fstat},
	{"lstat", (sqlite3_syscall_ptr)lstat},
	{"access", (sqlite3_syscall_ptr)access},
	{"ftruncate", (sqlite3_syscall_ptr)ftruncate},
	{"unlink", (sqlite3_syscall_ptr)unlink},
	{"fcntl", (sqlite3_syscall_ptr)fcntl},
	{"mmap", (sqlite3_syscall_ptr)mmap},
};

/* ---- memory ---- */

static sqlite3_mem_methods memory;

static void *engine_malloc(int size)
{
	void *piece = faults_next(CALL_MEMORY) ? NULL : memory.xMalloc(size);

	faults_pieces(piece ? 1 : 0);
	return piece;
}

static void *engine_realloc(void *old, int size)
{
	return faults_next(CALL_MEMORY) ? NULL : memory.xRealloc(old, size);
}

static void engine_free(void *piece)
{
	faults_pieces(piece ? -1 : 0);
	memory.xFree(piece);
}

/* ---- everything ---- */

void faults_engine(void)
{
	sqlite3_mem_methods ours;
	sqlite3_vfs *vfs;

	/* ledger_open does the same, but too late for these tests. */
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD), SQLITE_OK);
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0), SQLITE_OK);
	/* Every piece is allocated; none comes from SQLite's own store. */
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory), SQLITE_OK);
	ours = memory;
	ours.xMalloc = engine_malloc;
	ours.xRealloc = engine_realloc;
	ours.xFree = engine_free;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &ours), SQLITE_OK);
	assert_int_equal(sqlite3_initialize(), SQLITE_OK);
	vfs = sqlite3_vfs_find(NULL);
	assert_non_null(vfs);
	for (size_t n = 0; n < ARRAY_SIZE(hooks); n++)
		if (vfs->xGetSystemCall(vfs, hooks[n].name))
			assert_int_equal(
				vfs->xSetSystemCall(vfs, hooks[n].name, hooks[n].call), SQLITE_OK);
}
