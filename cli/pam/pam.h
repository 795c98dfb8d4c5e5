/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pam status, enable, disable: for the verb of that name and for setup.
 */
#ifndef CLOUDINVITE_CLI_PAM_PAM_H
#define CLOUDINVITE_CLI_PAM_PAM_H

#include <jansson.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "cli/common/context.h"
#include "cli/common/screen.h"
#include "cli/pam/lint.h"
#include "cli/pam/method.h"

#define PAM_MODULE_PATH CLOUDINVITE_SECUREDIR "/" PAM_MODULE

/* The result of a change of the PAM files. */
struct pam_change {
	const struct pam_method *method;
	struct strbuf plan; /* what would be done, one line each */
	struct strbuf made; /* what has changed in /etc/pam.d: "-file: line", "+file: line" */
	bool needed;	    /* false: nothing needs to change */
	bool done;
};

/* Finds out what `enable` or its opposite would do. Call pam_change_free() also after false. */
bool pam_change_plan(struct pam_change *change, bool enable, struct fault *fault);
/* Makes the change. If a service of which the file could be read before cannot be read afterwards,
 * or if the line is dangerous, the change is undone at once, and the fault says so. */
bool pam_change_make(struct pam_change *change, bool enable, struct fault *fault);
void pam_change_free(struct pam_change *change);

/* For readers: a title and the lines of plan or made; for scripts: everything. */
void pam_change_show(struct screen *screen, const char *title, const struct strbuf *lines);
json_t *pam_change_json(const struct pam_change *change, bool enable, bool dry_run);

verb_function verb_pam;

#endif
