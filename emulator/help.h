/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --help says.
 */
#ifndef CLOUDINVITE_EMULATOR_HELP_H
#define CLOUDINVITE_EMULATOR_HELP_H

#include <stdio.h>

void help_write(FILE *out);

#endif
