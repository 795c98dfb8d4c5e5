/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What admin.c and admin_send.c share: one call to Google that a command waits for, and what it
 * says to the administrator.
 */
#ifndef CLOUDINVITE_ENGINE_ADMIN_INTERNAL_H
#define CLOUDINVITE_ENGINE_ADMIN_INTERNAL_H

#include "engine/engine_internal.h"

struct waiting {
	engine_progress *progress; /* may be NULL */
	void *ctx;
};

/* Waits until the rate limit gives a permit. False: the ledger fails. */
bool admin_wait_for_permit(
	struct engine *e, const struct waiting *w, int64_t *permit, struct fault *fault);
/* The call has ended: tells the rate limit. */
bool admin_return_permit(
	struct engine *e, int64_t permit, const struct google_reply *reply, struct fault *fault);
/* Makes the call; `reply` with its page is valid until the next one. */
void admin_call(struct engine *e, const struct google_call *call, struct google_reply *reply);
/* Whether a rejection is about the person. If the control call is rejected, too, *rejection becomes
 * that of the setup, whose sentence is the right one. */
bool admin_control(struct engine *e, const struct waiting *w, struct fault *rejection,
	enum error_scope *scope, struct fault *fault);
bool admin_plain_address(const char *address, char plain[ADDRESS_MAX + 1], struct fault *fault);
/* The person as it is in the ledger afterwards. */
void admin_load_result(struct engine *e, const char *address, struct engine_result *out);
/* What a check or a get has said. */
void admin_apply_reply(
	const struct google_reply *reply, enum google_method method, struct engine_result *out);
/* Why the rules refuse what the administrator asks for. */
void admin_set_refusal(
	struct engine *e, enum person_refusal refusal, const char *address, struct fault *fault);

#endif
