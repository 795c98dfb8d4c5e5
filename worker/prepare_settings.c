/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "worker/prepare.h"
#include "worker/prepare_directory.h"
#include "worker/take_over.h"

/* These directories are the administrator's: where one is not there, or not root's alone, nothing
 * is done in it. */
static int open_beside(int etc, const char *name)
{
	int fd = openat(etc, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) != 0 || st.st_uid != 0 || (st.st_mode & 022) != 0))
		file_close(&fd);
	return fd;
}

static void close_private(int fd, gid_t gid)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || (st.st_gid == gid && (st.st_mode & 07777) == 0710))
		return;
	if (fchown(fd, 0, gid) != 0 || fchmod(fd, 0710) != 0)
		log_event(LOG_LEVEL_WARN, "prepare", SETTINGS_PRIVATE ": %s", strerror(errno));
}

void prepare_settings_files(const struct settings *s)
{
	static const char *const names[] = {".", "conf.d", SETTINGS_PRIVATE};
	struct fault fault = {.kind = FAULT_NONE};
	int etc, fd = -1;
	struct accounts a;

	if (geteuid() != 0 || !prepare_find_accounts(s, &a, &fault))
		return;
	etc = prepare_open_parent(settings_path(s), &fault);
	for (size_t i = 0; etc >= 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		fd = open_beside(etc, names[i]);
		if (fd >= 0)
			take_over_readers(fd, names[i], a.ledger_group, a.dispatcher_group);
		if (strcmp(names[i], SETTINGS_PRIVATE) == 0)
			close_private(fd, a.dispatcher_group);
		file_close(&fd);
	}
	file_close(&etc);
}
