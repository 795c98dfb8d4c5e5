/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes a path root's own: every directory on the way and the file itself, because a directory
 * that another account can write decides what the path leads to.
 */
#include "base/environment.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/str.h"

#define GROUPS_MAX 256

static const char *const homes[] = {"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME",
	"XDG_STATE_HOME", "XDG_RUNTIME_DIR"};

/* Variables that systemd and shells set. No library searches these paths for configuration. */
static const char *const kept[] = {"NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY", "PATH", "PWD",
	"OLDPWD", "TMPDIR", "SQLITE_TMPDIR"};

static bool is_our_group(gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	int count = getgroups(GROUPS_MAX, groups);

	if (gid == getegid() || count < 0)
		return true;
	for (int i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* 1: only root decides what is there. 0: another account may. -1: it does not exist. */
static int look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)))
		return -1;
	return st.st_uid == 0 && !(st.st_mode & S_IWOTH) &&
	       (!(st.st_mode & S_IWGRP) || !is_our_group(st.st_gid));
}

/* Checks from the root directory down, so that each part is looked up in a directory of root's. */
static bool is_roots_way(const char *path)
{
	char part[PATH_MAX];
	int found = look_at("/");

	if (!str_copy(part, sizeof(part), path))
		return false;
	for (char *end = part; found == 1 && *end; end++) {
		char next = end[1];

		if (next != '/' && next != '\0')
			continue;
		end[1] = '\0';
		found = look_at(part);
		end[1] = next;
	}
	return found != 0;
}

static bool is_roots_path(const char *path)
{
	char *target = realpath(path, NULL);
	bool good = is_roots_way(path) && (!target || is_roots_way(target));

	free(target);
	return good;
}

bool environment_is_roots(const char *value)
{
	char *copy = strdup(value), *rest = NULL;
	bool good = copy;

	for (char *s = good ? strtok_r(copy, ":", &rest) : NULL; s && good;
		s = strtok_r(NULL, ":", &rest))
		good = s[0] != '/' || is_roots_path(s);
	free(copy);
	return good;
}

static bool is_kept(const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (strcmp(name, kept[i]) == 0)
			return true;
	return environment_is_roots(value);
}

/* True if the variable was removed; the next one has taken its place in environ. */
static bool is_removed(const char *variable)
{
	const char *value = strchr(variable, '=');
	char *name = value ? strndup(variable, (size_t)(value - variable)) : NULL;
	bool gone = false;

	if (name && !is_kept(name, value + 1)) {
		log_event(LOG_LEVEL_INFO, "environment",
			"%s is ignored: users other than root can write the file that it names",
			name);
		gone = unsetenv(name) == 0;
	}
	free(name);
	return gone;
}

void environment_close(void)
{
	size_t i = 0;

	for (size_t h = 0; h < ARRAY_SIZE(homes); h++)
		(void)setenv(homes[h], ENVIRONMENT_NO_HOME, 1);
	while (environ[i])
		if (!is_removed(environ[i]))
			i++;
}
