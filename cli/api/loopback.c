/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loopback server: one listening socket on 127.0.0.1 and a few connections, served from one
 * poll() loop. A request is answered only when its head is complete. Only a request of our own user
 * for the expected path can end the wait; all others get an error page and change nothing.
 */
#include "cli/api/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/api/loopback_peer.h"

#define PEERS		8 /* browsers open connections in advance and send nothing on them */
#define REQUEST_MAX	8192
#define PEER_TIMEOUT_MS 10000 /* for each request */
#define START_PATH	"/login-"

struct peer {
	int fd; /* -1: free */
	struct sockaddr_in address;
	int64_t until;
	size_t len;
	char request[REQUEST_MAX + 1];
};

struct loopback {
	int fd;
	uint16_t port;
	char start[96]; /* http://127.0.0.1:PORT/login-RANDOM; "": none */
	char *target;	/* to which it redirects */
	struct peer peers[PEERS];
};

/* ---- opening ---- */

static bool listen_on(struct loopback *l, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int yes = 1;

	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
		bind(l->fd, (struct sockaddr *)&at, sizeof(at)) || listen(l->fd, PEERS) ||
		getsockname(l->fd, (struct sockaddr *)&at, &len))
		return false;
	l->port = ntohs(at.sin_port);
	return true;
}

struct loopback *loopback_open(uint16_t port, struct fault *fault)
{
	struct loopback *l = calloc(1, sizeof(*l));

	if (!l) {
		fault_no_memory(fault, FAULT_TRANSIENT);
		return NULL;
	}
	for (int i = 0; i < PEERS; i++)
		l->peers[i].fd = -1;
	if (listen_on(l, port))
		return l;
	fault_set(fault, FAULT_USAGE, "port_taken", "cannot listen on 127.0.0.1:%u: %s", port,
		strerror(errno));
	fault_remedy(fault, "Choose another port with --port, or use --headless.");
	loopback_close(l);
	return NULL;
}

uint16_t loopback_port(const struct loopback *l)
{
	return l->port;
}

void loopback_close(struct loopback *l)
{
	if (!l)
		return;
	for (int i = 0; i < PEERS; i++)
		file_close(&l->peers[i].fd);
	file_close(&l->fd);
	free(l->target);
	free(l);
}

const char *loopback_start(struct loopback *l, const char *target, struct fault *fault)
{
	unsigned long long random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random) ||
		!(l->target = strdup(target))) {
		fault_no_memory(fault, FAULT_TRANSIENT);
		return NULL;
	}
	str_format(l->start, sizeof(l->start), "http://127.0.0.1:%u" START_PATH "%016llx", l->port,
		random);
	return l->start;
}

/* ---- one request ---- */

static const struct page {
	const char *status, *text;
} done = {"200 OK", "Received. You can close this page and return to the terminal."},
  refused = {"200 OK", "The login was refused. The terminal shows what to do."},
  unexpected = {"400 Bad Request", "This is not the answer to the login that is in progress here."},
  not_found = {"404 Not Found", "There is nothing here."},
  bad_method = {"405 Method Not Allowed", "There is nothing here."};

/* The page contains nothing of the request. It is short enough to be sent at once; otherwise it is
 * dropped. */
static void answer(struct peer *p, const struct page *page)
{
	struct strbuf t = {0};

	strbuf_addf(&t,
		"HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: "
		"no-store\r\n"
		"Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
		"<!DOCTYPE html><title>cloudinvite</title><p>%s</p>\n",
		page->status, page->text);
	if (!t.failed)
		(void)!send(p->fd, t.data, t.len, MSG_NOSIGNAL);
	strbuf_free(&t);
}

/* Whether it is a request of our own user for the start; that of another user's process gets a
 * 404. */
static bool send_on(const struct loopback *l, const struct peer *p)
{
	const char *path = l->start[0] ? strstr(l->start, START_PATH) : NULL, *target;
	struct strbuf t = {0};

	if (!path || !str_starts(p->request, "GET "))
		return false;
	target = p->request + strlen("GET ");
	if (!str_starts(target, path) || target[strlen(path)] != ' ' ||
		!loopback_peer_is_ours(&p->address, l->port))
		return false;
	strbuf_addf(&t,
		"HTTP/1.1 303 See Other\r\nLocation: %s\r\nCache-Control: no-store\r\n"
		"Referrer-Policy: no-referrer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		l->target);
	if (!t.failed)
		(void)!send(p->fd, t.data, t.len, MSG_NOSIGNAL);
	strbuf_free(&t);
	return true;
}

/* The query of a GET for `path`, cut out in place; NULL with the page that the client gets
 * instead. */
static const char *query_of(char *request, const char *path, const struct page **page)
{
	char *target = request + strlen("GET "), *end, *question;

	*page = &bad_method;
	if (!str_starts(request, "GET "))
		return NULL;
	*page = &not_found;
	end = strpbrk(target, " \r\n");
	if (!end)
		return NULL;
	*end = '\0';
	question = strchr(target, '?');
	if (question)
		*question = '\0';
	if (strcmp(target, path) != 0)
		return NULL;
	return question ? question + 1 : "";
}

static bool serve(
	struct loopback *l, struct peer *p, const char *path, loopback_check *check, void *ctx)
{
	enum oauth_answer found = OAUTH_UNEXPECTED;
	const struct page *page;
	const char *query;

	if (send_on(l, p))
		return false;
	query = query_of(p->request, path, &page);
	if (query) {
		found = check(query, ctx);
		page = found == OAUTH_CODE	? &done
		       : found == OAUTH_REFUSED ? &refused
						: &unexpected;
	}
	answer(p, page);
	return found != OAUTH_UNEXPECTED;
}

/* ---- all requests ---- */

static void drop(struct peer *p)
{
	explicit_bzero(p->request, p->len);
	p->len = 0;
	file_close(&p->fd);
}

/* If all are in use, the one that has waited longest is closed. */
static void accept_peer(struct loopback *l)
{
	struct sockaddr_in address = {.sin_family = AF_UNSPEC};
	socklen_t size = sizeof(address);
	int fd = accept4(l->fd, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct peer *p = &l->peers[0];

	if (fd < 0)
		return;
	for (int i = 1; i < PEERS && p->fd >= 0; i++) {
		if (l->peers[i].fd < 0 || l->peers[i].until < p->until)
			p = &l->peers[i];
	}
	drop(p);
	p->fd = fd;
	p->address = address;
	p->until = clock_boot_ms() + PEER_TIMEOUT_MS;
}

/* Answers only when the head is complete: unread bytes would make the kernel discard the answer. */
static bool read_peer(
	struct loopback *l, struct peer *p, const char *path, loopback_check *check, void *ctx)
{
	ssize_t n = read(p->fd, p->request + p->len, REQUEST_MAX - p->len);
	bool answered = false;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n > 0) {
		p->len += (size_t)n;
		p->request[p->len] = '\0';
		if (!strstr(p->request, "\r\n\r\n") && p->len < REQUEST_MAX)
			return false;
		answered = serve(l, p, path, check, ctx);
	}
	drop(p);
	return answered;
}

/* The listening socket and `input` come first. */
static int64_t fill(const struct loopback *l, int input, int64_t until, struct pollfd *fds)
{
	fds[0] = (struct pollfd){.fd = l ? l->fd : -1, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = input, .events = POLLIN};
	for (int i = 0; i < PEERS; i++) {
		fds[2 + i] = (struct pollfd){.fd = l ? l->peers[i].fd : -1, .events = POLLIN};
		if (l && l->peers[i].fd >= 0 && l->peers[i].until < until)
			until = l->peers[i].until;
	}
	return until;
}

static bool serve_peers(struct loopback *l, const struct pollfd *fds, const char *path,
	loopback_check *check, void *ctx)
{
	for (int i = 0; l && i < PEERS; i++) {
		struct peer *p = &l->peers[i];

		if (p->fd < 0)
			continue;
		if (fds[2 + i].revents && read_peer(l, p, path, check, ctx))
			return true;
		if (p->fd >= 0 && p->until <= clock_boot_ms())
			drop(p);
	}
	return false;
}

enum loopback_event loopback_wait(struct loopback *l, const char *path, loopback_check *check,
	void *ctx, int input, int64_t timeout_ms)
{
	int64_t end = clock_boot_ms() + timeout_ms, now;
	struct pollfd fds[2 + PEERS];

	while ((now = clock_boot_ms()) < end) {
		int64_t until = fill(l, input, end, fds);

		if (poll(fds, 2 + PEERS, (int)(until > now ? until - now : 0)) < 0)
			continue;
		if (serve_peers(l, fds, path, check, ctx))
			return LOOPBACK_ANSWERED;
		if (fds[0].revents)
			accept_peer(l);
		if (fds[1].revents)
			return LOOPBACK_INPUT;
	}
	return LOOPBACK_TIMEOUT;
}
