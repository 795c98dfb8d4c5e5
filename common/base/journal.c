/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native protocol of systemd's journal: one datagram of NAME=VALUE lines. It is sent without
 * waiting, because a program must not stop where the journal does.
 */
#include "base/journal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"

#define FIELD_MAX    512
#define DATAGRAM_MAX ((size_t)8 * 1024)

/* A newline within a value would begin another field, so it is escaped. */
static void add_field(struct strbuf *t, const char *name, const char *value)
{
	char safe[FIELD_MAX];

	if (value && value[0])
		strbuf_addf(t, "%s=%s\n", name, str_safe(safe, sizeof(safe), value));
}

static void write_entry(struct strbuf *t, int priority, const char *event, const char *id,
	const char *message, const struct journal_about *about)
{
	strbuf_addf(t, "MESSAGE=%s: %s\nPRIORITY=%d\n", event, message, priority);
	add_field(t, "SYSLOG_IDENTIFIER", program_invocation_short_name);
	add_field(t, "MESSAGE_ID", id);
	add_field(t, "CLOUDINVITE_EVENT", event);
	if (!about)
		return;
	add_field(t, "CLOUDINVITE_PERSON", about->person);
	add_field(t, "CLOUDINVITE_REASON", about->reason);
	add_field(t, "CLOUDINVITE_ACTOR", about->actor);
	add_field(t, "CLOUDINVITE_HOST", about->host);
}

static bool deliver(const char *path, const struct strbuf *t)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;
	bool sent;

	if (!str_copy(address.sun_path, sizeof(address.sun_path), path))
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	sent = fd >= 0 && sendto(fd, t->data, t->len, MSG_NOSIGNAL,
				  (const struct sockaddr *)&address, sizeof(address)) >= 0;
	file_close(&fd);
	return sent;
}

bool journal_send(const char *socket_path, int priority, const char *event, const char *id,
	const char *message, const struct journal_about *about)
{
	struct strbuf t = {.max = DATAGRAM_MAX};
	bool sent;

	write_entry(&t, priority, event, id, message, about);
	sent = !t.failed && deliver(socket_path, &t);
	strbuf_free(&t);
	return sent;
}
