/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup, in the order of its steps: the answers (from the command line, the existing settings, or
 * the terminal), what to do at Google, the settings, the addresses to which the accounts lead, the
 * check at Google, PAM.
 */
#ifndef CLOUDINVITE_CLI_SETUP_SETUP_H
#define CLOUDINVITE_CLI_SETUP_SETUP_H

#include <jansson.h>
#include <limits.h>
#include <sys/stat.h>

#include "cli/common/context.h"
#include "cli/common/screen.h"
#include "cli/pam/pam.h"
#include "cli/setup/config_draft.h"

#define SETUP_HOSTS_MAX 100000
#define SETUP_TENANT_RATE \
	60 /* requests a minute: the limit that Google is reported to have for a tenant */

/* What it writes, in this order. */
enum setup_part { PART_LOGIN, PART_CREDENTIAL, PART_SETTINGS, PART_PAM, PARTS };
enum part_state { PART_NOT_WANTED, PART_OPEN, PART_WRITTEN };

enum setup_route { ROUTE_UNKNOWN, ROUTE_KEYLESS, ROUTE_KEY, ROUTE_LOGIN };

struct setup {
	const struct cli *cli;
	const char *path; /* of the settings */
	struct config_draft draft;
	struct screen screen;
	struct fault fault;

	/* from the command line; NULL or 0: not given */
	const char *customer, *domains, *address, *credentials, *subject, *service_account;
	const char *guide;
	long long hosts, rate, sends, wait; /* wait: minutes */
	bool install, pam, no_pam, no_check, yes, json, dry_run;

	bool dialogue; /* a person answers at the terminal */
	enum setup_route route;
	char original[PATH_MAX];  /* --install-credentials: the file to copy, */
	char copy[PATH_MAX];	  /* … and the copy */
	char login[PATH_MAX];	  /* the login that is made on the way, */
	struct stat login_before; /* … and the file that was there before; zero: none */
	enum part_state parts[PARTS];

	/* the results, for scripts */
	json_t *changes, *checks, *accounts, *pam_change;
	bool changed;
	int exit_code; /* the worst so far */
};

/* What the credential's file says. */
struct setup_credential {
	enum setup_route route;
	char client_id[40]; /* the number that the delegation needs; "" if the file does not have it
			     */
	char project[64];
	char account[256]; /* the service account */
	bool federated;	   /* workload identity federation */
};

/* Reads the file as the user who typed its name; false with s->fault. */
bool setup_credential_read(struct setup *s, const char *path, struct setup_credential *out);
/* The path for the settings: the file's own absolute path; with --install-credentials that of the
 * service's copy, in the directory beside the settings that is hidden from the collector. */
bool setup_credential_place(struct setup *s, char *path, size_t size);
/* Makes that copy, 0600, unless it exists. */
bool setup_credential_install(struct setup *s);

/* From now on an interrupt removes the draft and reports which parts are written and which are
 * not. */
void setup_progress_begin(struct setup *s);
void setup_progress_end(void);
/* Writing a part and setting its state are one step for an interrupt if both are done between
 * interrupt_hold() and interrupt_release(). */
void setup_part(struct setup *s, enum setup_part part, enum part_state state);

/* Writes the options of the command line to the draft. False with s->fault. */
bool setup_apply_options(struct setup *s);
/* Asks at the terminal for what is missing; also false if the input ends. */
bool setup_ask(struct setup *s);
bool setup_has_credential(const struct setup *s);
/* Whether no answer is missing, if setup cannot ask. */
bool setup_is_complete(struct setup *s);
/* One host's share of the rate. */
bool setup_divide_budget(struct setup *s);
void setup_print_hosts(struct setup *s);
/* "keyless", "key", "login", or "1" to "3" */
enum setup_route setup_route_parse(const char *name);
/* Asks one question; an empty answer means `suggested`. False if the input ends. */
bool setup_question(
	struct setup *s, const char *question, const char *suggested, char *out, size_t size);
bool setup_yes(struct setup *s, const char *question, bool suggested);

/* What to click and paste at Google. `known` may be NULL. The first is done in the Google Cloud
 * console, the second in the Admin console. */
void setup_guide_cloud(
	struct setup *s, enum setup_route route, const struct setup_credential *known);
void setup_guide_admin(
	struct setup *s, enum setup_route route, const struct setup_credential *known);

/* Shows the addresses to which the present accounts would be mapped. */
void setup_accounts(struct setup *s);
/* Checks at Google, as the service; waits for a delegation if that was requested. */
void setup_check(struct setup *s);

/* A paragraph for readers; nothing with --json. */
void setup_print(struct setup *s, enum style style, int indent, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void setup_print_title(struct setup *s, const char *title);

verb_function verb_setup;

#endif
