/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preadv2 with RWF_NOWAIT, and read() where the kernel or the file system does not have it.
 */
#include "pam_module/cached.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t read_cached(int fd, void *to, size_t want)
{
	const struct iovec place = {.iov_base = to, .iov_len = want};
	ssize_t n;

	do
		n = preadv2(fd, &place, 1, -1, RWF_NOWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0 || errno == EAGAIN)
		return n;
	do
		n = read(fd, to, want);
	while (n < 0 && errno == EINTR);
	return n;
}
