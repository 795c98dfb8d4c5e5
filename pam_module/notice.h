/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `notify`: a sentence at the terminal for somebody who has been invited.
 */
#ifndef CLOUDINVITE_PAM_NOTICE_H
#define CLOUDINVITE_PAM_NOTICE_H

#include <security/pam_modules.h>

#include "common/pam/arguments.h"

/* Says it if the user's mark says `invited` and there is somebody to talk to. The mark belongs to a
 * service account that may be hostile: it chooses whether, never what is said. */
void notice_show(pam_handle_t *pamh, const struct arguments *a, const char *user);

#endif
