/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: events can be searched by their fields, no outside text can add a field, and without
 * the journal no line is lost.
 */
#include "base/str.h"
#include "tests/unit/child.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/journal.h"
#include "base/log.h"

#define ENTRY_MAX 16384
#define ID	  "f05a89ec25ab43c48e5159f612fbd349"

/* A journal of our own. */
static int journal_new(struct folder *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_true(str_copy(address.sun_path, sizeof(address.sun_path), folder_path(f, "socket")));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static const char *received(int fd)
{
	static char entry[ENTRY_MAX];
	ssize_t n = recv(fd, entry, sizeof(entry) - 1, 0);

	entry[n > 0 ? n : 0] = '\0';
	return entry;
}

static int lines_of(const char *text)
{
	int count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void an_event_arrives_with_its_fields(void **state)
{
	struct folder *f = *state;
	int fd = journal_new(f);
	struct journal_about about = {"a***e@example.com", "dry_run", "root (sudo)", "web1"};
	const char *entry;

	assert_true(journal_send(folder_path(f, "socket"), 5, "approved", ID, "done", &about));
	entry = received(fd);
	assert_non_null(strstr(entry, "MESSAGE=approved: done\n"));
	assert_non_null(strstr(entry, "\nPRIORITY=5\n"));
	assert_non_null(strstr(entry, "\nMESSAGE_ID=" ID "\n"));
	assert_non_null(strstr(entry, "\nCLOUDINVITE_EVENT=approved\n"));
	assert_non_null(strstr(entry, "\nCLOUDINVITE_PERSON=a***e@example.com\n"));
	assert_non_null(strstr(entry, "\nCLOUDINVITE_REASON=dry_run\n"));
	assert_non_null(strstr(entry, "\nCLOUDINVITE_ACTOR=root (sudo)\n"));
	assert_non_null(strstr(entry, "\nCLOUDINVITE_HOST=web1\n"));
	close(fd);
}

static void an_unknown_value_gives_no_field(void **state)
{
	struct folder *f = *state;
	int fd = journal_new(f);
	const char *entry;

	assert_true(journal_send(folder_path(f, "socket"), 6, "resync", NULL, "done", NULL));
	entry = received(fd);
	assert_null(strstr(entry, "MESSAGE_ID"));
	assert_null(strstr(entry, "CLOUDINVITE_PERSON"));
	close(fd);
}

static void a_newline_in_a_value_adds_no_field(void **state)
{
	struct folder *f = *state;
	int fd = journal_new(f);
	char longest[4000];
	struct journal_about about = {.person = "x\nPRIORITY=0", .reason = longest};
	const char *entry;

	memset(longest, 'r', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_true(journal_send(folder_path(f, "socket"), 4, "held", NULL, "one line", &about));
	entry = received(fd);
	assert_int_equal(lines_of(entry), 6);
	assert_non_null(strstr(entry, "\nCLOUDINVITE_PERSON=x\\x0aPRIORITY=0\n"));
	close(fd);
}

static void without_a_journal_the_send_fails(void **state)
{
	struct folder *f = *state;
	char endless[300];

	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_false(journal_send(folder_path(f, "nothing"), 4, "held", NULL, "x", NULL));
	assert_false(journal_send(endless, 4, "held", NULL, "x", NULL));
}

static void a_journal_that_is_stuck_does_not_block(void **state)
{
	struct folder *f = *state;
	int fd = journal_new(f), sent = 0;

	while (sent < 10000 && journal_send(folder_path(f, "socket"), 4, "held", NULL, "x", NULL))
		sent++;
	assert_in_range(sent, 1, 9999);
	close(fd);
}

/* The terminal's output does not depend on the journal, nor the other way round. */
static void decisions_reach_it_from_a_terminal(void **state)
{
	struct folder *f = *state;
	int fd = journal_new(f);
	static const struct journal_id ids[] = {{"blocked", ID}, {.event = NULL}};
	char path[sizeof(f->path) + 16];
	const char *entry;

	str_format(path, sizeof(path), "%s/socket", f->path);
	log_journal_at(path);
	log_message_ids(ids);
	log_start("cloudinvite", LOG_LEVEL_WARN);
	log_event(LOG_LEVEL_NOTE, "resync", "no decision");
	log_about(LOG_LEVEL_NOTE, "blocked", &(struct journal_about){.actor = "a"}, "too early");
	log_decisions();
	log_event(LOG_LEVEL_NOTE, "resync", "no decision");
	log_about(LOG_LEVEL_NOTE, "blocked", &(struct journal_about){.actor = "alice"}, "x");
	entry = received(fd);
	assert_non_null(strstr(entry, "\nCLOUDINVITE_ACTOR=alice\n"));
	assert_non_null(strstr(entry, "\nMESSAGE_ID=" ID "\n"));
	assert_string_equal(received(fd), "");
	log_journal_at(JOURNAL_SOCKET);
	log_message_ids(NULL);
	close(fd);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(an_event_arrives_with_its_fields),
		IN_FOLDER(an_unknown_value_gives_no_field),
		IN_FOLDER(a_newline_in_a_value_adds_no_field),
		IN_FOLDER(without_a_journal_the_send_fails),
		IN_FOLDER(a_journal_that_is_stuck_does_not_block),
		IN_FOLDER(decisions_reach_it_from_a_terminal),
	};

	return cmocka_run_group_tests_name("base: journal", tests, NULL, NULL);
}
