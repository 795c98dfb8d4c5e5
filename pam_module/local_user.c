/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_module/local_user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define PASSWD	       "/etc/passwd"
#define LOGIN_DEFS     "/etc/login.defs"
#define PASSWD_MOST    ((size_t)1024 * 1024) /* bytes that are read */
#define LOGIN_MOST     ((size_t)64 * 1024)
#define UID_MIN_SILENT 1000
#define UID_MAX_SILENT 60000
#define UID_LARGEST    4294967294LL

/* A file read in pieces into the caller's stack, line by line: lines that do not fit are cut. */
struct lines {
	int fd;
	size_t left; /* bytes that may still be read */
	size_t at, end;
	bool ended; /* the end of the file was seen */
	char buffer[4096];
};

static bool lines_open(struct lines *l, const char *path, size_t most)
{
	struct stat st;

	l->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	l->left = most;
	l->at = l->end = 0;
	l->ended = false;
	if (l->fd >= 0 && (fstat(l->fd, &st) != 0 || !S_ISREG(st.st_mode)))
		file_close(&l->fd);
	return l->fd >= 0;
}

/* Fills the empty buffer; false at the end of the file, at the limit, or on an error. */
static bool lines_fill(struct lines *l)
{
	size_t want = l->left < sizeof(l->buffer) ? l->left : sizeof(l->buffer);
	ssize_t n;

	if (want == 0)
		return false;
	do
		n = read(l->fd, l->buffer, want);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		l->ended = n == 0;
		return false;
	}
	l->at = 0;
	l->end = (size_t)n;
	l->left -= (size_t)n;
	return true;
}

/* One line without its newline, cut to size; false at the end. */
static bool lines_next(struct lines *l, char *out, size_t size)
{
	size_t length = 0;
	bool any = false;

	while (l->at < l->end || lines_fill(l)) {
		const char *piece = l->buffer + l->at;
		const char *newline = memchr(piece, '\n', l->end - l->at);
		size_t n = newline ? (size_t)(newline - piece) : l->end - l->at;
		size_t room = size - 1 - length;

		any = true;
		memcpy(out + length, piece, n < room ? n : room);
		length += n < room ? n : room;
		l->at += n + (newline ? 1 : 0);
		if (newline)
			break;
	}
	out[length] = '\0';
	return any;
}

/* "UID_MIN   1000"; true if the line was that key's. */
static bool take_default(char *line, const char *key, long long *value)
{
	size_t n = strlen(key);

	if (strncmp(line, key, n) != 0 || !text_is_space(line[n]))
		return false;
	return text_number(text_trim(line + n), 0, UID_LARGEST, value);
}

/* `l` is the caller's, done with: two of its buffers would be half of our stack. */
static void fill_range(struct lines *l, long long *min_uid, long long *max_uid)
{
	long long min = UID_MIN_SILENT, max = UID_MAX_SILENT;
	char line[128];

	if (*min_uid >= 0 && *max_uid >= 0)
		return;
	if (lines_open(l, LOGIN_DEFS, LOGIN_MOST)) {
		/* Of two lines for one key the last counts, as for useradd. */
		while (lines_next(l, line, sizeof(line))) {
			char *at = line;

			while (text_is_space(*at))
				at++;
			if (*at != 'U')
				continue;
			if (!take_default(at, "UID_MIN", &min))
				(void)take_default(at, "UID_MAX", &max);
		}
		file_close(&l->fd);
	}
	if (*min_uid < 0)
		*min_uid = min;
	if (*max_uid < 0)
		*max_uid = max;
}

/* The uid in "user:password:uid:…"; false if it is another user's line. *uid is -1 where the line
 * is the user's and no uid can be read from it: also where the uid is the last thing of it, because
 * the line may have been cut there. */
static bool line_of(const char *line, const char *user, long long *uid)
{
	size_t n = strlen(user);
	const char *field;
	char digits[16];
	size_t length;

	if (strncmp(line, user, n) != 0 || line[n] != ':')
		return false;
	*uid = -1;
	field = strchr(line + n + 1, ':');
	if (!field)
		return true;
	length = strcspn(field + 1, ":");
	if (length < sizeof(digits) && field[1 + length] == ':') {
		memcpy(digits, field + 1, length);
		digits[length] = '\0';
		(void)text_number(digits, 0, UID_LARGEST, uid);
	}
	return true;
}

enum local_user local_user_find(const char *user, long long min_uid, long long max_uid)
{
	enum local_user result = LOCAL_USER_UNDECIDED;
	long long uid = -1;
	struct lines l;
	char line[512];
	bool found = false;

	/* Such a name cannot be in the file, but could look like a line of it. */
	if (strpbrk(user, ":\n"))
		return LOCAL_USER_ABSENT;
	if (!lines_open(&l, PASSWD, PASSWD_MOST))
		return LOCAL_USER_UNDECIDED;
	while (!found && lines_next(&l, line, sizeof(line)))
		found = line_of(line, user, &uid);
	if (!found && l.ended)
		result = LOCAL_USER_ABSENT;
	file_close(&l.fd);
	if (found && uid >= 0) {
		fill_range(&l, &min_uid, &max_uid);
		result = uid >= min_uid && uid <= max_uid ? LOCAL_USER_COUNTS : LOCAL_USER_OUTSIDE;
	}
	return result;
}
