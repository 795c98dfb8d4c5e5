/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's listening socket, which systemd passes, and the check of each connection: only the
 * collector's account may connect, by the credentials that the kernel reports.
 */
#include "worker/keeper/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "spool/keeper.h"

#define FIRST_INHERITED 3

/* The number of descriptors, from FIRST_INHERITED on. */
static int count_inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	long long number = 0;

	if (!pid || !fds || !str_number(pid, 1, INT_MAX, &number) || number != getpid() ||
		!str_number(fds, 1, 16, &number))
		return 0;
	return (int)number;
}

static bool is_listener(int fd)
{
	int type = 0, listening = 0;
	socklen_t size = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
	       type == SOCK_SEQPACKET && listening;
}

int listen_inherited(struct fault *fault)
{
	int count = count_inherited();

	for (int fd = FIRST_INHERITED; fd < FIRST_INHERITED + count; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	for (int fd = FIRST_INHERITED; fd < FIRST_INHERITED + count; fd++)
		if (is_listener(fd)) {
			/* accept() must not wait for a peer that has gone again. */
			(void)fcntl(fd, F_SETFL, O_NONBLOCK);
			spool_keeper_refuse_descriptors(fd);
			return fd;
		}
	fault_set(fault, FAULT_USAGE, "no_socket", "no socket was passed to this program");
	fault_remedy(fault,
		"This program is started by cloudinvite-keeper.socket. It is not needed without "
		"systemd: a collector that is started as root manages the spool itself.");
	return -1;
}

int listen_accept(int listener, uid_t uid)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == uid)
		return fd;
	log_event(LOG_LEVEL_WARN, "peer_refused",
		"connection from uid %u (process %d) closed: it is not the collector",
		(unsigned)peer.uid, (int)peer.pid);
	file_close(&fd);
	return -1;
}
