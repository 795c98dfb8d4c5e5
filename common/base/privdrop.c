/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The change of user, which cannot be undone afterwards, and what is read about users from
 * /etc/passwd and the audit system. NSS is not used.
 */
#include "base/privdrop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/str.h"

#define PASSWD	   "/etc/passwd"
#define NOBODY_SET ((unsigned)-1) /* the kernel's value for "no login uid" */

/* No line is longer than the file, so the buffer never has to grow. */
static bool passwd_open(struct passwd_reader *r)
{
	struct stat st;

	r->file = fopen(PASSWD, "re");
	if (!r->file || fstat(fileno(r->file), &st) != 0)
		return false;
	r->size = (size_t)st.st_size + 1024;
	r->buffer = malloc(r->size);
	return r->buffer;
}

bool passwd_next(struct passwd_reader *r)
{
	struct passwd entry, *found = NULL;

	if (!r->file && !passwd_open(r))
		return false;
	if (!r->buffer || fgetpwent_r(r->file, &entry, r->buffer, r->size, &found) != 0)
		return false;
	r->entry = entry;
	return true;
}

void passwd_close(struct passwd_reader *r)
{
	if (r->file)
		(void)fclose(r->file);
	free(r->buffer);
	*r = (struct passwd_reader){.file = NULL};
}

bool passwd_find(const char *user, uid_t *uid, gid_t *gid, struct fault *fault)
{
	struct passwd_reader r = {.file = NULL};
	bool found = false;

	if (access(PASSWD, R_OK) != 0)
		return fault_set(fault, FAULT_STORAGE, "passwd", PASSWD ": %s", strerror(errno));
	while (!found && passwd_next(&r))
		found = strcmp(r.entry.pw_name, user) == 0;
	if (found) {
		*uid = r.entry.pw_uid;
		*gid = r.entry.pw_gid;
	}
	passwd_close(&r);
	if (found)
		return true;
	fault_set(
		fault, FAULT_SETTINGS, "no_such_user", "there is no account '%s' in " PASSWD, user);
	return fault_remedy(
		fault, "Create it with systemd-sysusers, or useradd --system %s.", user);
}

void disable_tracing(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Whether the program was started as the service's account, by its unit or by hand. */
static bool runs_as(const char *user)
{
	struct fault ignored;
	uid_t uid = 0;
	gid_t gid = 0;

	return geteuid() != 0 && passwd_find(user, &uid, &gid, &ignored) && uid == geteuid();
}

static bool find_other_than_root(const char *user, uid_t *uid, gid_t *gid, struct fault *fault)
{
	if (!passwd_find(user, uid, gid, fault))
		return false;
	if (*uid != 0 && *gid != 0)
		return true;
	fault_set(fault, FAULT_SETTINGS, "user_is_root", "the account '%s' has root's rights%s",
		user, *uid != 0 ? " (its group is root's)" : "");
	return fault_remedy(fault, "Use an account that has no other purpose.");
}

/* The account's own group and, if there is one, the ledger's; nothing else. */
static bool set_ids(uid_t uid, const gid_t groups[2], size_t count)
{
	return setgroups(count, groups) == 0 && setresgid(groups[0], groups[0], groups[0]) == 0 &&
	       setresuid(uid, uid, uid) == 0;
}

bool drop_privileges(const char *user, const char *with, struct fault *fault)
{
	uid_t uid = 0, other = 0;
	gid_t groups[2] = {0, 0};

	(void)umask(with ? 007 : 077);
	disable_tracing();
	if (runs_as(user))
		environment_close();
	if (geteuid() != 0 || strcmp(user, "root") == 0)
		return true;
	if (!find_other_than_root(user, &uid, &groups[0], fault) ||
		(with && !find_other_than_root(with, &other, &groups[1], fault)))
		return false;
	if (!set_ids(uid, groups, with ? 2 : 1)) {
		fault_set(fault, FAULT_STORAGE, "cannot_become", "cannot switch to user '%s': %s",
			user, strerror(errno));
		return fault_remedy(fault,
			"Root needs CAP_SETUID and CAP_SETGID for that: a container must not drop "
			"them (cap_drop). Or start the command as %s.",
			user);
	}
	/* The process must not be able to become root again, not even by a setuid program. */
	if (setuid(0) == 0 || geteuid() != uid || getegid() != groups[0] ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fault_set(fault, FAULT_STORAGE, "cannot_become",
			"cannot drop privileges for good: user '%s' could become root again", user);
	/* Again: the change of uid may have restored the system's default. */
	disable_tracing();
	environment_close();
	return true;
}

bool drop_capabilities(struct fault *fault)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	(void)umask(077);
	disable_tracing();
	/* Dropping from the bounding set needs CAP_SETPCAP; without it there is nothing to give
	 * up. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
		syscall(SYS_capset, &header, none) == 0 &&
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return true;
	return fault_set(fault, FAULT_STORAGE, "capabilities", "cannot drop capabilities: %s",
		strerror(errno));
}

/* The login uid (audit), or the real uid if none is set. */
static uid_t login_uid(void)
{
	FILE *file = fopen("/proc/self/loginuid", "re");
	char line[32] = "";
	long long number = NOBODY_SET;

	if (file) {
		if (fgets(line, sizeof(line), file))
			line[strcspn(line, "\n")] = '\0';
		(void)fclose(file);
	}
	if (!str_number(line, 0, NOBODY_SET, &number) || number == NOBODY_SET)
		return getuid();
	return (uid_t)number;
}

/* The name in the passwd file; "uid N" if there is none. */
static void user_name(uid_t uid, char *out, size_t size)
{
	struct passwd_reader r = {.file = NULL};
	bool found = false;

	str_format(out, size, "uid %u", (unsigned)uid);
	while (!found && passwd_next(&r)) {
		found = r.entry.pw_uid == uid;
		if (found)
			str_safe(out, size, r.entry.pw_name);
	}
	passwd_close(&r);
}

static bool plausible_name(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > 32 || s[0] == '-')
		return false;
	for (; *s; s++)
		if (!ascii_is_alnum(*s) && !strchr("._-", *s))
			return false;
	return true;
}

void audit_actor(char *out, size_t size)
{
	const char *sudo_user = getuid() == 0 ? secure_getenv("SUDO_USER") : NULL;
	uid_t login = login_uid();
	char name[64];

	user_name(login, name, sizeof(name));
	if (login != getuid())
		str_format(out, size, "%s (as %s)", name, getuid() == 0 ? "root" : "another user");
	else if (sudo_user && plausible_name(sudo_user))
		str_format(out, size, "%s (sudo)", sudo_user);
	else
		str_copy(out, size, name);
}

void local_hostname(char *out, size_t size)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
		str_copy(name, sizeof(name), "localhost");
	str_lower(name);
	str_safe(out, size, name);
}
