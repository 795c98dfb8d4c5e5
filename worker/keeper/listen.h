/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's socket and who may connect to it.
 */
#ifndef CLOUDINVITE_WORKER_KEEPER_LISTEN_H
#define CLOUDINVITE_WORKER_KEEPER_LISTEN_H

#include <sys/types.h>

#include "base/fault.h"

/* The listening SOCK_SEQPACKET that systemd passed ($LISTEN_FDS); the other descriptors (the pin of
 * the spool) stay open. -1 and the fault. */
int listen_inherited(struct fault *fault);

/* Accepts one connection, without waiting, if it is from `uid`; any other is closed at once. -1:
 * there is none. */
int listen_accept(int listener, uid_t uid);

#endif
