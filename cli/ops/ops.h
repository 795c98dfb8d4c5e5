/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs that operate the service on this host.
 */
#ifndef CLOUDINVITE_CLI_OPS_OPS_H
#define CLOUDINVITE_CLI_OPS_OPS_H

#include "cli/common/context.h"

verb_function verb_config, verb_emit, verb_help, verb_metrics, verb_pause, verb_resume, verb_scan;

#endif
