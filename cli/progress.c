/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

#define PATIENCE_MS 1000 /* what is shorter needs no words */
#define REDRAW_MS   100

void progress_start(struct progress *p, const struct cli *cli)
{
	*p = (struct progress){.on = cli->progress, .started = clock_boot_ms()};
}

void progress_say(struct progress *p, const char *format, ...)
{
	int64_t now = clock_boot_ms();
	va_list args;

	if (!p->on || now - p->started < PATIENCE_MS || now - p->drawn < REDRAW_MS)
		return;
	fputs("\r\033[K", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fflush(stderr);
	p->drawn = now;
	p->shown = true;
}

void progress_wait(int64_t wait_ms, void *ctx)
{
	struct progress *p = ctx;

	if (!p->on || wait_ms < PATIENCE_MS)
		return;
	fprintf(stderr, "\r\033[Kwaiting for the pace: %" PRId64 " s", (wait_ms + 999) / 1000);
	fflush(stderr);
	p->shown = true;
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
