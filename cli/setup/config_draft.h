/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A draft of the settings file, in a place of its own, where keys are set one after the other and
 * tried together; then it takes the real one's place at once, or never does. Comments and order
 * stay.
 */
#ifndef CLOUDINVITE_CLI_SETUP_CONFIG_DRAFT_H
#define CLOUDINVITE_CLI_SETUP_CONFIG_DRAFT_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/fault.h"
#include "base/strbuf.h"
#include "settings/settings.h"

#define DRAFT_BACKUP_SUFFIX ".before" /* beside the real file: what it was */

struct config_draft {
	const char *real;
	char directory[64];
	char path[PATH_MAX];
	char drop_ins[PATH_MAX];   /* a link to the real one's */
	bool is_new;		   /* there is no real one yet */
	struct strbuf original;	   /* what the real one said at the beginning */
	struct settings *before;   /* the real ones; NULL if there are none */
	struct settings *settings; /* as they stand on the draft */
};

/* Copies the file there (or the sample, where there is none). config_draft_close() also after
 * false. */
bool config_draft_open(struct config_draft *draft, const char *real, struct fault *fault);
void config_draft_close(struct config_draft *draft);
/* Removes it from the disk, and nothing else: may be called in a signal handler. */
void config_draft_remove(const struct config_draft *draft);
/* Sets a key, unless it has that value already. The fault names the real file. */
bool config_draft_set(struct config_draft *draft, const char *section, const char *key,
	const char *value, struct fault *fault);
/* The effective value of a key, as a file would have it; "" if it is not set. Valid until the next
 * config_draft_set(). */
const char *config_draft_get(
	struct config_draft *draft, const char *section, const char *key, char *out, size_t size);
/* Calls `each` for every key whose effective value has changed; returns how many have. */
int config_draft_changes(const struct config_draft *draft,
	void (*each)(
		const char *section, const char *key, const char *old, const char *new, void *ctx),
	void *ctx);
/* settings_check() of what is on the draft; the faults name the real file. */
int config_draft_check(const struct config_draft *draft,
	void (*report)(const struct fault *, void *ctx), void *ctx);
/* Replaces the real file as a whole: its owner and mode, or root's and 0644; what it was stays
 * beside it. Refused where somebody else has changed it since. */
bool config_draft_commit(struct config_draft *draft, struct fault *fault);

#endif
