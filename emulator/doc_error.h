/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a control document: one sentence about the first error.
 */
#ifndef CLOUDINVITE_EMULATOR_DOC_ERROR_H
#define CLOUDINVITE_EMULATOR_DOC_ERROR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct doc_error {
	char text[300];
};

/* Always false, so that `return doc_error_set(...)` can end a reader. The first error stays. */
bool doc_error_set(struct doc_error *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Members of control documents. An absent one leaves *out unchanged; one of the wrong type is an
 * error that names `where`. Strings are borrowed from the document. */
bool member_string(
	json_t *object, const char *name, const char **out, const char *where, struct doc_error *c);
/* A string that must exist. */
bool member_needed(
	json_t *object, const char *name, const char **out, const char *where, struct doc_error *c);
bool member_bool(
	json_t *object, const char *name, bool *out, const char *where, struct doc_error *c);
bool member_int(json_t *object, const char *name, int64_t min, int64_t max, int64_t *out,
	const char *where, struct doc_error *c);
/* The index of the member's value in the NULL-terminated `words`. */
bool member_word(json_t *object, const char *name, const char *const *words, int *out,
	const char *where, struct doc_error *c);
/* Rejects the first member that is not one of the NULL-terminated `names`. */
bool members_known(
	json_t *object, const char *const *names, const char *where, struct doc_error *c);

#endif
