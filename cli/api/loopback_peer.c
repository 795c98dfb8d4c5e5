/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the owner of the socket at the other end of a local TCP connection in /proc/net/tcp and
 * /proc/net/tcp6. If the connection is not found there, the peer counts as another user.
 */
#include "cli/api/loopback_peer.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/str.h"

#define LINE_SIZE	   512
#define WORDS_BEFORE_OWNER 4 /* words after the addresses */

/* One table of the kernel. It has addresses in the byte order of memory, in hexadecimal. */
struct table {
	const char *path;
	const char *mapped; /* prefix of an IPv4 address */
};

/* "  12: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000 …" */
static bool read_owner(char *line, const char *ends, uid_t *owner)
{
	char *at = strstr(line, ends);
	long long uid;

	if (!at)
		return false;
	at += strlen(ends);
	for (int i = 0; i < WORDS_BEFORE_OWNER; i++) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	at[strcspn(at, " ")] = '\0';
	if (!str_number(at, 0, UINT32_MAX, &uid))
		return false;
	*owner = (uid_t)uid;
	return true;
}

static bool find_owner(
	const struct table *table, const struct sockaddr_in *peer, uint16_t port, uid_t *owner)
{
	char ends[160], line[LINE_SIZE];
	FILE *file = fopen(table->path, "re");
	bool found = false;

	str_format(ends, sizeof(ends), ": %s%08" PRIX32 ":%04X %s%08" PRIX32 ":%04X ",
		table->mapped, (uint32_t)peer->sin_addr.s_addr, (unsigned)ntohs(peer->sin_port),
		table->mapped, (uint32_t)htonl(INADDR_LOOPBACK), (unsigned)port);
	while (file && !found && fgets(line, sizeof(line), file))
		found = read_owner(line, ends, owner);
	if (file)
		fclose(file);
	return found;
}

bool loopback_peer_is_ours(const struct sockaddr_in *peer, uint16_t port)
{
	/* A program may reach an IPv4 address through an IPv6 socket. The words of the prefix are
	 * in the byte order of this machine. */
	const uint32_t mark = htonl(0xFFFF);
	char mapped[32];
	struct table tables[] = {{"/proc/net/tcp", ""}, {"/proc/net/tcp6", mapped}};
	uid_t owner;

	str_format(mapped, sizeof(mapped), "0000000000000000%08" PRIX32, mark);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (find_owner(&tables[i], peer, port, &owner))
			return owner == geteuid();
	return false;
}
