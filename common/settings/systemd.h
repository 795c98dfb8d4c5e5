/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd hands over to a service: LoadCredential=NAME:FILE and its kin, as files in the
 * directory $CREDENTIALS_DIRECTORY.
 */
#ifndef CLOUDINVITE_SETTINGS_SYSTEMD_H
#define CLOUDINVITE_SETTINGS_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>

#define SYSTEMD_PREFIX "systemd:"

/* The credential's path; false if systemd handed over nothing, or if it does not fit. The file may
 * still not be there. */
bool systemd_credential(const char *name, char *out, size_t size);

#endif
