/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last permit, in a file outside of the ledger: a ledger that is new, or was restored from a
 * copy, does not know what requests the one before it has made in this minute. One line of fixed
 * length, overwritten in place; a torn one says nothing.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "ratelimit/rate_limit_private.h"
#include "ledger/sqlite.h"

#define NAME	  "last-request"
#define LINE_SIZE 256

struct last {
	char boot[37], ledger[40];
	int64_t ms, permit;
};

/* ---- the file ---- */

static int open_file(const struct settings *s, int flags)
{
	int dir = s->tokens ? file_open_dir(s->tokens) : -1, fd = -1;
	struct stat st;

	if (dir >= 0)
		fd = openat(dir, NAME, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1))
		file_close(&fd);
	file_close(&dir);
	return fd;
}

static bool read_last(const struct settings *s, struct last *out)
{
	char line[LINE_SIZE + 1] = "", ms[32], permit[32];
	int fd = open_file(s, O_RDONLY);
	ssize_t n = fd >= 0 ? pread(fd, line, LINE_SIZE, 0) : 0;
	long long numbers[2];

	file_close(&fd);
	if (n != LINE_SIZE || line[LINE_SIZE - 1] != '\n' ||
		sscanf(line, "%36s %31s %39s %31s", out->boot, ms, out->ledger, permit) != 4 ||
		!str_number(ms, 0, INT64_MAX, &numbers[0]) ||
		!str_number(permit, 0, INT64_MAX, &numbers[1]))
		return false;
	out->ms = numbers[0];
	out->permit = numbers[1];
	return true;
}

/* One that cannot be written is an old one. */
static void write_last(const struct settings *s, const struct last *last)
{
	char line[LINE_SIZE + 1];
	int fd = open_file(s, O_WRONLY | O_CREAT);
	size_t len;

	if (fd < 0)
		return;
	str_format(line, sizeof(line) - 1, "%s %" PRId64 " %s %" PRId64,
		last->boot[0] != '\0' ? last->boot : "-", last->ms, last->ledger, last->permit);
	len = strlen(line);
	memset(line + len, ' ', LINE_SIZE - len);
	line[LINE_SIZE - 1] = '\n';
	(void)!pwrite(fd, line, LINE_SIZE, 0);
	file_close(&fd);
}

/* ---- the ledger ---- */

static bool newest_permit(struct ledger *l, int64_t *permit, struct fault *fault)
{
	struct query q;

	*permit = 0;
	query_start(&q, l, "SELECT seq FROM sqlite_sequence WHERE name = 'permit'", fault);
	return query_one(&q, permit) >= 0;
}

void rate_limit_write_last_at(struct ledger *l, const struct settings *s, int64_t permit,
	const struct rate_limit_moment *now)
{
	struct last last = {.ms = now->ms, .permit = permit};

	str_copy(last.boot, sizeof(last.boot), now->boot);
	str_copy(last.ledger, sizeof(last.ledger), ledger_id(l));
	write_last(s, &last);
}

static bool use_all(struct ledger *l, const struct settings *s, const struct rate_limit_moment *now,
	int64_t until_ms, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
		" INSERT INTO permit (taken_ms, ended, free_ms) SELECT ?2, 1, ?3 FROM n",
		fault);
	query_number(&q, s->requests_per_minute);
	query_number(&q, now->ms);
	query_number(&q, until_ms);
	return query_run(&q);
}

/* A request begins within the timeout, counted from its permit. That of another boot may have been
 * made just now. */
static int64_t over_at(
	const struct settings *s, const struct last *last, const struct rate_limit_moment *now)
{
	int64_t ms = strcmp(last->boot, now->boot) == 0 && last->ms <= now->ms ? last->ms : now->ms;

	return ms + s->timeout * 1000 + RATE_LIMIT_WINDOW_MS;
}

bool rate_limit_recall(struct ledger *l, const struct settings *s,
	const struct rate_limit_moment *now, struct fault *fault)
{
	struct last last;
	int64_t newest;

	if (!read_last(s, &last))
		return true;
	if (!newest_permit(l, &newest, fault))
		return false;
	if ((strcmp(last.ledger, ledger_id(l)) == 0 && last.permit <= newest) ||
		over_at(s, &last, now) <= now->ms)
		return true;
	if (!use_all(l, s, now, over_at(s, &last, now), fault) || !newest_permit(l, &newest, fault))
		return false;
	rate_limit_write_last_at(l, s, newest, now);
	return true;
}
