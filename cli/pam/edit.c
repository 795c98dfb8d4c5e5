/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds our marked line to the end of a PAM file, and removes exactly what was added. The file is
 * replaced as a whole, with its owner and mode.
 */
#include "cli/pam/edit.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/pam/lint.h"
#include "cli/pam/method.h"

#define FILE_MAX ((size_t)256 * 1024)
#define MARK	 "# added by `cloudinvite pam enable`, removed by `cloudinvite pam disable`"
#define OPEN	 " (and the missing end of the line above)" /* no newline at the end */

bool pam_edit_add(const struct strbuf *before, struct strbuf *after)
{
	bool ended = before->len == 0 || before->data[before->len - 1] == '\n';

	after->max = FILE_MAX + 512;
	strbuf_add_bytes(after, before->data ? before->data : "", before->len);
	return strbuf_add(
		after, ended ? MARK "\n" PAM_LINE "\n" : "\n" MARK OPEN "\n" PAM_LINE "\n");
}

static size_t line_length(const char *at)
{
	size_t n = strcspn(at, "\n");

	return n + (at[n] == '\n');
}

/* Removes the mark, and the line below it if it is ours, whatever arguments it has now. */
bool pam_edit_remove(const struct strbuf *before, struct strbuf *after)
{
	const char *text = before->data ? before->data : "", *mark = strstr(text, MARK), *at, *ours;
	size_t n;

	if (!mark)
		return false;
	at = mark + line_length(mark);
	ours = strstr(at, PAM_MODULE);
	n = line_length(at);
	if (!ours || ours >= at + n)
		return false;
	if (mark > text && str_starts(mark + strlen(MARK), OPEN))
		mark--;
	after->max = FILE_MAX + 512;
	return strbuf_add_bytes(after, text, (size_t)(mark - text)) &&
	       strbuf_add_bytes(after, at + n, before->len - (size_t)(at + n - text));
}

static bool read_file(const char *path, struct strbuf *text, struct fault *fault)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .trusted = true};

	text->max = FILE_MAX + 1;
	return file_read(path, &rules, text, FAULT_STORAGE, fault);
}

static bool has_mark(const struct strbuf *text)
{
	return text->data && strstr(text->data, MARK);
}

static bool err_write(const char *path, int error, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "pam_write", "%s: cannot be written: %s", path,
		strerror(error));
	if (error == EROFS || error == EPERM || error == EBUSY)
		return fault_remedy(fault,
			"No file was changed. If this host's /etc is part of an image, add this "
			"line where the image is built: " PAM_LINE);
	return fault_remedy(fault, "Run it as root. No file was changed.");
}

bool pam_edit_can_write(const char *path, struct fault *fault)
{
	char real[PATH_MAX], *slash;

	if (!realpath(path, real)) {
		if (errno != ENOENT || !str_copy(real, sizeof(real), path))
			return err_write(path, errno, fault);
	} else if (access(real, W_OK) != 0) {
		return err_write(real, errno, fault);
	}
	slash = strrchr(real, '/');
	if (slash && slash > real)
		*slash = '\0';
	return access(real, W_OK) == 0 || err_write(path, errno, fault);
}

static bool replace(const char *path, const struct strbuf *text, struct fault *fault)
{
	struct stat st;

	if (stat(path, &st) == 0 && file_replace(path, text->data ? text->data : "", text->len,
					    st.st_mode & 07777) == 0)
		return true;
	return err_write(path, errno, fault);
}

static bool not_as_put(const char *path, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "pam_edited",
		"%s: the line that cloudinvite added was edited by hand", path);
	return fault_remedy(fault, "Remove it by hand, together with the comment above it.");
}

bool pam_edit_file(
	const char *path, bool (*edit)(const struct strbuf *, struct strbuf *), struct fault *fault)
{
	struct strbuf before = {.data = NULL}, after = {.data = NULL};
	char real[PATH_MAX];
	bool good = false;

	if (!realpath(path, real))
		fault_set(fault, FAULT_STORAGE, "pam_write", "%s: %s", path, strerror(errno));
	else if (!read_file(real, &before, fault))
		good = false;
	else if (has_mark(&before) == (edit == pam_edit_add))
		good = true;
	else if (edit(&before, &after))
		good = replace(real, &after, fault);
	else
		good = not_as_put(real, fault);
	strbuf_free(&before);
	strbuf_free(&after);
	return good;
}

bool pam_edit_is_in(const char *path)
{
	struct strbuf text = {.data = NULL};
	char real[PATH_MAX];
	bool in = realpath(path, real) && read_file(real, &text, NULL) && has_mark(&text);

	strbuf_free(&text);
	return in;
}
