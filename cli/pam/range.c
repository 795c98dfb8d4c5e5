/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module reads login.defs, because useradd does; the collector reads the settings. Where the
 * module's range is the narrower one, logins leave no trace.
 */
#include "cli/pam/range.h"

#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"

#define LOGIN_DEFS  "/etc/login.defs"
#define FILE_MAX    ((size_t)64 * 1024) /* the module reads no more */
#define MIN_DEFAULT 1000
#define MAX_DEFAULT 60000
#define UID_LARGEST 4294967294LL

/* "UID_MIN   1000"; of two such lines, the last one counts. */
static bool take(char *line, const char *key, long long *value)
{
	size_t n = strlen(key);

	return strncmp(line, key, n) == 0 && ascii_is_space(line[n]) &&
	       str_number(str_trim(line + n), 0, UID_LARGEST, value);
}

static void read_login_defs(const char *root, struct pam_range *out)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true, .missing_ok = true};
	struct strbuf text = {.max = FILE_MAX + 1};
	char path[PATH_MAX], *at, *line;
	size_t length;

	if (!str_format(path, sizeof(path), "%s" LOGIN_DEFS, root) ||
		!file_read(path, &rules, &text, FAULT_STORAGE, NULL) || !text.data) {
		strbuf_free(&text);
		return;
	}
	at = text.data;
	while ((line = str_next_line(&at, text.data + text.len, &length))) {
		line = str_trim(line);
		if (take(line, "UID_MIN", &out->min))
			out->min_from = "UID_MIN of " LOGIN_DEFS;
		else if (take(line, "UID_MAX", &out->max))
			out->max_from = "UID_MAX of " LOGIN_DEFS;
	}
	strbuf_free(&text);
}

void pam_range_of(const char *root, const struct arguments *arguments, struct pam_range *out)
{
	*out = (struct pam_range){
		MIN_DEFAULT, MAX_DEFAULT, "the module's default", "the module's default"};
	if (arguments->min_uid < 0 || arguments->max_uid < 0)
		read_login_defs(root, out);
	if (arguments->min_uid >= 0) {
		out->min = arguments->min_uid;
		out->min_from = "its min_uid=";
	}
	if (arguments->max_uid >= 0) {
		out->max = arguments->max_uid;
		out->max_from = "its max_uid=";
	}
}
