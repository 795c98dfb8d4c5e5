/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An administrator's shell may have umask 077, and root can read what it writes with it. The
 * programs cannot, and would not start again.
 */
#include "cli/common/readable.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/privdrop.h"

/* By the mode alone: this process is not the collector. An account that does not exist is reported
 * elsewhere. */
static bool collector_can(const struct settings *settings, const struct stat *st)
{
	uid_t uid, ledger_uid;
	gid_t gid, ledger_gid;

	if ((st->st_mode & S_IROTH) != 0 ||
		!passwd_find(settings->collector_user, &uid, &gid, NULL) ||
		!passwd_find(settings->ledger_user, &ledger_uid, &ledger_gid, NULL))
		return true;
	if (uid == 0 || st->st_uid == uid)
		return true;
	return (st->st_gid == gid || st->st_gid == ledger_gid) && (st->st_mode & S_IRGRP) != 0;
}

bool readable_by_service(
	const struct settings *settings, const char *path, bool map, struct fault *fault)
{
	struct stat st;
	bool closed = access(path, R_OK) != 0 && errno == EACCES;

	if (!closed && (map || stat(path, &st) != 0 || collector_can(settings, &st)))
		return true;
	fault_set(fault, FAULT_SETTINGS, "settings_closed", "%s: %s cannot read it", path,
		closed ? "the programs" : "the collector");
	return fault_remedy(
		fault, "chgrp %s %s && chmod 0640 %s", settings->ledger_user, path, path);
}
