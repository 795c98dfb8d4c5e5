/* SPDX-License-Identifier: Apache-2.0 */
#include "base/running.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define WAKE "wake"

static bool lock_path(char *out, const char *run_dir, const char *name)
{
	return text_format(out, PATH_MAX, "%s/%s.lock", run_dir, name);
}

/* What the holder wrote: "pid version". */
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
	if (pid && text_number(line, 1, INT_MAX, &number))
		*pid = (pid_t)number;
	if (version && blank)
		text_safe(version, 32, blank + 1);
}

/* An open-file-description lock rather than flock: it can be asked about without being taken, so
 * that a `status` at the wrong moment does not turn a starting program away. */
static const struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

static int lock_fault(const char *run_dir, const char *path, struct fault *fault)
{
	int why = errno;

	fault_set(fault, FAULT_STORAGE, "run_directory", "%s: %s", path, strerror(why));
	if (why == ENOENT)
		fault_remedy(
			fault, "Make %s: run the program once with --prepare as root.", run_dir);
	else if (why == EACCES)
		fault_remedy(fault,
			"Run it as root or as the service's user; %s must be the latter's.",
			run_dir);
	return -1;
}

int running_lock(const char *run_dir, const char *name, pid_t *held_by, struct fault *fault)
{
	char path[PATH_MAX], line[64];
	int fd;

	if (held_by)
		*held_by = 0;
	if (!lock_path(path, run_dir, name)) {
		errno = ENAMETOOLONG;
		return lock_fault(run_dir, run_dir, fault);
	}
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd < 0)
		return lock_fault(run_dir, path, fault);
	if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
		if (errno != EAGAIN && errno != EACCES)
			lock_fault(run_dir, path, fault);
		else
			read_holder(fd, held_by, NULL);
		file_close(&fd);
		return -1;
	}
	text_format(line, sizeof(line), "%d %s\n", (int)getpid(), CLOUDINVITE_VERSION);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, line, strlen(line), 0) != (ssize_t)strlen(line)) {
		lock_fault(run_dir, path, fault);
		file_close(&fd);
	}
	return fd;
}

bool running_is(const char *run_dir, const char *name, pid_t *pid, char version[32])
{
	struct flock asked = whole;
	char path[PATH_MAX];
	bool held = false;
	int fd;

	if (pid)
		*pid = 0;
	if (version)
		version[0] = '\0';
	if (!lock_path(path, run_dir, name))
		return false;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fcntl(fd, F_OFD_GETLK, &asked) == 0 && asked.l_type != F_UNLCK) {
		held = true;
		read_holder(fd, pid, version);
	}
	file_close(&fd);
	return held;
}

static int open_wake(const char *run_dir, char path[PATH_MAX])
{
	if (!text_format(path, PATH_MAX, "%s/" WAKE, run_dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
}

int running_watch(const char *run_dir, struct fault *fault)
{
	char path[PATH_MAX];
	int fd = open_wake(run_dir, path);
	int watch = -1;

	if (fd < 0)
		return lock_fault(run_dir, path, fault);
	file_close(&fd);
	watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	/* IN_ATTRIB only: a touch changes the times and nothing else, and comes as one event. */
	if (watch < 0 || inotify_add_watch(watch, path, IN_ATTRIB | IN_DONT_FOLLOW) < 0) {
		fault_set(fault, FAULT_STORAGE, "inotify", "%s: cannot be watched: %s", path,
			strerror(errno));
		fault_remedy(fault, "Raise fs.inotify.max_user_instances or max_user_watches.");
		file_close(&watch);
	}
	return watch;
}

bool running_drain(int watch)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool woken = false;

	while (read(watch, events, sizeof(events)) > 0)
		woken = true;
	return woken;
}

void running_wake(const char *run_dir)
{
	char path[PATH_MAX];
	int fd = open_wake(run_dir, path);

	if (fd >= 0)
		(void)futimens(fd, NULL);
	file_close(&fd);
}
