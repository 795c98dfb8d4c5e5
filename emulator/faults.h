/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults: what goes wrong on purpose, for which route, and how often.
 */
#ifndef CLOUDINVITE_EMULATOR_FAULTS_H
#define CLOUDINVITE_EMULATOR_FAULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doc_error.h"

enum fault_action {
	FAULT_NO_ACTION,
	/* without the effect of the request */
	FAULT_STATUS,
	FAULT_HTML,
	FAULT_PLAIN,
	FAULT_REDIRECT,
	FAULT_DROP_BEFORE,
	/* with its effect */
	FAULT_STATUS_AFTER,
	FAULT_DROP_AFTER,
	FAULT_DELAY,
	FAULT_TRUNCATE,
	FAULT_GZIP,
	FAULT_WRONG_TYPE,
	FAULT_HUGE,
	FAULT_DUPLICATE,
	FAULT_GARBAGE,
	FAULT_SLOW,
};
extern const char *const fault_action_words[];

struct fault {
	int route; /* enum route_id, or ROUTE_ANY */
	char *address;
	enum fault_action action;
	int status;	 /* 0: the action's own */
	char *body;	 /* NULL: the action's own */
	json_t *headers; /* NULL: none */
	int64_t delay_ms;
	int64_t after; /* so many requests pass first */
	int64_t left;  /* -1: forever */
	int64_t hits;
	bool reused_only;
};

struct faults {
	struct fault *list;
	size_t n, room;
};

struct emulator;
struct request;
struct reply;

/* An object or an array of them; all or nothing. */
bool faults_read(struct faults *f, json_t *document, struct doc_error *doc_error);
json_t *faults_write(const struct faults *f);
void faults_clear(struct faults *f);

/* The fault for this request, or NULL; counts it. */
const struct fault *faults_match(struct faults *f, int route, const char *address, bool reused);
bool fault_prevents_effect(const struct fault *fault);
/* Makes or changes the reply. */
void fault_apply(const struct fault *fault, struct emulator *e, struct request *r);

#endif
