/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON that holds secrets: wiped before its memory is freed.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_SECRET_JSON_H
#define CLOUDINVITE_GOOGLE_AUTH_SECRET_JSON_H

#include <jansson.h>
#include <stddef.h>

/* Parses; everything that jansson allocates and frees meanwhile is wiped. NULL if the text is not
 * valid JSON or has duplicate members. */
json_t *secret_json(const char *text, size_t len, json_error_t *error);
/* Compact text of `json`, for secret_free(). */
char *secret_json_text(const json_t *json);
void secret_json_free(json_t *json);

#endif
