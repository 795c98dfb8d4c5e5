/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. A target is tests/fuzz/NAME_fuzz.c with the one function that
 * libFuzzer calls; seeds/NAME/ holds its first inputs, NAME.dict its words (optional). A target
 * does not only look for crashes: must() states what holds for every input.
 */
#ifndef CLOUDINVITE_FUZZ_H
#define CLOUDINVITE_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process with `what` if it does not hold; libFuzzer then stores the input. */
void must(bool holds, const char *what);

/* A copy with a NUL at its end; free() it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* A file with that content and mode 0600, in a directory that is removed with the process. The path
 * is always the same for `name`, so the next input replaces the file. */
const char *fuzz_file(const char *name, const uint8_t *data, size_t size);
/* That directory. */
const char *fuzz_folder(void);

#endif
