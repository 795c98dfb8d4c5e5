/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials that systemd passes to a service: LoadCredential=NAME:FILE and similar lines, as
 * files in the directory $CREDENTIALS_DIRECTORY.
 */
#ifndef CLOUDINVITE_SETTINGS_SYSTEMD_H
#define CLOUDINVITE_SETTINGS_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>

#define SYSTEMD_PREFIX "systemd:"

/* The credential's path; false if systemd passed nothing, or if the path does not fit. The file may
 * still be missing. */
bool systemd_credential(const char *name, char *out, size_t size);

#endif
