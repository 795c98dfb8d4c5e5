/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of what a login runs: the module's file, the PAM stacks that name it, and the hook of
 * useradd. All of it is root's, and is read as root.
 */
#include "cli/doctor/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/str.h"

#define MODULE_PATH CLOUDINVITE_SECUREDIR "/pam_cloudinvite.so"
#define HOOK_NAME   "cloudinvite"

static const char *const hook_dirs[] = {
	"/etc/shadow-maint/useradd-post.d", "/etc/shadow-maint/userdel-post.d"};

/* Only root may be able to write what root runs. */
static bool is_roots_alone(struct doctor *d, const char *path, const struct stat *st)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (S_ISREG(st->st_mode) && st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH)))
		return true;
	fault_set(&fault, FAULT_NONE, "not_roots",
		"%s: users other than root can write it (owner %u, mode %04o)", path,
		(unsigned)st->st_uid, (unsigned)(st->st_mode & 07777));
	fault_remedy(&fault, "Reinstall the package, and find out who changed the file.");
	doctor_bad(d, &fault);
	return false;
}

/* ---- module ---- */

void doctor_module(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct stat st;

	if (d->settings && d->settings->role == ROLE_HUB) {
		doctor_skip(d, "skipped: this host runs only the dispatcher");
	} else if (lstat(MODULE_PATH, &st) != 0) {
		fault_set(
			&fault, FAULT_NONE, "module_missing", MODULE_PATH ": %s", strerror(errno));
		fault_remedy(&fault, "Install the package libpam-cloudinvite, or `make install`.");
		doctor_bad(d, &fault);
	} else if (is_roots_alone(d, MODULE_PATH, &st)) {
		doctor_ok(d, MODULE_PATH);
	}
}

/* ---- hook ---- */

/* The path of our file in a directory of hooks; false if there is none. */
static bool find_hook(const char *directory, char *path, size_t size)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = strstr(entry->d_name, HOOK_NAME) &&
			str_format(path, size, "%s/%s", directory, entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

static bool check_hook(struct doctor *d, const char *path)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	if (!is_roots_alone(d, path, &st))
		return true;
	if (st.st_mode & S_IXUSR) {
		doctor_ok(d, "%s", path);
		return true;
	}
	fault_set(&fault, FAULT_NONE, "hook_not_executable", "%s: is not executable", path);
	fault_remedy(&fault, "chmod 755 %s", path);
	doctor_bad(d, &fault);
	return true;
}

void doctor_hook(struct doctor *d)
{
	char path[512];
	int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(hook_dirs); i++)
		found += find_hook(hook_dirs[i], path, sizeof(path)) && check_hook(d, path);
	if (found == 0)
		doctor_skip(d, "not installed: new accounts are found in /etc/passwd anyway");
}
