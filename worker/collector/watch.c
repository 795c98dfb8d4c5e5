/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "worker/collector/collector.h"

/* passwd and group are replaced by rename, so their directories are watched, for their names. */
#define FILE_EVENTS (IN_MOVED_TO | IN_CLOSE_WRITE)
#define BOX_EVENTS  (IN_CREATE | IN_MOVED_TO)
/* A directory that is held open does not tell that it was deleted: the one above it does. */
#define SPOOL_EVENTS (IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF)

static int add(const struct watch *w, const char *directory, uint32_t events, struct fault *fault)
{
	/* IN_MASK_ADD: spool and passwd may lie in one directory. */
	int got = inotify_add_watch(w->fd, directory, events | IN_ONLYDIR | IN_MASK_ADD);

	if (got < 0) {
		fault_set(fault, FAULT_STORAGE, "inotify", "%s: cannot be watched: %s", directory,
			strerror(errno));
		if (errno == ENOSPC || errno == EMFILE)
			fault_remedy(
				fault, "Raise fs.inotify.max_user_watches or max_user_instances.");
	}
	return got;
}

static int add_parent(
	const struct watch *w, const char *file, const char **name, struct fault *fault)
{
	const char *slash = strrchr(file, '/');
	char directory[PATH_MAX];

	*name = slash ? slash + 1 : file;
	if (!slash || !text_format(directory, sizeof(directory), "%.*s",
			      slash == file ? 1 : (int)(slash - file), file)) {
		fault_set(fault, FAULT_SETTINGS, "path", "%s: is no whole path", file);
		return -1;
	}
	return add(w, directory, FILE_EVENTS, fault);
}

bool watch_open(struct watch *w, const struct settings *settings, struct fault *fault)
{
	char box[PATH_MAX];

	*w = (struct watch){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
	if (w->fd < 0) {
		fault_set(fault, FAULT_STORAGE, "inotify", "inotify: %s", strerror(errno));
		return fault_remedy(fault, "Raise fs.inotify.max_user_instances.");
	}
	if (!text_format(box, sizeof(box), "%s/" SPOOL_NEW, settings->spool))
		w->box = fault_set(fault, FAULT_SETTINGS, "path", "[storage] spool: too long") - 1;
	else
		w->box = add(w, box, BOX_EVENTS, fault);
	w->spool = w->box < 0 ? -1 : add(w, settings->spool, SPOOL_EVENTS, fault);
	w->passwd = w->spool < 0 ? -1 : add_parent(w, settings->passwd, &w->passwd_name, fault);
	w->group = w->passwd < 0 ? -1 : add_parent(w, settings->group, &w->group_name, fault);
	if (w->group >= 0)
		return true;
	watch_close(w);
	return false;
}

static bool is_of(const struct inotify_event *e, int watch, const char *name)
{
	return e->wd == watch && e->len > 0 && strcmp(e->name, name) == 0;
}

static bool is_loss(const struct watch *w, const struct inotify_event *e)
{
	if (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
		return e->wd == w->spool || e->wd == w->box;
	return (e->mask & (IN_DELETE | IN_MOVED_FROM)) && is_of(e, w->spool, SPOOL_NEW);
}

static void take(const struct watch *w, const struct inotify_event *e, struct watched *seen)
{
	/* An overflow has lost events: then anything may have happened. */
	if (e->mask & IN_Q_OVERFLOW)
		seen->arrived = seen->changed = true;
	else if (is_loss(w, e))
		seen->lost = true;
	else if (is_of(e, w->passwd, w->passwd_name) || is_of(e, w->group, w->group_name))
		seen->changed = true;
	else if (e->wd == w->box && (e->mask & (IN_CREATE | IN_MOVED_TO)))
		seen->arrived = true;
}

void watch_read(struct watch *w, struct watched *seen)
{
	char events[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while ((n = read(w->fd, events, sizeof(events))) > 0) {
		for (const char *at = events; at < events + n;) {
			const struct inotify_event *e = (const void *)at;

			take(w, e, seen);
			at += sizeof(*e) + e->len;
		}
	}
}

void watch_close(struct watch *w)
{
	file_close(&w->fd);
}
