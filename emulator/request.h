/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its reply inside the emulator.
 */
#ifndef CLOUDINVITE_EMULATOR_REQUEST_H
#define CLOUDINVITE_EMULATOR_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faults.h"
#include "route.h"

#define REQUEST_BODY_MAX                                                        \
	((size_t)256 * 1024 * 1024) /* a control document of a million accounts \
				     */

struct connection {
	uint64_t id;	 /* 1 is the first since the start */
	uint64_t served; /* requests before this one */
};

struct reply {
	int status;
	char *body; /* malloc'd */
	size_t size;
	const char *content_type;
	json_t *headers; /* an object of strings; NULL: none */
};

enum request_phase { REQUEST_RECEIVING, REQUEST_WAITING, REQUEST_DELIVERED };

struct request {
	/* as received */
	char *path;  /* raw, without the query */
	char *query; /* raw; NULL: none */
	char method[16];
	char *body;
	size_t body_size, body_room;
	bool body_too_large;
	const char *authorization, *content_type, *content_length, *user_agent, *flavor,
		*forwarded; /* borrowed; may be NULL */
	struct connection *connection;
	uint64_t earlier; /* requests on the same connection before this one */
	int64_t at_ms;	  /* monotonic */
	int64_t at;	  /* the real clock */

	/* what it asks for */
	enum route_id route;
	route_answer *answer;
	const char *control; /* the name after /emulator/ */
	char *customer;	     /* "C…" or "my_customer" */
	char *address;	     /* lower case; empty: a broken percent-escape */
	char *principal;     /* the principal of the token that it carried or was given */

	/* how the reply is sent */
	enum request_phase phase;
	struct reply reply;
	enum fault_action action;
	int64_t delay_ms;
	int64_t slow_ms; /* between bytes */
};

#endif
