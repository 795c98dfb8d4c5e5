/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ledger_site.h"

int site_prepare(void **state)
{
	struct site *site = calloc(1, sizeof(*site));
	void *folder = NULL;

	assert_non_null(site);
	folder_new(&folder);
	site->folder = folder;
	str_copy(site->customer, sizeof(site->customer), "C01234567");
	str_format(site->where, sizeof(site->where), "sqlite:%s/ledger.db", site->folder->path);
	site->settings = (struct settings){
		.customer = site->customer,
		.ledger = site->where,
		.requests_per_minute = 30,
		.timeout = 20,
		.retain_history = 400 * DAY,
		.retain_gone = 30 * DAY,
	};
	*state = site;
	return 0;
}

struct ledger *site_open(struct site *site, enum ledger_open_mode mode)
{
	return ledger_open(&site->settings, mode, &site->fault);
}

int site_new(void **state)
{
	struct site *site;

	site_prepare(state);
	site = *state;
	site->ledger = site_open(site, LEDGER_CREATE);
	GOOD(site, site->ledger);
	return 0;
}

int site_free(void **state)
{
	struct site *site = *state;
	void *folder = site->folder;

	ledger_close(site->ledger);
	folder_free(&folder);
	free(site);
	return 0;
}

const char *site_file(struct site *site)
{
	return folder_path(site->folder, "ledger.db");
}

bool site_fault(const struct site *site, const char *code)
{
	if (strcmp(site->fault.code, code) == 0 && site->fault.what[0] != '\0' &&
		site->fault.remedy[0] != '\0')
		return true;
	print_message("# [%s] %s | %s\n", site->fault.code, site->fault.what, site->fault.remedy);
	return false;
}

void site_sql(struct site *site, const char *sql)
{
	sqlite3 *db = NULL;
	char *error = NULL;

	assert_int_equal(sqlite3_open(site_file(site), &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	sqlite3_close(db);
}

int64_t site_number(struct site *site, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int64_t number;

	assert_int_equal(sqlite3_open(site_file(site), &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	number = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return number;
}

void site_load_v1(struct site *site)
{
	const char *source = getenv("CLOUDINVITE_SOURCE");
	char path[PATH_MAX], *text = NULL;
	size_t size = 0;
	FILE *file;

	str_format(
		path, sizeof(path), "%s/tests/unit/fixtures/ledger_v1.sql", source ? source : ".");
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) > 10000);
	fclose(file);
	site_sql(site, text);
	free(text);
	assert_int_equal(chmod(site_file(site), 0600), 0);
}

struct sighting account(const char *host, const char *user)
{
	struct sighting s = {.uid = 1000, .trigger = TRIGGER_LOGIN, .local = true};

	str_copy(s.host, sizeof(s.host), host);
	str_copy(s.user, sizeof(s.user), user);
	str_copy(s.shell, sizeof(s.shell), "/bin/bash");
	s.first_seen = clock_wall();
	return s;
}

int saw(struct site *site, const char *host, const char *user)
{
	struct sighting s = account(host, user);
	int result = ledger_account_seen(site->ledger, &s, &site->fault);

	GOOD(site, result >= 0);
	return result;
}

static bool keep_sighting(const struct ledger_sighting *s, void *ctx)
{
	struct ledger_sighting *out = ctx;

	*out = *s;
	return false;
}

struct ledger_sighting seen(struct site *site, const char *host, const char *user)
{
	struct ledger_sighting s = {.id = 0};

	GOOD(site, ledger_each_sighting(
			   site->ledger, host, user, NULL, keep_sighting, &s, &site->fault));
	return s;
}

enum verdict_kind classify_as(
	struct site *site, const char *host, const char *user, struct verdict v, uint64_t rules)
{
	GOOD(site, ledger_unclassified(site->ledger, rules, NULL, 0, &site->fault) == 0);
	GOOD(site, ledger_set_verdict(
			   site->ledger, seen(site, host, user).id, rules, &v, &site->fault));
	return v.kind;
}

enum verdict_kind classify(
	struct site *site, const char *host, const char *user, const char *address, uint64_t rules)
{
	struct verdict v = {.kind = address[0] != '\0' ? VERDICT_MAPPED : VERDICT_EXCLUDED};

	v.from_template = address[0] != '\0';
	str_copy(v.address, sizeof(v.address), address);
	return classify_as(site, host, user, v, rules);
}

struct person somebody(const char *address, enum person_state state)
{
	struct person p = {.state = state, .mails = -1, .intent_mails = -1};

	str_copy(p.address, sizeof(p.address), address);
	p.reason = REASON_FIRST_CHECK;
	p.next_attempt = state == PERSON_QUEUED ? 100 : 0;
	return p;
}

void put(struct site *site, const struct person *p)
{
	GOOD(site, ledger_person_put(site->ledger, p, "a test", "tester", &site->fault));
}

void put_new(struct site *site, const char *address, enum person_state state)
{
	struct person p = somebody(address, state);

	put(site, &p);
}

void arrive(struct site *site, const char *host, const char *user, const char *address)
{
	assert_int_equal(saw(site, host, user), 1);
	assert_int_equal(classify(site, host, user, address, RULES), VERDICT_MAPPED);
	put_new(site, address, PERSON_QUEUED);
}

struct person person(struct site *site, const char *address)
{
	struct person p = {.state = PERSON_FAILED};
	int found = ledger_person(site->ledger, address, &p, &site->fault);

	GOOD(site, found >= 0);
	if (found == 0)
		p.address[0] = '\0';
	return p;
}

const char *state_of(struct site *site, const char *address)
{
	static char text[96];
	struct person p = person(site, address);

	if (p.address[0] == '\0')
		return "none";
	str_format(text, sizeof(text), "%s %s", person_state_word(p.state), person_reason_word(&p));
	return text;
}

void at_once(struct site *site, int processes, bool (*work)(struct site *site, int number))
{
	pid_t children[16];
	int gate[2], failures = 0;

	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < processes; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			char byte;

			close(gate[1]);
			_exit(read(gate[0], &byte, 1) == 0 && work(site, i) ? 0 : 1);
		}
	}
	close(gate[0]);
	close(gate[1]); /* all of them start now */
	for (int i = 0; i < processes; i++) {
		int status = -1;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		failures += status != 0;
	}
	assert_int_equal(failures, 0);
}
