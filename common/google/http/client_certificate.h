/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client certificate for the API's mTLS host. libcurl reads both files itself, at each new
 * connection, and says of any trouble with them only that there is some: so they are looked at
 * before.
 */
#ifndef CLOUDINVITE_GOOGLE_HTTP_CLIENT_CERTIFICATE_H
#define CLOUDINVITE_GOOGLE_HTTP_CLIENT_CERTIFICATE_H

#include <stdbool.h>

#include "base/fault.h"
#include "settings/settings.h"

/* Whether certificate and key can be read, belong together and are valid now, the key without a
 * passphrase and without rights for others. True as well if none is set. */
bool client_certificate_check(const struct settings *settings, struct fault *fault);

#endif
