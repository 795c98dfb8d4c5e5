/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs that ask Google.
 */
#ifndef CLOUDINVITE_CLI_API_API_H
#define CLOUDINVITE_CLI_API_API_H

#include "cli/common/context.h"

verb_function verb_cancel, verb_check, verb_get, verb_list, verb_login, verb_send, verb_token;

#endif
