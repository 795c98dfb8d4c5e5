/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The send journal: one line beside the tokens, outside the ledger, that says which ledger has sent
 * the last mail from this host, when, and how many before. A ledger that was restored from a copy
 * is older than its journal; one that replaces a lost ledger has another id. Google cannot tell
 * that at once: it hides what is younger than 48 hours.
 *
 * It does not record people, and nothing is lost with it but that warning.
 */
#ifndef CLOUDINVITE_ENGINE_SEND_JOURNAL_H
#define CLOUDINVITE_ENGINE_SEND_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "settings/settings.h"

struct send_journal {
	int fd;		   /* -1: it cannot be kept */
	char ledger[33];   /* "": it has said nothing yet, or of another customer or endpoint */
	int64_t sends;	   /* as the ledger counted then */
	int64_t mail_date; /* Google's clock at the last of them; 0: unknown */
};

/* Reads it. False and the fault when it cannot be kept; then it is empty. */
bool send_journal_open(
	struct send_journal *journal, const struct settings *settings, struct fault *fault);
/* A mail is about to be sent. Written without waiting for the disk: after a power cut it is older
 * than the ledger, and still true. */
void send_journal_write(struct send_journal *journal, const struct settings *settings,
	const char *ledger, int64_t sends, int64_t mail_date);
void send_journal_close(struct send_journal *journal);

#endif
