/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: which part of the emulator answers a request. An area owns the paths below its prefix and
 * finds the route among them; a further area (metadata, IAM, STS …) is one file and one line in
 * route.c.
 */
#ifndef CLOUDINVITE_EMULATOR_ROUTE_H
#define CLOUDINVITE_EMULATOR_ROUTE_H

#include <stdbool.h>

enum route_id {
	ROUTE_CHECK,
	ROUTE_GET,
	ROUTE_LIST,
	ROUTE_SEND,
	ROUTE_CANCEL,
	ROUTE_TOKEN,
	ROUTE_CONSENT,
	ROUTE_OTHER,   /* nothing that the emulated hosts know: 404 */
	ROUTE_CONTROL, /* /emulator/…: neither logged nor counted nor faulted */
};
#define ROUTES 9

/* "check", "get", … */
extern const char *const route_words[];

struct emulator;
struct request;
struct reply;

typedef void route_answer(struct emulator *e, struct request *r, struct reply *out);

struct area {
	const char *prefix;
	/* Sets r->route, r->answer and what the path names. */
	void (*enter)(struct request *r);
};

/* Finds the area of r->path and enters it; nothing found is ROUTE_OTHER. */
void route_find(struct request *r);

#endif
