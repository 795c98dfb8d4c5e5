/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: HTTP and TLS by libmicrohttpd; requests are passed to their routes under one lock.
 */
#ifndef CLOUDINVITE_EMULATOR_SERVER_H
#define CLOUDINVITE_EMULATOR_SERVER_H

#include <stdbool.h>

#include "emulator.h"

struct server_address {
	const char *host; /* an IP address; NULL: closed */
	const char *port; /* "0": the kernel chooses */
};

struct server_options {
	struct server_address google, metadata;
	unsigned int threads;
	bool tls;
};

/* Opens e->google and e->metadata. False with a line on standard error. */
bool server_start(struct emulator *e, const struct server_options *options);
void server_stop(struct emulator *e);

#endif
