/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's arguments. The command line reads PAM files with the same parser, so that both agree
 * on what a line means.
 */
#include "common/pam/arguments.h"

#include <stddef.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"

#define UID_LARGEST 4294967294LL

static const char *after(const char *argument, const char *prefix)
{
	return str_starts(argument, prefix) ? argument + strlen(prefix) : NULL;
}

static bool take_flag(struct arguments *a, const char *argument)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {{"network_users", &a->network_users}, {"notify", &a->notify},
		{"sync", &a->sync}, {"debug", &a->debug}, {"silent", &a->silent}};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(argument, flags[i].name) == 0) {
			*flags[i].flag = true;
			return true;
		}
	}
	return false;
}

/* The value of spool=, or NULL. */
static const char *spool_of(const char *argument)
{
	const char *value = after(argument, "spool=");

	return value && value[0] == '/' ? value : NULL;
}

/* Whether the path is a file directly in the spool. */
static bool is_in(const char *spool, const char *path)
{
	const char *name = after(path, spool);

	return name && name[0] == '/' && name[1] && !strchr(name + 1, '/');
}

/* The caller has set a->spool. */
static bool take_value(struct arguments *a, const char *argument, bool *skip_named)
{
	const char *value;

	if (spool_of(argument))
		return true;
	if ((value = after(argument, "message_file=")) && is_in(a->spool, value)) {
		a->message_file = value;
	} else if ((value = after(argument, "services="))) {
		a->services = value;
	} else if ((value = after(argument, "skip_services="))) {
		a->skip_services = value;
		*skip_named = true;
	} else if ((value = after(argument, "min_uid="))) {
		return str_number(value, 0, UID_LARGEST, &a->min_uid);
	} else if ((value = after(argument, "max_uid="))) {
		return str_number(value, 0, UID_LARGEST, &a->max_uid);
	} else {
		return false;
	}
	return true;
}

void arguments_parse(struct arguments *a, int argc, const char **argv,
	void (*wrong)(const char *argument, void *ctx), void *ctx)
{
	bool skip_named = false;

	*a = (struct arguments){
		.spool = ARGUMENT_SPOOL,
		.services = "",
		.skip_services = ARGUMENT_SKIP,
		.min_uid = ARGUMENT_UNSET,
		.max_uid = ARGUMENT_UNSET,
	};
	/* The spool first: the message file must be in it. */
	for (int i = 0; i < argc; i++)
		if (spool_of(argv[i]))
			a->spool = spool_of(argv[i]);
	for (int i = 0; i < argc; i++)
		if (!take_flag(a, argv[i]))
			(void)take_value(a, argv[i], &skip_named);
	/* An administrator who names services means them: the built-in list then skips none of
	 * them. */
	if (a->services[0] && !skip_named)
		a->skip_services = "";
	for (int i = 0; i < argc; i++)
		if (!take_flag(a, argv[i]) && !take_value(a, argv[i], &skip_named))
			wrong(argv[i], ctx);
}

bool arguments_service(const struct arguments *a, const char *service)
{
	if (a->services[0] && !str_in_list(service, a->services))
		return false;
	return !str_in_list(service, a->skip_services);
}
