/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The question to the person: an address for a browser. The answer either arrives on the loopback
 * address or is pasted.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/api/login.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/api/loopback.h"

#define WAIT_MINUTES 10
#define MINUTE_MS    INT64_C(60000)

struct waiting {
	struct login *login;
	struct loopback *loopback;
	int input; /* standard input, or -1 */
	int64_t end;
	char line[2 * OAUTH_CODE_MAX]; /* the line that is being pasted */
	size_t len;
};

/* ---- the address ---- */

static bool has_browser(const struct login *l)
{
	const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

	return !l->no_browser && !l->headless && !l->as_root && l->redirect.loopback &&
	       ((x && *x) || (wayland && *wayland));
}

/* Not every user may see the address, but every user can see command lines. A user who read `state`
 * and `code_challenge` there could complete the login with another account. */
static void open_browser(struct waiting *w, const char *address)
{
	struct fault ignored; /* the address is printed as well */
	const char *start = loopback_start(w->loopback, address, &ignored);
	char program[] = "xdg-open", from[128];
	char *argv[] = {program, from, NULL};
	posix_spawn_file_actions_t silent;
	pid_t pid;

	if (!start || !str_copy(from, sizeof(from), start) ||
		posix_spawn_file_actions_init(&silent))
		return;
	if (!posix_spawn_file_actions_addopen(&silent, 0, "/dev/null", O_RDWR, 0) &&
		!posix_spawn_file_actions_adddup2(&silent, 0, 1) &&
		!posix_spawn_file_actions_adddup2(&silent, 0, 2))
		(void)posix_spawnp(&pid, program, &silent, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&silent);
}

static void explain(const struct waiting *w)
{
	const struct login *l = w->login;

	if (w->loopback)
		fprintf(stderr,
			"Waiting for the answer at %s for %d minutes. Press Ctrl-C to cancel.\n",
			l->redirect.uri, WAIT_MINUTES);
	if (w->loopback && w->input >= 0)
		fputs("If your browser runs on another host, it will end on a page that fails to "
		      "load. That is expected. Copy the full address from its address bar and "
		      "paste it here:\n",
			stderr);
	else if (!w->loopback)
		fprintf(stderr,
			"Your browser will end on a page that fails to load. That is expected. "
			"Copy the full address from its address bar and paste it here (within %d "
			"minutes):\n",
			WAIT_MINUTES);
}

static bool show_address(struct waiting *w)
{
	const struct login *l = w->login;
	struct strbuf address = {0};
	bool ok = oauth_address(&l->request, l->settings, l->account, &address);

	if (ok) {
		fflush(stdout);
		fprintf(stderr,
			"Open this address in a browser and log in as a super "
			"administrator:\n\n%s\n\n",
			address.data);
		explain(w);
		if (has_browser(l))
			open_browser(w, address.data);
	}
	strbuf_free(&address);
	return ok;
}

/* ---- the answer ---- */

static enum oauth_answer from_browser(const char *query, void *ctx)
{
	struct login *l = ctx;

	return oauth_answer(&l->request, query, l->code, &l->fault);
}

/* Reads the first line that was typed. If it is empty or not an answer, the question is asked
 * again. */
static enum oauth_answer from_line(struct waiting *w)
{
	struct login *l = w->login;
	char *end = memchr(w->line, '\n', w->len), *line;
	size_t used = end ? (size_t)(end - w->line) + 1 : w->len;
	enum oauth_answer found = OAUTH_UNEXPECTED;

	if (end)
		*end = '\0';
	line = str_trim(w->line);
	if (*line)
		found = oauth_pasted(&l->request, line, l->code, &l->fault);
	if (*line && found == OAUTH_UNEXPECTED)
		fputs("That is not the answer to this login. Paste the full address of the last "
		      "page:\n",
			stderr);
	w->len -= used;
	memmove(w->line, w->line + used, w->len);
	explicit_bzero(w->line + w->len, sizeof(w->line) - w->len);
	return found;
}

/* OAUTH_UNEXPECTED: wait for more. */
static enum oauth_answer read_input(struct waiting *w)
{
	size_t room = w->len < sizeof(w->line) - 1 ? sizeof(w->line) - 1 - w->len : 0;
	ssize_t n = read(w->input, w->line + w->len, room);
	enum oauth_answer found;

	if (n < 0 && errno == EINTR)
		return OAUTH_UNEXPECTED;
	if (n <= 0)
		w->input = -1;
	else
		w->len += (size_t)n;
	if (n > 0 && !memchr(w->line, '\n', w->len) && w->len < sizeof(w->line) - 1)
		return OAUTH_UNEXPECTED;
	do
		found = from_line(w);
	while (found == OAUTH_UNEXPECTED && memchr(w->line, '\n', w->len));
	return found;
}

static bool no_answer(struct login *l)
{
	fault_set(&l->fault, FAULT_TRANSIENT, "no_answer", "no answer to the login arrived");
	return fault_remedy(&l->fault, "Run it again. If Google's page showed an error, see "
				       "cloudinvite(1), \"Logging in\".");
}

static bool wait_for(struct waiting *w)
{
	struct login *l = w->login;
	enum oauth_answer found = OAUTH_UNEXPECTED;

	while (found == OAUTH_UNEXPECTED && (w->loopback || w->input >= 0)) {
		switch (loopback_wait(w->loopback, l->redirect.path, from_browser, l, w->input,
			w->end - clock_boot_ms())) {
		case LOOPBACK_TIMEOUT:
			return no_answer(l);
		case LOOPBACK_ANSWERED:
			return l->fault.kind == FAULT_NONE;
		case LOOPBACK_INPUT:
			found = read_input(w);
		}
	}
	return found == OAUTH_CODE || (found == OAUTH_UNEXPECTED && no_answer(l));
}

/* ---- both ---- */

/* Chooses a free port if none was given. If this host does not listen, nothing should listen on the
 * browser's host either. */
static bool listen_here(struct waiting *w)
{
	struct login *l = w->login;

	if (!l->redirect.loopback || (l->headless && l->redirect.port))
		return true;
	w->loopback = loopback_open(l->redirect.port, &l->fault);
	if (!w->loopback)
		return false;
	if (!l->client.web)
		oauth_redirect_bound(&l->redirect, loopback_port(w->loopback));
	if (l->headless) {
		loopback_close(w->loopback);
		w->loopback = NULL;
	}
	return true;
}

bool login_ask(struct login *l)
{
	struct waiting w = {.login = l, .input = -1};
	bool ok;

	ok = oauth_client_redirect(&l->client, l->port, &l->redirect, &l->fault) &&
	     listen_here(&w) && oauth_begin(&l->request, &l->client, &l->redirect, &l->fault);
	if (ok) {
		if (!w.loopback || isatty(STDIN_FILENO) == 1)
			w.input = STDIN_FILENO;
		w.end = clock_boot_ms() + WAIT_MINUTES * MINUTE_MS;
		ok = show_address(&w) && wait_for(&w);
	}
	loopback_close(w.loopback);
	return ok;
}
