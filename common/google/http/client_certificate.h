/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client certificate for the API's mTLS host. libcurl reads both files itself, at each new
 * connection, and does not say what is wrong with them; so they are checked before.
 */
#ifndef CLOUDINVITE_GOOGLE_HTTP_CLIENT_CERTIFICATE_H
#define CLOUDINVITE_GOOGLE_HTTP_CLIENT_CERTIFICATE_H

#include <stdbool.h>

#include "base/fault.h"
#include "settings/settings.h"

/* Whether certificate and key can be read, belong together and are valid now. The key must have no
 * passphrase and give others no rights. Also true if none is set. */
bool client_certificate_check(const struct settings *settings, struct fault *fault);

#endif
