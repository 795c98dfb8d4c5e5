/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: which part of the emulator answers a request. An area owns the paths below its prefix and
 * finds the route among them; a further area is one file and one line in route.c. The metadata
 * server has a door of its own (server.h): its paths are known there only, and no others.
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

/* Finds the area of r->path and enters it; nothing found is ROUTE_OTHER. */
void route_find(struct request *r);
/* The same behind the metadata server's door. */
void route_find_metadata(struct request *r);

#endif
