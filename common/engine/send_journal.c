/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of fixed length, overwritten in place: a torn line says nothing, and is as old as after
 * a power cut.
 */
#include "engine/send_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

#define NAME	  "last-mail"
#define LINE_SIZE 1024 /* always whole: what is shorter is filled up with blanks */

/* ---- the line: ledger sends mail_date customer endpoint ---- */

struct words {
	char word[5][256];
	int count;
};

static bool take_word(const char *word, size_t len, void *ctx)
{
	struct words *w = ctx;

	if (w->count == 5 || len >= sizeof(w->word[0]))
		return false;
	memcpy(w->word[w->count], word, len);
	w->word[w->count++][len] = '\0';
	return true;
}

/* A line that is torn, or speaks of another customer (a rehearsal), says nothing. */
static void read_line(
	struct send_journal *journal, const struct settings *settings, const char *line)
{
	struct words words = {.count = 0};
	long long sends, date;

	if (!str_each_word(line, take_word, &words) || words.count != 5 ||
		strcmp(words.word[3], settings->customer) != 0 ||
		strcmp(words.word[4], settings->endpoint) != 0 ||
		!str_number(words.word[1], 0, INT64_MAX, &sends) ||
		!str_number(words.word[2], 0, INT64_MAX, &date))
		return;
	journal->sends = sends;
	journal->mail_date = date;
	str_copy(journal->ledger, sizeof(journal->ledger), words.word[0]);
}

/* ---- the file ---- */

static int open_file(const char *directory)
{
	int dir = file_open_dir(directory), fd = -1;
	struct stat st;

	if (dir >= 0)
		fd = openat(
			dir, NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)) {
		file_close(&fd);
		errno = EINVAL;
	}
	file_close(&dir);
	return fd;
}

bool send_journal_open(
	struct send_journal *journal, const struct settings *settings, struct fault *fault)
{
	char line[LINE_SIZE + 1] = "";
	ssize_t n;

	*journal = (struct send_journal){.fd = open_file(settings->tokens)};
	if (journal->fd < 0) {
		fault_set(fault, FAULT_STORAGE, "send_journal",
			"%s/" NAME ": cannot be written: %s", settings->tokens, strerror(errno));
		return fault_remedy(fault, "Without this file, a restored ledger is detected late. "
					   "As root, run: cloudinvite-dispatcher --prepare");
	}
	n = pread(journal->fd, line, LINE_SIZE, 0);
	if (n == LINE_SIZE && line[LINE_SIZE - 1] == '\n')
		read_line(journal, settings, line);
	return true;
}

void send_journal_write(struct send_journal *journal, const struct settings *settings,
	const char *ledger, int64_t sends, int64_t mail_date)
{
	char line[LINE_SIZE + 1];
	size_t len;

	journal->sends = sends;
	journal->mail_date = mail_date;
	str_copy(journal->ledger, sizeof(journal->ledger), ledger);
	if (journal->fd < 0 ||
		!str_format(line, sizeof(line) - 1, "%s %lld %lld %s %s", ledger, (long long)sends,
			(long long)mail_date, settings->customer, settings->endpoint))
		return;
	len = strlen(line);
	memset(line + len, ' ', LINE_SIZE - len);
	line[LINE_SIZE - 1] = '\n';
	/* One that cannot be written is as old as after a power cut. */
	(void)!pwrite(journal->fd, line, LINE_SIZE, 0);
}

void send_journal_close(struct send_journal *journal)
{
	file_close(&journal->fd);
}
