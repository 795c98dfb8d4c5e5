/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory with the files by which a client finds and trusts this emulator.
 */
#ifndef CLOUDINVITE_EMULATOR_DIRECTORY_H
#define CLOUDINVITE_EMULATOR_DIRECTORY_H

#include <stdbool.h>

#include "emulator.h"

/* Makes the directory if necessary, and removes an old `port`. False with a line on standard
 * error. */
bool directory_prepare(const char *path);
/* Writes ca.pem, credentials.json, cloudinvite.conf, and `port` last, which shows that the others
 * are there. */
bool directory_publish(const struct emulator *e, const char *path);
/* At the end: removes `port`, so that no client finds a port that is closed. */
void directory_remove_port(const char *path);

#endif
