/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms and queries.
 */
#ifndef CLOUDINVITE_GOOGLE_HTTP_FORM_H
#define CLOUDINVITE_GOOGLE_HTTP_FORM_H

#include <stdbool.h>

#include "base/strbuf.h"

/* Appends name=value, percent-encoded, with & before all but the first: for forms and queries.
 * `value` may be a secret: no copy of it is left in memory. */
bool form_add(struct strbuf *form, const char *name, const char *value);

#endif
