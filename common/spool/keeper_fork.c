/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper as a child process: for a collector that root starts without systemd, and for
 * commands.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/privdrop.h"
#include "base/log.h"
#include "spool/keeper.h"

static int serve(struct spool_keeper *k)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct pollfd fds[SPOOL_KEEPER_FDS];
	int count, timeout_ms;

	if (!drop_capabilities(&fault)) {
		log_fault(LOG_LEVEL_ERROR, "start", &fault);
		return fault_exit_code(fault.kind);
	}
	while ((count = spool_keeper_poll(k, fds, &timeout_ms)) > 0 && !k->lost) {
		(void)poll(fds, (nfds_t)count, timeout_ms);
		spool_keeper_turn(k);
	}
	return k->lost ? spool_keeper_say_lost() : 0;
}

/* Attaches in the parent, so that a spool that is removed right afterwards is noticed; then returns
 * to the previous working directory. */
static bool attach(struct spool_keeper *k, int peer, struct fault *fault)
{
	int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool good = spool_keeper_attach(k, peer, fault);

	if (back >= 0 && fchdir(back) != 0)
		good = fault_set(fault, FAULT_STORAGE, "keeper",
			"cannot open the working directory: %s", strerror(errno));
	file_close(&back);
	return good;
}

/* Closes all descriptors except standard error, the spool and the peer: the keeper must not have
 * what the program had open. */
static void close_others(const struct spool_keeper *k)
{
	int last = (int)sysconf(_SC_OPEN_MAX);

	for (int fd = 0; fd < last && fd < 4096; fd++) {
		int copy = fd;

		if (fd != STDERR_FILENO && fd != k->peer && fd != k->changes &&
			fd != k->dirs.spool && fd != k->dirs.new_dir && fd != k->dirs.seen_dir &&
			fd != k->dirs.bad_dir)
			file_close(&copy);
	}
}

static int fork_keeper(const char *spool, bool beside, struct fault *fault)
{
	struct spool_keeper k;
	int ends[2];
	pid_t child;

	if (!spool_keeper_open(&k, spool, fault))
		return -1;
	k.beside = beside;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		fault_set(fault, FAULT_STORAGE, "keeper", "socketpair: %s", strerror(errno));
		spool_keeper_close(&k);
		return -1;
	}
	child = attach(&k, ends[1], fault) ? fork() : -1;
	if (child == 0) {
		close_others(&k);
		_exit(serve(&k));
	}
	if (child < 0) {
		if (fault->kind == FAULT_NONE)
			fault_set(fault, FAULT_STORAGE, "keeper",
				"cannot start the keeper of the spool: %s", strerror(errno));
		file_close(&ends[0]);
	}
	spool_keeper_close(&k);
	return ends[0];
}

int spool_keeper_fork(const char *spool, struct fault *fault)
{
	return fork_keeper(spool, false, fault);
}

int spool_keeper_fork_beside(const char *spool, struct fault *fault)
{
	return fork_keeper(spool, true, fault);
}
