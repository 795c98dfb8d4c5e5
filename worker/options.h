/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of collector and dispatcher: [-c FILE] [--once | --prepare].
 */
#ifndef CLOUDINVITE_WORKER_OPTIONS_H
#define CLOUDINVITE_WORKER_OPTIONS_H

#include <stdbool.h>

#include "worker/worker.h"

enum worker_action {
	WORKER_RUN,
	WORKER_ONCE,
	WORKER_PREPARE,
	WORKER_ANSWERED, /* --help or --version: printed, exit 0 */
	WORKER_MISUSED,	 /* error printed to standard error, exit 2 */
};

enum worker_action worker_options(
	const struct worker_program *program, int argc, char **argv, const char **settings_path);

#endif
