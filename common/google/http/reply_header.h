/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header fields of a reply that are read.
 */
#ifndef CLOUDINVITE_GOOGLE_HTTP_REPLY_HEADER_H
#define CLOUDINVITE_GOOGLE_HTTP_REPLY_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "google/http/transfer.h"

#define RETRY_AFTER_MAX 86400

/* Stores the field in `t` if it is one that is read. `line` ends with CR and LF, not with NUL. */
void reply_header(struct transfer *t, const char *line, size_t len);
/* The wait that Retry-After requires, in seconds, at most RETRY_AFTER_MAX; -1 if there is none. */
int64_t reply_retry_after(const struct transfer *t);

#endif
