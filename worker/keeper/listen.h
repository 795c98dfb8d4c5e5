/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's socket: who may come in.
 */
#ifndef CLOUDINVITE_WORKER_KEEPER_LISTEN_H
#define CLOUDINVITE_WORKER_KEEPER_LISTEN_H

#include <sys/types.h>

#include "base/fault.h"

/* The listening SOCK_SEQPACKET that systemd has handed over ($LISTEN_FDS); whatever else it has
 * (the pin of the spool) stays open. -1 and the fault. */
int listen_inherited(struct fault *fault);

/* Takes one connection, without waiting, if it is of `uid`; any other one is closed at once. -1:
 * there is none. */
int listen_accept(int listener, uid_t uid);

#endif
