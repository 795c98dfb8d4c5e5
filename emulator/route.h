/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: what a request asks for. Faults, latencies, counts and the log name requests by route.
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
	ROUTE_OTHER,   /* unknown to the emulated hosts: 404 */
	ROUTE_CONTROL, /* /emulator/…: not logged, not counted, never given a fault */
};
#define ROUTES	  12
#define ROUTE_ANY (-1)

/* "check", "get", … */
extern const char *const route_words[];
/* Reads the member "route" of a control document: any word but "control". "*" and an absent member
 * mean ROUTE_ANY. */
bool route_read(json_t *object, int *route, const char *where, struct doc_error *c);

struct emulator;
struct request;
struct reply;

typedef void route_answer(struct emulator *e, struct request *r, struct reply *out);

#endif
