/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request log: all requests in their order. Tokens and signatures are not stored.
 */
#ifndef CLOUDINVITE_EMULATOR_REQUEST_LOG_H
#define CLOUDINVITE_EMULATOR_REQUEST_LOG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "request.h"

#define REQUEST_LOG_SIZE 200000 /* the oldest entries are dropped first */
#define JOURNAL_BODY_MAX 16384	/* bytes stored of a body */

struct request_log_entry {
	uint64_t n; /* 1 is the first */
	int64_t at_ms, at;
	enum route_id route;
	int status; /* 0: the connection was cut without a reply */
	enum fault_action action;
	uint64_t connection;
	uint64_t earlier; /* requests on the same connection before this one */
	char method[16];
	char *path, *query, *address, *principal, *content_type, *user_agent, *body;
	size_t body_size;
	const char *authorization; /* its type */
	int64_t content_length;	   /* -1: not given */
};

struct request_log {
	struct request_log_entry *ring; /* REQUEST_LOG_SIZE entries, allocated at the first use */
	uint64_t last;
};

void request_log_add(struct request_log *j, const struct request *r, int status);
/* Those after `since`. */
json_t *request_log_write(const struct request_log *j, uint64_t since);
void request_log_clear(struct request_log *j);

/* "none", "bearer", "basic", "query" (a token in the URL) or "other". */
const char *request_log_authorization(const struct request *r);

#endif
