/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recreates arrivals and markers of an old directory in a new one. A child with the rights of the
 * old directory's owner reads names and words and sends them over a socket. The parent, which is
 * root, opens nothing in the old directory, and waits only for a limited time.
 */
#include "worker/spool_migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "spool/record.h"
#include "spool/walk.h"

#define IMPORT_TIMEOUT_MS INT64_C(30000)
#define RECORDS_MAX	  1000000 /* arrivals and markers that are recreated */

/* ---- the child: reads the old directory ---- */

struct export
{
	int old, peer;
	bool marks;
	struct spool_record end;
};

static void send_record(struct export *t, const struct spool_record *r)
{
	(void)send(t->peer, r, sizeof(*r), MSG_NOSIGNAL);
}

static void send_mark(struct export *t, const char *name, int64_t at)
{
	char user[SPOOL_USER_MAX + 1], word[SPOOL_WORD_MAX + 1];
	struct spool_record r;

	if (!spool_parse_mark(name, user) || !spool_read_mark(t->old, user, word) ||
		!spool_record_make(&r, SPOOL_TELL_MARK, name, word))
		return;
	r.time = at;
	send_record(t, &r);
}

/* The last record carries the ledger's id. */
static void read_ledger(struct export *t)
{
	static const struct file_rules rules = {.max_size = SPOOL_NAME_MAX, .missing_ok = true};
	struct strbuf id = {.max = SPOOL_NAME_MAX};
	char user[SPOOL_USER_MAX + 1];

	if (file_read_at(t->old, SPOOL_LEDGER, &rules, &id, FAULT_STORAGE, NULL) && id.data &&
		spool_parse_mark(str_trim(id.data), user))
		(void)spool_record_make(&t->end, SPOOL_TELL_END, str_trim(id.data), NULL);
	strbuf_free(&id);
}

static bool export_one(const char *name, void *ctx)
{
	struct export *t = ctx;
	struct spool_record r;
	struct stat st;

	if (fstatat(t->old, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	if (t->marks) {
		send_mark(t, name, st.st_mtim.tv_sec);
	} else if (S_ISREG(st.st_mode) && st.st_uid == 0 &&
		   spool_record_make(&r, SPOOL_TELL_ARRIVAL, name, NULL)) {
		r.time = st.st_mtim.tv_sec;
		/* A name that is not valid must not make the parent stop. */
		if (spool_record_is_answer(&r, sizeof(r)))
			send_record(t, &r);
	}
	return true;
}

static bool remove_one(const char *name, void *ctx)
{
	const struct export *t = ctx;

	if (unlinkat(t->old, name, 0) != 0)
		(void)unlinkat(t->old, name, AT_REMOVEDIR);
	return true;
}

static void export_box(int old, int peer, const char *box)
{
	struct export t = {.old = old, .peer = peer, .marks = strcmp(box, SPOOL_SEEN) == 0};

	(void)spool_record_make(&t.end, SPOOL_TELL_END, NULL, NULL);
	if (t.marks)
		read_ledger(&t);
	if (strcmp(box, SPOOL_BAD) != 0)
		(void)spool_walk(old, export_one, &t);
	send_record(&t, &t.end);
	/* Nothing is removed before the parent has recreated everything and confirmed it. */
	if (recv(peer, &t.end, sizeof(t.end), 0) == (ssize_t)sizeof(t.end))
		(void)spool_walk(old, remove_one, &t);
}

/* ---- the parent: recreates the files ---- */

static void set_time(int fd, int64_t at)
{
	const struct timespec times[2] = {{.tv_sec = at}, {.tv_sec = at}};

	(void)futimens(fd, times);
}

/* An existing file is newer, so it stays. */
static void recreate(int box, const struct spool_record *r)
{
	int fd = openat(box, r->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	if (file_write_all(fd, r->word, strlen(r->word)) == 0)
		set_time(fd, r->time);
	file_close(&fd);
}

/* Reads the child's records until the last one. */
static bool import_all(int peer, int box, bool marks)
{
	int64_t until = clock_boot_ms() + IMPORT_TIMEOUT_MS;
	char verb = marks ? SPOOL_TELL_MARK : SPOOL_TELL_ARRIVAL;
	struct pollfd fd = {.fd = peer, .events = POLLIN};
	struct spool_record r;

	for (int count = 0; count < RECORDS_MAX;) {
		int64_t left = until - clock_boot_ms();
		ssize_t n;

		if (left <= 0 || poll(&fd, 1, (int)left) == 0)
			return false;
		n = recv(peer, &r, sizeof(r), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0 || !spool_record_is_answer(&r, (size_t)n))
			return false;
		if (r.verb == SPOOL_TELL_END) {
			if (marks && r.name[0])
				(void)file_replace_at(
					box, SPOOL_LEDGER, r.name, strlen(r.name), 0600);
			return true;
		}
		if (r.verb != verb)
			return false;
		recreate(box, &r);
		count++;
	}
	return false;
}

static bool confirm_import(int peer, int box)
{
	struct spool_record r;

	(void)spool_record_make(&r, SPOOL_TELL_END, NULL, NULL);
	return fsync(box) == 0 &&
	       send(peer, &r, sizeof(r), MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(r);
}

/* A child that waits in a directory of another account cannot be killed. */
static bool ended(pid_t child)
{
	int64_t until = clock_boot_ms() + IMPORT_TIMEOUT_MS;
	const struct timespec step = {.tv_nsec = 10000000};
	int status;

	while (clock_boot_ms() < until) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		(void)nanosleep(&step, NULL);
	}
	(void)kill(child, SIGKILL);
	return false;
}

static bool remove_old(int spool, const char *name)
{
	pid_t child = fork();

	if (child == 0)
		_exit(unlinkat(spool, name, AT_REMOVEDIR) == 0 ? 0 : 1);
	return child > 0 && ended(child);
}

static bool move(
	int spool, const char *box, int old, const struct old_owner *owner, struct fault *fault)
{
	int fresh = openat(spool, box, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ends[2] = {-1, -1};
	bool marks = strcmp(box, SPOOL_SEEN) == 0, good = false;
	struct stat st;
	pid_t child = -1;

	if (fresh >= 0 && fstat(old, &st) == 0 &&
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0)
		child = fork();
	if (child == 0) {
		file_close(&ends[0]);
		file_close(&fresh);
		file_close(&spool);
		if (st.st_uid == 0 || drop_privileges(owner->name, NULL, fault))
			export_box(old, ends[1], box);
		_exit(0);
	}
	file_close(&ends[1]);
	if (child > 0) {
		good = import_all(ends[0], fresh, marks) && confirm_import(ends[0], fresh);
		good = ended(child) && good;
	}
	file_close(&ends[0]);
	file_close(&fresh);
	return good;
}

void spool_migrate(const char *path, int spool, const struct old_owner *owner, struct fault *fault)
{
	static const char *const boxes[] = {SPOOL_NEW, SPOOL_SEEN, SPOOL_BAD};

	for (size_t i = 0; i < ARRAY_SIZE(boxes); i++) {
		char name[32];
		bool good;
		int old;

		str_format(name, sizeof(name), MIGRATE_OLD "%s", boxes[i]);
		old = openat(spool, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (old < 0)
			continue;
		good = move(spool, boxes[i], old, owner, fault);
		file_close(&old);
		if (!remove_old(spool, name) || !good)
			log_event(LOG_LEVEL_WARN, "spool",
				"%s/%s: could not be migrated completely; remove it when nothing "
				"uses it",
				path, name);
	}
}
