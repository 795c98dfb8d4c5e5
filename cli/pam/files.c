/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For hosts where no program manages the PAM files, or one that does not know our module: the line
 * goes into Fedora's postlogin, or into the files of the services themselves (openSUSE, whose
 * pam-config adds only the modules that it was built with, and all others).
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/pam/edit.h"
#include "cli/pam/lint.h"
#include "cli/pam/method.h"
#include "cli/pam/stack.h"

#define POSTLOGIN "/etc/pam.d/postlogin"
#define FILE_MAX  ((size_t)256 * 1024)

/* ---- postlogin ---- */

static bool includes_it(const char *service)
{
	struct fault ignored;
	struct pam_stack stack;
	bool includes = false;

	(void)pam_stack_read("", service, &stack, &ignored);
	for (size_t i = 0; i < stack.count && !includes; i++)
		includes = stack.lines[i].type == PAM_TYPE_SESSION &&
			   strcmp(stack.lines[i].file, POSTLOGIN) == 0;
	pam_stack_free(&stack);
	return includes;
}

/* An empty postlogin has no line by which to recognise it, so its name must be enough. */
static bool postlogin_applies(void)
{
	struct stat st;

	return lstat(POSTLOGIN, &st) == 0 && S_ISREG(st.st_mode) &&
	       (includes_it("sshd") || includes_it("login") || pam_is_enabled("postlogin"));
}

static bool postlogin_enabled(void)
{
	return pam_is_enabled("postlogin");
}

static bool postlogin_plan(bool enable, struct strbuf *out, struct fault *fault)
{
	(void)fault;
	return strbuf_addf(out, POSTLOGIN ": %c " PAM_LINE "\n", enable ? '+' : '-');
}

static bool postlogin_enable(struct fault *fault)
{
	return pam_edit_file(POSTLOGIN, pam_edit_add, fault);
}

static bool postlogin_disable(struct fault *fault)
{
	return pam_edit_file(POSTLOGIN, pam_edit_remove, fault);
}

const struct pam_method pam_method_postlogin = {
	.name = "postlogin",
	.description = "a line in " POSTLOGIN,
	.applies = postlogin_applies,
	.enabled = postlogin_enabled,
	.plan = postlogin_plan,
	.enable = postlogin_enable,
	.disable = postlogin_disable,
};

/* ---- the services' own files ---- */

/* A service with the vendor's file gets one in /etc that includes it, so that the vendor's changes
 * take effect. */
static bool make_override(const char *vendor, struct strbuf *out)
{
	static const char *const types[] = {"auth", "account", "password", "session"};

	out->max = 4096;
	strbuf_addf(out, "#%%PAM-1.0\n# written by `cloudinvite pam enable`, removed by "
			 "`cloudinvite pam disable`\n");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		strbuf_addf(out, "%-8s include %s\n", types[i], vendor);
	return strbuf_add(out, PAM_LINE "\n");
}

struct place {
	char etc[PATH_MAX];
	char vendor[PATH_MAX]; /* "": none */
};

static bool find_place(const char *service, struct place *place)
{
	char found[PATH_MAX];

	*place = (struct place){.etc = ""};
	if (!str_format(place->etc, sizeof(place->etc), "/etc/pam.d/%s", service))
		return false;
	if (str_format(place->vendor, sizeof(place->vendor), "/usr/lib/pam.d/%s", service) &&
		access(place->vendor, F_OK) == 0)
		return true;
	if (str_format(place->vendor, sizeof(place->vendor), "/usr/etc/pam.d/%s", service) &&
		access(place->vendor, F_OK) == 0)
		return true;
	place->vendor[0] = '\0';
	return pam_find("", service, found, sizeof(found));
}

static bool is_override(const struct place *place)
{
	const struct file_rules rules = {.max_size = 4096, .trusted = true, .missing_ok = true};
	struct strbuf is = {.max = 4097}, ours = {.data = NULL};
	bool same = place->vendor[0] && make_override(place->vendor, &ours) &&
		    file_read(place->etc, &rules, &is, FAULT_STORAGE, NULL) && is.data &&
		    strcmp(is.data, ours.data) == 0;

	strbuf_free(&is);
	strbuf_free(&ours);
	return same;
}

static bool add_to(const struct place *place, struct fault *fault)
{
	struct strbuf text = {.data = NULL};
	bool good;

	if (access(place->etc, F_OK) == 0)
		return pam_edit_file(place->etc, pam_edit_add, fault);
	good = make_override(place->vendor, &text) &&
	       file_replace(place->etc, text.data, text.len, 0644) == 0;
	strbuf_free(&text);
	return good || fault_set(fault, FAULT_STORAGE, "pam_write", "%s: cannot be written: %s",
			       place->etc, strerror(errno));
}

static bool remove_from(const struct place *place, struct fault *fault)
{
	if (!is_override(place))
		return pam_edit_file(place->etc, pam_edit_remove, fault);
	return unlink(place->etc) == 0 ||
	       fault_set(fault, FAULT_STORAGE, "pam_write", "%s: cannot be removed: %s", place->etc,
		       strerror(errno));
}

static bool is_ours(const struct place *place)
{
	return is_override(place) || pam_edit_is_in(place->etc);
}

/* A file before its change. */
struct saved {
	char path[PATH_MAX];
	bool existed;
	mode_t mode;
	struct strbuf text;
};

#define SAVED_MAX 128

struct undo {
	struct saved *files; /* SAVED_MAX */
	size_t count;
};

static bool save(struct undo *undo, const char *path, struct fault *fault)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true, .missing_ok = true};
	struct saved *saved = &undo->files[undo->count];
	struct stat st;

	if (undo->count == SAVED_MAX)
		return fault_set(fault, FAULT_STORAGE, "pam_services",
			"/etc/pam.d has more than %d login services", SAVED_MAX);
	*saved = (struct saved){.text.max = FILE_MAX + 1};
	if (!realpath(path, saved->path))
		str_copy(saved->path, sizeof(saved->path), path);
	saved->existed = stat(path, &st) == 0;
	saved->mode = saved->existed ? st.st_mode & 07777 : 0;
	undo->count++;
	return file_read(path, &rules, &saved->text, FAULT_STORAGE, fault);
}

/* All files, or none: with half of them the other services would look as if they had no logins. */
static void undo_all(const struct undo *undo)
{
	for (size_t i = 0; i < undo->count; i++) {
		const struct saved *saved = &undo->files[i];

		if (saved->existed)
			(void)file_replace(saved->path, saved->text.data ? saved->text.data : "",
				saved->text.len, saved->mode);
		else
			(void)unlink(saved->path);
	}
}

static void undo_free(struct undo *undo)
{
	for (size_t i = 0; i < undo->count; i++)
		strbuf_free(&undo->files[i].text);
	free(undo->files);
}

struct walk {
	bool enable;
	bool act;  /* false: only `shown` is filled in */
	bool test; /* only whether each file can be written */
	struct undo undo;
	struct strbuf *shown;
	struct fault *fault;
	int places;
};

static bool on_service(const struct pam_service *service, void *ctx)
{
	struct walk *w = ctx;
	struct place place;

	if (!find_place(service->name, &place))
		return true;
	if (w->enable ? !service->login || service->presence != PAM_ABSENT : !is_ours(&place))
		return true;
	w->places++;
	if (w->test)
		return pam_edit_can_write(place.etc, w->fault);
	if (w->act && !save(&w->undo, place.etc, w->fault))
		return false;
	if (w->act)
		return w->enable ? add_to(&place, w->fault) : remove_from(&place, w->fault);
	if (w->enable && access(place.etc, F_OK) != 0)
		strbuf_addf(
			w->shown, "%s: + a new file that includes %s\n", place.etc, place.vendor);
	return strbuf_addf(w->shown, "%s: %c " PAM_LINE "\n", place.etc, w->enable ? '+' : '-');
}

static bool walk(struct walk *w)
{
	const struct pam_site site = {.root = "", .module = ""};

	return pam_each_service(&site, on_service, w, w->fault);
}

static bool services_apply(void)
{
	return true;
}

/* Whether the module is on: it sees logins, and no line is left to be added. */
static bool services_enabled(void)
{
	struct strbuf shown = {.data = NULL};
	struct walk absent = {.enable = true, .shown = &shown};
	bool all = walk(&absent) && absent.places == 0;

	strbuf_free(&shown);
	return all && (pam_is_enabled("sshd") || pam_is_enabled("login"));
}

static bool services_plan(bool enable, struct strbuf *out, struct fault *fault)
{
	struct walk w = {.enable = enable, .shown = out, .fault = fault};

	if (!walk(&w))
		return false;
	if (w.places > 0 || !enable)
		return true;
	fault_set(fault, FAULT_SETTINGS, "pam_no_service",
		"no login service was found in /etc/pam.d");
	return fault_remedy(fault, "Add the line to your service's file: " PAM_LINE);
}

static bool change_services(bool enable, struct fault *fault)
{
	struct walk test = {.enable = enable, .test = true, .fault = fault};
	struct walk w = {.enable = enable, .act = true, .fault = fault};
	bool good;

	w.undo.files = calloc(SAVED_MAX, sizeof(*w.undo.files));
	if (!w.undo.files)
		return fault_no_memory(fault, FAULT_STORAGE);
	good = walk(&test) && walk(&w);
	if (!good)
		undo_all(&w.undo);
	undo_free(&w.undo);
	return good;
}

static bool services_enable(struct fault *fault)
{
	return change_services(true, fault);
}

static bool services_disable(struct fault *fault)
{
	return change_services(false, fault);
}

const struct pam_method pam_method_services = {
	.name = "services",
	.description = "a line in the file of each login service",
	.applies = services_apply,
	.enabled = services_enabled,
	.plan = services_plan,
	.enable = services_enable,
	.disable = services_disable,
};
