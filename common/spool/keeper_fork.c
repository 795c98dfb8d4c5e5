/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper as a child: for a collector that root starts without systemd, and for commands.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/identity.h"
#include "base/log.h"
#include "spool/keeper.h"

static int serve(struct spool_keeper *k, int peer)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct pollfd fds[SPOOL_KEEPER_FDS];
	int count, timeout_ms;

	if (!identity_bare(&fault) || !spool_keeper_attach(k, peer, &fault)) {
		log_fault(LOG_LEVEL_ERROR, "start", &fault);
		return fault_exit_code(fault.kind);
	}
	while ((count = spool_keeper_poll(k, fds, &timeout_ms)) > 0 && !k->lost) {
		(void)poll(fds, (nfds_t)count, timeout_ms);
		spool_keeper_turn(k);
	}
	return k->lost ? spool_keeper_say_lost() : 0;
}

/* Everything but standard error, the spool and the peer: what the program had open is none of the
 * keeper's business. */
static void close_others(const struct spool_keeper *k, int peer)
{
	int last = (int)sysconf(_SC_OPEN_MAX);

	for (int fd = 0; fd < last && fd < 4096; fd++) {
		int copy = fd;

		if (fd != STDERR_FILENO && fd != peer && fd != k->boxes.spool &&
			fd != k->boxes.new_box && fd != k->boxes.seen_box && fd != k->boxes.bad_box)
			file_close(&copy);
	}
}

int spool_keeper_fork(const char *spool, struct fault *fault)
{
	struct spool_keeper k;
	int ends[2] = {-1, -1};
	pid_t child = -1;

	if (!spool_keeper_open(&k, spool, fault))
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0)
		child = fork();
	if (child == 0) {
		close_others(&k, ends[1]);
		_exit(serve(&k, ends[1]));
	}
	if (child < 0) {
		fault_set(fault, FAULT_STORAGE, "keeper", "the spool's keeper cannot start: %s",
			strerror(errno));
		file_close(&ends[0]);
	}
	file_close(&ends[1]);
	spool_keeper_close(&k);
	return ends[0];
}
