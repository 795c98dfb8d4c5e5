/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token's file and its lock, in the tokens directory.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_TOKEN_FILE_H
#define CLOUDINVITE_GOOGLE_AUTH_TOKEN_FILE_H

#include "google/auth/token.h"

/* The directory, if it is ours alone; -1 with FAULT_STORAGE. */
int token_file_dir(const struct settings *settings, struct fault *fault);
/* False if there is none, or none that can be believed. */
bool token_file_read(int dir, const char *hash, struct token *out);
/* Replaces it. -1 and errno. */
int token_file_write(int dir, const struct credential *c, const struct token *t);
/* Removes the files of credentials that are gone: those that nobody has written for a day. */
void token_file_sweep(int dir);

/* The lock's descriptor (close it to unlock); -1 with EWOULDBLOCK while another holds it. */
int token_file_lock(int dir, const char *hash);

#endif
