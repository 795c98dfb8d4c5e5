/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a plain HTTP server on loopback that answers one request after the other with prepared
 * replies, and remembers the requests.
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

#define FAKE_REPLIES 8

struct fake_metadata_server {
	int fd;
	char url[64];
	const char *replies[FAKE_REPLIES + 1]; /* complete replies, with their status line */
	char asked[FAKE_REPLIES][1024];
	int count; /* answered requests */
	pthread_t thread;
};

/* The replies must be set before. */
void fake_metadata_server_start(struct fake_metadata_server *n);

/* A thread that still waits for a request ends. */
void fake_metadata_server_stop(struct fake_metadata_server *n);

#endif
