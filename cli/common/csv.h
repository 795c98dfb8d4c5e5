/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV (RFC 4180) for spreadsheets. Every field is quoted, so that no list separator of any country
 * splits it, is made safe (str_safe), and gets a quote in front where a spreadsheet could take it
 * for a formula.
 */
#ifndef CLOUDINVITE_CLI_COMMON_CSV_H
#define CLOUDINVITE_CLI_COMMON_CSV_H

#include <stddef.h>
#include <stdio.h>

/* One record of `count` fields, with its line's end. */
void csv_record(FILE *out, const char *const *fields, size_t count);

#endif
