/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all verbs: name, group, usage, summary, details, function, account. It is data only;
 * main.c hands it to the verbs in their context.
 */
#include "cli/verbs.h"

#include <stddef.h>

#include "cli/api/api.h"
#include "cli/doctor/doctor.h"
#include "cli/ops/ops.h"
#include "cli/pam/pam.h"
#include "cli/people/people.h"
#include "cli/report/report.h"
#include "cli/setup/setup.h"
#include "cli/status/status.h"

#define LEDGER	 "The ledger"
#define GOOGLE	 "Google, live"
#define SETUP	 "Setup"
#define PLUMBING "Plumbing"

#define TARGET                                                                           \
	"TARGET is an address, a user name, or USER@HOST. A name that matches several\n" \
	"addresses is rejected, and the addresses are listed.\n"

/* In the order of the help. */
const struct verb verbs[] = {
	{"status", LEDGER, "[--json] [--all] [--state STATE] [--watch[=SECONDS]] [TARGET…]",
		"show people by state, what is waiting and why, and the programs",
		"  --json           print JSON; people in order of address, 1,000 a page\n"
		"  --all            show all people, not only one page of them\n"
		"  --after ADDRESS  show the page that follows this address\n"
		"  --state STATE    list the people in one state: queued, held, invited, failed "
		"…\n"
		"  --watch[=N]      repeat every N seconds (2); keys: q quits, p pauses the\n"
		"                   display, space refreshes it\n"
		"With TARGET: show those people in detail.\n",
		verb_status, ACCOUNT_LEDGER},
	{"explain", LEDGER, "[--json] USER[@HOST]|ADDRESS",
		"show why a person is invited or not, what happens next, what you can do",
		"  --json  print JSON\n"
		"A local user who has not been seen yet is evaluated as the account is now.\n",
		verb_explain, ACCOUNT_LEDGER},
	{"history", LEDGER, "[--json] [TARGET]", "show what happened, when, why and who did it",
		"  --json  print JSON\n"
		"Without TARGET: decisions that apply to everyone (enable, pause, resume, "
		"reconcile).\n" TARGET,
		verb_history, ACCOUNT_LEDGER},
	{"approve", LEDGER, "[--all | --reason REASON | TARGET…] [--yes]",
		"release held people, so that they are invited",
		"  --all            everyone who is held, except people whose last send is\n"
		"                   unconfirmed\n"
		"  --reason REASON  people held for this reason: dry_run, discovered,\n"
		"                   address_changed, collision …\n"
		"  --yes            do not ask for confirmation\n" TARGET,
		verb_approve, ACCOUNT_LEDGER},
	{"retry", LEDGER, "[--all | TARGET…] [--yes]",
		"try again now for people who failed or are waiting for a retry",
		"  --all  everyone who failed\n"
		"  --yes  do not ask for confirmation\n" TARGET,
		verb_retry, ACCOUNT_LEDGER},
	{"block", LEDGER, "--reason TEXT TARGET…", "never invite a person, on any host",
		"  --reason TEXT  why, for the next administrator\n" TARGET, verb_block,
		ACCOUNT_LEDGER},
	{"unblock", LEDGER, "TARGET…", "remove a block and evaluate the person again", TARGET,
		verb_unblock, ACCOUNT_LEDGER},
	{"forget", LEDGER, "[--block] TARGET…", "erase a person with accounts and history",
		"  --block  leave a block behind, so that the person is not invited again\n" TARGET,
		verb_forget, ACCOUNT_LEDGER},
	{"enable", LEDGER, "[--yes] [--approve]", "show who would be invited, then start sending",
		"  --yes      do not ask for confirmation\n"
		"  --approve  also invite the people who were held for the dry run\n"
		"Writes mode = send to the settings. People held so far are invited if you say "
		"so;\n"
		"otherwise they wait for `approve`. Those approved in dry run are invited.\n",
		verb_enable, ACCOUNT_ROOT},
	{"pause", LEDGER, "--reason TEXT", "stop all requests and invitations until `resume`",
		"  --reason TEXT  why, for the next administrator\n", verb_pause, ACCOUNT_LEDGER},
	{"resume", LEDGER, "", "end the pause, whatever set it", "", verb_resume, ACCOUNT_LEDGER},
	{"scan", LEDGER, "[--dry-run] [--json] [--yes]",
		"process all existing accounts of this host now",
		"  --dry-run  only show the address of each account\n"
		"  --json     print JSON\n"
		"  --yes      do not ask for confirmation\n",
		verb_scan, ACCOUNT_ROOT},
	{"check", GOOGLE, "[--json] TARGET…", "ask Google whether an address can be invited",
		"  --json  print one line for each person: {\"address\":…,\"invitable\":true}\n"
		"Exit status: 0 if all of them can be invited, 1 if at least one cannot.\n" TARGET,
		verb_check, ACCOUNT_DISPATCHER},
	{"get", GOOGLE, "[--json] TARGET…", "show a person's invitation as Google has it",
		"  --json  print one line for each person\n"
		"Exit status 1 if Google shows none. Google's data lags by up to 48 "
		"hours.\n" TARGET,
		verb_get, ACCOUNT_DISPATCHER},
	{"list", GOOGLE, "[--state STATE] [--order-by ORDER] [--json | --csv]",
		"list all invitations that Google has",
		"  --state STATE     not_yet_sent, invited, accepted or declined\n"
		"  --order-by ORDER  \"email\" or \"update_time\", optionally followed by \" "
		"desc\"\n"
		"  --json            print one line for each person\n"
		"  --csv             print RFC 4180 CSV, quoted; a ' precedes what could be a\n"
		"                    formula\n",
		verb_list, ACCOUNT_DISPATCHER},
	{"send", GOOGLE, "[--resend --reason TEXT] [--json] [--yes] TARGET…",
		"invite people now, within the limits and recorded in the ledger",
		"  --resend       include people who were invited, declined, cancelled or "
		"blocked:\n"
		"                 one more mail\n"
		"  --reason TEXT  why, for history; required by --resend\n"
		"  --json         print one line for each person\n"
		"  --yes          do not ask for confirmation of more than ten people\n" TARGET,
		verb_send, ACCOUNT_DISPATCHER},
	{"cancel", GOOGLE, "[--reason TEXT] [--json] [--yes] TARGET…",
		"cancel an invitation, at Google and in the ledger",
		"  --reason TEXT  why, for history\n"
		"  --json         print one line for each person\n"
		"  --yes          do not ask for confirmation of more than ten people\n" TARGET,
		verb_cancel, ACCOUNT_DISPATCHER},
	{"login", GOOGLE,
		"--client FILE [--headless | --no-browser] [--port N]\n"
		"       [--account ADDRESS] [--output FILE] [--json]",
		"log in as an administrator and store the login as a credential",
		"  --client FILE      the OAuth client file from the Google Cloud console\n"
		"  --headless         do not listen: you paste the browser's last address\n"
		"  --no-browser       do not open a browser; the address is printed in any case\n"
		"  --port N           the port to listen on at 127.0.0.1\n"
		"  --account ADDRESS  the account that should log in (also --login-hint)\n"
		"  --output FILE      where to store the login, instead of the state directory\n"
		"  --json             print where the login is stored, as JSON\n"
		"cloudinvite then acts as the account that logged in, which must be a super\n"
		"administrator. One call is made to test the login.\n",
		verb_login, ACCOUNT_DISPATCHER},
	{"token", GOOGLE, "[--json | --print]", "show the access token: its account and expiry",
		"  --json   print JSON; never the token itself\n"
		"  --print  print the token, for curl: until it expires, it is as powerful as the\n"
		"           administrator's password\n"
		"Exit status 1 if there is no usable token. --print then mints one.\n",
		verb_token, ACCOUNT_DISPATCHER},
	{"setup", SETUP,
		"[--customer ID] [--domain NAMES] [--address RULE] [--credentials FILE|metadata:]\n"
		"       [--subject ADDRESS] [--hosts N] [--pam | --no-pam] [--yes] [--json] …",
		"configure this host, by questions at the terminal or by options",
		"  --customer ID            the organisation's customer ID, or my_customer\n"
		"  --domain NAMES           the organisation's domains\n"
		"  --address RULE           the address of a user: {user}@example.com\n"
		"  --credentials FILE       a key file, a login, a federation file, or metadata:\n"
		"  --install-credentials    copy that file to private/ beside the settings, for\n"
		"                           the dispatcher's account\n"
		"  --service-account ADDR   the service account that signs, with metadata:\n"
		"  --subject ADDRESS        the administrator to act as\n"
		"  --hosts N                divide the limits below among N hosts\n"
		"  --requests-per-minute N  request limit of all hosts together (30)\n"
		"  --sends-per-day N        limit of invitations of all hosts together (50)\n"
		"  --pam, --no-pam          change PAM, or leave it alone; default: ask, or only\n"
		"                           report\n"
		"  --no-check               do not contact Google\n"
		"  --wait MINUTES           how long to wait until Google knows the delegation\n"
		"  --guide[=WAY]            only show what to click and paste: keyless, key or\n"
		"                           login\n"
		"  --dry-run                write nothing\n"
		"  --yes                    do not ask for confirmation\n"
		"  --json                   print the result as JSON; needs --yes or --dry-run\n"
		"Settings that are not named here are kept. Nothing is sent before `enable`.\n",
		verb_setup, ACCOUNT_ROOT},
	{"doctor", SETUP, "[--offline] [--json]",
		"check every step from the login to Google's answer, with remedies",
		"  --offline  do not use the network\n"
		"  --json     print JSON\n"
		"Mints a token and makes two harmless calls. Changes nothing.\n",
		verb_doctor, ACCOUNT_DISPATCHER},
	{"config", SETUP, "[--check] [--json]",
		"show the effective settings and where each one is set",
		"  --check  report everything that is wrong with them, with remedies; no network\n"
		"  --json   print JSON\n",
		verb_config, ACCOUNT_DISPATCHER},
	{"pam", SETUP, "status [--json] | enable|disable [--dry-run] [--yes] [--json]",
		"show whether logins are monitored, and turn it on or off",
		"  --dry-run  only show the change\n"
		"  --yes      do not ask for confirmation\n"
		"  --json     print JSON\n"
		"enable and disable use the distribution's own tools; disable undoes exactly what\n"
		"enable did. status exits with 1 if logins are not monitored or a PAM line is\n"
		"dangerous.\n",
		verb_pam, ACCOUNT_ROOT},
	{"help", SETUP, "[VERB]", "show this help, or one verb in detail", "", verb_help,
		ACCOUNT_ROOT},
	{"emit", PLUMBING, "--trigger TRIGGER [--] USER…",
		"write arrivals to the spool, as the useradd hook does",
		"  --trigger TRIGGER  created, deleted, login or manual\n"
		"Needs root and the spool, and nothing else. When it returns, the arrivals are on\n"
		"disk.\n",
		verb_emit, ACCOUNT_ROOT},
	{"metrics", PLUMBING, "[--format openmetrics|text]",
		"print metrics for Prometheus: people, queue, calls, mails, pauses",
		"  --format text  Prometheus' own format instead of OpenMetrics\n"
		"Counters are at most one minute old. With [storage] metrics_file, the dispatcher\n"
		"writes the same to a file for node_exporter.\n",
		verb_metrics, ACCOUNT_LEDGER},
	{"report", PLUMBING, "[--output FILE] [--mode MODE] [--weeks N] [--people]",
		"write a web page with charts: progress, what is stuck and why",
		"  --output FILE  where to write it; only another report is overwritten\n"
		"  --mode MODE    permissions of that file, in octal (600)\n"
		"  --weeks N      how many weeks to show (12, at most 53)\n"
		"  --people       name the people who are stuck; otherwise no names are written\n"
		"Without --output: to standard output. The page has no scripts and loads "
		"nothing.\n",
		verb_report, ACCOUNT_LEDGER},
	{NULL, NULL, NULL, NULL, NULL, NULL, ACCOUNT_ROOT},
};
