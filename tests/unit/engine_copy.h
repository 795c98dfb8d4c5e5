/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a ledger that is backed up, restored and lost, with the services stopped.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_ENGINE_COPY_H
#define CLOUDINVITE_TESTS_UNIT_ENGINE_COPY_H

#include "base/str.h"
#include "fake_google.h"

void drop_ledger(struct site *s);
void back_up(struct site *s);
bool has_copy(struct site *s);
void restore(struct site *s);
void drop_copy(struct site *s);

#endif
