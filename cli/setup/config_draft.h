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

#define DRAFT_BACKUP_SUFFIX ".before" /* of the previous file, which stays beside it */

struct config_draft {
	const char *path;
	bool is_new;		   /* the file does not exist yet */
	struct strbuf original;	   /* the file's text when it was opened */
	struct strbuf text;	   /* the draft's text */
	struct settings *before;   /* the file's settings; NULL if it is new */
	struct settings *settings; /* the draft's settings */
};

/* Reads the file (or the sample, where there is none). config_draft_close() also after false. */
bool config_draft_open(struct config_draft *draft, const char *path, struct fault *fault);
void config_draft_close(struct config_draft *draft);
/* Sets a key, unless it has that value already. */
bool config_draft_set(struct config_draft *draft, const char *section, const char *key,
	const char *value, struct fault *fault);
/* The effective value of a key, as written in a file; "" if it is not set. Valid until the next
 * config_draft_set(). */
const char *config_draft_get(
	struct config_draft *draft, const char *section, const char *key, char *out, size_t size);
/* Calls `each` for every key whose effective value has changed; returns how many have. */
int config_draft_changes(const struct config_draft *draft,
	void (*each)(
		const char *section, const char *key, const char *old, const char *new, void *ctx),
	void *ctx);
/* Replaces the file as a whole and keeps the previous one beside it. Owner and mode stay; a new
 * file is readable by root and the programs' accounts (0640). Refused if the file has changed since
 * it was opened. */
bool config_draft_commit(struct config_draft *draft, struct fault *fault);

#endif
