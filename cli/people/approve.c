/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approve and retry: people who are held are invited; people whose request failed are checked
 * again.
 */
#include "cli/people/people.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/instance.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/labels.h"
#include "cli/people/bulk_action.h"

static bool refuse_approve(const struct person *p, enum person_refusal refusal, struct fault *fault)
{
	if (refusal == REFUSAL_MAX_MAILS) {
		fault_set(fault, FAULT_POLICY, "max_mails",
			"%s has reached the limit of mails per person (max_mails)", p->address);
		return fault_remedy(fault,
			"To send one more: cloudinvite send --resend --reason TEXT %s", p->address);
	}
	fault_set(fault, FAULT_POLICY, "not_held", "%s is not held: its state is %s", p->address,
		label_state(p->state));
	return fault_remedy(fault, "See: cloudinvite explain %s", p->address);
}

static bool refuse_retry(const struct person *p, enum person_refusal refusal, struct fault *fault)
{
	(void)refusal;
	fault_set(fault, FAULT_POLICY, "not_failed", "%s has not failed: its state is %s",
		p->address, label_state(p->state));
	return fault_remedy(fault, "See: cloudinvite explain %s", p->address);
}

/* ---- the command line ---- */

static const struct option options[] = {
	{"all", no_argument, NULL, 'a'},
	{"reason", required_argument, NULL, 'r'},
	{"yes", no_argument, NULL, 'y'},
	{NULL, 0, NULL, 0},
};

static bool parse(struct action_run *run, int argc, char **argv, bool may_reason)
{
	bool all = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			all = true;
		else if (option == 'r' && may_reason)
			run->reason = optarg;
		else if (option == 'y')
			run->yes = true;
		else
			return false;
	}
	return (all || run->reason) == (optind == argc);
}

static void set_lease_owner(struct action_run *run)
{
	char host[HOST_MAX + 1];

	local_hostname(host, sizeof(host));
	str_format(run->owner, sizeof(run->owner), "cli@%s:%d", host, (int)getpid());
}

static void print_hints(struct action_run *run)
{
	struct ledger_pause pause;

	if (run->done > 0 && run->action->state == PERSON_HELD &&
		run->store.settings->mode == MODE_DRY_RUN)
		cli_note(
			"  This host is in dry run: they are invited once `cloudinvite enable` has "
			"started sending.");
	if (run->done > 0 && ledger_paused(run->store.ledger, &pause, NULL) == 1)
		cli_note("  Sending is paused: they wait until `cloudinvite resume`.");
	if (run->busy > 0)
		cli_note("cloudinvite: %d of them are in use by another process; try again in a "
			 "moment",
			run->busy);
}

static int run_action(const struct cli *cli, int argc, char **argv,
	const struct bulk_action *action, bool may_reason)
{
	struct action_run run = {.cli = cli, .action = action};
	int exit_code;

	if (!parse(&run, argc, argv, may_reason))
		return cli_usage(cli);
	if (!cli_open_store(cli, LEDGER_WRITE, &run.store, &exit_code))
		return exit_code;
	set_lease_owner(&run);
	exit_code = optind == argc ? bulk_action_all(&run)
				   : bulk_action_named(&run, argv + optind, argc - optind);
	if (run.done > 0)
		wakeup_send(run.store.settings->run);
	print_hints(&run);
	cli_close_store(&run.store);
	return run.busy > 0 ? cli_max_exit(exit_code, EXIT_LATER) : exit_code;
}

static const struct bulk_action approve_action = {
	"approved", "Invite", PERSON_HELD, EVENT_APPROVED, refuse_approve};

int verb_approve(const struct cli *cli, int argc, char **argv)
{
	return run_action(cli, argc, argv, &approve_action, true);
}

int approve_dry_run(const struct cli *cli, bool all)
{
	struct action_run run = {.cli = cli,
		.action = &approve_action,
		.reason = reason_word(REASON_DRY_RUN),
		.approved_only = !all,
		.yes = true};
	int exit_code;

	if (!cli_open_store(cli, LEDGER_WRITE, &run.store, &exit_code))
		return exit_code;
	set_lease_owner(&run);
	exit_code = bulk_action_all(&run);
	wakeup_send(run.store.settings->run);
	cli_close_store(&run.store);
	return exit_code;
}

int verb_retry(const struct cli *cli, int argc, char **argv)
{
	static const struct bulk_action action = {
		"queued again", "Retry", PERSON_FAILED, EVENT_RETRIED, refuse_retry};

	return run_action(cli, argc, argv, &action, false);
}
