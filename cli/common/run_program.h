/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running the distribution's own programs: by their absolute path, without a shell, with a fixed
 * environment, and without input.
 */
#ifndef CLOUDINVITE_CLI_COMMON_RUN_PROGRAM_H
#define CLOUDINVITE_CLI_COMMON_RUN_PROGRAM_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/strbuf.h"

#define RUN_SECONDS 120 /* after that, it is ended */

/* Runs argv[0] and waits. `out` gets standard output and standard error (at most 64 KiB). Returns
 * the exit status, or -1 with the fault if the program could not be run, died, or took too long:
 * then it gets SIGTERM, and SIGKILL 5 s later. An interrupt does not reach the program: it may
 * finish what it is writing within 5 s, and then the interrupt ends us. */
int run_program(const char *const argv[], struct strbuf *out, struct fault *fault);
/* The same; any exit status but 0 is a fault that quotes the end of its output. */
bool run_checked(const char *const argv[], struct strbuf *out, struct fault *fault);

#endif
