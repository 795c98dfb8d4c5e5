/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of the ledger, which belongs to an account that may be hostile: whatever they contain,
 * every reader ends, and no writer lets anything through. An input consists of records, separated
 * by a byte 0x1e: the column, the type (i: a number, b: a blob, else a text), and the value.
 */
#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/ops/ops.h"
#include "cli/people/people.h"
#include "cli/report/report.h"
#include "telemetry/counters.h"
#include "tests/fuzz/fuzz.h"

#define COLUMNS_MAX 160
#define LEDGER_CAP  ((size_t)4 * 1024 * 1024)
#define ALICE	    "alice@example.com"

static struct {
	char settings[128], ledger[128];
	uint8_t *bytes; /* of the new ledger */
	size_t size;
	char *updates[COLUMNS_MAX]; /* one for each column */
	size_t count;
} fixture;

static const struct cli cli = {.settings_path = fixture.settings, .width = 80, .actor = "fuzz"};

/* ---- a ledger with a row in every table ---- */

static void write_settings(void)
{
	static const char passwd[] = "alice:x:1000:100:Alice Smith:/home/alice:/bin/bash\n";
	struct strbuf t = {.max = 4096};
	const char *folder = fuzz_folder();

	fuzz_file("passwd", (const uint8_t *)passwd, sizeof(passwd) - 1);
	fuzz_file("group", (const uint8_t *)"users:x:100:\n", 13);
	fuzz_file("map", (const uint8_t *)"", 0);
	strbuf_addf(&t,
		"[google]\ncustomer = C01234567\n[people]\naddress = {user}@example.com\n"
		"domains = example.com\nmap = %s/map\n[storage]\nledger = sqlite:%s/ledger.db\n"
		"spool = %s\nstate = %s\ntokens = %s\nrun = %s\npasswd = %s/passwd\n"
		"group = %s/group\n[worker]\n"
		"collector_user = root\ndispatcher_user = root\nledger_user = root\n",
		folder, folder, folder, folder, folder, folder, folder, folder);
	must(!t.failed, "memory");
	str_copy(fixture.settings, sizeof(fixture.settings),
		fuzz_file("cloudinvite.conf", (const uint8_t *)t.data, t.len));
	str_format(fixture.ledger, sizeof(fixture.ledger), "%s/ledger.db", folder);
	strbuf_free(&t);
}

static bool take_id(const struct ledger_sighting *s, void *ctx)
{
	*(int64_t *)ctx = s->id;
	return false;
}

static bool furnish(struct ledger *l, struct fault *f)
{
	int64_t now = clock_wall(), id = 0;
	struct sighting s = {.host = "vm", .user = "alice", .uid = 1000, .local = true};
	struct verdict v = {.kind = VERDICT_MAPPED, .address = ALICE, .from_template = true};
	struct person p = {.address = ALICE, .reason = REASON_FIRST_CHECK, .state = PERSON_QUEUED};
	struct ledger_pause pause = {.kind = "operator", .text = "holidays", .actor = "root"};
	struct ledger_worker w = {.program = "dispatcher", .host = "vm", .version = "0.1.0"};
	struct history_entry entry = {.at = now, .event = "enabled", .actor = "root"};

	s.first_seen = p.first_day = pause.since = w.last_heartbeat = w.started = now;
	str_copy(p.fault_text, sizeof(p.fault_text), "refused");
	counter_add(COUNTER_BREAKER_TRIPS, 0, 0, 1);
	return ledger_account_seen(l, &s, f) >= 0 && ledger_unclassified(l, 1, NULL, 0, f) >= 0 &&
	       ledger_each_sighting(l, NULL, NULL, NULL, take_id, &id, f) &&
	       ledger_set_verdict(l, id, 1, &v, f) && ledger_person_put(l, &p, "seen", "fuzz", f) &&
	       ledger_block(l, "bob@example.com", "left", "root", f) &&
	       ledger_pause(l, &pause, f) && ledger_heartbeat(l, &w, f) &&
	       ledger_note(l, &entry, f) && ledger_store_counters(l, f);
}

static int add_column(void *ctx, int count, char **values, char **names)
{
	(void)ctx, (void)count, (void)names;
	must(fixture.count < COLUMNS_MAX, "room for every column");
	fixture.updates[fixture.count] = strdup(values[0]);
	must(fixture.updates[fixture.count++], "memory");
	return 0;
}

static sqlite3 *open_file(void)
{
	sqlite3 *db = NULL;

	must(sqlite3_open(fixture.ledger, &db) == SQLITE_OK, "the ledger opens");
	return db;
}

static void make_ledger(void)
{
	static const char columns[] =
		"SELECT printf('UPDATE OR IGNORE %s SET %s = ?1', m.name, c.name)"
		" FROM sqlite_master m, pragma_table_info(m.name) c"
		" WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid";
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *settings;
	struct ledger *ledger;
	sqlite3 *db;
	FILE *file;

	write_settings();
	settings = settings_load(fixture.settings, &fault);
	ledger = settings ? ledger_open(settings, LEDGER_CREATE, &fault) : NULL;
	must(ledger && furnish(ledger, &fault), fault.what);
	ledger_close(ledger);
	settings_free(settings);
	db = open_file();
	must(sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) == SQLITE_OK &&
			sqlite3_exec(db, columns, add_column, NULL, NULL) == SQLITE_OK,
		"the columns are read");
	sqlite3_close(db);
	fixture.bytes = malloc(LEDGER_CAP);
	file = fopen(fixture.ledger, "rb");
	must(fixture.bytes && file, "the ledger is read");
	fixture.size = fread(fixture.bytes, 1, LEDGER_CAP, file);
	fclose(file);
}

/* ---- writing the input ---- */

static void put(sqlite3 *db, const uint8_t *record, size_t size)
{
	char *text = fuzz_text(record + 2, size - 2);
	sqlite3_stmt *update = NULL;

	must(sqlite3_prepare_v2(db, fixture.updates[record[0] % fixture.count], -1, &update,
		     NULL) == SQLITE_OK,
		"the column is there");
	if (record[1] == 'i')
		sqlite3_bind_int64(update, 1, strtoll(text, NULL, 10));
	else if (record[1] == 'b')
		sqlite3_bind_blob(update, 1, text, (int)size - 2, SQLITE_TRANSIENT);
	else
		sqlite3_bind_text(update, 1, text, -1, SQLITE_TRANSIENT);
	(void)sqlite3_step(update); /* a constraint may refuse it */
	sqlite3_finalize(update);
	free(text);
}

static void fill(const uint8_t *data, size_t size)
{
	sqlite3 *db;

	(void)unlink(fuzz_file("ledger.db-wal", (const uint8_t *)"", 0));
	(void)unlink(fuzz_file("ledger.db-shm", (const uint8_t *)"", 0));
	fuzz_file("ledger.db", fixture.bytes, fixture.size);
	db = open_file();
	sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL);
	while (size > 0) {
		const uint8_t *end = memchr(data, 0x1e, size);
		size_t n = end ? (size_t)(end - data) : size;

		if (n > 2)
			put(db, data, n);
		n += !!end;
		data += n;
		size -= n;
	}
	sqlite3_close(db);
}

/* ---- running the readers ---- */

struct said {
	char *text[2]; /* standard output and standard error */
	size_t size[2];
	int exit_code;
};

static struct said run(verb_function *verb, char *name, char *first, char *second)
{
	char *argv[] = {name, first, second, NULL};
	FILE *before[] = {stdout, stderr};
	struct said said = {.exit_code = -1};

	stdout = open_memstream(&said.text[0], &said.size[0]);
	stderr = open_memstream(&said.text[1], &said.size[1]);
	if (stdout && stderr) {
		optind = 0;
		said.exit_code = verb(&cli, second ? 3 : first ? 2 : 1, argv);
		fclose(stdout);
		fclose(stderr);
	}
	stdout = before[0];
	stderr = before[1];
	must(said.exit_code >= 0 && said.exit_code <= 8, "an exit status of ours");
	return said;
}

/* No line contains anything that str_safe would change. */
static void check_lines(const char *text, size_t size)
{
	size_t room = 4 * size + 1;
	char *copy = fuzz_text((const uint8_t *)text, size), *rest = copy, *line;
	char *safe = malloc(room);

	must(!!safe, "memory");
	while ((line = strsep(&rest, "\n")))
		must(strcmp(str_safe(safe, room, line), line) == 0, "harmless lines");
	free(safe);
	free(copy);
}

static void check_json(const struct said *said)
{
	json_t *json = json_loadb(said->text[0], said->size[0], 0, NULL);

	for (size_t i = 0; i < said->size[0]; i++)
		must((said->text[0][i] >= ' ' && said->text[0][i] <= '~') ||
				said->text[0][i] == '\n',
			"printable ASCII");
	/* With an unreadable ledger, the output may end in the middle. */
	must(json || said->exit_code >= EXIT_NEGATIVE, "JSON");
	json_decref(json);
}

static void check_metrics(const struct said *said)
{
	const char *line = said->text[0], *end;

	for (; said->exit_code == EXIT_OK && *line; line = end + 1) {
		end = strchr(line, '\n');
		must(end, "whole lines");
		must(str_starts(line, "# ") || str_starts(line, "cloudinvite_"), "our series");
		must(line[0] == '#' || ascii_is_digit(end[-1]), "with a number");
	}
}

static void read_by(verb_function *verb, char *name, char *first, char *second,
	void (*check)(const struct said *said))
{
	struct said said = run(verb, name, first, second);

	check_lines(said.text[0], said.size[0]);
	check_lines(said.text[1], said.size[1]);
	if (check)
		check(&said);
	free(said.text[0]);
	free(said.text[1]);
}

static int page_of_names(const struct cli *c, int argc, char **argv)
{
	struct strbuf page = {.max = REPORT_MAX};
	struct fault fault = {.kind = FAULT_NONE};
	struct progress progress = {.on = false};
	struct report *r = calloc(1, sizeof(*r));
	struct store store;
	int exit_code = EXIT_STORAGE;

	(void)argc, (void)argv;
	must(r, "memory");
	r->names = true;
	r->week_count = 2;
	if (cli_open_store(c, LEDGER_READ, &store, &exit_code)) {
		if (report_read(&store, r, &progress, &fault) && report_page(r, &page, &fault))
			fwrite(page.data, 1, page.len, stdout);
		cli_close_store(&store);
	}
	strbuf_free(&page);
	free(r);
	return exit_code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char json[] = "--json", all[] = "--all", alice[] = "alice", format[] = "--format=text";
	char status[] = "status", history[] = "history", explain[] = "explain";
	char metrics[] = "metrics", page[] = "report";

	log_start("fuzz", LOG_LEVEL_ERROR);
	if (!fixture.bytes)
		make_ledger();
	fill(data, size);
	read_by(verb_status, status, all, NULL, NULL);
	read_by(verb_status, status, json, NULL, check_json);
	read_by(verb_history, history, alice, NULL, NULL);
	read_by(verb_history, history, json, alice, check_json);
	read_by(verb_explain, explain, alice, NULL, NULL);
	read_by(verb_explain, explain, json, alice, check_json);
	read_by(verb_metrics, metrics, NULL, NULL, check_metrics);
	read_by(verb_metrics, metrics, format, NULL, check_metrics);
	read_by(page_of_names, page, NULL, NULL, NULL);
	return 0;
}
