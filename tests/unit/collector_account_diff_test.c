/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/strbuf.h"
#include "folder.h"

#include "worker/collector/account_diff.h"

#define NOW	       INT64_C(1000000)
#define CREATION_DELAY 120

static struct settings settings = {
	.min_uid = 1000, .max_uid = 60000, .creation_delay = CREATION_DELAY};

/* The words of a line. */
struct words {
	const char *word[4];
	int count;
};

static struct words split(char *line)
{
	struct words w = {.word = {"", "", "", ""}};
	char *save = NULL;

	for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(w.count < 4);
		w.word[w.count++] = word;
	}
	return w;
}

static long long number(const char *word)
{
	long long n;

	assert_true(str_number(word, 0, LLONG_MAX, &n));
	return n;
}

static enum record_state record_state(const char *word)
{
	return strcmp(word, "known") == 0 ? RECORD_KNOWN
	       : strcmp(word, "new") == 0 ? RECORD_NEW
					  : RECORD_ABSENT;
}

/* "known 1001 alice" on each line, followed by the time for `new` and `absent`. */
static struct host baseline(const char *text)
{
	struct host h = {.count = 0};
	char *copy = strdup(text), *save = NULL;

	assert_non_null(copy);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct words w = split(line);

		assert_true(w.count >= 3);
		assert_true(host_add(&h, w.word[2], (uint32_t)number(w.word[1]),
			record_state(w.word[0]), w.count > 3 ? number(w.word[3]) : 0));
	}
	free(copy);
	host_sort(&h);
	return h;
}

/* "1001 alice" on each line. */
static struct account_table passwd(const char *text)
{
	struct strbuf lines = {.max = 0};
	struct account_table t;
	char *copy = strdup(text), *save = NULL;

	assert_non_null(copy);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct words w = split(line);

		assert_int_equal(w.count, 2);
		strbuf_addf(&lines, "%s:x:%s:100::/:/bin/sh\n", w.word[1], w.word[0]);
	}
	assert_true(account_parse(lines.data ? lines.data : "", lines.len, &t));
	strbuf_free(&lines);
	free(copy);
	return t;
}

static void tell_changes(const struct account_diff *k, struct strbuf *out)
{
	for (size_t i = 0; i < k->count; i++) {
		const struct change *c = &k->changes[i];

		if (c->kind == CHANGE_RENAMED)
			strbuf_addf(out, "renamed %s %s\n", c->old->user, c->account->user);
		else if (c->kind == CHANGE_REMOVED)
			strbuf_addf(out, "lost %s\n", c->old->user);
		else
			strbuf_addf(out, "created %s\n", c->account->user);
	}
}

static void tell_records(const struct host *h, struct strbuf *out)
{
	static const char *const words[] = {"known", "new", "absent"};

	for (size_t i = 0; i < h->count; i++) {
		const struct record *r = &h->records[i];

		strbuf_addf(out, "%s %u %s", words[r->state], (unsigned)r->uid, r->user);
		if (r->state != RECORD_KNOWN)
			strbuf_addf(out, " %lld", (long long)(r->since - NOW));
		strbuf_add(out, "\n");
	}
}

/* The result of a comparison: changes, and the records afterwards, with times relative to NOW. */
struct result {
	char changes[256], records[512];
	size_t added_count, removed_count, in_range_count;
	int64_t due;
	bool differs;
};

static struct result found(const char *before, const char *present)
{
	struct host h = baseline(before);
	struct account_table t = passwd(present);
	struct strbuf changes = {.max = 0}, records = {.max = 0};
	struct account_diff k;
	struct result f;

	assert_true(account_diff_compute(&h, &t, &settings, NOW, &k));
	tell_changes(&k, &changes);
	tell_records(&k.next, &records);
	f = (struct result){.added_count = k.added_count,
		.removed_count = k.removed_count,
		.in_range_count = k.in_range_count,
		.due = k.due ? k.due - NOW : 0,
		.differs = k.differs};
	str_copy(f.changes, sizeof(f.changes), changes.data ? changes.data : "");
	str_copy(f.records, sizeof(f.records), records.data ? records.data : "");
	strbuf_free(&changes);
	strbuf_free(&records);
	account_diff_free(&k);
	account_table_free(&t);
	host_free(&h);
	return f;
}

static int settle_as_usual(void **state)
{
	(void)state;
	settings.creation_delay = CREATION_DELAY;
	return 0;
}

/* ---- the same ---- */

static void the_same_accounts_are_not_a_change(void **state)
{
	struct result f = found("known 1001 alice\nknown 1002 bob", "1001 alice\n1002 bob");

	(void)state;
	assert_false(f.differs);
	assert_string_equal(f.changes, "");
	assert_string_equal(f.records, "known 1001 alice\nknown 1002 bob\n");
	assert_int_equal(f.in_range_count, 2);
	assert_int_equal(f.due, 0);
}

/* ---- creations ---- */

static void a_new_account_waits_for_creation_delay(void **state)
{
	struct result f = found("known 1001 alice", "1001 alice\n1002 bob");

	(void)state;
	assert_string_equal(f.changes, "");
	assert_string_equal(f.records, "known 1001 alice\nnew 1002 bob 0\n");
	assert_int_equal(f.added_count, 1);
	assert_int_equal(f.due, CREATION_DELAY);
	assert_true(f.differs);
}

static void a_new_account_that_waits_is_reported_once(void **state)
{
	struct result f = found("new 1002 bob 999900", "1002 bob");

	(void)state;
	assert_false(f.differs);
	assert_int_equal(f.added_count, 0);
	assert_int_equal(f.due, CREATION_DELAY - 100);
}

static void a_new_account_that_has_settled_is_created(void **state)
{
	struct result f = found("new 1002 bob 999880", "1002 bob");

	(void)state;
	assert_string_equal(f.changes, "created bob\n");
	assert_string_equal(f.records, "known 1002 bob\n");
	assert_int_equal(f.due, 0);
}

static void an_account_that_is_gone_before_it_settles_is_never_reported(void **state)
{
	struct result f = found("new 1002 bob 999880", "1001 alice");

	(void)state;
	assert_string_equal(f.changes, "");
	assert_string_equal(f.records, "new 1001 alice 0\n");
	assert_int_equal(f.removed_count, 0);
}

static void without_creation_delay_an_account_is_created_at_once(void **state)
{
	struct result f;

	(void)state;
	settings.creation_delay = 0;
	f = found("known 1001 alice", "1001 alice\n1002 bob");
	assert_string_equal(f.changes, "created bob\n");
	assert_string_equal(f.records, "known 1001 alice\nknown 1002 bob\n");
}

static void a_clock_set_back_restarts_the_creation_delay(void **state)
{
	struct result f = found("new 1002 bob 5000000", "1002 bob");

	(void)state;
	assert_string_equal(f.records, "new 1002 bob 0\n");
	assert_int_equal(f.due, CREATION_DELAY);
	assert_true(f.differs);
}

/* ---- deletions ---- */

static void an_account_that_is_missing_once_is_not_gone(void **state)
{
	struct result f = found("known 1001 alice\nknown 1002 bob", "1001 alice");

	(void)state;
	assert_string_equal(f.changes, "");
	assert_string_equal(f.records, "known 1001 alice\nabsent 1002 bob 0\n");
	assert_int_equal(f.removed_count, 1);
	assert_int_equal(f.due, CREATION_DELAY);
}

static void an_account_that_is_missing_again_too_early_is_not_gone_yet(void **state)
{
	struct result f = found("absent 1002 bob 999881", "1001 alice");

	(void)state;
	assert_string_equal(f.changes, "");
	assert_int_equal(f.removed_count, 0);
	assert_int_equal(f.due, 1);
}

static void an_account_that_is_missing_again_after_the_creation_delay_is_removed(void **state)
{
	struct result f = found("known 1001 alice\nabsent 1002 bob 999880", "1001 alice");

	(void)state;
	assert_string_equal(f.changes, "lost bob\n");
	assert_string_equal(f.records, "known 1001 alice\n");
	assert_int_equal(f.removed_count, 0);
}

static void an_account_that_comes_back_in_between_was_never_gone(void **state)
{
	struct result f = found("absent 1002 bob 999880", "1002 bob");

	(void)state;
	assert_string_equal(f.changes, "");
	assert_string_equal(f.records, "known 1002 bob\n");
	assert_true(f.differs);
}

static void without_creation_delay_a_deletion_still_takes_two_compares_a_second_apart(void **state)
{
	struct result f;

	(void)state;
	settings.creation_delay = 0;
	f = found("known 1002 bob", "");
	assert_string_equal(f.changes, "");
	assert_int_equal(f.due, 1);
	f = found("absent 1002 bob 1000000", "");
	assert_string_equal(f.changes, "lost bob\n");
}

/* ---- renames ---- */

static void the_same_uid_gone_and_come_is_a_rename(void **state)
{
	struct result f = found("absent 1001 alice 999880\nnew 1001 alicia 999880", "1001 alicia");

	(void)state;
	assert_string_equal(f.changes, "renamed alice alicia\n");
	assert_string_equal(f.records, "known 1001 alicia\n");
}

static void a_new_name_waits_until_the_old_one_is_certainly_gone(void **state)
{
	struct result f = found("absent 1001 alice 999990\nnew 1001 alicia 999800", "1001 alicia");

	(void)state;
	assert_string_equal(f.changes, "");
	assert_string_equal(f.records, "absent 1001 alice -10\nnew 1001 alicia -200\n");
	assert_false(f.differs);
	assert_int_equal(f.due, CREATION_DELAY - 10);
}

static void without_creation_delay_a_rename_is_still_a_rename(void **state)
{
	struct result f;

	(void)state;
	settings.creation_delay = 0;
	f = found("known 1001 alice", "1001 alicia");
	assert_string_equal(f.changes, "");
	assert_string_equal(f.records, "absent 1001 alice 0\nnew 1001 alicia 0\n");
	f = found("absent 1001 alice 1000000\nnew 1001 alicia 1000000", "1001 alicia");
	assert_string_equal(f.changes, "renamed alice alicia\n");
}

static void one_old_name_becomes_one_new_name(void **state)
{
	struct result f = found("absent 1001 alice 999880\nnew 1001 alicia 999880\n"
				"new 1001 alma 999880\nabsent 1009 zoe 999880",
		"1001 alicia\n1001 alma");

	(void)state;
	assert_string_equal(f.changes, "renamed alice alicia\ncreated alma\nlost zoe\n");
}

static void another_uid_under_the_same_name_is_lost_and_created(void **state)
{
	struct result f = found("known 1001 alice", "4001 alice");

	(void)state;
	assert_string_equal(f.changes, "lost alice\ncreated alice\n");
	assert_string_equal(f.records, "known 4001 alice\n");
	assert_int_equal(f.added_count, 1);
	assert_int_equal(f.removed_count, 1);
}

static void two_accounts_that_swap_names_are_two_other_accounts(void **state)
{
	struct result f = found("known 1001 alice\nknown 1002 bob", "1002 alice\n1001 bob");

	(void)state;
	assert_string_equal(f.changes, "lost alice\ncreated alice\nlost bob\ncreated bob\n");
}

static void a_new_account_that_changes_its_uid_settles_again(void **state)
{
	struct result f = found("new 1001 alice 999900", "1005 alice");

	(void)state;
	assert_string_equal(f.changes, "");
	assert_string_equal(f.records, "new 1005 alice 0\n");
	assert_true(f.differs);
	assert_int_equal(f.removed_count, 0);
}

/* ---- ranges ---- */

static void accounts_out_of_range_come_and_go_without_effect(void **state)
{
	struct result f = found("known 5 lp\nknown 1001 alice\nknown 65534 nobody",
		"0 root\n999 system\n1001 alice\n60001 machine");

	(void)state;
	assert_string_equal(f.changes, "");
	assert_int_equal(f.added_count + f.removed_count, 0);
	assert_int_equal(f.in_range_count, 1);
	assert_string_equal(f.records,
		"known 1001 alice\nknown 60001 machine\nknown 0 root\nknown 999 system\n");
	assert_int_equal(f.due, 0);
}

static void another_range_makes_no_old_account_a_new_one(void **state)
{
	struct result f;

	(void)state;
	settings.min_uid = 500;
	f = found("known 600 old", "600 old");
	settings.min_uid = 1000;
	assert_string_equal(f.changes, "");
	assert_false(f.differs);
}

static void a_uid_that_enters_the_range_is_added_and_one_that_leaves_is_removed(void **state)
{
	struct result f = found("known 600 alice\nknown 1001 bob", "1005 alice\n601 bob");

	(void)state;
	assert_string_equal(f.changes, "lost bob\n");
	assert_string_equal(f.records, "new 1005 alice 0\nknown 601 bob\n");
}

static void a_name_that_the_spool_does_not_accept_is_ignored(void **state)
{
	char present[400];
	struct result f;

	(void)state;
	str_format(present, sizeof(present), "1001 alice\n1002 b%0300d", 0);
	f = found("known 1001 alice", present);
	assert_false(f.differs);
	assert_string_equal(f.records, "known 1001 alice\n");
}

#define TEST(name) cmocka_unit_test_setup(name, settle_as_usual)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_accounts_are_not_a_change),
		TEST(a_new_account_waits_for_creation_delay),
		TEST(a_new_account_that_waits_is_reported_once),
		TEST(a_new_account_that_has_settled_is_created),
		TEST(an_account_that_is_gone_before_it_settles_is_never_reported),
		TEST(without_creation_delay_an_account_is_created_at_once),
		TEST(a_clock_set_back_restarts_the_creation_delay),
		TEST(an_account_that_is_missing_once_is_not_gone),
		TEST(an_account_that_is_missing_again_too_early_is_not_gone_yet),
		TEST(an_account_that_is_missing_again_after_the_creation_delay_is_removed),
		TEST(an_account_that_comes_back_in_between_was_never_gone),
		TEST(without_creation_delay_a_deletion_still_takes_two_compares_a_second_apart),
		TEST(the_same_uid_gone_and_come_is_a_rename),
		TEST(a_new_name_waits_until_the_old_one_is_certainly_gone),
		TEST(without_creation_delay_a_rename_is_still_a_rename),
		TEST(one_old_name_becomes_one_new_name),
		TEST(another_uid_under_the_same_name_is_lost_and_created),
		TEST(two_accounts_that_swap_names_are_two_other_accounts),
		TEST(a_new_account_that_changes_its_uid_settles_again),
		TEST(accounts_out_of_range_come_and_go_without_effect),
		TEST(another_range_makes_no_old_account_a_new_one),
		TEST(a_uid_that_enters_the_range_is_added_and_one_that_leaves_is_removed),
		TEST(a_name_that_the_spool_does_not_accept_is_ignored),
	};

	return cmocka_run_group_tests_name("collector: the compare", tests, NULL, NULL);
}
