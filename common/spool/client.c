/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of the keeper's protocol. Every record that comes is checked, and every wait has a
 * limit, so that a broken keeper ends in a fault and not in a collector that hangs.
 */
#include "spool/client.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

#define PATIENCE_S 30 /* dropping hundreds of thousands of markers takes less */

/* ---- the connection ---- */

static bool socket_path(char *out, size_t size, const char *run)
{
	return str_format(out, size, "%s-keeper/socket", run);
}

bool spool_client_has_socket(const char *run)
{
	char path[PATH_MAX];
	struct stat st;

	return socket_path(path, sizeof(path), run) && lstat(path, &st) == 0 &&
	       S_ISSOCK(st.st_mode);
}

void spool_client_attach(struct spool_client *c, int fd)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};

	*c = (struct spool_client){.fd = fd};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

bool spool_client_connect(struct spool_client *c, const char *run, struct fault *fault)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	*c = (struct spool_client){.fd = -1};
	if (!socket_path(address.sun_path, sizeof(address.sun_path), run))
		return fault_set(
			fault, FAULT_SETTINGS, "path", "[storage] run: the path is too long");
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		spool_client_attach(c, fd);
		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
			return true;
	}
	fault_set(fault, FAULT_STORAGE, "keeper", "%s: cannot connect to cloudinvite-keeper: %s",
		address.sun_path, strerror(errno));
	fault_remedy(fault, "Start it: systemctl start cloudinvite-keeper.socket. Without systemd, "
			    "start the collector as root; it then needs no keeper service.");
	spool_client_close(c);
	return false;
}

void spool_client_close(struct spool_client *c)
{
	file_close(&c->fd);
}

static bool gone(struct spool_client *c, const char *why, struct fault *fault)
{
	spool_client_close(c);
	fault_set(fault, FAULT_STORAGE, "keeper", "cloudinvite-keeper %s", why);
	return fault_remedy(fault, "The collector reconnects automatically. For the cause: "
				   "journalctl -u cloudinvite-keeper.");
}

static bool put(struct spool_client *c, const struct spool_record *r, struct fault *fault)
{
	ssize_t n;

	if (c->fd < 0)
		return gone(c, "is not connected", fault);
	do
		n = send(c->fd, r, sizeof(*r), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(*r))
		return true;
	return gone(c, n < 0 && errno == EAGAIN ? "is not listening" : "has ended", fault);
}

/* The next record. Records that only announce new arrivals are noted and skipped. 1; 0 if there is
 * none and `flags` is MSG_DONTWAIT; -1 and the fault if the keeper is gone. */
static int get(struct spool_client *c, struct spool_record *r, int flags, struct fault *fault)
{
	for (;;) {
		ssize_t n = recv(c->fd, r, sizeof(*r), flags | MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && (flags & MSG_DONTWAIT))
			return 0;
		if (n <= 0) {
			gone(c, n < 0 && errno == EAGAIN ? "does not answer" : "has ended", fault);
			return -1;
		}
		if (!spool_record_is_answer(r, (size_t)n)) {
			gone(c, "sent an invalid answer", fault);
			return -1;
		}
		if (r->verb != SPOOL_TELL_NEWS)
			return 1;
		c->arrived = true;
	}
}

/* Sends a request and reads its answer to the end, passing each record to `told`. */
static bool ask(struct spool_client *c, const struct spool_record *request, char told,
	void (*take)(const struct spool_record *r, void *ctx), void *ctx, struct spool_record *end,
	struct fault *fault)
{
	if (!put(c, request, fault))
		return false;
	for (;;) {
		if (get(c, end, 0, fault) < 0)
			return false;
		if (end->verb == SPOOL_TELL_END)
			break;
		if (end->verb != told)
			return gone(c, "sent an answer that does not match the request", fault);
		take(end, ctx);
	}
	if (end->status == 0)
		return true;
	errno = end->status;
	return spool_fault(end->word, end->name, fault);
}

bool spool_client_look(struct spool_client *c, struct fault *fault)
{
	struct spool_record r;
	int got = get(c, &r, MSG_DONTWAIT, fault);

	return got == 0 ||
	       (got > 0 && gone(c, "sent an answer that does not match the request", fault));
}

/* ---- arrivals ---- */

struct arrivals {
	struct spool_arrival *out;
	int count, max;
};

static void take_arrival(const struct spool_record *r, void *ctx)
{
	struct arrivals *l = ctx;
	struct spool_arrival *a = &l->out[l->count];

	if (l->count == l->max || !spool_parse_arrival(r->name, a->user, &a->trigger))
		return;
	str_copy(a->name, sizeof(a->name), r->name);
	a->at = r->time;
	l->count++;
}

static int by_age(const void *a, const void *b)
{
	const struct spool_arrival *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

int spool_client_list(
	struct spool_client *c, struct spool_arrival *out, int max, struct fault *fault)
{
	struct arrivals l = {.out = out, .max = max};
	struct spool_record request, end;

	(void)spool_record_make(&request, SPOOL_ASK_ARRIVALS, NULL, NULL);
	request.count = max;
	/* Everything that has arrived until now is in the list. */
	c->arrived = false;
	if (!ask(c, &request, SPOOL_TELL_ARRIVAL, take_arrival, &l, &end, fault))
		return -1;
	if (l.count > 1)
		qsort(out, (size_t)l.count, sizeof(*out), by_age);
	return l.count;
}

bool spool_client_take(
	struct spool_client *c, const struct spool_arrival *a, bool mark, struct fault *fault)
{
	struct spool_record r;

	(void)spool_record_make(&r, mark ? SPOOL_ASK_SEEN : SPOOL_ASK_TAKE, a->name, NULL);
	return put(c, &r, fault);
}

/* ---- markers ---- */

bool spool_client_mark(struct spool_client *c, const char *user, const char *word,
	enum spool_marking how, struct fault *fault)
{
	static const char verbs[] = {
		[SPOOL_MARK_ANY] = SPOOL_ASK_MARK,
		[SPOOL_MARK_CHANGE] = SPOOL_ASK_CHANGE,
		[SPOOL_MARK_FIRST] = SPOOL_ASK_FIRST,
	};
	char name[SPOOL_NAME_MAX + 1];
	struct spool_record r;

	if (!spool_mark_name(name, user))
		return true;
	if (spool_record_make(&r, verbs[how], name, word))
		return put(c, &r, fault);
	errno = ENAMETOOLONG;
	return spool_fault(SPOOL_SEEN, name, fault);
}

bool spool_client_unmark(struct spool_client *c, const char *user, struct fault *fault)
{
	char name[SPOOL_NAME_MAX + 1];
	struct spool_record r;

	if (!spool_mark_name(name, user))
		return true;
	(void)spool_record_make(&r, SPOOL_ASK_UNMARK, name, NULL);
	return put(c, &r, fault);
}

static bool ask_once(struct spool_client *c, char verb, const char *name, const char *word,
	struct spool_record *end, struct fault *fault)
{
	struct spool_record r;

	if (spool_record_make(&r, verb, name, word))
		return ask(c, &r, SPOOL_TELL_END, NULL, NULL, end, fault);
	errno = ENAMETOOLONG;
	return spool_fault(SPOOL_SEEN, name, fault);
}

bool spool_client_flush(struct spool_client *c, struct fault *fault)
{
	struct spool_record end;

	return ask_once(c, SPOOL_ASK_FLUSH, NULL, NULL, &end, fault);
}

bool spool_client_bind(struct spool_client *c, const char *ledger_id, int64_t revision,
	int *dropped, bool *older, struct fault *fault)
{
	struct spool_record r, end = {.verb = 0};

	*dropped = 0;
	*older = false;
	if (!spool_record_make(&r, SPOOL_ASK_BIND, ledger_id, NULL)) {
		errno = ENAMETOOLONG;
		return spool_fault(SPOOL_SEEN, ledger_id, fault);
	}
	r.count = revision;
	if (!ask(c, &r, SPOOL_TELL_END, NULL, NULL, &end, fault))
		return false;
	*older = strcmp(end.word, SPOOL_WORD_OLDER) == 0;
	*dropped = end.count < INT_MAX ? (int)end.count : INT_MAX;
	return true;
}

struct marks {
	bool (*each)(const char *user, void *ctx);
	void *ctx;
	bool stopped;
};

/* After `each` has returned false, the rest of the answer is only read. */
static void take_mark(const struct spool_record *r, void *ctx)
{
	struct marks *m = ctx;
	char user[SPOOL_USER_MAX + 1];

	if (!m->stopped && spool_parse_mark(r->name, user))
		m->stopped = !m->each(user, m->ctx);
}

bool spool_client_each_mark(struct spool_client *c, int64_t before,
	bool (*each)(const char *user, void *ctx), void *ctx, struct fault *fault)
{
	struct marks m = {each, ctx, false};
	struct spool_record request, end;

	/* With a clock before 1970, no marker is old. */
	if (before < 0)
		return true;
	(void)spool_record_make(&request, SPOOL_ASK_MARKS, NULL, NULL);
	request.time = before;
	return ask(c, &request, SPOOL_TELL_MARK, take_mark, &m, &end, fault) && !m.stopped;
}

bool spool_client_stat(struct spool_client *c, const char *box, int64_t *count, int64_t *oldest,
	struct fault *fault)
{
	struct spool_record end = {.verb = 0};

	if (!ask_once(c, SPOOL_ASK_STAT, NULL, box, &end, fault))
		return false;
	*count = end.count;
	*oldest = end.time;
	return true;
}
