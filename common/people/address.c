/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses: what a valid one is, which domain it belongs to, and the one that the template makes.
 */
#include "people/address.h"

#include <string.h>

#include "base/str.h"

#define LOCAL_MAX 64 /* RFC 5321, 4.5.3.1.1 */
#define LABEL_MAX 63
#define ATEXT	  "!#$%&'*+-/=?^_`{|}~" /* RFC 5322, 3.2.3, besides letters and digits */

/* Dot-atom: atoms with one dot between each two. */
static bool local_part(const char *s, size_t n)
{
	bool dot = true;

	if (n == 0 || n > LOCAL_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.' && dot)
			return false;
		dot = s[i] == '.';
		if (!dot && !ascii_is_alnum(s[i]) && (s[i] == '\0' || !strchr(ATEXT, s[i])))
			return false;
	}
	return !dot;
}

static bool label(const char *s, size_t n)
{
	if (n == 0 || n > LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!ascii_is_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

/* At least two labels, and the last one is not a number, so it is not an IP address. */
static bool host_name(const char *s)
{
	size_t labels = 0, n = 0;

	for (;; s += n + 1) {
		n = strcspn(s, ".");
		if (!label(s, n))
			return false;
		labels++;
		if (s[n] == '\0')
			return labels > 1 && strspn(s, "0123456789") < n;
	}
}

bool address_plain(const char *s, char out[ADDRESS_MAX + 1])
{
	const char *at = strchr(s, '@');

	out[0] = '\0';
	if (!at || strlen(s) > ADDRESS_MAX)
		return false;
	if (!local_part(s, (size_t)(at - s)) || !host_name(at + 1))
		return false;
	str_copy(out, ADDRESS_MAX + 1, s);
	str_lower(out);
	return true;
}

/* Stops at the word that is the domain, and returns false. */
static bool is_other(const char *word, size_t len, void *ctx)
{
	const char *domain = ctx;

	for (size_t i = 0; i < len; i++)
		if (ascii_lower(word[i]) != ascii_lower(domain[i]))
			return true;
	return domain[len] != '\0';
}

bool address_in_domains(const char *address, const char *domains)
{
	char domain[ADDRESS_MAX + 1];
	const char *at = strrchr(address, '@');

	if (!at || !str_copy(domain, sizeof(domain), at + 1))
		return false;
	return !str_each_word(domains, is_other, domain);
}

/* "alice@corp.example" and "CORP\alice" are both alice; a name with more than one realm is
 * refused. */
bool address_user(const struct sighting *s, char *out, size_t size)
{
	const char *realm = s->user + strcspn(s->user, "@\\");
	const char *user = s->user;
	size_t n = strlen(user);
	bool fits;

	if (!s->local && *realm != '\0' && realm[1 + strcspn(realm + 1, "@\\")] == '\0') {
		n = *realm == '@' ? (size_t)(realm - user) : strlen(realm + 1);
		user = *realm == '@' ? user : realm + 1;
	}
	fits = str_format(out, size, "%.*s", (int)n, user);
	str_lower(out);
	return fits;
}

/* Stricter than an address may be. A user name with characters that have a meaning to mail systems
 * ('%', '!', '=', '/'), to a shell or as an option needs a line in the map, which an
 * administrator writes on purpose. */
static bool from_user(char *word, const char **why)
{
	for (const char *p = word; *p != '\0'; p++)
		if (!ascii_is_alnum(*p) && !strchr("._+-", *p)) {
			*why = "the user name has characters that an address cannot have";
			return false;
		}
	if (!ascii_is_alnum(word[0]) && word[0] != '_') {
		*why = "the user name begins with '.', '+' or '-'";
		return false;
	}
	return true;
}

static bool from_name(char *word, const char **why)
{
	str_lower(word);
	if (word[0] == '\0') {
		*why = "the full name of the account is not one first and one last name";
		return false;
	}
	for (const char *p = word; *p != '\0'; p++)
		if (!ascii_is_alnum(*p) && *p != '-') {
			*why = "the full name has letters whose spelling in an address is not "
			       "known";
			return false;
		}
	if (word[0] == '-') {
		*why = "the full name begins with a hyphen";
		return false;
	}
	return true;
}

/* The suffix that OS Login makes of a domain: "_example_com". */
static bool oslogin_suffix(const char *domain, char *out, size_t size)
{
	if (!str_format(out, size, "_%s", domain))
		return false;
	for (char *p = out; *p != '\0'; p++)
		if (*p == '.')
			*p = '_';
	return true;
}

/* OS Login writes alice@example.com as alice_example_com. A dot in the user's part becomes '_' as
 * well, which cannot be undone without a guess. */
static bool from_oslogin(
	const struct sighting *s, const char *domain, char word[USER_MAX + 1], const char **why)
{
	char suffix[ADDRESS_MAX + 1];
	size_t n;

	if (!address_user(s, word, USER_MAX + 1) || !oslogin_suffix(domain, suffix, sizeof(suffix)))
		return false;
	n = strlen(word);
	if (str_starts(word, "ext_")) {
		*why = "OS Login says that the account belongs to another organisation (ext_)";
		return false;
	}
	if (!str_ends(word, suffix) || n == strlen(suffix)) {
		*why = "the user name does not end with the domain as OS Login writes it";
		return false;
	}
	word[n - strlen(suffix)] = '\0';
	if (strchr(word, '_')) {
		*why = "a '_' in the user name may be a dot in the address";
		return false;
	}
	return from_user(word, why);
}

/* Expands the placeholder at `p`. Returns the placeholder's length, or 0 with the reason. */
static size_t expand_one(
	const struct sighting *s, const char *p, char word[USER_MAX + 1], const char **why)
{
	if (str_starts(p, "{user}"))
		return address_user(s, word, USER_MAX + 1) && from_user(word, why)
			       ? strlen("{user}")
			       : 0;
	if (str_starts(p, "{first}")) {
		str_copy(word, USER_MAX + 1, s->first);
		return from_name(word, why) ? strlen("{first}") : 0;
	}
	if (str_starts(p, "{last}")) {
		str_copy(word, USER_MAX + 1, s->last);
		return from_name(word, why) ? strlen("{last}") : 0;
	}
	if (str_starts(p, "{oslogin}") && strchr(p, '@'))
		return from_oslogin(s, strchr(p, '@') + 1, word, why) ? strlen("{oslogin}") : 0;
	*why = "the address template has an unknown placeholder";
	return 0;
}

/* Does not use the heap: a verdict must not depend on free memory. */
bool address_from_template(
	const struct sighting *s, const char *template, char out[ADDRESS_MAX + 1], const char **why)
{
	char made[4096];
	size_t length = 0;

	out[0] = '\0';
	*why = "the address would be too long or not a valid mail address";
	for (const char *p = template; *p != '\0';) {
		char word[USER_MAX + 1] = {*p};
		size_t n = *p == '{' ? expand_one(s, p, word, why) : 1;

		if (n == 0 || !str_copy(made + length, sizeof(made) - length, word))
			return false;
		length += strlen(word);
		p += n;
	}
	return length > 0 && address_plain(made, out);
}
