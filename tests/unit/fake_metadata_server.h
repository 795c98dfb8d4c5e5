/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a plain HTTP server on loopback that answers one request after the other with what the
 * test has written down, and remembers what it was asked.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_FAKE_METADATA_SERVER_H
#define CLOUDINVITE_TESTS_UNIT_FAKE_METADATA_SERVER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEIGHBOUR_REPLIES 8

struct fake_metadata_server {
	int fd;
	char url[64];
	const char *replies[NEIGHBOUR_REPLIES + 1]; /* whole ones, with their status line */
	char asked[NEIGHBOUR_REPLIES][1024];
	int count; /* of the requests answered */
	pthread_t thread;
};

__attribute__((unused)) static void *fake_metadata_server_serve(void *ctx)
{
	struct fake_metadata_server *n = ctx;

	for (int i = 0; n->replies[i]; i++) {
		int peer = accept(n->fd, NULL, NULL);
		ssize_t got = peer < 0 ? -1 : read(peer, n->asked[i], sizeof(n->asked[i]) - 1);

		if (got < 0)
			break;
		n->count = i + 1;
		(void)!write(peer, n->replies[i], strlen(n->replies[i]));
		close(peer);
	}
	return NULL;
}

/* The replies are set already. */
__attribute__((unused)) static void fake_metadata_server_start(struct fake_metadata_server *n)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);

	n->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(n->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(n->fd, 8), 0);
	assert_int_equal(getsockname(n->fd, (struct sockaddr *)&at, &len), 0);
	snprintf(n->url, sizeof(n->url), "http://127.0.0.1:%d", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&n->thread, NULL, fake_metadata_server_serve, n), 0);
}

/* Whoever still waits for a request gives up. */
__attribute__((unused)) static void fake_metadata_server_stop(struct fake_metadata_server *n)
{
	shutdown(n->fd, SHUT_RDWR);
	pthread_join(n->thread, NULL);
	close(n->fd);
}

#endif
