/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passwd file and login.defs, read in pieces on the stack. If a file is too long, broken or
 * locked by another user, the question stays undecided, and the collector answers it.
 */
#include "pam_module/local_user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "pam_module/cached.h"
#include "spool/spool.h"

#define PASSWD	       "/etc/passwd"
#define LOGIN_DEFS     "/etc/login.defs"
#define PASSWD_MOST    ((size_t)1024 * 1024) /* bytes that are read at most */
#define LOGIN_MOST     ((size_t)64 * 1024)
#define UID_MIN_SILENT 1000
#define UID_MAX_SILENT 60000
#define UID_LARGEST    4294967294LL

/* A file is read into the caller's stack in pieces of whole lines, each preceded by a newline, so
 * that "alice:" behind a newline is the beginning of a line. Reading line by line would cost a
 * first login more than the reading itself, because login.defs has 400 lines of comments. */
struct pieces {
	int fd;
	size_t left; /* bytes that may still be read */
	bool partly; /* a part of the file could not be read */
	bool held;   /* because reading would have waited */
	bool inside; /* the buffer holds a part of a line that is longer than it */
	size_t rest; /* where the beginning of the next line is, */
	size_t kept; /* and its length */
	char buffer[8192];
};

static bool pieces_open(struct pieces *p, const char *path, size_t most)
{
	struct stat st;

	p->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (p->fd >= 0 && (fstat(p->fd, &st) != 0 || !S_ISREG(st.st_mode)))
		file_close(&p->fd);
	if (p->fd < 0)
		return false;
	/* Knowing the size saves the read that would only find the end. */
	p->partly = (unsigned long long)st.st_size > most;
	p->left = p->partly ? most : (size_t)st.st_size;
	p->inside = p->held = false;
	p->rest = p->kept = 0;
	return true;
}

/* Reads more behind `end`; returns the new end. */
static size_t pieces_read(struct pieces *p, size_t end)
{
	size_t room = sizeof(p->buffer) - 1 - end; /* leave one for the NUL */
	size_t want = p->left < room ? p->left : room;
	ssize_t n = want > 0 ? read_cached(p->fd, p->buffer + end, want) : 0;

	if (n <= 0) {
		/* An error, or somebody has shortened the file. */
		p->held = n < 0 && errno == EAGAIN;
		p->partly = p->partly || p->left > 0;
		p->left = 0;
		return end;
	}
	p->left -= (size_t)n;
	/* A NUL would hide the bytes behind it. */
	p->partly = p->partly || memchr(p->buffer + end, '\0', (size_t)n);
	return end + (size_t)n;
}

/* The next piece; NULL at the end. A line that is longer than the buffer gives only its
 * beginning. */
static char *pieces_next(struct pieces *p)
{
	while (p->left > 0 || p->kept > 0) {
		char *start = p->buffer, *last;
		bool inside = p->inside;
		size_t end;

		start[0] = '\n';
		memmove(start + 1, start + p->rest, p->kept);
		end = pieces_read(p, 1 + p->kept);
		last = p->left > 0 ? memrchr(start + 1, '\n', end - 1) : NULL;
		p->inside = !last && p->left > 0;
		p->partly = p->partly || p->inside;
		p->rest = last ? (size_t)(last + 1 - start) : end;
		p->kept = end - p->rest;
		start[last ? (size_t)(last - start) : end] = '\0';
		if (inside)
			start = strchr(start + 1, '\n');
		if (start)
			return start;
	}
	return NULL;
}

/* Reads the value of a line such as "UID_MIN   1000", which may begin with white space. */
static bool take_default(char *line, const char *key, long long *value)
{
	size_t n = strlen(key);

	if (strncmp(line, key, n) != 0 || !ascii_is_space(line[n]))
		return false;
	return str_number(str_trim(line + n), 0, UID_LARGEST, value);
}

/* If a key has two lines, the last one counts, as for useradd. */
static void take_range(char *piece, long long *min, long long *max)
{
	char *at = piece;

	while ((at = strstr(at, "UID_M"))) {
		char *before = at, *end = at + strcspn(at, "\n");
		bool more = *end != '\0';

		while (before[-1] == ' ' || before[-1] == '\t')
			before--;
		*end = '\0';
		if ((before[-1] == '\n' || before[-1] == '\0') && !take_default(at, "UID_MIN", min))
			(void)take_default(at, "UID_MAX", max);
		at = more ? end + 1 : end;
	}
}

/* Uses the caller's `p`, which is no longer needed: two such buffers would take too much stack.
 * False if reading would have waited. */
static bool fill_range(struct pieces *p, long long *min_uid, long long *max_uid)
{
	long long min = UID_MIN_SILENT, max = UID_MAX_SILENT;
	bool held = false;
	char *piece;

	if (*min_uid >= 0 && *max_uid >= 0)
		return true;
	if (pieces_open(p, LOGIN_DEFS, LOGIN_MOST)) {
		while ((piece = pieces_next(p)))
			take_range(piece, &min, &max);
		held = p->held;
		file_close(&p->fd);
	}
	if (*min_uid < 0)
		*min_uid = min;
	if (*max_uid < 0)
		*max_uid = max;
	return !held;
}

/* Reads the uid from what follows "user:", that is "password:uid:…". -1 if there is none; also if
 * it is the last field, because the line may have been cut there. */
static long long uid_of(const char *fields)
{
	size_t password = strcspn(fields, ":\n");
	const char *field = fields + password + 1;
	long long uid = -1;
	char digits[16];
	size_t length;

	if (fields[password] != ':')
		return -1;
	length = strcspn(field, ":\n");
	if (length < sizeof(digits) && field[length] == ':') {
		memcpy(digits, field, length);
		digits[length] = '\0';
		(void)str_number(digits, 0, UID_LARGEST, &uid);
	}
	return uid;
}

/* The fields behind "user:" at the beginning of a line, where blanks may precede the name, as for
 * libc; NULL if there is none. */
static const char *find_user(const char *piece, const char *key)
{
	for (const char *at = piece; (at = strstr(at, key)); at++) {
		const char *before = at;

		while (before > piece && before[-1] != '\n' && ascii_is_space(before[-1]))
			before--;
		if (before > piece && before[-1] == '\n')
			return at + strlen(key);
	}
	return NULL;
}

enum local_user local_user_find(const char *user, long long min_uid, long long max_uid)
{
	enum local_user result = LOCAL_USER_UNDECIDED;
	const char *fields = NULL, *piece;
	char key[SPOOL_USER_MAX + 2];
	long long uid = -1;
	struct pieces p;

	/* Such a name cannot be in the file, but could look like a part of a line. */
	if (strpbrk(user, ":\n"))
		return LOCAL_USER_ABSENT;
	if (!str_format(key, sizeof(key), "%s:", user) || !pieces_open(&p, PASSWD, PASSWD_MOST))
		return LOCAL_USER_UNDECIDED;
	while (!fields && (piece = pieces_next(&p)))
		fields = find_user(piece, key);
	if (fields)
		uid = uid_of(fields);
	else if (!p.partly)
		result = LOCAL_USER_ABSENT;
	file_close(&p.fd);
	if (uid >= 0 && fill_range(&p, &min_uid, &max_uid))
		result = uid >= min_uid && uid <= max_uid ? LOCAL_USER_COUNTS : LOCAL_USER_OUTSIDE;
	return result;
}
