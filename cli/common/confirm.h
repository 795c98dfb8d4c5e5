/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Yes-or-no questions on the terminal.
 */
#ifndef CLOUDINVITE_CLI_COMMON_CONFIRM_H
#define CLOUDINVITE_CLI_COMMON_CONFIRM_H

#include <stdbool.h>

#define CONFIRM_ABOVE 10 /* a decision about more people is confirmed first */

/* Asks a yes-or-no question on the terminal. Without a terminal the answer is no, and the message
 * names --yes. */
bool cli_confirm(const char *question);
/* The same on what is known to be a terminal, and a no needs no message. */
bool cli_ask(const char *question);

#endif
