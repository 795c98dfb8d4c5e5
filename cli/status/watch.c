/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Draws a picture again and again on the terminal's alternate screen. Keys and signals are read
 * from one poll() loop; the terminal is restored however the program ends.
 */
#include "cli/status/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "cli/common/interrupt.h"

/* Switches to the alternate screen, without wrapping and without a cursor; and back. */
#define ENTER "\033[?1049h\033[?7l\033[?25l\033[2J"
#define LEAVE "\033[?25h\033[?7h\033[?1049l"
#define KEYS  "q quit  p freeze  space refresh  ? hide"
#define HELD  "frozen  p continue  q quit"

struct watch {
	const struct cli *cli;
	watch_draw *draw;
	void *ctx;
	char *picture; /* the last one drawn */
	struct termios before;
	sigset_t mask; /* the signal mask before */
	int signals;   /* signalfd */
	bool keys;     /* standard input is a terminal, whose previous state is `before` */
	bool held, bare, over;
};

static const struct watch *shown;

/* ---- the terminal ---- */

static void enter(struct watch *w)
{
	struct termios raw = w->before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (w->keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	fputs(ENTER, stdout);
}

static void leave(const struct watch *w)
{
	fputs(LEAVE, stdout);
	fflush(stdout);
	if (w->keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &w->before);
}

/* Paints over the old picture, line by line, so that it does not flicker; cuts what is longer than
 * the terminal. */
static bool paint(const struct watch *w)
{
	const char *line = w->picture, *end;
	int columns, lines;

	cli_terminal_size(&columns, &lines);
	fputs("\033[H", stdout);
	for (; line && lines > 1 && (end = strchr(line, '\n')); lines--) {
		fwrite(line, 1, (size_t)(end - line), stdout);
		fputs("\033[K\n", stdout);
		line = end + 1;
	}
	fputs("\033[J", stdout);
	if (w->keys && !w->bare)
		fputs(w->held ? HELD : KEYS, stdout);
	return fflush(stdout) == 0;
}

/* ---- the picture ---- */

/* Makes a new picture without painting it. */
static bool redraw(struct watch *w, struct fault *fault)
{
	struct cli here = *w->cli;
	char *picture = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&picture, &size);
	int lines;
	bool ok;

	if (!out)
		return fault_no_memory(fault, FAULT_STORAGE);
	cli_terminal_size(&here.width, &lines);
	ok = w->draw(&here, out, w->ctx, fault);
	if (fclose(out) != 0) {
		free(picture);
		return fault_no_memory(fault, FAULT_STORAGE);
	}
	free(w->picture);
	w->picture = picture;
	return ok;
}

/* ---- keys and signals ---- */

/* Restores the terminal until the shell continues the program. */
static void stop(struct watch *w)
{
	leave(w);
	raise(SIGSTOP);
	enter(w);
}

/* In the signal handler of an interrupt, which may come while the ledger is read. */
static void leave_at_once(void)
{
	if (shown->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &shown->before);
	if (write(STDOUT_FILENO, LEAVE, sizeof(LEAVE) - 1) < 0)
		return;
}

/* Whether to refresh at once. */
static bool on_signal(struct watch *w)
{
	struct signalfd_siginfo came;

	if (read(w->signals, &came, sizeof(came)) != sizeof(came))
		return false;
	if (came.ssi_signo == SIGTSTP)
		stop(w);
	if (w->held)
		paint(w);
	return !w->held;
}

static bool on_key(struct watch *w)
{
	char key;

	if (read(STDIN_FILENO, &key, 1) != 1) {
		w->over = true;
		return false;
	}
	if (key == 'q' || key == 'Q')
		w->over = true;
	else if (key == 'p')
		w->held = !w->held;
	else if (key == '?')
		w->bare = !w->bare;
	paint(w);
	return key == ' ' || (key == 'p' && !w->held);
}

/* Until the next refresh, or the end. */
static void wait_for(struct watch *w, int64_t seconds)
{
	struct pollfd from[] = {{.fd = w->signals, .events = POLLIN},
		{.fd = w->keys ? STDIN_FILENO : -1, .events = POLLIN}};
	int64_t until = clock_boot_ms() + seconds * 1000, left;
	bool again = false;

	while (!again && !w->over) {
		left = until - clock_boot_ms();
		if (!w->held && left <= 0)
			return;
		if (poll(from, 2, w->held ? -1 : (int)left) <= 0)
			continue;
		if (from[0].revents != 0)
			again = on_signal(w);
		if (from[1].revents != 0 && on_key(w))
			again = true;
	}
}

static bool listen_for(struct watch *w, struct fault *fault)
{
	static const int numbers[] = {SIGTSTP, SIGWINCH};
	struct sigaction action;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, &w->mask);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signals >= 0)
		return true;
	sigprocmask(SIG_SETMASK, &w->mask, NULL);
	return fault_set(fault, FAULT_STORAGE, "signals", "--watch: %s", strerror(errno));
}

bool watch_run(
	const struct cli *cli, int64_t seconds, watch_draw *draw, void *ctx, struct fault *fault)
{
	struct watch w = {.cli = cli, .draw = draw, .ctx = ctx, .signals = -1};
	/* An error at the start is printed on the normal screen, which stays. */
	bool ok = redraw(&w, fault) && listen_for(&w, fault);

	if (ok) {
		w.keys = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &w.before) == 0;
		shown = &w;
		interrupt_at_end(leave_at_once);
		enter(&w);
		while (ok && paint(&w)) {
			wait_for(&w, seconds);
			if (w.over)
				break;
			ok = redraw(&w, fault);
		}
		leave(&w);
		interrupt_at_end(NULL);
		close(w.signals);
		sigprocmask(SIG_SETMASK, &w.mask, NULL);
	}
	free(w.picture);
	return ok;
}
