/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the programs can read the files of the settings, with their own rights.
 */
#ifndef CLOUDINVITE_CLI_READABLE_H
#define CLOUDINVITE_CLI_READABLE_H

#include <stdbool.h>

#include "base/fault.h"
#include "settings/settings.h"

/* For the dispatcher's account, after the change from root to it: false with the fault if one of
 * the programs that read the file cannot. `map`: only the dispatcher reads it. */
bool readable_by_service(
	const struct settings *settings, const char *path, bool map, struct fault *fault);

#endif
