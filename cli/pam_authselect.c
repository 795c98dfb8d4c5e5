/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fedora and RHEL: a custom profile of authselect that is the present one but for our line in its
 * postlogin. Everything else in it is a link to the present one, so that updates of authselect go
 * on to count; the features that are on stay on.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/pam_edit.h"
#include "cli/pam_method.h"
#include "cli/run.h"

#define PROGRAM	     "/usr/bin/authselect"
#define PROFILE	     "custom/cloudinvite"
#define DIRECTORY    "/etc/authselect/custom/cloudinvite"
#define POSTLOGIN    DIRECTORY "/postlogin"
#define BASED_ON     "# cloudinvite: this profile is based on "
#define FEATURES_MAX 64
#define FILE_MAX     ((size_t)64 * 1024)

/* "sssd with-mkhomedir with-sudo": a profile and its features. */
struct selection {
	struct text text;
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

/* False where authselect manages nothing (its exit status is then 2). */
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
	text_free(&s.text);
	return in_use;
}

static bool enabled(void)
{
	return pam_runs_it("postlogin");
}

/* `profile` with the features of `s`. */
static bool select_profile(const char *profile, const struct selection *s, struct fault *fault)
{
	const char *argv[FEATURES_MAX + 4] = {PROGRAM, "select", profile};
	struct text out = {.data = NULL};
	bool good;

	for (int i = 1; i < s->count; i++)
		argv[i + 2] = s->words[i];
	good = run_well(argv, &out, fault);
	text_free(&out);
	return good;
}

/* A system that was edited by hand is not overwritten: whoever did it decides. */
static bool is_untouched(struct fault *fault)
{
	const char *const argv[] = {PROGRAM, "check", NULL};
	struct text out = {.data = NULL};
	bool good = run_well(argv, &out, fault);

	text_free(&out);
	if (good)
		return true;
	fault_set(fault, FAULT_STORAGE, "pam_left_alone",
		"authselect's files were edited by hand: they are left alone");
	return fault_remedy(fault, "See `authselect check`, then `authselect apply-changes`.");
}

/* ---- the profile ---- */

static bool create_profile(const char *base, struct fault *fault)
{
	const char *const argv[] = {PROGRAM, "create-profile", "cloudinvite", "--base-on", base,
		"--symlink-meta", "--symlink-nsswitch", "--symlink-dconf", "--symlink-pam", NULL};
	struct text out = {.data = NULL};
	bool good = run_well(argv, &out, fault);

	text_free(&out);
	return good;
}

/* The present profile's postlogin, with our line at its end and its name at its beginning. */
static bool write_postlogin(const char *base, struct fault *fault)
{
	const struct file_rules rules = {
		.max_size = FILE_MAX, .trusted = true, .follow = true, .missing_ok = true};
	struct text is = {.cap = FILE_MAX + 1}, named = {.cap = FILE_MAX + 512};
	struct text after = {.data = NULL};
	bool good = file_read(POSTLOGIN, &rules, &is, FAULT_STORAGE, fault);

	if (good) {
		text_addf(&named, BASED_ON "%s\n%s", base, is.data ? is.data : "");
		good = pam_edit_add(&named, &after) &&
		       file_replace(POSTLOGIN, after.data, after.len, 0644) == 0;
		if (!good)
			fault_set(fault, FAULT_STORAGE, "pam_write", POSTLOGIN ": %s",
				strerror(errno));
	}
	text_free(&is);
	text_free(&named);
	text_free(&after);
	return good;
}

/* The name in its first line; false: this profile is not one that we have made. */
static bool read_base(char *base, size_t size)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .trusted = true};
	struct text text = {.cap = FILE_MAX + 1};
	bool good = file_read(POSTLOGIN, &rules, &text, FAULT_STORAGE, NULL) && text.data &&
		    text_starts(text.data, BASED_ON);

	if (good) {
		const char *name = text.data + strlen(BASED_ON);
		good = text_format(base, size, "%.*s", (int)strcspn(name, "\n"), name) && *base;
	}
	text_free(&text);
	return good;
}

/* Only what authselect put there, by name: a file of somebody else's stays, and its directory. */
static void remove_profile(void)
{
	static const char *const files[] = {"README", "REQUIREMENTS", "nsswitch.conf", "dconf-db",
		"dconf-locks", "system-auth", "password-auth", "smartcard-auth", "fingerprint-auth",
		"switchable-auth", "postlogin"};
	int dir = file_open_dir(DIRECTORY);

	for (size_t i = 0; dir >= 0 && i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(dir, files[i], 0);
	file_close(&dir);
	rmdir(DIRECTORY);
}

/* ---- the method ---- */

static bool plan(bool enable, struct text *out, struct fault *fault)
{
	struct selection s;
	char base[256] = "";
	bool good = selected(&s);

	if (good && enable) {
		text_addf(out, PROGRAM " create-profile cloudinvite --base-on %s …\n", s.words[0]);
		text_add(out, POSTLOGIN ": + " PAM_LINE "\n" PROGRAM " select " PROFILE);
	} else if (good && read_base(base, sizeof(base))) {
		text_addf(out, PROGRAM " select %s", base);
	} else {
		good = fault_set(fault, FAULT_STORAGE, "pam_profile",
			"the profile " PROFILE " was not made by `cloudinvite pam enable`");
		fault_remedy(fault, "Take the line out of the profile's postlogin, then: "
				    "authselect apply-changes");
	}
	for (int i = 1; good && i < s.count; i++)
		text_addf(out, " %s", s.words[i]);
	text_add(out, "\n");
	if (good && !enable)
		text_add(out, DIRECTORY ": is removed\n");
	text_free(&s.text);
	return good;
}

static bool enable(struct fault *fault)
{
	struct selection s;
	bool good = selected(&s) && is_untouched(fault);

	if (good && strcmp(s.words[0], PROFILE) != 0) {
		remove_profile();
		good = create_profile(s.words[0], fault) && write_postlogin(s.words[0], fault) &&
		       select_profile(PROFILE, &s, fault);
		if (!good)
			remove_profile();
	}
	text_free(&s.text);
	return good;
}

static bool disable(struct fault *fault)
{
	struct selection s;
	char base[256];
	bool good = selected(&s) && read_base(base, sizeof(base)) && is_untouched(fault) &&
		    select_profile(base, &s, fault);

	if (good)
		remove_profile();
	text_free(&s.text);
	return good;
}

const struct pam_method pam_method_authselect = {
	.name = "authselect",
	.does = "a custom profile of authselect, based on the present one",
	.applies = applies,
	.enabled = enabled,
	.plan = plan,
	.enable = enable,
	.disable = disable,
};
