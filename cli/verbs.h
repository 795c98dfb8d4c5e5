/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs: one table for dispatch, help and suggestions. Only main.c includes this header: a verb
 * that included it would call, through the table, all other verbs.
 */
#ifndef CLOUDINVITE_CLI_VERBS_H
#define CLOUDINVITE_CLI_VERBS_H

#include "cli/common/verb.h"

extern const struct verb verbs[]; /* ends with a NULL name */

#endif
