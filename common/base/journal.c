/* SPDX-License-Identifier: Apache-2.0 */
#include "base/journal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/array.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"

#define FIELD_MAX    512
#define DATAGRAM_MAX ((size_t)8 * 1024)

/* They are for ever: searches and alerts of administrators name them. */
static const struct {
	const char *event, *id;
} identities[] = {
	{"invited", "5ef3d1a47c5a4645af6eca8f2a6e0c39"},
	{"cancelled", "23bf2ea8ac1f4059aac6a9803885150f"},
	{"approved", "f05a89ec25ab43c48e5159f612fbd349"},
	{"blocked", "d19fc8a93b014be8b8d4ae454846effc"},
	{"guard_tripped", "6d5fb2afd80e434191c78e9ce53ced9b"},
	{"paused", "e7d53c98d73549ebb1c6fc5ec7ab355b"},
};

const char *journal_message_id(const char *event)
{
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++)
		if (strcmp(identities[i].event, event) == 0)
			return identities[i].id;
	return NULL;
}

/* A line's end within a value would begin a field of somebody else's. */
static void add_field(struct strbuf *t, const char *name, const char *value)
{
	char safe[FIELD_MAX];

	if (value && value[0])
		strbuf_addf(t, "%s=%s\n", name, str_safe(safe, sizeof(safe), value));
}

static void write_entry(struct strbuf *t, int priority, const char *event, const char *message,
	const struct journal_about *about)
{
	strbuf_addf(t, "MESSAGE=%s: %s\nPRIORITY=%d\n", event, message, priority);
	add_field(t, "SYSLOG_IDENTIFIER", program_invocation_short_name);
	add_field(t, "MESSAGE_ID", journal_message_id(event));
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

bool journal_send(const char *socket_path, int priority, const char *event, const char *message,
	const struct journal_about *about)
{
	struct strbuf t = {.max = DATAGRAM_MAX};
	bool sent;

	write_entry(&t, priority, event, message, about);
	sent = !t.failed && deliver(socket_path, &t);
	strbuf_free(&t);
	return sent;
}
