/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: which part of the emulator answers a request. An endpoint owns the paths below its prefix
 * and finds the route among them; a new endpoint is one file and one line in route.c. The metadata
 * server has a listener of its own (server.h), which knows its paths only.
 */
#ifndef CLOUDINVITE_EMULATOR_ROUTE_H
#define CLOUDINVITE_EMULATOR_ROUTE_H

#include <jansson.h>
#include <stdbool.h>

#include "doc_error.h"

enum route_id {
	ROUTE_CHECK,
	ROUTE_GET,
	ROUTE_LIST,
	ROUTE_SEND,
	ROUTE_CANCEL,
	ROUTE_TOKEN,
	ROUTE_CONSENT,
	ROUTE_METADATA,
	ROUTE_IAM,
	ROUTE_STS,
	ROUTE_OTHER,   /* nothing that the emulated hosts know: 404 */
	ROUTE_CONTROL, /* /emulator/…: neither logged nor counted nor faulted */
};
#define ROUTES	  12
#define ROUTE_ANY (-1)

/* "check", "get", … */
extern const char *const route_words[];
/* The member "route" of a control document: one of the words but "control", or "*" like an absent
 * one: ROUTE_ANY. */
bool route_read(json_t *object, int *route, const char *where, struct doc_error *c);

struct emulator;
struct request;
struct reply;

typedef void route_answer(struct emulator *e, struct request *r, struct reply *out);

struct endpoint {
	const char *prefix;
	/* Sets r->route, r->answer and what the path names. */
	void (*dispatch)(struct request *r);
};

/* Finds the endpoint of r->path and its route; ROUTE_OTHER if there is none. */
void route_find(struct request *r);
/* The same for the metadata server's listener. */
void route_find_metadata(struct request *r);

#endif
