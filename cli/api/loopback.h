/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loopback: the server to which Google sends a browser on this host at the end of a login. It
 * serves one answer, and pages that say what came of it. Any other request (an icon, another path,
 * an answer to another request) gets a 4xx and changes nothing.
 */
#ifndef CLOUDINVITE_CLI_API_LOOPBACK_H
#define CLOUDINVITE_CLI_API_LOOPBACK_H

#include <stdint.h>

#include "base/fault.h"
#include "google/auth/oauth.h"

struct loopback;

/* Listens on 127.0.0.1; port 0: a free one. NULL with the fault. */
struct loopback *loopback_open(uint16_t port, struct fault *fault);
uint16_t loopback_port(const struct loopback *l);
void loopback_close(struct loopback *l);

/* Where a browser of our own user begins: requests of that user for the returned address are
 * redirected to `target`; those of other users get a 404. So the browser's command line, which
 * every user of the host can read, gives nothing away. Both texts live as long as `l`; NULL with
 * the fault. */
const char *loopback_start(struct loopback *l, const char *target, struct fault *fault);

/* Evaluates the query of a request for `path`. */
typedef enum oauth_answer loopback_check(const char *query, void *ctx);

enum loopback_event { LOOPBACK_ANSWERED, LOOPBACK_INPUT, LOOPBACK_TIMEOUT };
/* Serves until `check` has found an answer, `input` (-1: none) is readable, or the time is over.
 * With `l` NULL, only the last two. */
enum loopback_event loopback_wait(struct loopback *l, const char *path, loopback_check *check,
	void *ctx, int input, int64_t timeout_ms);

#endif
