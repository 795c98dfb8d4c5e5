/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress: one line on standard error that is rewritten and finally erased. It is shown only if
 * standard error is a terminal and the operation takes longer than a second. A text that is set
 * earlier is shown when the second is over, even while the caller waits for an answer.
 */
#ifndef CLOUDINVITE_CLI_COMMON_PROGRESS_H
#define CLOUDINVITE_CLI_COMMON_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/common/context.h"
#include "cli/common/screen.h"

struct progress {
	bool on;
	struct screen screen; /* standard error */
	int64_t started;      /* clock_boot_ms */
	/* guards everything below */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t redraw_thread; /* draws the text while the caller is busy */
	bool has_redraw_thread, ended;
	char text[160];
	bool due; /* `text` must be drawn at `when` */
	int64_t when;
	bool shown;
	int64_t drawn;
};

void progress_start(struct progress *p, const struct cli *cli);
/* "checked 12 of 500", "412 so far"; made safe when it is drawn. */
void progress_update(struct progress *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Waiting for the rate limit; matches the engine's `progress` with a struct progress as ctx. */
void progress_wait(int64_t wait_ms, void *ctx);
/* Erases the line before something else is printed. */
void progress_clear(struct progress *p);
/* Erases it finally; does nothing if it was never started. */
void progress_end(struct progress *p);

#endif
