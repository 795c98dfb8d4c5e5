/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which services run our module, and through which of the others people log in without being seen.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/pam/lint.h"
#include "cli/pam/stack.h"
#include "common/pam/arguments.h"

/* Names of services through which people log in. A site's own application cannot be known by its
 * name. */
#define LOGINS                                                                                   \
	"sshd login remote gdm-password gdm-smartcard gdm-fingerprint gdm-autologin gdm3 gdm "   \
	"sddm sddm-autologin lightdm lightdm-autologin xdm kdm kde lxdm greetd ly slim cockpit " \
	"xrdp-sesman vsftpd proftpd ftp dropbear telnetd rlogin rsh"

struct search {
	const struct pam_site *site;
	bool (*each)(const struct pam_service *service, void *ctx);
	void *ctx;
};

static const struct pam_line *find_ours(const struct pam_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->lines[i].type == PAM_TYPE_SESSION &&
			pam_line_runs(&stack->lines[i], PAM_MODULE))
			return &stack->lines[i];
	return NULL;
}

static void ignore_argument(const char *argument, void *ctx)
{
	(void)argument;
	(void)ctx;
}

static bool is_skipped(const struct pam_line *line, const char *service)
{
	const char *words[64];
	struct arguments a;

	for (int i = 0; i < line->argument_count && i < 64; i++)
		words[i] = line->arguments[i];
	arguments_parse(&a, line->argument_count, words, ignore_argument, NULL);
	return !arguments_service(&a, service);
}

/* A file that others include ("common-session") is not a service, though nothing in it says so. */
static bool is_fragment(const char *name)
{
	return str_starts(name, "common-") || str_starts(name, "postlogin") ||
	       str_ends(name, "-auth") || str_starts(name, "system-") || strcmp(name, "other") == 0;
}

static bool inspect_service(const char *name, void *ctx)
{
	const struct search *l = ctx;
	struct pam_service service = {.name = name, .login = str_in_list(name, LOGINS)};
	struct fault ignored;
	struct pam_stack stack;
	const struct pam_line *line;
	bool good = true;

	if (is_fragment(name))
		return true;
	(void)pam_stack_read(l->site->root, name, &stack, &ignored);
	line = find_ours(&stack);
	if (line) {
		service.presence = is_skipped(line, name) ? PAM_SKIPPED : PAM_PRESENT;
		service.file = line->file;
		service.line = line->number;
	}
	if (line || service.login)
		good = l->each(&service, l->ctx);
	pam_stack_free(&stack);
	return good;
}

bool pam_each_service(const struct pam_site *site,
	bool (*each)(const struct pam_service *service, void *ctx), void *ctx, struct fault *fault)
{
	struct search search = {.site = site, .each = each, .ctx = ctx};

	if (pam_services(site->root, inspect_service, &search))
		return true;
	/* `each` may have ended the search with a fault of its own. */
	return fault && fault->kind != FAULT_NONE ? false : fault_no_memory(fault, FAULT_STORAGE);
}
