/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser for one line of a PAM file, with libpam's own rules for comments, continued lines,
 * brackets and controls. What libpam would refuse is refused here, with the reason.
 */
#include "cli/pam/line.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"

#define BLANKS	      " \t\n"
#define NO_MEMORY     "cannot be read: out of memory"
#define ARGUMENTS_MAX 64

/* ---- lines ---- */

/* Appends the bytes of one line of the file up to a comment; true if the next line continues it. A
 * '#' ends the line wherever it is, and also its continuation. */
static bool next_character(const char *from, size_t n, struct strbuf *line)
{
	size_t comment = strcspn(from, "#");
	bool more;

	if (comment < n) {
		strbuf_add_bytes(line, from, comment);
		return false;
	}
	while (n > 0 && strchr(BLANKS, from[n - 1]))
		n--;
	more = n > 0 && from[n - 1] == '\\';
	strbuf_add_bytes(line, from, more ? n - 1 : n);
	if (more)
		strbuf_add(line, " ");
	return more;
}

bool pam_text_next(struct pam_text *text, struct strbuf *line, int *number)
{
	bool more = false;

	strbuf_clear(line);
	while (*text->at) {
		const char *from = text->at + strspn(text->at, " \t");
		size_t n = strcspn(from, "\n");

		text->at = from + n + (from[n] == '\n');
		text->number++;
		if (n == 0 || *from == '#')
			continue;
		if (!more)
			*number = text->number - 1;
		more = next_character(from, n, line);
		if (!more)
			break;
	}
	return line->len > 0 && !line->failed;
}

/* ---- words ---- */

/* Cuts off the next word. A word that begins with '[' extends to its ']', and loses both; "\]" is a
 * ']' within it. *at is after the word then. NULL: no word, or out of memory. */
static char *parse_word(const char **at)
{
	const char *from = *at + strspn(*at, BLANKS);
	bool bracket = *from == '[';
	size_t n = 0;
	char *word;

	if (!*from)
		return NULL;
	from += bracket;
	word = malloc(strlen(from) + 1);
	if (!word)
		return NULL;
	while (*from && (bracket ? *from != ']' : !strchr(BLANKS, *from))) {
		if (bracket && from[0] == '\\' && from[1] == ']')
			from++;
		word[n++] = *from++;
	}
	word[n] = '\0';
	*at = from + (bracket && *from == ']');
	return word;
}

static bool parse_type(const char *word, struct pam_line *out)
{
	out->quiet = word[0] == '-';
	for (int type = PAM_TYPE_AUTH; type <= PAM_TYPE_SESSION; type++) {
		if (str_equal_nocase(word + out->quiet, pam_type_word((enum pam_type)type))) {
			out->type = (enum pam_type)type;
			return true;
		}
	}
	return false;
}

static const char *parse_arguments(const char *at, struct pam_line *out)
{
	char *word;

	out->arguments = calloc(ARGUMENTS_MAX, sizeof(*out->arguments));
	if (!out->arguments)
		return NO_MEMORY;
	/* gcc -fanalyzer believes that each word in the array is lost: pam_line_free frees it. */
	while ((word = parse_word(&at))) {
		if (out->argument_count == ARGUMENTS_MAX) {
			free(word);
			return "has too many arguments";
		}
		out->arguments[out->argument_count++] = word;
	}
	return NULL;
}

static const char *parse_rest(const char *at, struct pam_line *out)
{
	out->control = parse_word(&at);
	if (!out->control)
		return "has neither a control field nor a module";
	if (str_equal_nocase(out->control, "include"))
		out->kind = PAM_KIND_INCLUDE;
	else if (str_equal_nocase(out->control, "substack"))
		out->kind = PAM_KIND_SUBSTACK;
	out->module = parse_word(&at);
	if (!out->module)
		return "does not name a module";
	return parse_arguments(at, out);
}

const char *pam_line_parse(const char *text, struct pam_line *out)
{
	char *word = parse_word(&text);
	const char *wrong;

	*out = (struct pam_line){.kind = PAM_KIND_MODULE};
	if (!word)
		return NO_MEMORY;
	if (strcmp(word, "@include") == 0) {
		out->kind = PAM_KIND_INCLUDE_ALL;
		out->module = parse_word(&text);
		wrong = out->module ? NULL : "does not name a file to include";
	} else if (parse_type(word, out)) {
		wrong = parse_rest(text, out);
	} else {
		wrong = "does not begin with auth, account, password or session";
	}
	free(word);
	return wrong;
}

void pam_line_free(struct pam_line *line)
{
	for (int i = 0; i < line->argument_count; i++)
		free(line->arguments[i]);
	free(line->arguments);
	free(line->file);
	free(line->control);
	free(line->module);
	*line = (struct pam_line){.file = NULL};
}

/* ---- meaning ---- */

static const struct {
	const char *word, *means;
} keywords[] = {
	{"required", "success=ok new_authtok_reqd=ok ignore=ignore default=bad"},
	{"requisite", "success=ok new_authtok_reqd=ok ignore=ignore default=die"},
	{"optional", "success=ok new_authtok_reqd=ok default=ignore"},
	{"sufficient", "success=done new_authtok_reqd=done default=ignore"},
};

static const struct {
	const char *word;
	enum pam_action action;
} actions[] = {
	{"ignore", PAM_ACTION_IGNORE},
	{"ok", PAM_ACTION_OK},
	{"done", PAM_ACTION_DONE},
	{"bad", PAM_ACTION_BAD},
	{"die", PAM_ACTION_DIE},
	{"reset", PAM_ACTION_RESET},
};

static int action_of(const char *word, size_t n)
{
	char jump[8];
	long long lines;

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strlen(actions[i].word) == n && memcmp(word, actions[i].word, n) == 0)
			return (int)actions[i].action;
	if (str_format(jump, sizeof(jump), "%.*s", (int)n, word) &&
		str_number(jump, 0, 9999, &lines))
		return (int)lines;
	return PAM_ACTION_BAD;
}

/* Searches "success=1 default=ignore"; false if the result is not named. */
static bool find_action(const char *control, const char *result, int *action)
{
	const char *at = control;
	size_t n = strlen(result);

	while (*(at += strspn(at, BLANKS))) {
		size_t word = strcspn(at, BLANKS);
		if (word > n && memcmp(at, result, n) == 0 && at[n] == '=') {
			*action = action_of(at + n + 1, word - n - 1);
			return true;
		}
		at += word;
	}
	return false;
}

int pam_line_action(const struct pam_line *line, const char *result)
{
	const char *control = line->control;
	int action = PAM_ACTION_BAD;

	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (str_equal_nocase(control, keywords[i].word))
			control = keywords[i].means;
	if (!find_action(control, result, &action))
		find_action(control, "default", &action);
	return action;
}

bool pam_line_runs(const struct pam_line *line, const char *name)
{
	const char *slash = strrchr(line->module, '/');

	return strcmp(slash ? slash + 1 : line->module, name) == 0;
}

const char *pam_type_word(enum pam_type type)
{
	static const char *const words[] = {
		[PAM_TYPE_AUTH] = "auth",
		[PAM_TYPE_ACCOUNT] = "account",
		[PAM_TYPE_PASSWORD] = "password",
		[PAM_TYPE_SESSION] = "session",
	};

	return words[type];
}
