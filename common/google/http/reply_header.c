/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header fields of a reply. Values that are too long are cut off. A Retry-After that is a date is
 * compared with the server's own clock, because this host's may be wrong.
 */
#include "google/http/reply_header.h"

#include <string.h>

#include "base/str.h"

/* Returns the value of "Name: value\r\n" if the name is `name`. */
static bool header_value(const char *line, size_t len, const char *name, char *out, size_t size)
{
	size_t n = strlen(name), room;
	char folded[64];

	if (len <= n || line[n] != ':' ||
		!str_format(folded, sizeof(folded), "%.*s", (int)n, line) ||
		!str_equal_nocase(folded, name))
		return false;
	line += n + 1;
	len -= n + 1;
	while (len && ascii_is_space(*line))
		line++, len--;
	while (len && ascii_is_space(line[len - 1]))
		len--;
	room = len < size - 1 ? len : size - 1;
	memcpy(out, line, room);
	out[room] = '\0';
	return true;
}

static void forget_headers(struct transfer *t)
{
	t->reply.date = 0;
	t->reply.content_type[0] = t->reply.authenticate[0] = t->reply.flavor[0] = '\0';
	t->retry_after[0] = '\0';
}

/* All replies of one second have the same date, and libcurl parses it slowly. */
static int64_t read_date(struct transfer *t, const char *text)
{
	time_t date;

	if (strcmp(text, t->date_text) != 0) {
		date = curl_getdate(text, NULL);
		t->date = date > 0 ? (int64_t)date : 0;
		str_copy(t->date_text, sizeof(t->date_text), text);
	}
	return t->date;
}

void reply_header(struct transfer *t, const char *line, size_t len)
{
	char date[64];

	/* A status line begins a new reply; earlier ones (100, a replay) do not count. */
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		forget_headers(t);
	else if (header_value(line, len, "Date", date, sizeof(date)))
		t->reply.date = read_date(t, date);
	else if (!header_value(line, len, "Retry-After", t->retry_after, sizeof(t->retry_after)) &&
		 !header_value(line, len, "Content-Type", t->reply.content_type,
			 sizeof(t->reply.content_type)) &&
		 !header_value(
			 line, len, "Metadata-Flavor", t->reply.flavor, sizeof(t->reply.flavor)))
		header_value(line, len, "WWW-Authenticate", t->reply.authenticate,
			sizeof(t->reply.authenticate));
}

int64_t reply_retry_after(const struct transfer *t)
{
	long long seconds;
	time_t date;

	if (str_number(t->retry_after, 0, INT32_MAX, &seconds))
		return seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX;
	date = *t->retry_after ? curl_getdate(t->retry_after, NULL) : -1;
	if (date <= 0 || !t->reply.date)
		return -1;
	seconds = (long long)date - t->reply.date;
	return seconds < 0 ? 0 : seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX;
}
