/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory in which systemd passes credentials to a service.
 */
#include "settings/systemd.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

bool systemd_credential(const char *name, char *out, size_t size)
{
	const char *directory = secure_getenv("CREDENTIALS_DIRECTORY");

	return directory && directory[0] == '/' && name[0] != '\0' && !strchr(name, '/') &&
	       str_format(out, size, "%s/%s", directory, name);
}
