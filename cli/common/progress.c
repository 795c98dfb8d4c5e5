/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line on standard error that is redrawn again and again. A thread draws it while the verb
 * waits for an answer; the lock guards everything that both use.
 */
#include "cli/common/progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define SHOW_AFTER_MS 1000 /* shorter operations show nothing */
#define REDRAW_MS     100
#define COLUMNS	      80

/* ---- with the lock held ---- */

/* A line that wraps could not be erased. */
static int columns_available(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1
									       : COLUMNS - 1;
}

static void draw(struct progress *p, int64_t now)
{
	char line[4 * sizeof(p->text)];

	fprintf(stderr, "\r\033[K%s",
		screen_text(&p->screen, line, sizeof(line), p->text, columns_available()));
	fflush(stderr);
	p->drawn = now;
	p->shown = true;
	p->due = false;
}

static void clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
	p->due = false;
}

static void wait_until(struct progress *p, int64_t when, int64_t now)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (when - now) / 1000;
	at.tv_nsec += (when - now) % 1000 * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&p->changed, &p->lock, &at);
}

static void *redraw_when_due(void *ctx)
{
	struct progress *p = ctx;

	pthread_mutex_lock(&p->lock);
	while (!p->ended) {
		int64_t now = clock_boot_ms();

		if (!p->due)
			pthread_cond_wait(&p->changed, &p->lock);
		else if (p->when > now)
			wait_until(p, p->when, now);
		else
			draw(p, now);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are for the thread that waits for Google. Without the thread the line appears later, or
 * not at all. */
static void start_redraw_thread(struct progress *p)
{
	sigset_t all, before;

	if (p->has_redraw_thread)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	p->has_redraw_thread = pthread_create(&p->redraw_thread, NULL, redraw_when_due, p) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- for the verbs ---- */

void progress_start(struct progress *p, const struct cli *cli)
{
	pthread_condattr_t attributes;

	*p = (struct progress){.on = cli->progress, .started = clock_boot_ms()};
	screen_open(&p->screen, cli, stderr);
	if (!p->on)
		return;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void progress_update(struct progress *p, const char *format, ...)
{
	int64_t now = clock_boot_ms();
	va_list args;

	if (!p->on)
		return;
	pthread_mutex_lock(&p->lock);
	va_start(args, format);
	vsnprintf(p->text, sizeof(p->text), format, args);
	va_end(args);
	p->when = p->started + SHOW_AFTER_MS;
	if (p->when < p->drawn + REDRAW_MS)
		p->when = p->drawn + REDRAW_MS;
	if (p->when <= now) {
		draw(p, now);
	} else if (!p->due) {
		p->due = true;
		start_redraw_thread(p);
		pthread_cond_signal(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
}

void progress_wait(int64_t wait_ms, void *ctx)
{
	struct progress *p = ctx;

	if (!p->on || wait_ms < SHOW_AFTER_MS)
		return;
	pthread_mutex_lock(&p->lock);
	snprintf(p->text, sizeof(p->text), "waiting for the rate limit: %" PRId64 " s",
		(wait_ms + 999) / 1000);
	draw(p, clock_boot_ms());
	pthread_mutex_unlock(&p->lock);
}

void progress_clear(struct progress *p)
{
	if (!p->on)
		return;
	pthread_mutex_lock(&p->lock);
	clear(p);
	pthread_mutex_unlock(&p->lock);
}

void progress_end(struct progress *p)
{
	if (!p->on)
		return;
	pthread_mutex_lock(&p->lock);
	clear(p);
	p->ended = true;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
	if (p->has_redraw_thread)
		pthread_join(p->redraw_thread, NULL);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	p->on = p->has_redraw_thread = false;
}
