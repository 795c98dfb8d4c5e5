/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian and Ubuntu: pam-auth-update and the profile that the package has installed.
 */
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/strbuf.h"
#include "cli/common/run_program.h"
#include "cli/pam/edit.h"
#include "cli/pam/method.h"

#define PROGRAM "/usr/sbin/pam-auth-update"
#define PROFILE "/usr/share/pam-configs/cloudinvite"

static bool applies(void)
{
	return access(PROGRAM, X_OK) == 0;
}

static bool enabled(void)
{
	return pam_is_enabled("common-session");
}

static bool plan(bool enable, struct strbuf *out, struct fault *fault)
{
	if (enable && access(PROFILE, R_OK) != 0) {
		fault_set(fault, FAULT_SETTINGS, "pam_profile", PROFILE " is not installed");
		return fault_remedy(fault, "Install the package libpam-cloudinvite, or `make "
					   "install` with prefix=/usr.");
	}
	strbuf_addf(out, "%s --package --%s cloudinvite\n", PROGRAM, enable ? "enable" : "disable");
	return strbuf_addf(out, "/etc/pam.d/common-session: %c " PAM_LINE "\n", enable ? '+' : '-');
}

static bool update(const char *option, struct fault *fault)
{
	const char *const argv[] = {PROGRAM, "--package", option, "cloudinvite", NULL};
	struct strbuf out = {.data = NULL};
	bool good = run_checked(argv, &out, fault);

	strbuf_free(&out);
	return good;
}

/* pam-auth-update also succeeds if it has done nothing, because an administrator has edited the
 * files. */
static bool left_alone(struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "pam_left_alone",
		"pam-auth-update did not change /etc/pam.d/common-*, because the files were edited "
		"by hand");
	return fault_remedy(fault,
		"Run pam-auth-update --force, which discards the edits, or add this line "
		"yourself at the end of /etc/pam.d/common-session: " PAM_LINE);
}

/* pam-auth-update says nothing, and succeeds, where it cannot write. */
static bool can_write(struct fault *fault)
{
	static const char *const files[] = {"/etc/pam.d/common-account", "/etc/pam.d/common-auth",
		"/etc/pam.d/common-password", "/etc/pam.d/common-session",
		"/etc/pam.d/common-session-noninteractive", "/var/lib/pam/seen"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!pam_edit_can_write(files[i], fault))
			return false;
	return true;
}

static bool enable(struct fault *fault)
{
	return can_write(fault) && update("--enable", fault) && (enabled() || left_alone(fault));
}

/* `--disable` is remembered, so the next package that calls pam-auth-update does not enable it
 * again. Older versions know only `--remove`, and ignore options that they do not know. */
static bool disable(struct fault *fault)
{
	if (!can_write(fault) || !update("--disable", fault))
		return false;
	if (enabled() && !update("--remove", fault))
		return false;
	return !enabled() || left_alone(fault);
}

const struct pam_method pam_method_debian = {
	.name = "pam-auth-update",
	.description = "Debian's pam-auth-update, with the profile " PROFILE,
	.applies = applies,
	.enabled = enabled,
	.plan = plan,
	.enable = enable,
	.disable = disable,
};
