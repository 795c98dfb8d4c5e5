/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds the lock of a directory, as any account can that may open it: with getdents into a page of
 * a file of a FUSE file system that never answers a read, and a call behind it that waits for the
 * lock exclusively. From then on, every lookup of a name in the directory that is not in the
 * kernel's cache waits in state D, until the FUSE connection is aborted. A file is held with read
 * and chmod instead, as some file systems (XFS) take the file's lock for a read.
 *
 *   hold UID GID[,GID]... MOUNTPOINT OPENED QUEUED [TO]
 *
 * As UID, with these groups and in a user namespace of its own (no privilege is needed), it mounts
 * the FUSE file system at MOUNTPOINT and lists (or reads) OPENED into it. Then it makes the
 * directory QUEUED (or changes the mode of the file QUEUED) or, with TO, renames QUEUED to TO.
 * Prints `connection N`, `refused WHAT ERRNO`, `held` and `queued`, each on a line, and stays until
 * its input ends or the connection is aborted.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE	   ((size_t)4096)
#define GROUPS_MAX 8

static const char *opened, *queued, *target;
static uid_t uid;
static gid_t groups[GROUPS_MAX]; /* the account's own group is the first */
static size_t n_groups;
static int fuse;
static void *page;
static sem_t reading;

static void die(const char *what)
{
	fprintf(stderr, "hold: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void say(const char *what)
{
	printf("%s\n", what);
	fflush(stdout);
}

static void write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

static void read_groups(char *list)
{
	char *word, *rest = NULL;

	for (word = strtok_r(list, ",", &rest); word && n_groups < GROUPS_MAX;
		word = strtok_r(NULL, ",", &rest))
		groups[n_groups++] = (gid_t)strtoul(word, NULL, 10);
	if (word || n_groups == 0) {
		fprintf(stderr, "hold: 1 to %d groups\n", GROUPS_MAX);
		exit(2);
	}
}

static void become(void)
{
	const gid_t gid = groups[0];
	char map[64];

	if (setgroups(n_groups, groups) != 0 || setresgid(gid, gid, gid) != 0 ||
		setresuid(uid, uid, uid) != 0 || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 ||
		unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		die("unshare");
	snprintf(map, sizeof(map), "%u %u 1", (unsigned)uid, (unsigned)uid);
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", (unsigned)gid, (unsigned)gid);
	write_map("/proc/self/gid_map", map);
}

/* ---- the file system: a directory with one file, `page` ---- */

static void fill(struct fuse_attr *attr, uint64_t node)
{
	*attr = (struct fuse_attr){.ino = node,
		.mode = node == 1 ? S_IFDIR | 0700 : S_IFREG | 0600,
		.nlink = 1,
		.size = PAGE,
		.blksize = PAGE,
		.uid = uid,
		.gid = groups[0]};
}

static void answer(const struct fuse_in_header *in, int error, const void *body, size_t size)
{
	struct fuse_out_header out = {
		.unique = in->unique, .error = -error, .len = (uint32_t)(sizeof(out) + size)};
	struct iovec parts[2] = {{&out, sizeof(out)}, {(void *)(uintptr_t)body, size}};

	(void)!writev(fuse, parts, size ? 2 : 1);
}

static void serve_one(const struct fuse_in_header *in)
{
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = PAGE, .max_readahead = 0};
	struct fuse_entry_out entry = {.nodeid = 2};
	struct fuse_attr_out attr = {.attr_valid = 0};
	struct fuse_open_out open_out = {.fh = 0};

	switch (in->opcode) {
	case FUSE_INIT:
		answer(in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		fill(&entry.attr, 2);
		answer(in, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		fill(&attr.attr, in->nodeid);
		answer(in, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		answer(in, 0, &open_out, sizeof(open_out));
		break;
	case FUSE_READ: /* never answered */
		sem_post(&reading);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(in, ENOSYS, NULL, 0);
	}
}

static void *serve(void *ctx)
{
	static char buffer[1 << 18] __attribute__((aligned(16)));

	for (;;) {
		ssize_t n = read(fuse, buffer, sizeof(buffer));

		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			serve_one((const void *)buffer);
		else if (n < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
			_exit(0); /* aborted */
	}
	return ctx;
}

static void mount_at(const char *mountpoint)
{
	char options[128], file[512];
	pthread_t thread;
	struct stat st;
	int fd;

	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		die("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=%u", fuse,
		(unsigned)uid, (unsigned)groups[0]);
	if (mount("hold", mountpoint, "fuse", MS_NOSUID | MS_NODEV, options) != 0)
		die("mount");
	if (pthread_create(&thread, NULL, serve, NULL) != 0)
		die("pthread_create");
	snprintf(file, sizeof(file), "%s/page", mountpoint);
	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		die(file);
	printf("connection %u\n", minor(st.st_dev));
	fflush(stdout);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (page == MAP_FAILED)
		die("mmap");
}

/* ---- the hold ---- */

static void *list(void *ctx)
{
	int fd = open(opened, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		printf("refused open %d\n", errno);
		fflush(stdout);
		sem_post(&reading);
	} else if (syscall(SYS_getdents64, fd, page, PAGE) < 0 && errno == ENOTDIR) {
		(void)!read(fd, page, PAGE);
	}
	return ctx;
}

static int wait_for_lock(const char **what)
{
	struct stat st;

	if (target)
		return *what = "rename", rename(queued, target);
	if (stat(queued, &st) == 0 && S_ISREG(st.st_mode))
		return *what = "chmod", chmod(queued, 0600);
	return *what = "mkdir", mkdir(queued, 0700);
}

static void *queue(void *ctx)
{
	const char *what;
	int result = wait_for_lock(&what);

	printf("refused %s %d\n", what, result == 0 ? 0 : errno);
	fflush(stdout);
	return ctx;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char end;

	if (argc < 6 || argc > 7) {
		fprintf(stderr, "usage: hold UID GID[,GID]... MOUNTPOINT OPENED QUEUED [TO]\n");
		return 2;
	}
	uid = (uid_t)strtoul(argv[1], NULL, 10);
	read_groups(argv[2]);
	opened = argv[4];
	queued = argv[5];
	target = argv[6];
	sem_init(&reading, 0, 0);
	become();
	mount_at(argv[3]);
	if (pthread_create(&thread, NULL, list, NULL) != 0)
		die("pthread_create");
	sem_wait(&reading);
	say("held");
	if (pthread_create(&thread, NULL, queue, NULL) != 0)
		die("pthread_create");
	usleep(300000);
	say("queued");
	(void)!read(STDIN_FILENO, &end, 1);
	_exit(0);
}
