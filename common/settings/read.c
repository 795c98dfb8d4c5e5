/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files are read, and whether they can be trusted: cloudinvite.conf, then conf.d/ beside it.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "settings/key.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define FILE_MAX ((size_t)1024 * 1024)

/* The name lives as long as the settings, because their origins point to it. */
static const char *keep_name(struct loaded *l, const char *file)
{
	char **files = reallocarray(l->files, l->file_count + 1, sizeof(*files));

	if (!files)
		return NULL;
	l->files = files;
	files[l->file_count] = strdup(file);
	return files[l->file_count] ? files[l->file_count++] : NULL;
}

/* Only root and the accounts may read settings and map (--prepare): they say who is invited. */
static void say_closed(struct fault *fault, const char *file)
{
	fault_set(fault, FAULT_SETTINGS, "settings_closed",
		"%s: only root and the accounts of cloudinvite may read it", file);
	fault_remedy(fault,
		"Run the command as root: sudo cloudinvite … If a service reports this: "
		"chgrp cloudinvite-ledger %s && chmod 0640 %s",
		file, file);
}

static bool error_memory(const char *file, struct diagnostics *found)
{
	struct fault fault = {.kind = FAULT_NONE};

	fault_set(&fault, FAULT_STORAGE, "memory", "%s: out of memory", file);
	diagnose(found, &fault, true);
	return false;
}

static bool read_file(struct loaded *l, struct diagnostics *found, const char *file)
{
	/* A user who can write the settings can have mail sent and files read by root.
	 * Configuration management may install them as links into its own tree. */
	const struct file_rules rules = {.max_size = FILE_MAX, .trusted = true, .follow = true};
	struct strbuf text = {.max = FILE_MAX};
	struct fault fault = {.kind = FAULT_NONE};
	const char *name = keep_name(l, file);
	bool read = false;

	if (!name)
		return error_memory(file, found);
	if (access(file, F_OK) != 0 && errno == ENOENT) {
		fault_set(&fault, FAULT_SETTINGS, "settings_missing", "%s does not exist", file);
		fault_remedy(&fault,
			"Run `cloudinvite setup`, or copy the sample "
			"/usr/share/doc/cloudinvite/cloudinvite.conf there and set customer, "
			"subject, address and domains. To use another file: -c FILE.");
	} else if (file_read(file, &rules, &text, FAULT_SETTINGS, &fault)) {
		settings_parse(l, found, name, &text);
		read = true;
	} else if (access(file, R_OK) != 0 && errno == EACCES) {
		say_closed(&fault, file);
	}
	if (!read)
		diagnose(found, &fault, true);
	strbuf_free(&text);
	return read;
}

static int is_setting_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_ends(entry->d_name, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* A user who can write the directory can add settings. */
static bool directory_is_trusted(const char *dir, struct diagnostics *found)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct stat st;

	if (stat(dir, &st) != 0)
		return false;
	const mode_t others = S_IWOTH | (st.st_gid != 0 ? S_IWGRP : 0);
	if ((st.st_uid == 0 || st.st_uid == geteuid()) && (st.st_mode & others) == 0)
		return true;
	fault_set(&fault, FAULT_SETTINGS, "settings_writable",
		"%s can be written by users other than root", dir);
	fault_remedy(&fault, "chown root: %s && chmod 0755 %s", dir, dir);
	diagnose(found, &fault, true);
	return false;
}

static void read_drop_ins(struct loaded *l, struct diagnostics *found)
{
	const char *slash = strrchr(l->path, '/');
	struct dirent **entries = NULL;
	char dir[4096], file[4096];
	int count;

	if (!str_format(dir, sizeof(dir), "%.*sconf.d", slash ? (int)(slash + 1 - l->path) : 0,
		    l->path))
		return;
	count = scandir(dir, &entries, is_setting_file, by_name);
	if (count < 0 && errno != ENOENT && errno != ENOTDIR) {
		struct fault fault = {.kind = FAULT_NONE};

		fault_set(&fault, FAULT_SETTINGS, "settings_directory", "%s: %s", dir,
			strerror(errno));
		fault_remedy(&fault, "Make it readable: chmod 0755 %s", dir);
		diagnose(found, &fault, true);
	}
	bool trusted = count > 0 && directory_is_trusted(dir, found);
	for (int i = 0; i < count; i++) {
		if (trusted && str_format(file, sizeof(file), "%s/%s", dir, entries[i]->d_name))
			read_file(l, found, file);
		free(entries[i]);
	}
	free(entries);
}

static bool read_text(struct loaded *l, const struct strbuf *text, struct diagnostics *found)
{
	const char *name = keep_name(l, l->path);

	if (!name)
		return error_memory(l->path, found);
	settings_parse(l, found, name, text);
	return true;
}

bool settings_read(struct loaded *l, const struct strbuf *text, struct diagnostics *found)
{
	if (!(text ? read_text(l, text, found) : read_file(l, found, l->path)))
		return false;
	read_drop_ins(l, found);
	return true;
}
