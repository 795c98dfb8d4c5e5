/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the PAM files: which services report logins, and dangerous ways to write the line.
 */
#include "base/strbuf.h"
#include "cli/doctor/doctor.h"

#include <unistd.h>

#include "cli/pam/pam.h"

struct logins {
	struct strbuf seen, missed;
};

static bool add_service(const struct pam_service *service, void *ctx)
{
	struct logins *l = ctx;

	if (service->login && service->presence != PAM_SKIPPED)
		strbuf_addf(service->presence == PAM_PRESENT ? &l->seen : &l->missed, " %s",
			service->name);
	return true;
}

static void report_logins(struct doctor *d, const struct logins *l)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (l->seen.len > 0 && l->missed.len > 0)
		doctor_note(d, "pam_partly", "cloudinvite pam status shows the files.",
			"logins are monitored by%s, and not by%s", l->seen.data, l->missed.data);
	else if (l->seen.len > 0)
		doctor_ok(d, "logins are monitored by%s", l->seen.data);
	if (l->seen.len > 0)
		return;
	if (access(PAM_MODULE_PATH, F_OK) != 0) {
		doctor_skip(d, "no login service uses the module, and the module is not installed");
		return;
	}
	fault_set(&fault, FAULT_NONE, "pam_absent",
		"no login service runs the module: logins are not monitored");
	fault_remedy(&fault, "sudo cloudinvite pam enable");
	doctor_bad(d, &fault);
}

static void on_fault(bool bad, const struct fault *fault, void *ctx)
{
	struct doctor *d = ctx;

	if (bad)
		doctor_bad(d, fault);
	else
		doctor_note(d, fault->code, fault->remedy, "%s", fault->what);
}

void doctor_pam(struct doctor *d)
{
	const struct pam_site site = {.root = "",
		.module = PAM_MODULE_PATH,
		.spool = d->settings ? d->settings->spool : NULL,
		.settings = d->settings};
	struct fault fault = {.kind = FAULT_NONE};
	struct logins logins = {.seen.max = 300, .missed.max = 300};

	if (d->settings && d->settings->role == ROLE_HUB) {
		doctor_skip(d, "skipped: this host runs only the dispatcher");
		return;
	}
	if (pam_each_service(&site, add_service, &logins, &fault))
		report_logins(d, &logins);
	else
		doctor_bad(d, &fault);
	(void)pam_lint(&site, on_fault, d);
	strbuf_free(&logins.seen);
	strbuf_free(&logins.missed);
}
