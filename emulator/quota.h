/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quota: the number of API requests in any 60 seconds of the emulator's clock.
 */
#ifndef CLOUDINVITE_EMULATOR_QUOTA_H
#define CLOUDINVITE_EMULATOR_QUOTA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doc_error.h"

#define QUOTA_MAX 100000

struct quota {
	int64_t per_minute;  /* 0: off */
	int form;	     /* 429 or 403 */
	int64_t retry_after; /* seconds; -1: no header */
	int64_t *taken;	     /* when the last per_minute requests were admitted, a ring */
	size_t next;
};

/* Whether this request is within the quota; counts it if so. */
bool quota_acquire(struct quota *q, int64_t now);
bool quota_read(struct quota *q, json_t *object, struct doc_error *doc_error);
json_t *quota_write(const struct quota *q);
void quota_free(struct quota *q);

#endif
