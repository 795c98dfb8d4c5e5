/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy of the block list: `blocks/list` beside the ledger. A ledger that is lost or restored
 * from a backup must not mail the people who asked not to be written to.
 *
 * Whatever changes the block list replaces the copy before it commits. A program that opens the
 * ledger to write adds the blocks that only the copy has. So the copy never has less than the
 * ledger, except where a block was removed at the very moment of a crash: then it stays.
 *
 * One line for each block: address, time, last mail, actor and reason, separated by tabs.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "ledger/administration.h"
#include "ledger/person.h"
#include "people/verdict.h"

#define DIRECTORY "blocks"
#define FILE_NAME "list"
#define MAX_BYTES (64 << 20)

static bool directory_of(const struct ledger *l, char out[PATH_MAX])
{
	return str_format(out, PATH_MAX, "%.*s", (int)(strrchr(l->path, '/') - l->path), l->path);
}

/* ---- writing ---- */

/* Tabs and line breaks end a field. */
static void add_text(struct strbuf *out, const char *text)
{
	for (; *text != '\0'; text++)
		strbuf_addf(out, "%c", (unsigned char)*text < ' ' ? ' ' : *text);
}

static bool add_blocks(struct ledger *l, struct strbuf *out, struct fault *fault)
{
	char address[ADDRESS_MAX + 1], text[512], actor[64];
	struct query q;

	query_start(&q, l, "SELECT address, at, mailed, actor, text FROM block ORDER BY address",
		fault);
	while (query_row(&q) > 0) {
		long long at, mailed;

		row_text(&q, address, sizeof(address));
		at = row_number(&q);
		mailed = row_number(&q);
		row_text(&q, actor, sizeof(actor));
		row_text(&q, text, sizeof(text));
		strbuf_addf(out, "%s\t%lld\t%lld\t", address, at, mailed);
		add_text(out, actor);
		strbuf_add(out, "\t");
		add_text(out, text);
		strbuf_add(out, "\n");
	}
	return query_end(&q);
}

static bool err_copy(const struct ledger *l, const char *doing, struct fault *fault)
{
	char directory[PATH_MAX];

	fault_set(fault, FAULT_STORAGE, "block_copy",
		"%s/" DIRECTORY "/" FILE_NAME ": the copy of the block list cannot be %s: %s",
		directory_of(l, directory) ? directory : l->path, doing, strerror(errno));
	return fault_remedy(fault,
		"As root, run cloudinvite-collector --prepare: it corrects owner "
		"and mode. Otherwise check the file system.");
}

/* The group of the ledger may read it. */
static int open_directory(const struct ledger *l)
{
	char directory[PATH_MAX];
	struct stat st;
	int fd;

	errno = ENAMETOOLONG;
	if (!directory_of(l, directory))
		return -1;
	fd = file_make_dir(directory, DIRECTORY);
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0700)
		(void)fchmod(fd, 0750);
	return fd;
}

bool block_copy_write(struct ledger *l, struct fault *fault)
{
	struct strbuf text = {.max = MAX_BYTES};
	bool good = add_blocks(l, &text, fault) &&
		    (!text.failed || fault_no_memory(fault, FAULT_STORAGE));
	int fd = good ? open_directory(l) : -1;

	if (good && (fd < 0 || file_replace_at(fd, FILE_NAME, text.data ? text.data : "", text.len,
				       0640) != 0))
		good = err_copy(l, "written", fault);
	file_close(&fd);
	strbuf_free(&text);
	return good;
}

/* ---- reading ---- */

struct block_line {
	char *address, *actor, *text;
	long long at, mailed;
};

static bool parse(char *line, struct block_line *out)
{
	char *fields[5], plain[ADDRESS_MAX + 1];

	for (int n = 0; n < 5; n++) {
		fields[n] = n < 4 ? strsep(&line, "\t") : line;
		if (!fields[n])
			return false;
	}
	*out = (struct block_line){.address = fields[0], .actor = fields[3], .text = fields[4]};
	return address_plain(out->address, plain) && strcmp(plain, out->address) == 0 &&
	       str_number(fields[1], 0, INT64_MAX, &out->at) &&
	       str_number(fields[2], 0, INT64_MAX, &out->mailed);
}

static bool set_dates(struct ledger *l, const struct block_line *b, struct fault *fault)
{
	struct query q;

	query_start(
		&q, l, "UPDATE block SET at = ?, mailed = max(mailed, ?) WHERE address = ?", fault);
	query_number(&q, b->at);
	query_number(&q, b->mailed);
	query_text(&q, b->address);
	return query_run(&q);
}

static bool err_line(const struct ledger *l, int line, struct fault *fault)
{
	char directory[PATH_MAX];

	fault_set(fault, FAULT_STORAGE, "block_copy",
		"%s/" DIRECTORY "/" FILE_NAME ":%d: is not a line of the copy of the block list",
		directory_of(l, directory) ? directory : l->path, line);
	return fault_remedy(fault, "Remove the line. If the address should be blocked, run: "
				   "cloudinvite block --reason TEXT ADDRESS");
}

/* Within a transaction. */
static bool add_missing(struct ledger *l, struct strbuf *text, struct fault *fault)
{
	char *at = text->data, *end = text->data + text->len, *line;
	size_t length;
	bool good = true;

	for (int n = 1; good && (line = str_next_line(&at, end, &length)); n++) {
		struct block_line b;
		int known;

		if (length == 0)
			continue;
		if (!parse(line, &b))
			return err_line(l, n, fault);
		known = ledger_blocked(l, b.address, NULL, 0, fault);
		good = known >= 0 &&
		       (known > 0 || (person_block(l, b.address, b.text, b.actor, fault) &&
					     set_dates(l, &b, fault)));
	}
	return good;
}

static bool read_file(struct ledger *l, struct strbuf *text, struct fault *fault)
{
	const struct file_rules rules = {.max_size = MAX_BYTES, .missing_ok = true};
	char path[PATH_MAX], directory[PATH_MAX];

	errno = ENAMETOOLONG;
	if (!directory_of(l, directory) ||
		!str_format(path, sizeof(path), "%s/" DIRECTORY "/" FILE_NAME, directory))
		return err_copy(l, "read", fault);
	return file_read(path, &rules, text, FAULT_STORAGE, fault);
}

bool block_copy_read(struct ledger *l, struct fault *fault)
{
	struct strbuf text = {.max = MAX_BYTES};
	bool good = read_file(l, &text, fault);

	if (good && text.len > 0)
		good = txn_begin(l, fault) && txn_end(l, add_missing(l, &text, fault), fault);
	strbuf_free(&text);
	return good;
}

int ledger_block_copy_agrees(struct ledger *l, int64_t *count, struct fault *fault)
{
	struct strbuf text = {.max = MAX_BYTES}, want = {.max = MAX_BYTES};
	struct query q;
	int agrees = -1;

	query_start(&q, l, "SELECT count(*) FROM block", fault);
	if (query_one(&q, count) >= 0 && read_file(l, &text, fault) && add_blocks(l, &want, fault))
		agrees = text.len == want.len &&
			 (want.len == 0 || memcmp(text.data, want.data, want.len) == 0);
	strbuf_free(&text);
	strbuf_free(&want);
	return agrees;
}
