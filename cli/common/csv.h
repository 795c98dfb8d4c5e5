/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV (RFC 4180) for spreadsheets. Every field is quoted, so that no country's list separator
 * splits it, made safe (str_safe), and gets a quote in front if a spreadsheet could treat it as a
 * formula.
 */
#ifndef CLOUDINVITE_CLI_COMMON_CSV_H
#define CLOUDINVITE_CLI_COMMON_CSV_H

#include <stddef.h>
#include <stdio.h>

/* One record of `count` fields, with its newline. */
void csv_record(FILE *out, const char *const *fields, size_t count);

#endif
