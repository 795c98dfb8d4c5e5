/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing arrivals for emit and scan, and what an administrator must do if the spool cannot be
 * written.
 */
#include "cli/ops/spool_writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "spool/reader.h"

/* Fills in the fault from errno. */
static void error_errno(const char *spool, struct fault *fault)
{
	int why = errno;

	fault_set(fault, FAULT_STORAGE, "spool", "%s/" SPOOL_NEW ": %s", spool, strerror(why));
	if (why == ENOENT || why == ENOTDIR)
		fault_remedy(fault, "To create it, run cloudinvite-collector --prepare as root.");
	else if (why == EACCES || why == EPERM)
		fault_remedy(fault, "Run it as root: sudo cloudinvite …");
}

int spool_writer_open(const char *spool, struct fault *fault)
{
	struct spool_reader boxes;
	int box = -1;

	if (geteuid() != 0 && access(spool, X_OK) != 0 && errno == EACCES) {
		error_errno(spool, fault);
	} else if (spool_reader_open(&boxes, spool, fault)) {
		box = boxes.new_dir;
		boxes.new_dir = -1;
		spool_reader_close(&boxes);
	}
	return box;
}

int spool_writer_write(int box, const char *spool, const char *user, enum trigger trigger,
	bool sync, struct fault *fault)
{
	int result = spool_put(box, user, trigger, sync);

	if (result < 0 && (errno == ENAMETOOLONG || errno == EINVAL))
		fault_set(fault, FAULT_USAGE, "name",
			"'%.80s' is not a user name that the spool accepts", user);
	else if (result < 0)
		error_errno(spool, fault);
	return result;
}

bool spool_writer_sync(int box, const char *spool, struct fault *fault)
{
	if (spool_sync(box) == 0)
		return true;
	error_errno(spool, fault);
	return false;
}
