/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an account to the facts of its sighting. Texts come from files that users may change (chfn),
 * so only plain names are taken.
 */
#include "people/sighting.h"

#include <string.h>

#include "base/str.h"

bool sighting_trigger_parse(const char *word, enum trigger *out)
{
	enum trigger found;

	if (!trigger_parse(word, &found) || found == TRIGGER_DELETED)
		return false;
	*out = found;
	return true;
}

bool trigger_counts(enum trigger trigger, const struct settings *settings)
{
	switch (trigger) {
	case TRIGGER_LOGIN:
		return settings->triggers & TRIGGER_FLAG_LOGIN;
	case TRIGGER_CREATED:
		return settings->triggers & TRIGGER_FLAG_CREATED;
	case TRIGGER_MANUAL:
	case TRIGGER_DELETED:
		break;
	}
	return true;
}

bool trigger_outranks(enum trigger now, enum trigger known, const struct settings *settings)
{
	static const int ranks[] = {
		[TRIGGER_DELETED] = 0,
		[TRIGGER_CREATED] = 1,
		[TRIGGER_LOGIN] = 2,
		[TRIGGER_MANUAL] = 3,
	};
	bool counts = trigger_counts(now, settings), counted = trigger_counts(known, settings);

	return counts == counted ? ranks[now] > ranks[known] : counts;
}

/* C0, DEL and, in UTF-8, C1: bytes that a terminal or a header may treat as commands. */
static bool has_controls(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < ' ' || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < n && (unsigned char)s[i + 1] < 0xa0)
			return true;
	}
	return false;
}

/* Empty instead of cut, because a part of a name would be another person's. */
static void copy_name(char *out, size_t size, const char *word, size_t n)
{
	if (!str_format(out, size, "%.*s", (int)n, word))
		out[0] = '\0';
}

/* "Ada Lovelace,Room 3,…" gives Ada and Lovelace. A single word is a first name. Of three words, no
 * rule says which two are the address: "Dr Alice Liddell", "Alice Liddell EXT", "John A Smith". */
static void split_name(struct sighting *s, const char *gecos)
{
	size_t n = strcspn(gecos, ",");
	size_t first, last;

	s->first[0] = s->last[0] = '\0';
	while (n > 0 && gecos[n - 1] == ' ')
		n--;
	while (n > 0 && *gecos == ' ') {
		gecos++;
		n--;
	}
	if (!str_is_utf8(gecos, n) || has_controls(gecos, n) || memchr(gecos, ':', n))
		return;
	for (first = 0; first < n && gecos[first] != ' ';)
		first++;
	for (last = n; last > first && gecos[last - 1] != ' ';)
		last--;
	if (strspn(gecos + first, " ") + first < last)
		return;
	copy_name(s->first, sizeof(s->first), gecos, first);
	copy_name(s->last, sizeof(s->last), gecos + last, n - last);
}

/* Keeps the end of a path that is too long: policy looks at the last part. */
static void copy_shell(struct sighting *s, const char *shell)
{
	size_t n = strlen(shell);

	str_copy(s->shell, sizeof(s->shell),
		n < sizeof(s->shell) ? shell : shell + n - sizeof(s->shell) + 1);
}

void sighting_facts(struct sighting *s, const struct account *a, const struct group_table *groups,
	const struct settings *settings)
{
	s->local = true;
	s->uid = a->uid;
	copy_shell(s, a->shell);
	s->groups[0] = s->first[0] = s->last[0] = '\0';
	if (groups && !group_names(groups, a->user, a->gid, s->groups, sizeof(s->groups)))
		str_copy(s->groups, sizeof(s->groups), SIGHTING_GROUPS_UNKNOWN);
	if (settings->gecos)
		split_name(s, a->gecos);
}

bool sighting_same_facts(const struct sighting *a, const struct sighting *b)
{
	return a->local == b->local && a->uid == b->uid && strcmp(a->shell, b->shell) == 0 &&
	       strcmp(a->groups, b->groups) == 0 && strcmp(a->first, b->first) == 0 &&
	       strcmp(a->last, b->last) == 0;
}
