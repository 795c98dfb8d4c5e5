/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a command of an administrator in its own process, beside the dispatcher: another
 * ledger handle, another owner of leases.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_ENGINE_COMMAND_H
#define CLOUDINVITE_TESTS_UNIT_ENGINE_COMMAND_H

#include "fake_google.h"

struct command {
	struct site *site;
	struct ledger *ledger;
	struct engine *engine;
	struct engine_result result;
	void (*while_waiting)(struct command *c); /* called once */
	int waits;
	int64_t longest_wait;
};

struct command command_open(struct site *s);
void command_close(struct command *c);
/* The progress of a command; its context is the command. */
void command_on_wait(int64_t wait_ms, void *ctx);
void assert_refused(const struct engine_result *result, enum fault_kind kind, const char *code);

#endif
