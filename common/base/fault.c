/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults as values. Texts are made safe here, once, so that every printer may write them as they
 * are.
 */
#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const struct {
	const char *word;
	int exit_code;
} kinds[] = {
	[FAULT_NONE] = {"none", 0},
	[FAULT_USAGE] = {"usage", 2},
	[FAULT_SETTINGS] = {"settings", 3},
	[FAULT_CREDENTIALS] = {"credentials", 4},
	[FAULT_STORAGE] = {"storage", 8},
	[FAULT_TRANSIENT] = {"transient", 5},
	[FAULT_SETUP] = {"setup", 6},
	[FAULT_REJECTED] = {"rejected", 6},
	[FAULT_AMBIGUOUS] = {"ambiguous", 5},
	[FAULT_POLICY] = {"policy", 7},
	[FAULT_STOPPED] = {"stopped", 5},
};

__attribute__((format(printf, 3, 0))) static void format_safe(
	char *out, size_t size, const char *format, va_list args)
{
	char raw[1024];

	if (vsnprintf(raw, sizeof(raw), format, args) < 0)
		raw[0] = '\0';
	str_safe(out, size, raw);
}

bool fault_set(struct fault *f, enum fault_kind kind, const char *code, const char *format, ...)
{
	va_list args;

	if (!f)
		return false;
	f->kind = kind;
	f->remedy[0] = '\0';
	str_copy(f->code, sizeof(f->code), code ? code : "");
	va_start(args, format);
	format_safe(f->what, sizeof(f->what), format, args);
	va_end(args);
	return false;
}

bool fault_remedy(struct fault *f, const char *format, ...)
{
	va_list args;

	if (!f)
		return false;
	va_start(args, format);
	format_safe(f->remedy, sizeof(f->remedy), format, args);
	va_end(args);
	return false;
}

bool fault_no_memory(struct fault *f, enum fault_kind kind)
{
	fault_set(f, kind, "no_memory", "out of memory");
	return fault_remedy(
		f, "Try again. If this persists, find out what uses the host's memory.");
}

void fault_clear(struct fault *f)
{
	if (f)
		memset(f, 0, sizeof(*f));
}

const char *fault_kind_word(enum fault_kind kind)
{
	return kinds[kind].word;
}

int fault_exit_code(enum fault_kind kind)
{
	return kinds[kind].exit_code;
}
