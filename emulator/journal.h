/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: what was asked, in order. No token and no signature is kept.
 */
#ifndef CLOUDINVITE_EMULATOR_JOURNAL_H
#define CLOUDINVITE_EMULATOR_JOURNAL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "request.h"

#define JOURNAL_SIZE	 200000 /* the oldest go first */
#define JOURNAL_BODY_MAX 16384	/* bytes kept of a body */

struct journal_entry {
	uint64_t n; /* 1 is the first */
	int64_t at_ms, at;
	enum route_id route;
	int status; /* 0: cut without a reply */
	enum fault_action action;
	uint64_t connection;
	uint64_t earlier; /* requests that the connection had served before */
	char method[16];
	char *path, *query, *address, *principal, *content_type, *user_agent, *body;
	size_t body_size;
	const char *authorization; /* its kind */
	int64_t content_length;	   /* -1: none said */
};

struct journal {
	struct journal_entry *ring; /* JOURNAL_SIZE of them, made at the first use */
	uint64_t last;
};

void journal_add(struct journal *j, const struct request *r, int status);
/* Those after `since`. */
json_t *journal_write(const struct journal *j, uint64_t since);
void journal_clear(struct journal *j);

/* "none", "bearer", "basic", "query" (a token in the URL) or "other". */
const char *journal_authorization(const struct request *r);

#endif
