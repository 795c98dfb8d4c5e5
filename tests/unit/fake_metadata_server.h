/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a plain HTTP server on loopback that answers one request after the other with what the
 * test has written down, and remembers what it was asked.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_FAKE_METADATA_SERVER_H
#define CLOUDINVITE_TESTS_UNIT_FAKE_METADATA_SERVER_H

#include "folder.h"

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

/* The replies are set already. */
void fake_metadata_server_start(struct fake_metadata_server *n);

/* A thread that still waits for a request gives up. */
void fake_metadata_server_stop(struct fake_metadata_server *n);

#endif
