/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What setup writes, part by part, so that an interrupt at any moment can report what has been
 * written and what has not.
 */
#include "cli/setup/setup.h"

#include <string.h>
#include <unistd.h>

#include "cli/common/interrupt.h"

/* ---- in the signal handler: nothing but memory and system calls ---- */

static const struct setup *current;

struct sentence {
	char text[4 * PATH_MAX];
	size_t length;
};

static void add(struct sentence *s, const char *words)
{
	size_t n = strlen(words), room = sizeof(s->text) - s->length;

	if (n > room)
		n = room;
	memcpy(s->text + s->length, words, n);
	s->length += n;
}

static const char *name_of(enum setup_part part)
{
	if (part == PART_LOGIN)
		return current->login;
	if (part == PART_CREDENTIAL)
		return current->copy;
	return part == PART_SETTINGS ? current->path : "the PAM line";
}

/* A child stores the login, and may not have returned yet. */
static enum part_state state_of(enum setup_part part)
{
	const struct stat *before = &current->login_before;
	struct stat now;

	if (part == PART_LOGIN && current->parts[part] == PART_OPEN &&
		stat(current->login, &now) == 0 &&
		(now.st_ino != before->st_ino || now.st_mtime != before->st_mtime))
		return PART_WRITTEN;
	return current->parts[part];
}

static bool add_parts(struct sentence *s, const char *title, enum part_state state)
{
	const char *before = title;

	for (enum setup_part part = PART_LOGIN; part < PARTS; part++) {
		if (state_of(part) != state)
			continue;
		add(s, before);
		add(s, name_of(part));
		before = ", ";
	}
	if (before != title)
		add(s, ".");
	return before != title;
}

static void print_interrupted(void)
{
	static struct sentence s;

	add(&s, current->cli->progress ? "\n" : "");
	add(&s, "cloudinvite: setup was interrupted.");
	if (add_parts(&s, " Written: ", PART_WRITTEN))
		add_parts(&s, " Not written: ", PART_OPEN);
	else
		add(&s, " Nothing was written.");
	add(&s, "\n  Run it again: it continues with what has been written.\n");
	if (write(STDERR_FILENO, s.text, s.length) < 0)
		return;
}

/* ---- for setup ---- */

void setup_part(struct setup *s, enum setup_part part, enum part_state state)
{
	sigset_t before;

	interrupt_hold(&before);
	s->parts[part] = state;
	interrupt_release(&before);
}

void setup_progress_begin(struct setup *s)
{
	current = s;
	s->parts[PART_SETTINGS] = PART_OPEN;
	if (!s->no_pam && (s->pam || s->dialogue))
		s->parts[PART_PAM] = PART_OPEN;
	interrupt_at_end(print_interrupted);
}

void setup_progress_end(void)
{
	interrupt_at_end(NULL);
}
