/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The send journal: a line that is torn or unexpected says nothing, and never a negative count.
 */
#include <string.h>

#include "engine/send_journal.h"
#include "tests/fuzz/fuzz.h"

static char customer[] = "C01234567";
static char endpoint[] = "https://cloudidentity.googleapis.com";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char tokens[256];
	struct settings settings = {.customer = customer, .endpoint = endpoint, .tokens = tokens};
	struct fault fault = {.kind = FAULT_NONE};
	struct send_journal w;

	fuzz_file("last-mail", data, size);
	strncpy(tokens, fuzz_folder(), sizeof(tokens) - 1);
	tokens[sizeof(tokens) - 1] = '\0';
	must(send_journal_open(&w, &settings, &fault), fault.what);
	must(w.sends >= 0 && w.mail_date >= 0, "counts and dates are none below zero");
	must(w.ledger[0] != '\0' || (w.sends == 0 && w.mail_date == 0),
		"without a ledger nothing is said");
	send_journal_close(&w);
	return 0;
}
