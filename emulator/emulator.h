/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The emulator: everything that lives as long as the program.
 */
#ifndef CLOUDINVITE_EMULATOR_EMULATOR_H
#define CLOUDINVITE_EMULATOR_EMULATOR_H

#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "keyring.h"
#include "request_log.h"
#include "timer.h"
#include "tenant.h"

/* A port, and the routes behind it. */
struct listener {
	struct emulator *emulator;
	void (*find)(struct request *r);
	struct MHD_Daemon *daemon; /* NULL: closed */
	char base[80];		   /* http://127.0.0.1:41235 */
	uint16_t port;
};

struct emulator {
	pthread_mutex_t lock; /* for everything below; never held while a thread waits */
	struct tenant *tenant;
	struct request_log log;
	uint64_t counts[ROUTES];
	uint64_t connections;
	bool quiet;
	json_t *scenario; /* NULL: none; a reset starts from it */

	/* fixed when the server runs */
	struct keyring keyring;
	struct timer *timer;
	struct listener google;	  /* all hosts but the metadata server */
	struct listener metadata; /* HTTP without TLS; its base is empty if it is closed */
};

/* Replaces the tenant by the scenario's or the default one. False with an error: then nothing has
 * changed. */
bool emulator_reset(struct emulator *e, json_t *document, struct doc_error *doc_error);

#endif
