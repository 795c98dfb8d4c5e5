/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/arrive.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Of errno. */
static void spool_fault(const char *spool, struct fault *fault)
{
	int why = errno;

	fault_set(fault, FAULT_STORAGE, "spool", "%s/" SPOOL_NEW ": %s", spool, strerror(why));
	if (why == ENOENT || why == ENOTDIR)
		fault_remedy(fault, "Make it: run cloudinvite-collector --prepare as root.");
	else if (why == EACCES || why == EPERM)
		fault_remedy(fault, "Run it as root: sudo cloudinvite …");
}

int arrive_open(const char *spool, struct fault *fault)
{
	int box = spool_open(spool, SPOOL_NEW);

	if (box < 0)
		spool_fault(spool, fault);
	return box;
}

int arrive_write(int box, const char *spool, const char *user, enum spool_reason reason, bool sync,
	struct fault *fault)
{
	int result = spool_arrive(box, user, reason, sync);

	if (result < 0 && (errno == ENAMETOOLONG || errno == EINVAL))
		fault_set(fault, FAULT_USAGE, "name", "'%.80s' is no name that the spool takes",
			user);
	else if (result < 0)
		spool_fault(spool, fault);
	return result;
}

bool arrive_sync(int box, const char *spool, struct fault *fault)
{
	if (spool_sync(box) == 0)
		return true;
	spool_fault(spool, fault);
	return false;
}
