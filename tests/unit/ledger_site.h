/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a ledger in a directory of its own, and short ways to fill it.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_LEDGER_SITE_H
#define CLOUDINVITE_TESTS_UNIT_LEDGER_SITE_H

#include "base/str.h"
#include "folder.h"

#include <sqlite3.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "ledger/ledger.h"

#define DAY   INT64_C(86400)
#define RULES 0xfedcba9876543210u /* above INT64_MAX: half of all hashes are */

struct site {
	struct folder *folder;
	struct settings settings;
	char where[128];
	char customer[64];
	struct ledger *ledger;
	struct fault fault;
};

/* Fails with the text of an unexpected fault. */
#define GOOD(site, call)                                                                     \
	do {                                                                                 \
		if (!(call)) {                                                               \
			print_message("# %s: %s\n", (site)->fault.code, (site)->fault.what); \
			fail_msg("%s", #call);                                               \
		}                                                                            \
	} while (0)

int site_prepare(void **state);
struct ledger *site_open(struct site *site, enum ledger_open_mode mode);
int site_new(void **state);
int site_free(void **state);
const char *site_file(struct site *site);
bool site_fault(const struct site *site, const char *code);

/* SQL outside of the ledger's own handle: what another program or a person would do to the file. */
void site_sql(struct site *site, const char *sql);
int64_t site_number(struct site *site, const char *sql);

/* In place of a ledger: one of schema version 1, as the program of that time wrote it. */
void site_load_v1(struct site *site);

/* ---- accounts ---- */

struct sighting account(const char *host, const char *user);
int saw(struct site *site, const char *host, const char *user);

/* id 0: none. */
struct ledger_sighting seen(struct site *site, const char *host, const char *user);
enum verdict_kind classify_as(
	struct site *site, const char *host, const char *user, struct verdict v, uint64_t rules);

/* As the template would, or ("") as excluded. */
enum verdict_kind classify(
	struct site *site, const char *host, const char *user, const char *address, uint64_t rules);

/* ---- people ---- */

struct person somebody(const char *address, enum person_state state);
void put(struct site *site, const struct person *p);
void put_new(struct site *site, const char *address, enum person_state state);

/* An account, its verdict and its person, as the two programs make them. */
void arrive(struct site *site, const char *host, const char *user, const char *address);
struct person person(struct site *site, const char *address);

/* "held collision", or "none". */
const char *state_of(struct site *site, const char *address);

/* ---- several programs ---- */

/* Runs `work` in so many processes at once, each with a ledger of its own; all must succeed. */
void at_once(struct site *site, int processes, bool (*work)(struct site *site, int number));

#endif
