/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a line of the log goes: the journal, or standard error. Control characters are made visible
 * here, for all callers.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"

#define LINE_MAX_BYTES 1000

/* The one global of the project: where log lines go and what they may show. */
static struct {
	const char *program;
	enum log_level level;
	const char *socket_path;
	const struct journal_id *ids;
	bool journal;	/* the journal reads our standard error */
	bool decisions; /* decisions go to the journal in any case */
	bool full_addresses;
} sink = {"cloudinvite", LOG_LEVEL_INFO, JOURNAL_SOCKET, NULL, false, false, false};

/* systemd sets JOURNAL_STREAM to device and inode of the stream that the journal reads. It is
 * inherited, so a terminal below a service of the desktop has it too. Only equality counts. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	return stream && fstat(fd, &st) == 0 &&
	       str_format(ours, sizeof(ours), "%llu:%llu", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino) &&
	       strcmp(stream, ours) == 0;
}

void log_start(const char *program, enum log_level level)
{
	sink.program = program;
	sink.level = level;
	sink.journal = is_journal(STDERR_FILENO);
}

void log_message_ids(const struct journal_id *ids)
{
	sink.ids = ids;
}

void log_decisions(void)
{
	sink.decisions = true;
}

void log_journal_at(const char *socket_path)
{
	sink.socket_path = socket_path;
}

void log_show_addresses(bool full)
{
	sink.full_addresses = full;
}

/* One write for each line, so that lines of several processes do not mix. A program does not
 * stop because its log cannot be written. */
static void write_line(enum log_level level, const char *event, const char *message)
{
	char line[LINE_MAX_BYTES + 128], now[CLOCK_TEXT_SIZE];

	if (sink.journal)
		str_format(line, sizeof(line), "<%d>%s: %s\n", (int)level, event, message);
	else
		str_format(line, sizeof(line), "%s %s: %s: %s\n", clock_rfc3339(clock_wall(), now),
			sink.program, event, message);
	(void)file_write_all(STDERR_FILENO, line, strlen(line));
}

/* NULL if the event has no MESSAGE_ID. */
static const char *message_id(const char *event)
{
	for (const struct journal_id *i = sink.ids; i && i->event; i++)
		if (strcmp(i->event, event) == 0)
			return i->id;
	return NULL;
}

__attribute__((format(printf, 4, 0))) static void tell(enum log_level level, const char *event,
	const struct journal_about *about, const char *format, va_list args)
{
	char raw[2 * LINE_MAX_BYTES], safe[LINE_MAX_BYTES];
	bool loud = level <= sink.level, told = false;
	bool journal = (sink.journal && loud) || (sink.decisions && about);
	int saved = errno;

	if (!loud && !journal)
		return;
	if (vsnprintf(raw, sizeof(raw), format, args) < 0)
		raw[0] = '\0';
	str_safe(safe, sizeof(safe), raw);
	if (journal)
		told = journal_send(
			sink.socket_path, (int)level, event, message_id(event), safe, about);
	if (loud && !(told && sink.journal))
		write_line(level, event, safe);
	errno = saved;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(level, event, NULL, format, args);
	va_end(args);
}

void log_about(enum log_level level, const char *event, const struct journal_about *about,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(level, event, about, format, args);
	va_end(args);
}

void log_fault(enum log_level level, const char *event, const struct fault *f)
{
	char sentences[sizeof(f->what) + sizeof(f->remedy) + 2];

	log_event(level, event, "%s: %s", fault_kind_word(f->kind),
		str_sentences(sentences, sizeof(sentences), f->what, f->remedy));
}

const char *log_address(const char *address)
{
	static char ring[4][320];
	static unsigned next;
	char *out = ring[next++ % 4];

	if (sink.full_addresses)
		str_copy(out, sizeof(ring[0]), address);
	else
		str_mask_address(out, sizeof(ring[0]), address);
	return out;
}
