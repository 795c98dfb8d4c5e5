/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock and the wake-up file of each program. No call here waits for a lock that another account
 * could hold.
 */
#include "base/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/str.h"

static const char *const names[] = {INSTANCE_COMMANDS, INSTANCE_DISPATCHER, INSTANCE_COLLECTOR};
#define NAMES (ARRAY_SIZE(names))

/* ---- the files ---- */

void instance_lock_file(char out[INSTANCE_FILE_MAX], const char *name)
{
	str_format(out, INSTANCE_FILE_MAX, "%s.lock", name);
}

void wakeup_file(char out[INSTANCE_FILE_MAX], const char *name)
{
	str_format(out, INSTANCE_FILE_MAX, "%s.wake", name);
}

static bool instance_path(char out[PATH_MAX], const char *run_dir,
	void (*file)(char out[INSTANCE_FILE_MAX], const char *name), const char *name)
{
	char last[INSTANCE_FILE_MAX];

	file(last, name);
	errno = ENAMETOOLONG;
	return str_format(out, PATH_MAX, "%s/%s", run_dir, last);
}

/* A link, FIFO or directory that was planted in its place is not accepted as the file. */
static int open_plain(const char *path, int flags, mode_t mode)
{
	int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		file_close(&fd);
		errno = EINVAL;
	}
	return fd;
}

static bool run_directory_error(const char *run_dir, const char *path, struct fault *fault)
{
	int why = errno;
	bool planted = why == EINVAL || why == ELOOP || why == EISDIR || why == ENXIO;

	fault_set(fault, FAULT_STORAGE, "run_directory", "%s: %s", path,
		planted ? "is not a plain file" : strerror(why));
	if (planted || why == ENOENT || why == EACCES)
		fault_remedy(fault,
			"As root, run the program once with --prepare: it creates what %s needs, "
			"for the accounts in section [worker].",
			run_dir);
	return false;
}

/* Reads what the holder of the lock wrote: "pid version". */
static void read_holder(int fd, pid_t *pid, char version[32])
{
	char line[64], *blank;
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	long long number = 0;

	if (pid)
		*pid = 0;
	if (version)
		version[0] = '\0';
	if (n <= 0)
		return;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	blank = strchr(line, ' ');
	if (blank)
		*blank = '\0';
	if (pid && str_number(line, 1, INT_MAX, &number))
		*pid = (pid_t)number;
	if (version && blank)
		str_safe(version, 32, blank + 1);
}

/* An open-file-description lock and not flock: its state can be queried without taking it, so a
 * `status` at the wrong moment does not turn away a program that starts. */
static const struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

static bool take_lock(struct instance *r, const char *path, pid_t *held_by, bool *held)
{
	r->lock = open_plain(path, O_RDWR | O_CREAT, INSTANCE_LOCK_MODE);
	if (r->lock < 0)
		return false;
	if (fcntl(r->lock, F_OFD_SETLK, &whole) == 0)
		return true;
	*held = errno == EAGAIN || errno == EACCES;
	if (*held)
		read_holder(r->lock, held_by, NULL);
	return false;
}

/* If another account holds a read lock, ours fails, and the program runs without being seen. */
static bool lock_visibly(struct instance *r, const char *path)
{
	r->visible = open_plain(path, O_RDWR | O_CREAT, WAKEUP_FILE_MODE);
	return r->visible >= 0 &&
	       (fcntl(r->visible, F_OFD_SETLK, &whole) == 0 || errno == EAGAIN || errno == EACCES);
}

static bool write_holder(const struct instance *r)
{
	char line[64];

	str_format(line, sizeof(line), "%d %s\n", (int)getpid(), CLOUDINVITE_VERSION);
	return ftruncate(r->lock, 0) == 0 &&
	       pwrite(r->lock, line, strlen(line), 0) == (ssize_t)strlen(line);
}

bool instance_lock(struct instance *r, const char *run_dir, const char *name, pid_t *held_by,
	struct fault *fault)
{
	char lock[PATH_MAX], wake[PATH_MAX];
	bool held = false;

	*r = INSTANCE_NONE;
	if (held_by)
		*held_by = 0;
	if (!instance_path(lock, run_dir, instance_lock_file, name) ||
		!instance_path(wake, run_dir, wakeup_file, name))
		return run_directory_error(run_dir, run_dir, fault);
	if (!take_lock(r, lock, held_by, &held) || !write_holder(r)) {
		if (!held)
			run_directory_error(run_dir, lock, fault);
		instance_unlock(r);
		return false;
	}
	if (lock_visibly(r, wake))
		return true;
	run_directory_error(run_dir, wake, fault);
	instance_unlock(r);
	return false;
}

void instance_unlock(struct instance *r)
{
	file_close(&r->visible);
	file_close(&r->lock);
}

bool instance_is_running(const char *run_dir, const char *name, pid_t *pid, char version[32])
{
	struct flock asked = whole;
	char path[PATH_MAX];
	bool runs;
	int fd;

	if (pid)
		*pid = 0;
	if (version)
		version[0] = '\0';
	if (!instance_path(path, run_dir, wakeup_file, name))
		return false;
	fd = open_plain(path, O_RDONLY, 0);
	/* Only its own account can lock it for writing. */
	runs = fd >= 0 && fcntl(fd, F_OFD_GETLK, &asked) == 0 && asked.l_type == F_WRLCK;
	file_close(&fd);
	if (!runs || (!pid && !version) || !instance_path(path, run_dir, instance_lock_file, name))
		return runs;
	fd = open_plain(path, O_RDONLY, 0);
	if (fd >= 0)
		read_holder(fd, pid, version);
	file_close(&fd);
	return true;
}

/* ---- the wake-up ---- */

/* IN_ATTRIB only: a touch changes nothing but the times, and gives one event. */
static bool watch_one(int watch, const char *path, struct fault *fault)
{
	if (inotify_add_watch(watch, path, IN_ATTRIB | IN_DONT_FOLLOW) >= 0)
		return true;
	fault_set(fault, FAULT_STORAGE, "inotify", "%s: cannot watch for changes: %s", path,
		strerror(errno));
	return fault_remedy(fault, "Raise fs.inotify.max_user_instances or max_user_watches.");
}

/* inotify watches a path; the file is opened first, because that gives a better error. */
static bool watch_name(int watch, const char *run_dir, const char *name, struct fault *fault)
{
	char path[PATH_MAX];
	int fd = -1;

	if (!instance_path(path, run_dir, wakeup_file, name))
		return run_directory_error(run_dir, run_dir, fault);
	fd = open_plain(path, O_RDONLY, 0);
	if (fd < 0 && errno == ENOENT)
		fd = open_plain(path, O_RDONLY | O_CREAT, WAKEUP_FILE_MODE);
	if (fd < 0)
		return run_directory_error(run_dir, path, fault);
	file_close(&fd);
	return watch_one(watch, path, fault);
}

int wakeup_watch(const char *run_dir, struct fault *fault)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (watch < 0) {
		fault_set(fault, FAULT_STORAGE, "inotify", "inotify: %s", strerror(errno));
		fault_remedy(fault, "Raise fs.inotify.max_user_instances.");
	}
	for (size_t i = 0; watch >= 0 && i < NAMES; i++)
		if (!watch_name(watch, run_dir, names[i], fault))
			file_close(&watch);
	return watch;
}

bool wakeup_drain(int watch)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool woken = false;

	while (read(watch, events, sizeof(events)) > 0)
		woken = true;
	return woken;
}

void wakeup_send(const char *run_dir)
{
	char path[PATH_MAX];
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < NAMES; i++)
		if (instance_path(path, run_dir, wakeup_file, names[i]))
			fd = open_plain(path, O_WRONLY, 0);
	if (fd >= 0)
		(void)futimens(fd, NULL);
	file_close(&fd);
}
