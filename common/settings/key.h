/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to this folder: the table of keys, and what settings_load makes of the files.
 */
#ifndef CLOUDINVITE_SETTINGS_KEY_H
#define CLOUDINVITE_SETTINGS_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "base/strbuf.h"
#include "settings/settings.h"

enum setting_kind {
	KIND_STRING,   /* char *, checked by `validate` */
	KIND_LIST,     /* the same; indented lines may continue it */
	KIND_BOOL,     /* bool */
	KIND_NUMBER,   /* int64_t from `min` to `max` */
	KIND_DURATION, /* the same, in seconds */
	KIND_CHOICE,   /* an enum: the index of the word in `words` */
	KIND_FLAGS,    /* unsigned: bit N is the word at index N; at least one */
};

/* What is wrong with a value ("is not an https URL"), or NULL if it is right. May convert it to
 * lower case or shorten it in place. `remedy` is a complete sentence. */
typedef const char *setting_validator(char *value, const char **remedy);

struct setting_key {
	const char *section;
	const char *key;
	enum setting_kind kind;
	bool used_by_collector; /* the collector uses it: an error in it stops the collector too */
	bool password;		/* the value may contain one: it is never shown */
	size_t offset;		/* in struct settings */
	const char *fallback;
	setting_validator *validate; /* NULL: anything */
	int64_t min, max;
	const char *const *words;
	const char *help;
};

extern const struct setting_key setting_keys[];
extern const size_t setting_count;

const struct setting_key *setting_find(const char *section, const char *key);
/* The key of that name, whatever its section; NULL if there is none. */
const struct setting_key *setting_find_anywhere(const char *key);
bool setting_section_known(const char *section);
/* Whether the collector uses any key of the section. */
bool setting_section_used_by_collector(const char *section);
/* The section, or key of `section`, that is most similar to an unknown word; NULL if none is
 * similar. */
const char *setting_suggest(const char *section, const char *word);
/* The remedy for a key, and for a value of a key, that had this name before 0.1.0; NULL for any
 * other. */
const char *setting_old_key(const char *section, const char *key);
const char *setting_old_value(const struct setting_key *k, const char *value);

/* Why a value was refused, and what to write instead. */
struct value_error {
	char what[192]; /* "'many' is not a number" */
	char remedy[256];
};

/* Parses the value into the field; false with the error. */
bool setting_set(
	const struct setting_key *k, struct settings *s, const char *value, struct value_error *c);
/* Appends the field as it is written in a file, without a password. */
void setting_format(const struct setting_key *k, const struct settings *s, struct strbuf *out);
/* Whether the value holds a password (https://name:PASSWORD@host). */
bool setting_has_password(const char *value);

/* The validators, in validate.c. */
setting_validator validate_customer, validate_address, validate_api_version, validate_endpoint,
	validate_https, validate_proxy, validate_path, validate_path_or_none, validate_template,
	validate_domains, validate_users, validate_names, validate_ledger, validate_window,
	validate_timezone, validate_account, validate_credentials, validate_key, validate_key_id,
	validate_http, validate_project, validate_no_proxy;

/* settings_read_keys_with(); NULL: no reader. */
extern const struct settings_key_reader *setting_key_reader;

/* The settings, and where each of them was set. */
struct origin {
	const char *file; /* one of `files`; NULL: the default */
	int line;
};
struct loaded {
	struct settings settings; /* first: callers hold a pointer to it */
	char *path;
	char **files;
	size_t file_count;
	struct origin *origins; /* one for each key, in the table's order */
};

const struct loaded *settings_loaded(const struct settings *s);
/* Where a key was set, to begin a sentence: "FILE:LINE: key", "FILE: key". */
void setting_origin(const struct settings *s, const struct setting_key *k, char *out, size_t size);
/* All defaults, without reading a file; NULL if out of memory. */
struct loaded *loaded_new(const char *path);

/* Receives all findings. `collecting`: the finding stops the collector too. */
struct diagnostics {
	void (*report)(const struct fault *, bool collecting, void *ctx);
	void *ctx;
	int count;
};
void diagnose(struct diagnostics *found, const struct fault *fault, bool collecting);
/* Reads one text; its values replace earlier ones. `file` must live as long as `l`. */
void settings_parse(
	struct loaded *l, struct diagnostics *found, const char *file, const struct strbuf *text);
/* Reads the file, or the text instead of it, and its conf.d/; later values replace earlier ones.
 * False if the main file could not be read. */
bool settings_read(struct loaded *l, const struct strbuf *text, struct diagnostics *found);
/* settings_check, with the programs that each finding concerns. */
void settings_check_into(const struct settings *s, struct diagnostics *found);

#endif
