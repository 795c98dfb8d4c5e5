/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper and its peer: what an honest collector gets, and what a hostile one does not get.
 */
#include "base/str.h"
#include "tests/unit/child.h"
#include "tests/unit/spool_box.h"

#include <sys/socket.h>
#include <time.h>

#include "base/array.h"
#include "spool/client.h"
#include "spool/keeper.h"

struct kept {
	void *box; /* struct box */
	struct spool_client client;
};

static struct box *box_of(struct kept *k)
{
	return k->box;
}

static int kept_new(void **state)
{
	struct kept *k = calloc(1, sizeof(*k));
	struct fault fault = {.kind = FAULT_NONE};

	assert_non_null(k);
	box_new(&k->box);
	spool_client_attach(&k->client, spool_keeper_fork(box_of(k)->folder->path, &fault));
	if (k->client.fd < 0)
		fail_msg("%s", fault.what);
	*state = k;
	return 0;
}

static int kept_free(void **state)
{
	struct kept *k = *state;

	spool_client_close(&k->client);
	box_free(&k->box);
	free(k);
	return 0;
}

static void arrive(struct kept *k, const char *user)
{
	assert_int_equal(spool_put(box_of(k)->reader.new_dir, user, TRIGGER_LOGIN, false), 1);
}

static void send_record(struct kept *k, const struct spool_record *r, size_t n)
{
	(void)send(k->client.fd, r, n, MSG_NOSIGNAL);
}

/* Whether the keeper has closed the connection; reads whatever it still sends. */
static bool is_closed(struct kept *k)
{
	struct spool_record r;
	ssize_t n;

	do
		n = recv(k->client.fd, &r, sizeof(r), 0);
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

static void expect_content(struct box *b, const char *name, const char *content)
{
	char *text = folder_read(b->folder, name);

	assert_string_equal(text, content);
	free(text);
}

/* ---- an honest collector ---- */

static void arrivals_are_sent_oldest_first_marked_and_removed(void **state)
{
	struct kept *k = *state;
	struct spool_arrival out[8];
	struct fault fault = {.kind = FAULT_NONE};
	char word[SPOOL_WORD_MAX + 1];

	arrive(k, "alice");
	arrive(k, "a/b");
	box_age(box_of(k), "new/a%2Fb.login", 1000);
	folder_write(box_of(k)->folder, "new/junk", "");
	assert_int_equal(spool_client_list(&k->client, out, 8, &fault), 2);
	assert_string_equal(out[0].user, "a/b");
	assert_int_equal(out[0].at, 1000);
	assert_string_equal(out[1].user, "alice");
	assert_int_equal(out[1].trigger, TRIGGER_LOGIN);
	assert_true(spool_client_take(&k->client, &out[0], true, &fault));
	assert_true(spool_client_take(&k->client, &out[1], false, &fault));
	assert_true(spool_client_flush(&k->client, &fault));
	assert_int_equal(box_count(box_of(k), "new"), 0);
	assert_true(spool_read_mark(box_of(k)->reader.seen_dir, "a/b", word));
	assert_string_equal(word, "seen");
	assert_int_equal(box_count(box_of(k), "seen"), 1);
	assert_true(box_has(box_of(k), "bad/junk"));
}

static void a_list_holds_as_many_as_were_asked_for(void **state)
{
	struct kept *k = *state;
	struct spool_arrival out[8];

	for (int i = 0; i < 12; i++) {
		char user[16];

		str_format(user, sizeof(user), "u%d", i);
		arrive(k, user);
	}
	assert_int_equal(spool_client_list(&k->client, out, 8, NULL), 8);
	assert_int_equal(spool_client_list(&k->client, out, 1, NULL), 1);
}

static void thousands_of_arrivals_pass_a_queue_of_a_few_hundred(void **state)
{
	struct spool_arrival *out = calloc(5000, sizeof(*out));
	struct kept *k = *state;
	int count;

	assert_non_null(out);
	for (int i = 0; i < 5000; i++) {
		char user[16];

		str_format(user, sizeof(user), "u%d", i);
		arrive(k, user);
	}
	count = spool_client_list(&k->client, out, 5000, NULL);
	assert_int_equal(count, 5000);
	for (int i = 0; i < count; i++)
		assert_true(spool_client_take(&k->client, &out[i], true, NULL));
	assert_true(spool_client_flush(&k->client, NULL));
	free(out);
	assert_int_equal(box_count(box_of(k), "new"), 0);
	assert_int_equal(box_count(box_of(k), "seen"), 5000);
}

static void new_arrivals_are_announced_once_until_the_next_request(void **state)
{
	struct kept *k = *state;
	struct spool_arrival out[8];
	struct spool_record r;

	/* A record that may have been sent before. */
	assert_int_equal(recv(k->client.fd, &r, sizeof(r), 0), sizeof(r));
	assert_int_equal(r.verb, SPOOL_TELL_NEWS);
	assert_int_equal(spool_client_list(&k->client, out, 8, NULL), 0);
	arrive(k, "alice");
	arrive(k, "bob");
	assert_int_equal(recv(k->client.fd, &r, sizeof(r), 0), sizeof(r));
	assert_int_equal(r.verb, SPOOL_TELL_NEWS);
	assert_true(spool_client_flush(&k->client, NULL));
	assert_false(k->client.arrived);
	assert_int_equal(spool_client_list(&k->client, out, 8, NULL), 2);
}

static bool forget_it(const char *user, void *ctx)
{
	return spool_client_unmark(ctx, user, NULL);
}

static void markers_are_written_sent_and_removed(void **state)
{
	struct kept *k = *state;
	struct spool_client *c = &k->client;
	struct box *b = box_of(k);
	int64_t count, oldest;
	int dropped = -1;
	bool older = true;

	assert_true(spool_client_mark(c, "alice", "queued", SPOOL_MARK_CHANGE, NULL));
	assert_true(spool_client_mark(c, "bob", "seen", SPOOL_MARK_FIRST, NULL));
	assert_true(spool_client_mark(c, "bob", "queued", SPOOL_MARK_FIRST, NULL));
	assert_true(spool_client_mark(c, "carol", "queued", SPOOL_MARK_ANY, NULL));
	assert_true(spool_client_mark(c, "carol", "invited", SPOOL_MARK_CHANGE, NULL));
	assert_true(spool_client_flush(c, NULL));
	assert_false(box_has(b, "seen/alice"));
	expect_content(b, "seen/bob", "seen");
	expect_content(b, "seen/carol", "invited\n");
	assert_true(spool_client_bind(
		c, "0123456789abcdef0123456789abcdef", 5, &dropped, &older, NULL));
	assert_int_equal(dropped, 2);
	assert_false(older);
	/* A smaller revision of the same ledger: nothing is done, and the peer hears of it. */
	assert_true(spool_client_mark(c, "carol", "invited", SPOOL_MARK_ANY, NULL));
	assert_true(spool_client_bind(
		c, "0123456789abcdef0123456789abcdef", 4, &dropped, &older, NULL));
	assert_true(older);
	assert_int_equal(dropped, 0);
	expect_content(b, "seen/carol", "invited");
	assert_true(spool_client_unmark(c, "carol", NULL));
	for (int i = 0; i < 1000; i++) {
		char user[16];

		str_format(user, sizeof(user), "u%d", i);
		assert_true(spool_client_mark(c, user, "seen", SPOOL_MARK_FIRST, NULL));
	}
	assert_true(spool_client_flush(c, NULL));
	box_age(b, "seen/u7", 1000);
	/* It unmarks while it reads, in both directions at once. */
	assert_true(spool_client_each_mark(c, 2000, forget_it, c, NULL));
	assert_true(spool_client_flush(c, NULL));
	assert_int_equal(box_count(b, "seen"), 1000);
	assert_true(spool_client_each_mark(c, 0, forget_it, c, NULL));
	assert_true(spool_client_flush(c, NULL));
	assert_int_equal(box_count(b, "seen"), 1);
	assert_true(spool_client_stat(c, "new", &count, &oldest, NULL));
	assert_int_equal(count, 0);
	assert_int_equal(oldest, 0);
}

static void a_failure_is_reported_by_the_next_flush(void **state)
{
	struct kept *k = *state;
	struct fault fault = {.kind = FAULT_NONE};

	folder_make(box_of(k)->folder, "seen/alice");
	assert_true(spool_client_mark(&k->client, "alice", "queued", SPOOL_MARK_ANY, NULL));
	assert_true(spool_client_mark(&k->client, "bob", "queued", SPOOL_MARK_ANY, NULL));
	assert_false(spool_client_flush(&k->client, &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.what, "seen/: alice"));
	assert_true(spool_client_flush(&k->client, NULL));
	assert_true(box_has(box_of(k), "seen/bob"));
}

/* The file itself is linked: no file is created, and none is freed. */
static void an_arrival_becomes_the_marker(void **state)
{
	struct kept *k = *state;
	struct box *b = box_of(k);
	struct spool_arrival a = {.name = "alice.login"};
	struct fault fault = {.kind = FAULT_NONE};
	struct stat arrived, marked;

	arrive(k, "alice");
	assert_int_equal(lstat(folder_path(b->folder, "new/alice.login"), &arrived), 0);
	assert_true(spool_client_take(&k->client, &a, true, &fault));
	assert_true(spool_client_flush(&k->client, &fault));
	assert_int_equal(box_count(b, "new"), 0);
	assert_int_equal(lstat(folder_path(b->folder, "seen/alice"), &marked), 0);
	assert_int_equal(marked.st_ino, arrived.st_ino);
	assert_int_equal(marked.st_nlink, 1);
	/* Another arrival of a user with a marker is removed, and the marker stays. */
	assert_true(spool_mark(&b->reader, "alice", "invited", &fault));
	arrive(k, "alice");
	assert_true(spool_client_take(&k->client, &a, true, &fault));
	assert_true(spool_client_flush(&k->client, &fault));
	assert_int_equal(box_count(b, "new"), 0);
	expect_content(b, "seen/alice", "invited\n");
}

/* Root has put the file there by mistake, and no listing has moved it to bad/ yet. */
static void a_file_that_is_not_an_arrival_does_not_become_a_marker(void **state)
{
	struct kept *k = *state;
	struct box *b = box_of(k);
	struct spool_arrival a = {.name = "alice.login"};
	struct fault fault = {.kind = FAULT_NONE};

	folder_write(b->folder, "new/alice.login", "invited\n");
	assert_true(spool_client_take(&k->client, &a, true, &fault));
	assert_false(spool_client_flush(&k->client, &fault));
	assert_non_null(strstr(fault.what, "new/: alice.login"));
	assert_int_equal(box_count(b, "seen"), 0);
}

static void a_crash_between_link_and_unlink_leaves_an_arrival(void **state)
{
	struct kept *k = *state;
	struct box *b = box_of(k);
	struct spool_arrival out[8];
	struct fault fault = {.kind = FAULT_NONE};

	arrive(k, "alice");
	assert_int_equal(
		linkat(b->reader.new_dir, "alice.login", b->reader.seen_dir, "alice", 0), 0);
	assert_int_equal(spool_client_list(&k->client, out, 8, &fault), 1);
	assert_int_equal(box_count(b, "bad"), 0);
	assert_true(spool_client_take(&k->client, &out[0], true, &fault));
	assert_true(spool_client_flush(&k->client, &fault));
	assert_int_equal(box_count(b, "new"), 0);
	assert_true(box_has(b, "seen/alice"));
}

static void a_keeper_that_ends_is_a_fault_and_a_closed_connection(void **state)
{
	struct kept *k = *state;
	struct fault fault = {.kind = FAULT_NONE};

	assert_int_equal(rmdir(folder_path(box_of(k)->folder, "new")), 0);
	while (spool_client_flush(&k->client, &fault))
		continue;
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_string_equal(fault.code, "keeper");
	assert_int_equal(k->client.fd, -1);
	assert_false(spool_client_flush(&k->client, &fault));
}

static void no_two_keepers_serve_at_once(void **state)
{
	struct kept *k = *state;
	struct box *b = box_of(k);
	struct spool_client other;
	struct spool_record r;
	struct fault fault = {.kind = FAULT_NONE};

	assert_true(spool_client_flush(&k->client, NULL));
	assert_true(spool_is_served(b->reader.new_dir));
	spool_client_attach(&other, spool_keeper_fork(b->folder->path, &fault));
	assert_true(other.fd >= 0);
	(void)spool_record_make(&r, SPOOL_ASK_FLUSH, NULL, NULL);
	assert_int_equal(send(other.fd, &r, sizeof(r), 0), sizeof(r));
	(void)usleep(200000);
	assert_int_equal(recv(other.fd, &r, sizeof(r), MSG_DONTWAIT), -1);
	spool_client_close(&k->client);
	/* Now the second one answers. */
	do
		assert_int_equal(recv(other.fd, &r, sizeof(r), 0), sizeof(r));
	while (r.verb == SPOOL_TELL_NEWS);
	assert_int_equal(r.verb, SPOOL_TELL_END);
	spool_client_close(&other);
}

/* ---- a hostile collector ---- */

/* An honest record with one byte changed. */
struct forgery {
	char verb;
	const char *name, *word;
	size_t at;
	char byte;
};
#define AT(field) offsetof(struct spool_record, field)

static void every_malformed_record_ends_the_connection(void **state)
{
	static const struct forgery forgeries[] = {
		{'X', NULL, NULL, AT(zero), 0},
		{'\0', NULL, NULL, AT(zero), 0},
		{'W', NULL, NULL, AT(zero), 0}, /* an answer, not a request */
		{'A', "alice.login", NULL, AT(zero), 0},
		{'E', NULL, NULL, AT(zero), 0},
		{'P', NULL, NULL, AT(zero), 1},
		{'P', NULL, NULL, AT(status), 1},
		{'P', NULL, NULL, AT(time), 1},
		{'P', NULL, NULL, AT(count), 1},
		{'P', "alice", NULL, AT(zero), 0},
		{'P', NULL, "word", AT(zero), 0},
		{'U', NULL, NULL, AT(zero), 0},
		{'U', "../new", NULL, AT(zero), 0},
		{'U', "/etc/passwd", NULL, AT(zero), 0},
		{'U', ".", NULL, AT(zero), 0},
		{'U', "..", NULL, AT(zero), 0},
		{'U', ".ledger", NULL, AT(zero), 0},
		{'U', "%61lice", NULL, AT(zero), 0},
		{'U', "%2f", NULL, AT(zero), 0},
		{'U', "a b", NULL, AT(zero), 0},
		{'U', "\xff", NULL, AT(zero), 0},
		{'U', "alice", NULL, AT(name) + 6, 'x'}, /* after the NUL */
		{'U', "alice", NULL, AT(name) + 167, 'x'},
		{'U', "alice", "word", AT(zero), 0},
		{'T', "alice", NULL, AT(zero), 0},
		{'T', "alice.never", NULL, AT(zero), 0},
		{'T', ".login", NULL, AT(zero), 0},
		{'D', "alice", NULL, AT(zero), 0},
		{'D', "alice.login", "seen", AT(zero), 0},
		{'M', "alice", NULL, AT(zero), 0},
		{'M', "alice", "Word", AT(zero), 0},
		{'M', "alice", "two words", AT(zero), 0},
		{'M', "alice", "x\n", AT(zero), 0},
		{'M', "alice", "word", AT(word) + 5, 'x'},
		{'M', "alice", "word", AT(time), 1},
		{'C', "", "word", AT(zero), 0},
		{'F', "a/b", "word", AT(zero), 0},
		{'N', NULL, NULL, AT(zero), 0},		     /* 0 arrivals */
		{'N', NULL, NULL, AT(count) + 7, (char)128}, /* negative */
		{'N', NULL, NULL, AT(count) + 2, 2},	     /* too many */
		{'L', NULL, NULL, AT(time) + 7, (char)128},
		{'B', NULL, NULL, AT(zero), 0},
		{'S', NULL, NULL, AT(zero), 0},
	};
	struct kept *k = *state;
	struct spool_record r;

	arrive(k, "alice");
	for (size_t i = 0; i < ARRAY_SIZE(forgeries); i++) {
		const struct forgery *f = &forgeries[i];
		struct fault fault = {.kind = FAULT_NONE};

		assert_true(spool_record_make(&r, f->verb, f->name, f->word));
		((char *)&r)[f->at] = f->byte;
		assert_false(spool_record_is_request(&r, sizeof(r)));
		send_record(k, &r, sizeof(r));
		if (!is_closed(k))
			fail_msg("forgery %zu is taken", i);
		spool_client_close(&k->client);
		spool_client_attach(&k->client, spool_keeper_fork(box_of(k)->folder->path, &fault));
	}
	assert_true(box_has(box_of(k), "new/alice.login"));
	assert_int_equal(box_count(box_of(k), "seen"), 0);
}

static void a_record_of_another_size_ends_the_connection(void **state)
{
	static const size_t sizes[] = {0, 1, 255, 257, 512};
	struct kept *k = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct spool_record r[2] = {{.verb = SPOOL_ASK_FLUSH}};
		struct fault fault = {.kind = FAULT_NONE};

		send_record(k, r, sizes[i]);
		assert_true(is_closed(k));
		spool_client_close(&k->client);
		spool_client_attach(&k->client, spool_keeper_fork(box_of(k)->folder->path, &fault));
	}
}

static void a_second_question_before_the_answer_ends_the_connection(void **state)
{
	struct kept *k = *state;
	struct spool_record r;

	for (int i = 0; i < 2000; i++) {
		char user[16];

		str_format(user, sizeof(user), "u%d", i);
		arrive(k, user);
	}
	(void)spool_record_make(&r, SPOOL_ASK_ARRIVALS, NULL, NULL);
	r.count = SPOOL_LIST_MOST;
	send_record(k, &r, sizeof(r));
	send_record(k, &r, sizeof(r));
	assert_true(is_closed(k));
}

/* It asks, never reads, and continues to ask: the keeper does what needs no answer, and does not
 * wait. */
static void a_peer_that_never_reads_blocks_nothing(void **state)
{
	const struct timeval soon = {.tv_sec = 1};
	struct kept *k = *state;
	struct spool_record r;

	for (int i = 0; i < 3000; i++) {
		char user[16];

		str_format(user, sizeof(user), "u%d", i);
		arrive(k, user);
	}
	assert_int_equal(setsockopt(k->client.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
	(void)spool_record_make(&r, SPOOL_ASK_ARRIVALS, NULL, NULL);
	r.count = SPOOL_LIST_MOST;
	send_record(k, &r, sizeof(r));
	for (int i = 0; i < 3000; i++) {
		char name[32];

		str_format(name, sizeof(name), "u%d.login", i);
		(void)spool_record_make(&r, SPOOL_ASK_TAKE, name, NULL);
		assert_int_equal(send(k->client.fd, &r, sizeof(r), MSG_NOSIGNAL), sizeof(r));
	}
	while (box_count(box_of(k), "new") > 0)
		(void)usleep(10000);
}

static void records_that_no_keeper_tells_are_a_fault(void **state)
{
	static const char verbs[] = {'X', 'N', 'K', 'E'};
	int ends[2];

	(void)state;
	for (size_t i = 0; i < sizeof(verbs); i++) {
		struct fault fault = {.kind = FAULT_NONE};
		struct spool_client c;
		struct spool_arrival out[2];
		struct spool_record r;

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
		spool_client_attach(&c, ends[0]);
		(void)spool_record_make(&r, verbs[i], verbs[i] == 'K' ? "alice" : NULL, NULL);
		if (verbs[i] == 'E')
			r.status = -1;
		assert_int_equal(send(ends[1], &r, sizeof(r), 0), sizeof(r));
		assert_int_equal(spool_client_list(&c, out, 2, &fault), -1);
		assert_string_equal(fault.code, "keeper");
		assert_int_equal(c.fd, -1);
		close(ends[1]);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, kept_new, kept_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(arrivals_are_sent_oldest_first_marked_and_removed),
		T(a_list_holds_as_many_as_were_asked_for),
		T(thousands_of_arrivals_pass_a_queue_of_a_few_hundred),
		T(new_arrivals_are_announced_once_until_the_next_request),
		T(markers_are_written_sent_and_removed),
		T(a_failure_is_reported_by_the_next_flush),
		T(an_arrival_becomes_the_marker),
		T(a_file_that_is_not_an_arrival_does_not_become_a_marker),
		T(a_crash_between_link_and_unlink_leaves_an_arrival),
		T(a_keeper_that_ends_is_a_fault_and_a_closed_connection),
		T(no_two_keepers_serve_at_once),
		T(every_malformed_record_ends_the_connection),
		T(a_record_of_another_size_ends_the_connection),
		T(a_second_question_before_the_answer_ends_the_connection),
		T(a_peer_that_never_reads_blocks_nothing),
		cmocka_unit_test(records_that_no_keeper_tells_are_a_fault),
	};

	return cmocka_run_group_tests_name("spool: the keeper", tests, NULL, NULL);
}
