/* SPDX-License-Identifier: Apache-2.0 */
/* The spool, when a call fails: no arrival is lost, and no marker is half written. */
#include "faults.h"

#include "../unit/spool_box.h"

#include "base/log.h"

static void *new_dir(void)
{
	void *box = NULL;

	box_new(&box);
	return box;
}

static void end(void *site)
{
	box_free(&site);
}

static void nothing_to_see(void *site, bool good)
{
	(void)site;
	(void)good;
}

/* ---- the module's side ---- */

static bool arrive(struct box *b, bool sync)
{
	int box = spool_open(b->folder->path, SPOOL_NEW);
	int result = box < 0 ? -1 : spool_put(box, "alice", TRIGGER_LOGIN, sync);

	if (result < 0)
		assert_int_not_equal(errno, 0);
	if (box >= 0)
		close(box);
	return result >= 0;
}

static bool arrive_at_once(void *site, struct fault *fault)
{
	(void)fault;
	return arrive(site, false);
}

static bool arrive_on_the_disk(void *site, struct fault *fault)
{
	(void)fault;
	return arrive(site, true);
}

/* An empty file with one name, or none. */
static void an_arrival_or_none(void *site, bool good)
{
	struct spool_arrival out[2];
	struct box *b = site;
	int bad = 0, count = box_list(b, out, 2, &bad, NULL);

	assert_int_equal(bad, 0);
	assert_true(count == 1 || (count == 0 && !good));
	if (count == 1)
		assert_string_equal(out[0].name, "alice.login");
}

static void an_arrival_exists_or_its_writer_fails(void **state)
{
	const struct scenario s = {
		new_dir, arrive_at_once, an_arrival_or_none, end, .silent = true};

	(void)state;
	faults_try(&s);
}

static void a_synced_arrival_exists_or_its_writer_fails(void **state)
{
	const struct scenario s = {
		new_dir, arrive_on_the_disk, an_arrival_or_none, end, .silent = true};

	(void)state;
	faults_try(&s);
}

static void *with_mark(void)
{
	struct box *b = new_dir();

	assert_true(spool_mark(&b->reader, "alice", "invited", NULL));
	return b;
}

static bool read_mark(void *site, struct fault *fault)
{
	struct box *b = site;
	char word[SPOOL_WORD_MAX + 1];
	bool good = spool_read_mark(b->reader.seen_dir, "alice", word);

	(void)fault;
	assert_string_equal(word, good ? "invited" : "");
	return good;
}

static void a_mark_is_read_whole_or_not_at_all(void **state)
{
	const struct scenario s = {with_mark, read_mark, nothing_to_see, end, .silent = true};

	(void)state;
	faults_try(&s);
}

/* ---- the keeper's side ---- */

static bool open_reader(void *site, struct fault *fault)
{
	struct box *b = site;
	struct spool_reader r;
	bool good = spool_reader_open(&r, b->folder->path, fault);

	if (good)
		spool_reader_close(&r);
	return good;
}

static void a_spool_is_opened_whole_or_not_at_all(void **state)
{
	const struct scenario s = {new_dir, open_reader, nothing_to_see, end, .silent = false};

	(void)state;
	faults_try(&s);
}

static void *with_arrivals(void)
{
	struct box *b = new_dir();

	folder_write(b->folder, "new/alice.login", "");
	folder_write(b->folder, "new/bob.created", "");
	folder_write(b->folder, "new/no arrival", "of anybody");
	return b;
}

static bool list(void *site, struct fault *fault)
{
	struct spool_arrival out[4];
	struct box *b = site;
	int bad = 0, count = box_list(b, out, 4, &bad, fault);

	assert_true(count <= 2 && bad <= 1);
	for (int n = 0; n < count; n++)
		assert_true(strcmp(out[n].name, "alice.login") == 0 ||
			    strcmp(out[n].name, "bob.created") == 0);
	return count >= 0;
}

static void no_arrival_is_lost(void *site, bool good)
{
	(void)good;
	assert_true(box_has(site, "new/alice.login"));
	assert_true(box_has(site, "new/bob.created"));
}

static void to_list_arrivals_loses_none(void **state)
{
	const struct scenario s = {with_arrivals, list, no_arrival_is_lost, end, .silent = false};

	(void)state;
	faults_try(&s);
}

static bool take(void *site, struct fault *fault)
{
	struct box *b = site;

	return spool_remove(&b->reader, "alice.login", fault);
}

static void taken_or_still_there(void *site, bool good)
{
	assert_true(!good || !box_has(site, "new/alice.login"));
	assert_true(box_has(site, "new/bob.created"));
}

static void an_arrival_is_taken_or_still_there(void **state)
{
	const struct scenario s = {with_arrivals, take, taken_or_still_there, end, .silent = false};

	(void)state;
	faults_try(&s);
}

/* ---- markers ---- */

static bool mark_queued(void *site, struct fault *fault)
{
	struct box *b = site;

	return spool_mark(&b->reader, "alice", "queued", fault);
}

static bool mark_first(void *site, struct fault *fault)
{
	struct box *b = site;

	return spool_mark_first(&b->reader, "alice", "queued", fault);
}

static bool mark_arrival(void *site, struct fault *fault)
{
	struct box *b = site;
	struct spool_arrival arrival;
	int found = spool_find_arrival(&b->reader, "alice.login", &arrival);

	if (found < 0)
		spool_fault(SPOOL_NEW, "alice.login", fault);
	return found > 0 && spool_mark_arrival(&b->reader, &arrival, fault);
}

static bool unmark(void *site, struct fault *fault)
{
	struct box *b = site;

	return spool_unmark(&b->reader, "alice", fault);
}

/* "" if there is none. */
static void mark_is(struct box *b, const char *either, const char * or)
{
	char word[SPOOL_WORD_MAX + 1];
	bool there = spool_read_mark(b->reader.seen_dir, "alice", word);

	assert_int_equal(there, box_has(b, "seen/alice"));
	if (strcmp(word, either) != 0)
		assert_string_equal(word, or);
	assert_int_equal(box_count(b, "seen"), there ? 1 : 0);
}

static void queued_or_as_before(void *site, bool good)
{
	mark_is(site, "queued", good ? "queued" : "invited");
}

static void queued_or_none(void *site, bool good)
{
	mark_is(site, "queued", good ? "queued" : "");
}

/* If it cannot be linked, a marker is written. */
static void has_marker_and_arrival(void *site, bool good)
{
	mark_is(site, "seen", good ? "seen" : "");
	assert_true(box_has(site, "new/alice.login"));
}

static void none_or_as_before(void *site, bool good)
{
	mark_is(site, "", good ? "" : "invited");
}

static void a_mark_has_the_old_word_or_the_new(void **state)
{
	const struct scenario s = {
		with_mark, mark_queued, queued_or_as_before, end, .silent = false};

	(void)state;
	faults_try(&s);
}

static void a_first_mark_is_whole_or_not_there(void **state)
{
	const struct scenario s = {new_dir, mark_first, queued_or_none, end, .silent = false};

	(void)state;
	faults_try(&s);
}

static void an_arrival_with_a_marker_stays_until_it_is_removed(void **state)
{
	const struct scenario s = {
		with_arrivals, mark_arrival, has_marker_and_arrival, end, .silent = false};

	(void)state;
	faults_try(&s);
}

static void a_mark_is_removed_or_stays(void **state)
{
	const struct scenario s = {with_mark, unmark, none_or_as_before, end, .silent = false};

	(void)state;
	faults_try(&s);
}

static void *with_another_ledgers_marks(void)
{
	struct box *b = with_mark();
	int dropped;

	assert_true(spool_mark(&b->reader, "bob", "queued", NULL));
	assert_true(spool_bind_ledger(&b->reader, "one", 0, &dropped, &(bool){false}, NULL));
	assert_true(spool_mark(&b->reader, "alice", "invited", NULL));
	assert_true(spool_mark(&b->reader, "bob", "queued", NULL));
	return b;
}

static bool belong(void *site, struct fault *fault)
{
	struct box *b = site;
	int dropped;

	return spool_bind_ledger(&b->reader, "two", 0, &dropped, &(bool){false}, fault);
}

/* The markers of a ledger are never stored with the id of another. */
static void no_mark_of_another_ledger(void *site, bool good)
{
	struct box *b = site;
	char *id = folder_read(b->folder, "seen/.ledger");

	assert_true(strcmp(id, "one") == 0 || strcmp(id, "two") == 0);
	if (good || strcmp(id, "two") == 0) {
		assert_string_equal(id, "two");
		assert_int_equal(box_count(b, "seen"), 1);
	}
	free(id);
}

static void marks_are_dropped_before_another_ledger_takes_them(void **state)
{
	const struct scenario s = {with_another_ledgers_marks, belong, no_mark_of_another_ledger,
		end, .silent = false};

	(void)state;
	faults_try(&s);
}

static bool count(const char *user, void *ctx)
{
	*(int *)ctx += strcmp(user, "alice") == 0;
	return true;
}

static bool each(void *site, struct fault *fault)
{
	struct box *b = site;
	int counted = 0;
	bool good = box_each_mark(b, 0, count, &counted, fault);

	assert_true(counted == 1 || (counted == 0 && !good));
	return good;
}

static void all_markers_are_listed_or_it_fails(void **state)
{
	const struct scenario s = {with_mark, each, nothing_to_see, end, .silent = false};

	(void)state;
	faults_try(&s);
}

#define TEST(name) cmocka_unit_test_teardown(name, faults_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_arrival_exists_or_its_writer_fails),
		TEST(a_synced_arrival_exists_or_its_writer_fails),
		TEST(a_mark_is_read_whole_or_not_at_all),
		TEST(a_spool_is_opened_whole_or_not_at_all),
		TEST(to_list_arrivals_loses_none),
		TEST(an_arrival_is_taken_or_still_there),
		TEST(a_mark_has_the_old_word_or_the_new),
		TEST(a_first_mark_is_whole_or_not_there),
		TEST(an_arrival_with_a_marker_stays_until_it_is_removed),
		TEST(a_mark_is_removed_or_stays),
		TEST(marks_are_dropped_before_another_ledger_takes_them),
		TEST(all_markers_are_listed_or_it_fails),
	};

	log_start("spool_faults", (enum log_level)0);
	return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
