/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Switches: one for each fact about Google that is not known for certain, so that a client can be
 * tested with each possibility. One table holds name, default and meaning; JSON and --help are made
 * from it.
 */
#ifndef CLOUDINVITE_EMULATOR_SWITCHES_H
#define CLOUDINVITE_EMULATOR_SWITCHES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "doc_error.h"

enum operation_shape {
	OPERATION_DONE,
	OPERATION_PENDING,
	OPERATION_MISSING_DONE,
	OPERATION_ERROR,
	OPERATION_EMPTY,
};
enum cancelled_state { CANCELLED_NOT_YET_SENT, CANCELLED_DECLINED, CANCELLED_UNSPECIFIED };
enum operation_type { OPERATION_TYPE_LONG, OPERATION_TYPE_SHORT, OPERATION_TYPE_NONE };

enum consent_decision {
	CONSENT_ASK,
	CONSENT_APPROVE,
	CONSENT_DENY,
	CONSENT_INVALID_SCOPE,
	CONSENT_RESTRICTED,
};
enum rapt { RAPT_NONE, RAPT_REQUIRED, RAPT_INVALID };

/* Numbers only: flags are 0 or 1, words are values of the enums above, codes are HTTP status
 * codes. */
struct switches {
	int omit_false, omit_zero, omit_empty, legacy_errors;
	int essentials, essentials_error, api_disabled, family_invitable;
	int method_mismatch, foreign_customer, bad_address;
	int send_not_invitable, send_managed, send_declined;
	int cancel_not_sent, cancel_state, cancel_keeps_count;
	int operation, operation_type, operation_name;
	int local_audience, legacy_audience, iat_tolerance, token_lifetime, expires_in_string;
	int consent, refresh_rotates, rapt;
	int metadata_flavor, metadata_forwarded, metadata_scopes;
	int iam_disabled, iam_unknown, sts_bearer, sts_expires_in, sts_token_size;
	int log;
};

void switches_defaults(struct switches *s);
/* Sets the members that the object names; an unknown member or an invalid value is an error. */
bool switches_read(struct switches *s, json_t *object, struct doc_error *doc_error);
json_t *switches_write(const struct switches *s);
/* Prints the table, for --help. */
void switches_explain(FILE *out);

#endif
