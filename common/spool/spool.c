/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What login processes do in the spool: no heap, no locks, no state, no locale. Every descriptor is
 * closed on every path, and errno says what went wrong.
 */
#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/str.h"

static bool is_plain(const char *user, const char *at)
{
	return ascii_is_alnum(*at) || *at == '_' || *at == '-' || (*at == '.' && at != user);
}

/* Escapes into out (SPOOL_NAME_MAX + 1 bytes). Returns the length; 0 if it does not fit or is
 * empty. */
static size_t escape(char *out, const char *user)
{
	size_t n = 0;

	for (const char *at = user; *at; at++) {
		bool plain = is_plain(user, at);

		if (n + (plain ? 1 : 3) > SPOOL_NAME_MAX)
			return 0;
		if (plain) {
			out[n++] = *at;
			continue;
		}
		str_format(out + n, 4, "%%%02X", (unsigned char)*at);
		n += 3;
	}
	out[n] = '\0';
	return n;
}

bool spool_mark_name(char out[SPOOL_NAME_MAX + 1], const char *user)
{
	return escape(out, user) > 0;
}

bool spool_arrival_name(char out[SPOOL_NAME_MAX + 1], const char *user, enum trigger trigger)
{
	size_t n = escape(out, user);

	if (n == 0 || n == SPOOL_NAME_MAX)
		return false;
	out[n] = '.';
	return str_copy(out + n + 1, SPOOL_NAME_MAX - n, trigger_word(trigger));
}

/* Unescapes the first `length` bytes of `name`. Only what escape() would have written is accepted,
 * so every user has one name, and no name is ambiguous. */
static bool unescape(const char *name, size_t length, char user[SPOOL_USER_MAX + 1])
{
	char again[SPOOL_NAME_MAX + 1];
	size_t n = 0;

	if (length == 0 || length > SPOOL_NAME_MAX)
		return false;
	for (size_t at = 0; at < length; n++) {
		int byte;

		if (name[at] != '%') {
			user[n] = name[at++];
			continue;
		}
		if (length - at < 3)
			return false;
		byte = hex_decode(name + at + 1);
		if (byte <= 0)
			return false;
		user[n] = (char)byte;
		at += 3;
	}
	user[n] = '\0';
	return escape(again, user) == length && memcmp(again, name, length) == 0;
}

bool spool_parse_mark(const char *name, char user[SPOOL_USER_MAX + 1])
{
	return unescape(name, strlen(name), user);
}

/* `asked` is what earlier versions called `manual`: they may have left such arrivals. */
static bool parse_trigger(const char *word, enum trigger *out)
{
	return trigger_parse(strcmp(word, "asked") == 0 ? "manual" : word, out);
}

bool spool_parse_arrival(const char *name, char user[SPOOL_USER_MAX + 1], enum trigger *trigger)
{
	const char *dot = strrchr(name, '.');

	return dot && strlen(name) <= SPOOL_NAME_MAX && parse_trigger(dot + 1, trigger) &&
	       unescape(name, (size_t)(dot - name), user);
}

int spool_open(const char *spool, const char *box)
{
	char path[SPOOL_PATH_MAX];

	if (!str_format(path, sizeof(path), "%s/%s", spool, box)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* The spool itself may be root's link; the directory in it may not. O_PATH, because a first
	 * login pays for the call. */
	return open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int spool_exists(int box, const char *name)
{
	struct stat st;

	if (fstatat(box, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -1;
}

int spool_sync(int box)
{
	int readable = openat(box, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = readable >= 0 ? fsync(readable) : -1;

	file_close(&readable);
	return result;
}

int spool_put(int new_dir, const char *user, enum trigger trigger, bool sync)
{
	char name[SPOOL_NAME_MAX + 1];
	int result = 1;
	int fd;

	if (!spool_arrival_name(name, user, trigger)) {
		errno = *user ? ENAMETOOLONG : EINVAL;
		return -1;
	}
	/* Nothing is written into the file. So neither a full disk nor RLIMIT_FSIZE (with its
	 * signal) can strike after this call, and an arrival is never half written. */
	fd = openat(new_dir, name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : -1;
	if (sync && (fsync(fd) != 0 || spool_sync(new_dir) != 0))
		result = -1;
	file_close(&fd);
	return result;
}

/* Reads "invited\n": one word of [a-z_], and the end. */
static bool take_word(char word[SPOOL_WORD_MAX + 1], const char *bytes, size_t n)
{
	size_t length = 0;

	while (length < n &&
		((bytes[length] >= 'a' && bytes[length] <= 'z') || bytes[length] == '_'))
		length++;
	if (length == 0 || (length < n && (bytes[length] != '\n' || length + 1 != n)))
		return false;
	memcpy(word, bytes, length);
	word[length] = '\0';
	return true;
}

bool spool_read_mark(int seen_dir, const char *user, char word[SPOOL_WORD_MAX + 1])
{
	char name[SPOOL_NAME_MAX + 1], bytes[SPOOL_WORD_MAX];
	struct stat st;
	bool good = false;
	ssize_t n;
	int fd;

	word[0] = '\0';
	if (!spool_mark_name(name, user))
		return false;
	/* O_NONBLOCK: neither a FIFO nor a lease may delay the login. */
	fd = openat(seen_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > SPOOL_WORD_MAX) {
		;
	} else if (st.st_size == 0) {
		good = str_copy(word, SPOOL_WORD_MAX + 1, SPOOL_WORD_SEEN);
	} else {
		n = read(fd, bytes, sizeof(bytes));
		good = n == st.st_size && take_word(word, bytes, (size_t)n);
	}
	file_close(&fd);
	return good;
}
