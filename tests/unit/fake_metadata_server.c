/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake_metadata_server.h"

static void *fake_metadata_server_serve(void *ctx)
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

void fake_metadata_server_start(struct fake_metadata_server *n)
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

void fake_metadata_server_stop(struct fake_metadata_server *n)
{
	shutdown(n->fd, SHUT_RDWR);
	pthread_join(n->thread, NULL);
	close(n->fd);
}
