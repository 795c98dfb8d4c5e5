/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One datagram, sent with MSG_DONTWAIT. The facility and the format are those of pam_syslog, so
 * that an administrator finds the line where those of other modules are.
 */
#include "pam_module/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

#define LINE_MAX_BYTES 1024

static void send_line(const char *line)
{
	static const struct sockaddr_un journal = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	(void)sendto(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&journal, sizeof(journal));
	file_close(&fd);
}

void log_line(pam_handle_t *pamh, int priority, const char *format, ...)
{
	char line[LINE_MAX_BYTES], program[64], safe[64];
	const void *service = NULL;
	size_t used;
	va_list args;

	if (pam_get_item(pamh, PAM_SERVICE, &service) != PAM_SUCCESS || !service)
		service = "unknown";
	/* The program's name is what its caller chose: for sudo and su, any user can choose it. */
	str_format(line, sizeof(line),
		"<%d>%s[%d]: pam_cloudinvite(%s:session): ", LOG_AUTHPRIV | priority,
		str_safe(program, sizeof(program), program_invocation_short_name), (int)getpid(),
		str_safe(safe, sizeof(safe), service));
	used = strlen(line);
	va_start(args, format);
	(void)vsnprintf(line + used, sizeof(line) - used, format, args);
	va_end(args);
	send_line(line);
}
