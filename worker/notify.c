/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_notify's protocol: one datagram for each message, to a path or to an abstract name. Nothing is
 * sent if systemd did not start the program.
 */
#include "worker/notify.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

/* A path, or with '@' a name in the abstract name space, which has no NUL at its end. */
static socklen_t notify_address(const char *name, struct sockaddr_un *address)
{
	size_t n = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(address->sun_path))
		return 0;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, n);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] == '/' ? 1 : 0));
}

void notify_send(const char *assignments)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t size = name ? notify_address(name, &address) : 0;
	int fd;

	if (size == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, assignments, strlen(assignments), MSG_NOSIGNAL,
			(const struct sockaddr *)&address, size);
	file_close(&fd);
}

void notify_ready(const char *status)
{
	char line[256], safe[200];

	/* A newline within the text would begin another assignment. */
	str_format(line, sizeof(line), "READY=1\nSTATUS=%s", str_safe(safe, sizeof(safe), status));
	notify_send(line);
}

void notify_reloading(void)
{
	struct timespec now = {0};
	char line[64];

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	str_format(line, sizeof(line), "RELOADING=1\nMONOTONIC_USEC=%lld",
		(long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify_send(line);
}

int64_t notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long number;

	if (pid && (!str_number(pid, 1, INT_MAX, &number) || number != getpid()))
		return 0;
	if (!usec || !str_number(usec, 1, LLONG_MAX, &number))
		return 0;
	return number / 1000;
}
