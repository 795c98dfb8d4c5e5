/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fedora and RHEL: a custom profile of authselect that equals the present one except for our line
 * in its postlogin. Everything else in it is a link to the present profile, so that updates of
 * authselect take effect. Features that are on stay on.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/common/run_program.h"
#include "cli/pam/edit.h"
#include "cli/pam/method.h"

#define PROGRAM	     "/usr/bin/authselect"
#define PROFILE	     "custom/cloudinvite"
#define DIRECTORY    "/etc/authselect/custom/cloudinvite"
#define POSTLOGIN    DIRECTORY "/postlogin"
#define BASED_ON     "# cloudinvite: this profile is based on "
#define FEATURES_MAX 64
#define FILE_MAX     ((size_t)64 * 1024)

/* "sssd with-mkhomedir with-sudo": a profile and its features. */
struct selection {
	struct strbuf text;
	char *words[FEATURES_MAX + 1];
	int count;
};

static void split(struct selection *s)
{
	char *at = s->text.data;

	while (at && s->count < FEATURES_MAX && *(at += strspn(at, " \t\n"))) {
		s->words[s->count++] = at;
		at += strcspn(at, " \t\n");
		if (*at)
			*at++ = '\0';
	}
}

/* False if authselect manages nothing (its exit status is then 2). */
static bool selected(struct selection *s)
{
	const char *const argv[] = {PROGRAM, "current", "--raw", NULL};

	*s = (struct selection){.count = 0};
	if (run_program(argv, &s->text, NULL) == 0)
		split(s);
	return s->count > 0;
}

static bool applies(void)
{
	struct selection s;
	bool in_use;

	if (access(PROGRAM, X_OK) != 0)
		return false;
	in_use = selected(&s);
	strbuf_free(&s.text);
	return in_use;
}

static bool enabled(void)
{
	return pam_is_enabled("postlogin");
}

/* Selects `profile` with the features of `s`. */
static bool select_profile(const char *profile, const struct selection *s, struct fault *fault)
{
	const char *argv[FEATURES_MAX + 4] = {PROGRAM, "select", profile};
	struct strbuf out = {.data = NULL};
	bool good;

	for (int i = 1; i < s->count; i++)
		argv[i + 2] = s->words[i];
	good = run_checked(argv, &out, fault);
	strbuf_free(&out);
	return good;
}

/* ---- files that were edited by hand ---- */

/* The next line of [*at, end) that is not blank or a comment; its length in *n. NULL at the end. */
static const char *next_line(const char **at, const char *end, size_t *n)
{
	while (*at < end) {
		const char *line = *at, *newline = memchr(line, '\n', (size_t)(end - line));

		*n = (size_t)((newline ? newline : end) - line);
		*at = newline ? newline + 1 : end;
		while (*n > 0 && ascii_is_space(line[*n - 1]))
			(*n)--;
		if (*n > 0 && *line != '#')
			return line;
	}
	return NULL;
}

static bool same_lines(const char *a, const char *a_end, const char *b, const char *b_end)
{
	const char *line_a, *line_b;
	size_t na = 0, nb = 0;

	do {
		line_a = next_line(&a, a_end, &na);
		line_b = next_line(&b, b_end, &nb);
		if (line_a && line_b && (na != nb || memcmp(line_a, line_b, na) != 0))
			return false;
	} while (line_a && line_b);
	return !line_a && !line_b;
}

static bool file_says(const char *path, const char *wanted, const char *end)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true, .missing_ok = true};
	struct strbuf text = {.max = FILE_MAX + 1};
	const char *is;
	bool same = file_read(path, &rules, &text, FAULT_STORAGE, NULL);

	is = text.data ? text.data : "";
	same = same && same_lines(is, is + text.len, wanted, end);
	strbuf_free(&text);
	return same;
}

/* `authselect test` prints what it would generate, "File PATH:" above each. */
#define SECTION "File /"

static bool all_say(const char *generated, char *edited, size_t size)
{
	const char *at = strstr(generated, SECTION), *next;

	for (; at; at = next) {
		const char *name = at + strlen(SECTION) - 1, *end = strchr(name, '\n');

		if (!end)
			return true;
		next = strstr(end, "\n" SECTION);
		next = next ? next + 1 : NULL;
		str_format(edited, size, "%.*s", (int)(end - name), name);
		edited[strcspn(edited, ":")] = '\0';
		if (str_starts(edited, "/etc/pam.d/") &&
			!file_says(edited, end, next ? next : end + strlen(end)))
			return false;
	}
	return true;
}

static bool left_alone(const char *file, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "pam_left_alone",
		"%s was edited by hand: authselect would overwrite the edits, so nothing was "
		"changed",
		file);
	return fault_remedy(fault, "Move the edits to a custom profile (authselect-profiles(5)), "
				   "or discard them: authselect apply-changes");
}

/* `authselect check` checks only the links (1.7.0), so the contents of the files are compared
 * here. */
static bool is_untouched(const struct selection *s, struct fault *fault)
{
	const char *const check[] = {PROGRAM, "check", NULL};
	const char *argv[FEATURES_MAX + 4] = {PROGRAM, "test"};
	struct strbuf out = {.data = NULL}, generated = {.data = NULL};
	char edited[256] = "/etc/pam.d";
	bool good = run_checked(check, &out, fault), ran = false;

	for (int i = 0; i < s->count; i++)
		argv[i + 2] = s->words[i];
	argv[s->count + 2] = "--all";
	if (good)
		ran = run_checked(argv, &generated, fault);
	if (!good ||
		(ran && !all_say(generated.data ? generated.data : "", edited, sizeof(edited))))
		good = left_alone(edited, fault);
	strbuf_free(&out);
	strbuf_free(&generated);
	return good && ran;
}

/* ---- the profile ---- */

static bool create_profile(const char *base, struct fault *fault)
{
	const char *const argv[] = {PROGRAM, "create-profile", "cloudinvite", "--base-on", base,
		"--symlink-meta", "--symlink-nsswitch", "--symlink-dconf", "--symlink-pam", NULL};
	struct strbuf out = {.data = NULL};
	bool good = run_checked(argv, &out, fault);

	strbuf_free(&out);
	return good;
}

/* Writes the present profile's postlogin, with our line and the profile's name at its end. */
static bool write_postlogin(const char *base, struct fault *fault)
{
	const struct file_rules rules = {
		.max_size = FILE_MAX, .trusted = true, .follow = true, .missing_ok = true};
	struct strbuf is = {.max = FILE_MAX + 1}, named = {.max = FILE_MAX + 512};
	struct strbuf after = {.data = NULL};
	bool good = file_read(POSTLOGIN, &rules, &is, FAULT_STORAGE, fault);

	if (good) {
		bool open = is.len > 0 && is.data[is.len - 1] != '\n';
		strbuf_addf(&named, "%s%s" BASED_ON "%s\n", is.data ? is.data : "",
			open ? "\n" : "", base);
		good = pam_edit_add(&named, &after) &&
		       file_replace(POSTLOGIN, after.data, after.len, 0644) == 0;
		if (!good)
			fault_set(fault, FAULT_STORAGE, "pam_write", POSTLOGIN ": %s",
				strerror(errno));
	}
	strbuf_free(&is);
	strbuf_free(&named);
	strbuf_free(&after);
	return good;
}

/* False: this profile was not made by us. */
static bool read_base(char *base, size_t size)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .trusted = true};
	struct strbuf text = {.max = FILE_MAX + 1};
	const char *at = NULL;
	bool good;

	if (file_read(POSTLOGIN, &rules, &text, FAULT_STORAGE, NULL) && text.data)
		at = strstr(text.data, BASED_ON);
	if (at)
		at += strlen(BASED_ON);
	good = at && str_format(base, size, "%.*s", (int)strcspn(at, "\n"), at) && *base;
	strbuf_free(&text);
	return good;
}

/* Removes only the files that authselect put there, by name: another file stays, and so does the
 * directory. */
static void remove_profile(void)
{
	static const char *const files[] = {"README", "REQUIREMENTS", "nsswitch.conf", "dconf-db",
		"dconf-locks", "system-auth", "password-auth", "smartcard-auth", "fingerprint-auth",
		"switchable-auth", "postlogin"};
	int dir = file_open_dir(DIRECTORY);

	for (size_t i = 0; dir >= 0 && i < ARRAY_SIZE(files); i++)
		unlinkat(dir, files[i], 0);
	file_close(&dir);
	rmdir(DIRECTORY);
}

/* ---- the method ---- */

static bool plan(bool enable, struct strbuf *out, struct fault *fault)
{
	struct selection s;
	char base[256] = "";
	bool good = selected(&s);

	if (good && enable) {
		strbuf_addf(
			out, PROGRAM " create-profile cloudinvite --base-on %s …\n", s.words[0]);
		strbuf_add(out, POSTLOGIN ": + " PAM_LINE "\n" PROGRAM " select " PROFILE);
	} else if (good && read_base(base, sizeof(base))) {
		strbuf_addf(out, PROGRAM " select %s", base);
	} else {
		good = fault_set(fault, FAULT_STORAGE, "pam_profile",
			"the profile " PROFILE " was not made by `cloudinvite pam enable`");
		fault_remedy(fault, "Remove the line from the profile's postlogin file, then: "
				    "authselect apply-changes");
	}
	for (int i = 1; good && i < s.count; i++)
		strbuf_addf(out, " %s", s.words[i]);
	strbuf_add(out, "\n");
	if (good && !enable)
		strbuf_add(out, DIRECTORY ": is removed\n");
	strbuf_free(&s.text);
	return good;
}

static bool enable(struct fault *fault)
{
	struct selection s;
	bool good = selected(&s) && is_untouched(&s, fault);

	if (good && strcmp(s.words[0], PROFILE) != 0) {
		remove_profile();
		good = create_profile(s.words[0], fault) && write_postlogin(s.words[0], fault) &&
		       select_profile(PROFILE, &s, fault);
		if (!good)
			remove_profile();
	}
	strbuf_free(&s.text);
	return good;
}

static bool disable(struct fault *fault)
{
	struct selection s;
	char base[256];
	bool good = selected(&s) && read_base(base, sizeof(base)) && is_untouched(&s, fault) &&
		    select_profile(base, &s, fault);

	if (good)
		remove_profile();
	strbuf_free(&s.text);
	return good;
}

const struct pam_method pam_method_authselect = {
	.name = "authselect",
	.description = "a custom authselect profile, based on the current one",
	.applies = applies,
	.enabled = enabled,
	.plan = plan,
	.enable = enable,
	.disable = disable,
};
