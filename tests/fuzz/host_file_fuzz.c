/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's baseline: a file that is accepted is in order and can be written and read again;
 * any other counts as missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/fuzz/fuzz.h"
#include "worker/collector/host.h"

static void check_order(const struct host *h)
{
	for (size_t i = 0; i < h->count; i++) {
		must(h->records[i].user[0] != '\0', "everybody has a name");
		must(i == 0 || strcmp(h->records[i - 1].user, h->records[i].user) < 0,
			"once, and in order");
		must(h->records[i].since >= 0, "and none is from before the epoch");
	}
}

static void write_and_read(const struct host *h)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct host again;

	must(host_save(h, h, fuzz_folder(), &fault), "it can be written");
	must(host_load(&again, fuzz_folder(), fuzz_folder(), h->name, &fault), "and read");
	must(!again.first && again.count == h->count && again.guard_tripped == h->guard_tripped,
		"and is the same");
	for (size_t i = 0; i < h->count; i++)
		must(strcmp(again.records[i].user, h->records[i].user) == 0 &&
				again.records[i].uid == h->records[i].uid &&
				again.records[i].state == h->records[i].state,
			"with everybody in it");
	host_free(&again);
}

static char place[128];

static void remove_place(void)
{
	char file[160];

	(void)snprintf(file, sizeof(file), "%s/host", place);
	(void)unlink(file);
	(void)rmdir(place);
}

static void make_place(void)
{
	if (place[0])
		return;
	(void)snprintf(place, sizeof(place), "%s/collector", fuzz_folder());
	must(mkdir(place, 0700) == 0, "its directory");
	(void)atexit(remove_place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct host h;

	log_start("fuzz", LOG_LEVEL_ERROR);
	make_place();
	fuzz_file("collector/host", data, size);
	must(host_load(&h, fuzz_folder(), fuzz_folder(), "host.example.com", &fault), "it is read");
	must(!h.first || (h.count == 0 && !h.guard_tripped && !h.old_name[0]),
		"all of it, or nothing");
	check_order(&h);
	if (!h.first)
		write_and_read(&h);
	host_free(&h);
	return 0;
}
