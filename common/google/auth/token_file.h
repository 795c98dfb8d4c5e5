/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token's file and its lock, in the tokens directory.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_TOKEN_FILE_H
#define CLOUDINVITE_GOOGLE_AUTH_TOKEN_FILE_H

#include "google/auth/token.h"

/* The directory, if no other account can use it; -1 with FAULT_STORAGE. */
int token_file_dir(const struct settings *settings, struct fault *fault);
/* False if there is no file, or if its content is not plausible. */
bool token_file_read(int dir, const char *hash, struct token *out);
/* Replaces the file. -1 and errno. */
int token_file_write(int dir, const struct credential *c, const struct token *t);
/* Removes files of credentials that no longer exist: those that have not been written for a day. */
void token_file_remove_old(int dir);

/* The lock's descriptor (close it to unlock); -1 with EWOULDBLOCK while another process holds
 * it. */
int token_file_lock(int dir, const char *hash);

#endif
