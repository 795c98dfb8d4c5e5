/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loopback: what a browser on this host is sent to at the end of a login. It serves one answer, and
 * pages that say what became of it; whatever else comes (an icon, another path, an answer to
 * somebody else's question) gets a 4xx and changes nothing.
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

/* Where a browser of our own user begins: its requests for the address that is returned are sent on
 * to `target`, and those of other users get the 404 that everything else gets. So what stands on
 * the browser's command line, which every user of the host can read, tells nothing. Both texts live
 * as long as `l`; NULL with the fault. */
const char *loopback_start(struct loopback *l, const char *target, struct fault *fault);

/* What a request for `path` says, by its query. */
typedef enum oauth_answer loopback_judge(const char *query, void *ctx);

enum loopback_event { LOOPBACK_ANSWERED, LOOPBACK_INPUT, LOOPBACK_TIMEOUT };
/* Serves until `judge` has found an answer, `input` (-1: none) is readable, or the time is up. With
 * `l` NULL only the last two. */
enum loopback_event loopback_wait(struct loopback *l, const char *path, loopback_judge *judge,
	void *ctx, int input, int64_t timeout_ms);

#endif
