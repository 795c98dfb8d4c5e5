/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records between the collector and the spool's keeper, in both directions: one that is accepted is
 * exactly the one that an honest writer makes of its name, word and numbers, and names a file in a
 * directory of the spool.
 */
#include <string.h>

#include "spool/record.h"
#include "tests/fuzz/fuzz.h"

static void must_be_honest(const struct spool_record *r)
{
	struct spool_record again;

	must(spool_record_make(&again, r->verb, r->name, r->word), "its texts fit");
	again.status = r->status;
	again.time = r->time;
	again.count = r->count;
	must(memcmp(&again, r, sizeof(again)) == 0, "no byte of it means nothing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spool_record r = {.verb = 0};

	memcpy(&r, data, size < sizeof(r) ? size : sizeof(r));
	if (spool_record_is_request(&r, size)) {
		must(size == sizeof(r), "a request has one size");
		must(!strchr(r.name, '/') && r.name[0] != '.', "a name is a plain file's");
		must(r.status == 0, "a request has no status");
		must_be_honest(&r);
	}
	if (spool_record_is_answer(&r, size)) {
		must(size == sizeof(r), "an answer has one size");
		must_be_honest(&r);
	}
	return 0;
}
