/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a change of the PAM files and checks it: a snapshot before and after, and lint on both. A
 * change that breaks a service, or makes lint report more than before, is undone at once. An
 * interrupt waits until that is done.
 */
#include "base/strbuf.h"
#include "cli/pam/pam.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/common/interrupt.h"
#include "cli/pam/snapshot.h"

void pam_change_free(struct pam_change *change)
{
	strbuf_free(&change->plan);
	strbuf_free(&change->made);
}

/* The line is never added without the file that it names. */
static bool module_is_there(struct fault *fault)
{
	struct stat st;

	if (lstat(PAM_MODULE_PATH, &st) != 0) {
		fault_set(fault, FAULT_SETTINGS, "pam_no_module",
			PAM_MODULE_PATH " is not installed, so no PAM line is added");
		return fault_remedy(
			fault, "Install the package libpam-cloudinvite, or `make install`.");
	}
	if (S_ISREG(st.st_mode) && st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return true;
	fault_set(fault, FAULT_SETTINGS, "pam_not_roots",
		PAM_MODULE_PATH " can be written by users other than root (owner %u, mode %04o)",
		(unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	return fault_remedy(fault, "Reinstall the package, and find out who changed the file.");
}

static bool on_service(const struct pam_service *service, void *ctx)
{
	bool *seen = ctx;

	*seen = *seen || (service->login && service->presence == PAM_PRESENT);
	return true;
}

/* Whether no login runs the module any more, by our line or another one. */
static bool is_off(void)
{
	const struct pam_site site = {.root = "", .module = PAM_MODULE_PATH};
	bool seen = false;

	return pam_each_service(&site, on_service, &seen, NULL) && !seen;
}

bool pam_change_plan(struct pam_change *change, bool enable, struct fault *fault)
{
	*change = (struct pam_change){.method = pam_method()};
	if (enable && !module_is_there(fault))
		return false;
	change->needed = enable ? !change->method->enabled() : !is_off();
	return !change->needed || change->method->plan(enable, &change->plan, fault);
}

/* ---- applying the change ---- */

struct faults {
	struct fault worst;
	int count;
};

static void on_fault(bool bad, const struct fault *fault, void *ctx)
{
	struct faults *d = ctx;

	if (bad && d->count++ == 0)
		d->worst = *fault;
}

static int count_faults(struct faults *faults)
{
	const struct pam_site site = {.root = "", .module = PAM_MODULE_PATH};

	*faults = (struct faults){.count = 0};
	return pam_lint(&site, on_fault, faults);
}

/* What the change has made worse; false with the fault. */
static bool is_sound(const struct pam_snapshot *before, int faults_before, struct fault *fault)
{
	const char *broken = pam_snapshot_broken(before);
	struct faults now;

	if (broken)
		return fault_set(fault, FAULT_STORAGE, "pam_broken",
			"PAM could no longer read the service %s: the change was undone", broken);
	if (count_faults(&now) <= faults_before)
		return true;
	fault_set(
		fault, FAULT_STORAGE, "pam_dangerous", "the change was undone: %s", now.worst.what);
	return fault_remedy(fault, "%s", now.worst.remedy);
}

static bool error_not_made(bool enable, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "pam_not_made",
		enable ? "the change succeeded, but logins do not run the line"
		       : "a line is still there that `cloudinvite pam enable` did not write, or "
			 "that was edited since");
	return fault_remedy(
		fault, enable ? "See: cloudinvite pam status"
			      : "`cloudinvite pam status` shows it. Remove it by hand.");
}

static bool apply(struct pam_change *change, bool enable, struct fault *fault)
{
	const struct pam_method *method = change->method;
	struct pam_snapshot before, after = {.lines.data = NULL};
	struct faults faults;
	bool good = pam_snapshot_take(&before);
	int faults_before = count_faults(&faults);

	good = good && (enable ? method->enable(fault) : method->disable(fault));
	good = good && pam_snapshot_take(&after);
	if (good && enable && !is_sound(&before, faults_before, fault)) {
		struct fault second = {.kind = FAULT_NONE};
		(void)method->disable(&second);
		good = false;
	}
	good = good && pam_snapshot_compare(&before, &after, &change->made);
	if (good && !(enable ? method->enabled() : is_off()))
		good = error_not_made(enable, fault);
	change->done = good;
	pam_snapshot_free(&before);
	pam_snapshot_free(&after);
	if (!good && fault->kind == FAULT_NONE)
		fault_no_memory(fault, FAULT_STORAGE);
	return good;
}

/* An interrupt in the middle would leave the files half changed, or changed but not checked. */
bool pam_change_make(struct pam_change *change, bool enable, struct fault *fault)
{
	sigset_t before;
	bool good;

	interrupt_hold(&before);
	good = apply(change, enable, fault);
	interrupt_release(&before);
	return good;
}
