/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches passwd and group by inotify. Both are replaced by rename, so their directories are
 * watched and the events are filtered by name.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "worker/collector/collector.h"

#define FILE_EVENTS (IN_MOVED_TO | IN_CLOSE_WRITE)

static int add(
	const struct fs_watch *w, const char *directory, uint32_t events, struct fault *fault)
{
	/* IN_MASK_ADD: passwd and group may be in the same directory. */
	int got = inotify_add_watch(w->fd, directory, events | IN_ONLYDIR | IN_MASK_ADD);

	if (got < 0) {
		fault_set(fault, FAULT_STORAGE, "inotify", "%s: cannot watch for changes: %s",
			directory, strerror(errno));
		if (errno == ENOSPC || errno == EMFILE)
			fault_remedy(
				fault, "Raise fs.inotify.max_user_watches or max_user_instances.");
	}
	return got;
}

static int add_parent(
	const struct fs_watch *w, const char *file, const char **name, struct fault *fault)
{
	const char *slash = strrchr(file, '/');
	char directory[PATH_MAX];

	*name = slash ? slash + 1 : file;
	if (!slash || !str_format(directory, sizeof(directory), "%.*s",
			      slash == file ? 1 : (int)(slash - file), file)) {
		fault_set(fault, FAULT_SETTINGS, "path", "%s: is not an absolute path", file);
		return -1;
	}
	return add(w, directory, FILE_EVENTS, fault);
}

bool fs_watch_open(struct fs_watch *w, const struct settings *settings, struct fault *fault)
{
	*w = (struct fs_watch){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
	if (w->fd < 0) {
		fault_set(fault, FAULT_STORAGE, "inotify", "inotify: %s", strerror(errno));
		return fault_remedy(fault, "Raise fs.inotify.max_user_instances.");
	}
	w->passwd = add_parent(w, settings->passwd, &w->passwd_name, fault);
	w->group = w->passwd < 0 ? -1 : add_parent(w, settings->group, &w->group_name, fault);
	if (w->group >= 0)
		return true;
	fs_watch_close(w);
	return false;
}

static bool is_of(const struct inotify_event *e, int watch, const char *name)
{
	return e->wd == watch && e->len > 0 && strcmp(e->name, name) == 0;
}

bool fs_watch_read(struct fs_watch *w)
{
	char events[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool changed = false;
	ssize_t n;

	while ((n = read(w->fd, events, sizeof(events))) > 0) {
		for (const char *at = events; at < events + n;) {
			const struct inotify_event *e = (const void *)at;

			/* An overflow has lost events, so anything may have changed. */
			changed = changed || (e->mask & IN_Q_OVERFLOW) ||
				  is_of(e, w->passwd, w->passwd_name) ||
				  is_of(e, w->group, w->group_name);
			at += sizeof(*e) + e->len;
		}
	}
	return changed;
}

void fs_watch_close(struct fs_watch *w)
{
	file_close(&w->fd);
}
