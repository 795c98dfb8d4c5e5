/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. A target is tests/fuzz/NAME_fuzz.c with the one function that
 * libFuzzer calls; seeds/NAME/ holds what it starts from, NAME.dict its words (optional). A target
 * does not only look for crashes: it says with must() what has to hold of every input.
 */
#ifndef CLOUDINVITE_FUZZ_H
#define CLOUDINVITE_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process with `what` if it does not hold: libFuzzer then keeps the input. */
void must(bool holds, const char *what);

/* A copy with a NUL behind it, which free() takes. */
char *fuzz_text(const uint8_t *data, size_t size);

/* A file of 0600 with that content, in a directory that goes with the process; the name is fixed
 * for `name`, so that the next input replaces it. */
const char *fuzz_file(const char *name, const uint8_t *data, size_t size);
/* That directory. */
const char *fuzz_folder(void);

#endif
