/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running the distribution's own programs: by their whole path, without a shell, with an
 * environment that we wrote, and nobody at the keyboard.
 */
#ifndef CLOUDINVITE_CLI_COMMON_RUN_PROGRAM_H
#define CLOUDINVITE_CLI_COMMON_RUN_PROGRAM_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/strbuf.h"

#define RUN_SECONDS 120 /* then it is ended */

/* Runs argv[0] and waits. `out` gets what it wrote, both outputs (at most 64 KiB). Returns its exit
 * status, or -1 with the fault when it could not be run, died, or took too long: then it gets
 * SIGTERM, and SIGKILL 5 s later. An interrupt does not reach it: what it has begun to write it
 * finishes, within 5 s, and the interrupt ends us afterwards. */
int run_program(const char *const argv[], struct strbuf *out, struct fault *fault);
/* The same, and any exit status but 0 is a fault that tells the end of what it wrote. */
bool run_checked(const char *const argv[], struct strbuf *out, struct fault *fault);

#endif
