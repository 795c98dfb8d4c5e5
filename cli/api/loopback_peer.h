/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which user's process is at the other end of a connection on this host. TCP has no SO_PEERCRED,
 * but the kernel's table of connections has the owner of each socket.
 */
#ifndef CLOUDINVITE_CLI_API_LOOPBACK_PEER_H
#define CLOUDINVITE_CLI_API_LOOPBACK_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether `peer`, which has connected to 127.0.0.1:`port`, is a socket of our own user. False if
 * that cannot be found out. */
bool loopback_peer_is_ours(const struct sockaddr_in *peer, uint16_t port);

#endif
