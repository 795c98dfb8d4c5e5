/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Markers: which users have been seen, and what became of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "spool/reader.h"

#define ID_MAX 128

static bool mark_fault(const char *what, struct fault *fault)
{
	return spool_fault(SPOOL_SEEN, what, fault);
}

/* A marker is replaced as a whole, but not forced to the disk. One that a power failure loses comes
 * back with the next login, and a storm of first logins must not wait for thousands of fsyncs. */
static int write_mark(int box, const char *name, const char *word)
{
	static const char temporary[] = ".mark";
	size_t n = strlen(word);
	char line[SPOOL_WORD_MAX + 2];
	int fd, saved;

	/* The keeper is the only writer, so one temporary name is enough; a stale file is its
	 * own. */
	(void)unlinkat(box, temporary, 0);
	fd = openat(box, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	memcpy(line, word, n);
	line[n] = '\n';
	if (file_write_all(fd, line, n + 1) == 0 && renameat(box, temporary, box, name) == 0) {
		file_close(&fd);
		return 0;
	}
	saved = errno;
	file_close(&fd);
	(void)unlinkat(box, temporary, 0);
	errno = saved;
	return -1;
}

bool spool_mark(struct spool_reader *r, const char *user, const char *word, struct fault *fault)
{
	char name[SPOOL_NAME_MAX + 1], there[SPOOL_WORD_MAX + 1];

	/* A name that is too long has no marker, as it has no arrival. */
	if (!spool_mark_name(name, user))
		return true;
	if (strlen(word) >= SPOOL_WORD_MAX) {
		errno = ENAMETOOLONG;
		return mark_fault(word, fault);
	}
	if (spool_read_mark(r->seen_dir, user, there) && strcmp(there, word) == 0)
		return true;
	return write_mark(r->seen_dir, name, word) == 0 || mark_fault(name, fault);
}

/* In place, without a temporary file: there is no older marker to lose, and the module asks only
 * whether one exists. A crash may leave an empty marker; it means `seen` until the next word
 * replaces it. */
bool spool_mark_first(
	struct spool_reader *r, const char *user, const char *word, struct fault *fault)
{
	char name[SPOOL_NAME_MAX + 1];
	int fd;
	bool good;

	if (!spool_mark_name(name, user))
		return true;
	fd = openat(r->seen_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST || mark_fault(name, fault);
	good = file_write_all(fd, word, strlen(word)) == 0;
	file_close(&fd);
	/* A part of a word would not be understood. */
	if (!good) {
		mark_fault(name, fault);
		(void)unlinkat(r->seen_dir, name, 0);
	}
	return good;
}

/* No file is created and no inode is freed. During many first logins both would cost more than all
 * the rest: ext4 without a journal does not reuse an inode that was freed within the last minutes,
 * and skips every such inode whenever a marker or an arrival is created. The file has never
 * belonged to anyone but root (check_arrival). The link comes before the unlink: after a crash in
 * between, the arrival still exists. */
bool spool_mark_arrival(
	struct spool_reader *r, const struct spool_arrival *arrival, struct fault *fault)
{
	char name[SPOOL_NAME_MAX + 1];

	if (!spool_mark_name(name, arrival->user) ||
		linkat(r->new_dir, arrival->name, r->seen_dir, name, 0) == 0 || errno == EEXIST)
		return true;
	/* The file system has no hard links, or refuses this one. */
	return spool_mark_first(r, arrival->user, SPOOL_WORD_SEEN, fault);
}

bool spool_unmark(struct spool_reader *r, const char *user, struct fault *fault)
{
	char name[SPOOL_NAME_MAX + 1];

	if (!spool_mark_name(name, user) || unlinkat(r->seen_dir, name, 0) == 0 || errno == ENOENT)
		return true;
	return mark_fault(name, fault);
}

/* Unlinks every marker. False if some could not be unlinked, with the fault. */
static bool drop_all(struct spool_reader *r, int *dropped, struct fault *fault)
{
	char name[SPOOL_NAME_MAX + 1];
	struct spool_listing l;
	int64_t at;
	int got = -1;

	if (!spool_listing_open(&l, r, r->seen_dir))
		return mark_fault("cannot be listed", fault);
	while ((got = spool_next_mark(&l, 0, name, &at)) > 0) {
		if (unlinkat(r->seen_dir, name, 0) != 0 && errno != ENOENT)
			break;
		++*dropped;
	}
	if (got != 0)
		mark_fault(got > 0 ? name : "cannot be listed", fault);
	spool_listing_close(&l);
	return got == 0;
}

/* "ID REVISION", or "ID" of earlier versions. An id that cannot be read counts as another
 * ledger's. */
static bool read_bound(const struct spool_reader *r, char id[ID_MAX], long long *revision)
{
	static const struct file_rules rules = {.max_size = ID_MAX, .missing_ok = true};
	struct strbuf there = {.max = ID_MAX};
	char *blank;
	bool good = file_read_at(r->seen_dir, SPOOL_LEDGER, &rules, &there, FAULT_STORAGE, NULL) &&
		    there.data && strlen(there.data) == there.len &&
		    str_copy(id, ID_MAX, str_trim(there.data));

	strbuf_free(&there);
	blank = good ? strchr(id, ' ') : NULL;
	*revision = 0;
	if (!blank)
		return good;
	*blank++ = '\0';
	return str_number(blank, 0, INT64_MAX, revision);
}

/* A later line of one id is never shorter, so a new revision overwrites the old one in place: a
 * replaced file would free an inode at each pass of the collector (spool_mark_arrival). */
static bool write_bound(
	const struct spool_reader *r, const char *id, int64_t revision, bool in_place)
{
	char line[ID_MAX];
	size_t n;
	int fd, saved;
	bool good;

	if (revision == 0 ? !str_copy(line, sizeof(line), id)
			  : !str_format(line, sizeof(line), "%s %020" PRId64 "\n", id, revision)) {
		errno = ENAMETOOLONG;
		return false;
	}
	n = strlen(line);
	if (!in_place)
		return file_replace_at(r->seen_dir, SPOOL_LEDGER, line, n, 0600) == 0;
	fd = openat(r->seen_dir, SPOOL_LEDGER, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	good = file_write_all(fd, line, n) == 0;
	saved = errno;
	file_close(&fd);
	errno = saved;
	return good;
}

bool spool_bind_ledger(struct spool_reader *r, const char *ledger_id, int64_t revision,
	int *dropped, bool *older, struct fault *fault)
{
	char id[ID_MAX];
	long long bound;
	bool same = read_bound(r, id, &bound) && strcmp(id, ledger_id) == 0;

	*dropped = 0;
	*older = same && revision < bound;
	if (*older || (same && revision == bound))
		return true;
	if (!same && !drop_all(r, dropped, fault))
		return false;
	/* Last, so that after a crash the next start removes the rest. */
	return write_bound(r, ledger_id, revision, same) || mark_fault(SPOOL_LEDGER, fault);
}
