/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `notify`: shows a sentence at the terminal to a user who has been invited.
 */
#ifndef CLOUDINVITE_PAM_NOTICE_H
#define CLOUDINVITE_PAM_NOTICE_H

#include <security/pam_modules.h>

#include "common/pam/arguments.h"

/* Shows it if the user's marker says `invited` and the application has a conversation. The
 * marker decides only whether the message is shown, never what it says. */
void notice_show(pam_handle_t *pamh, const struct arguments *a, const char *user);

#endif
