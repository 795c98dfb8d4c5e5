/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the accounts that the programs run as. The units isolate a program. Code outside of the
 * isolation that acts for its account (a user manager, sshd, cron, a library that reads a home)
 * must find nothing that the account could have written, and must not let it log in.
 *
 * As root it reads only names in directories of root's; a home is read as its account.
 */
#include "cli/doctor/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/run_as.h"

#define ACCOUNTS_MAX   4
#define DOT_FILES_SIZE 256

struct login {
	const char *user; /* as named in the settings */
	uid_t uid;
	gid_t gid;
	char home[PATH_MAX], shell[256];
	char dot_files[DOT_FILES_SIZE]; /* names in the home, separated by commas; "" */
	int told;			/* the pipe on which the child reports the names */
};

/* The accounts that programs and commands run as. */
static size_t list_users(const struct settings *s, const char *users[ACCOUNTS_MAX])
{
	static const enum local_account all[] = {
		ACCOUNT_COLLECTOR, ACCOUNT_DISPATCHER, ACCOUNT_LEDGER};
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const char *user = settings_account(s, all[i]);
		size_t k = 0;

		while (k < count && strcmp(users[k], user) != 0)
			k++;
		if (k == count)
			users[count++] = user;
	}
	return count;
}

static bool find(struct login *login)
{
	struct passwd_reader r = {.file = NULL};
	bool found = false;

	while (!found && passwd_next(&r))
		found = strcmp(r.entry.pw_name, login->user) == 0;
	if (found) {
		login->uid = r.entry.pw_uid;
		login->gid = r.entry.pw_gid;
		found = str_copy(login->home, sizeof(login->home), r.entry.pw_dir) &&
			str_copy(login->shell, sizeof(login->shell), r.entry.pw_shell);
	}
	passwd_close(&r);
	return found;
}

/* ---- the home ---- */

static bool is_writable(const struct login *l)
{
	struct stat st;

	return stat(l->home, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (st.st_uid == l->uid || (st.st_mode & S_IWOTH) ||
		       (st.st_gid == l->gid && (st.st_mode & S_IWGRP)));
}

/* Runs as the account. */
static int name_dot_files(void *ctx)
{
	const struct login *l = ctx;
	DIR *dir = opendir(l->home);
	char names[DOT_FILES_SIZE] = "";
	struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0 &&
			n + strlen(entry->d_name) + 3 < sizeof(names)) {
			str_format(
				names + n, sizeof(names) - n, "%s%s", n ? ", " : "", entry->d_name);
			n = strlen(names);
		}
	if (dir)
		(void)closedir(dir);
	return write(l->told, names, n) == (ssize_t)n ? 0 : 1;
}

static void find_dot_files(struct login *l)
{
	int ends[2];
	ssize_t n;

	if (pipe(ends) != 0)
		return;
	l->told = ends[1];
	(void)run_as_user(l->user, name_dot_files, l);
	(void)close(ends[1]);
	n = read(ends[0], l->dot_files, sizeof(l->dot_files) - 1);
	l->dot_files[n > 0 ? n : 0] = '\0';
	(void)close(ends[0]);
}

static void find_fault(struct doctor *d, const char *code, const char *remedy, const char *what)
{
	struct fault fault = {.kind = FAULT_NONE};

	fault_set(&fault, FAULT_STORAGE, code, "%s", what);
	fault_remedy(&fault, "%s", remedy);
	doctor_bad(d, &fault);
}

static void inspect_home(struct doctor *d, struct login *l)
{
	char what[512], remedy[320];

	if (!is_writable(l))
		return;
	find_dot_files(l);
	str_format(what, sizeof(what),
		"%s can write to its home directory %s, where other programs look for "
		"configuration, keys and units%s%s",
		l->user, l->home, l->dot_files[0] ? "; it contains " : "", l->dot_files);
	str_format(remedy, sizeof(remedy), "Stop the services, then: usermod --home / %s%s",
		l->user,
		l->dot_files[0] ? ". Find out who created these files, and remove them." : "");
	find_fault(d, "account_home", remedy, what);
}

/* ---- logging in ---- */

static bool find_shadow(const char *user, struct spwd *entry, char *buffer, size_t size)
{
	FILE *file = fopen("/etc/shadow", "re");
	struct spwd *found = NULL;

	while (file && fgetspent_r(file, entry, buffer, size, &found) == 0)
		if (strcmp(entry->sp_namp, user) == 0)
			break;
	if (file)
		(void)fclose(file);
	return found && strcmp(found->sp_namp, user) == 0;
}

static bool has_shell(const struct login *l)
{
	const char *name = strrchr(l->shell, '/');

	name = name ? name + 1 : l->shell;
	return strcmp(name, "nologin") != 0 && strcmp(name, "false") != 0;
}

static void check_login(struct doctor *d, const struct login *l)
{
	char buffer[8192], what[512], remedy[320];
	struct spwd shadow;
	bool password;

	if (!find_shadow(l->user, &shadow, buffer, sizeof(buffer))) {
		doctor_skip(d, "skipped: cannot tell from /etc/shadow whether %s could log in: %s",
			l->user,
			errno == EACCES ? "only root can read it" : "it has no entry there");
		return;
	}
	if (shadow.sp_expire >= 0 && shadow.sp_expire <= (long)(time(NULL) / 86400))
		return;
	password = shadow.sp_pwdp[0] != '!' && shadow.sp_pwdp[0] != '*';
	str_format(what, sizeof(what), "%s %s%s%s%s", l->user,
		password || has_shell(l) ? "could log in"
					 : "is not expired: sshd and cron would accept it",
		password ? ": it has a password" : "",
		!has_shell(l) ? ""
		: password    ? ", and the shell "
			      : ": its shell is ",
		has_shell(l) ? l->shell : "");
	str_format(remedy, sizeof(remedy),
		"usermod --lock --expiredate 1 --shell /usr/sbin/nologin %s", l->user);
	if (password || has_shell(l))
		find_fault(d, "account_login", remedy, what);
	else
		doctor_note(d, "account_not_expired", remedy, "%s", what);
}

/* ---- programs that act for the account ---- */

/* Files that make another program run something for an account. The remedies name it. */
static const struct actor {
	const char *directory;
	bool by_uid; /* the file's name is the account's uid */
	const char *code, *what, *command;
} actors[] = {
	{"/var/lib/systemd/linger", false, "account_linger",
		"gets a systemd user manager at every boot, outside the sandbox of the services",
		"loginctl disable-linger"},
	{"/run/systemd/users", true, "account_manager",
		"is logged in or has a systemd user manager, outside the sandbox of the services",
		"loginctl terminate-user"},
	{"/var/spool/cron/crontabs", false, "account_crontab",
		"has a crontab, which runs outside the sandbox of the services", "crontab -r -u"},
	{"/var/spool/cron", false, "account_crontab",
		"has a crontab, which runs outside the sandbox of the services", "crontab -r -u"},
};

static void check_actor(struct doctor *d, const struct login *l, const struct actor *a)
{
	char path[PATH_MAX], what[512], remedy[320];
	struct stat st;

	if (a->by_uid)
		str_format(path, sizeof(path), "%s/%u", a->directory, (unsigned)l->uid);
	else
		str_format(path, sizeof(path), "%s/%s", a->directory, l->user);
	if (lstat(path, &st) != 0)
		return;
	str_format(what, sizeof(what), "%s %s (%s)", l->user, a->what, path);
	str_format(remedy, sizeof(remedy),
		"cloudinvite does not need this. Find out what it ran (journalctl _UID=%u), then: "
		"%s %s",
		(unsigned)l->uid, a->command, l->user);
	find_fault(d, a->code, remedy, what);
}

/* ---- everything ---- */

static void check_account(struct doctor *d, const char *user)
{
	struct login login = {.user = user};

	if (strcmp(user, "root") == 0) {
		doctor_skip(d, "skipped: the programs run as root");
		return;
	}
	if (!find(&login)) {
		doctor_skip(d, "skipped: the account '%s' does not exist yet", user);
		return;
	}
	inspect_home(d, &login);
	check_login(d, &login);
	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		check_actor(d, &login, &actors[i]);
}

void doctor_isolation(struct doctor *d)
{
	const char *users[ACCOUNTS_MAX];
	int before = d->count[HEALTH_BAD] + d->count[HEALTH_NOTE] + d->count[HEALTH_SKIPPED];
	size_t count;

	if (!d->settings) {
		doctor_skip(d, "skipped: needs valid settings");
		return;
	}
	count = list_users(d->settings, users);
	for (size_t i = 0; i < count; i++)
		check_account(d, users[i]);
	if (d->count[HEALTH_BAD] + d->count[HEALTH_NOTE] + d->count[HEALTH_SKIPPED] != before)
		return;
	for (size_t i = 0; i < count; i++)
		doctor_ok(d,
			"%s cannot log in, has no home directory of its own, and runs nothing else",
			users[i]);
}
