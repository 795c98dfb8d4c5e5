/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A draft of the settings file, in memory, where keys are set one after the other and tried
 * together; then it takes the file's place at once, or never does. Comments and order stay.
 */
#ifndef CLOUDINVITE_CLI_SETUP_CONFIG_DRAFT_H
#define CLOUDINVITE_CLI_SETUP_CONFIG_DRAFT_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/strbuf.h"
#include "settings/settings.h"

#define DRAFT_BACKUP_SUFFIX ".before" /* beside the file: what it was */

struct config_draft {
	const char *path;
	bool is_new;		   /* the file is not there yet */
	struct strbuf original;	   /* what the file said at the beginning */
	struct strbuf text;	   /* what it will say */
	struct settings *before;   /* the file's settings; NULL if it is new */
	struct settings *settings; /* as they stand in the draft */
};

/* Reads the file (or the sample, where there is none). config_draft_close() also after false. */
bool config_draft_open(struct config_draft *draft, const char *path, struct fault *fault);
void config_draft_close(struct config_draft *draft);
/* Sets a key, unless it has that value already. */
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
/* Replaces the file as a whole: its owner and mode, or root's and 0644; what it was stays
 * beside it. Refused where somebody else has changed it since. */
bool config_draft_commit(struct config_draft *draft, struct fault *fault);

#endif
