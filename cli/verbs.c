/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>

#define LEDGER	 "The ledger"
#define GOOGLE	 "Google, live"
#define SETUP	 "Set-up"
#define PLUMBING "Plumbing"

#define WHO                                                                                     \
	"WHO is an address, the name of a user, or USER@HOST. A name that stands for several\n" \
	"addresses is refused, and they are listed.\n"

/* In the order of help. */
const struct verb verbs[] = {
	{"status", LEDGER, "[--json] [--all] [--state STATE] [--watch[=SECONDS]] [WHO…]",
		"how it goes: people by state, what waits and why, the programs",
		"  --json           the same for machines; people in order of address, 1,000 a "
		"page\n"
		"  --all            all people, not only a page of them\n"
		"  --after ADDRESS  the page that follows this address\n"
		"  --state STATE    lists the people in one state: queued, held, invited, failed "
		"…\n"
		"  --watch[=N]      again every N seconds (2); keys: q quits, p holds, space now\n"
		"With WHO: those people in detail.\n",
		verb_status, ACCOUNT_LEDGER},
	{"explain", LEDGER, "[--json] USER[@HOST]|ADDRESS",
		"why somebody is invited or not, what happens next, what you can do",
		"  --json  the same for machines\n"
		"A local user whom nobody has seen yet is judged as the account stands now.\n",
		verb_explain, ACCOUNT_LEDGER},
	{"history", LEDGER, "[--json] [WHO]", "what happened, when, why and by whom",
		"  --json  the same for machines\n"
		"Without WHO: what was decided about the whole (enable, pause, resume, "
		"reconcile).\n" WHO,
		verb_history, ACCOUNT_LEDGER},
	{"approve", LEDGER, "[--all | --reason REASON | WHO…] [--yes]",
		"releases people who are held: they are invited",
		"  --all            everybody who is held, but for those whose last send is "
		"unconfirmed\n"
		"  --reason REASON  those held for this reason: dry_run, discovered, collision …\n"
		"  --yes            does not ask, however many they are\n" WHO,
		verb_approve, ACCOUNT_LEDGER},
	{"retry", LEDGER, "[--all | WHO…] [--yes]",
		"asks again now for people who failed or wait for a later try",
		"  --all  everybody who failed\n"
		"  --yes  does not ask, however many they are\n" WHO,
		verb_retry, ACCOUNT_LEDGER},
	{"block", LEDGER, "--reason TEXT WHO…", "never invites somebody, whoever sees them",
		"  --reason TEXT  why, for the next administrator\n" WHO, verb_block,
		ACCOUNT_LEDGER},
	{"unblock", LEDGER, "WHO…", "takes a block back; the person is judged anew", WHO,
		verb_unblock, ACCOUNT_LEDGER},
	{"forget", LEDGER, "[--block] WHO…", "erases a person, sightings and history",
		"  --block  leaves a block behind, so that the person is not invited anew\n" WHO,
		verb_forget, ACCOUNT_LEDGER},
	{"enable", LEDGER, "[--yes]", "shows once more who would be invited, and begins to send",
		"  --yes  does not ask\n"
		"Writes mode = send into the settings. Those held until then wait for `approve`.\n",
		verb_enable, ACCOUNT_ROOT},
	{"pause", LEDGER, "--reason TEXT", "sends and asks nothing until `resume`",
		"  --reason TEXT  why, for the next administrator\n", verb_pause, ACCOUNT_LEDGER},
	{"resume", LEDGER, "", "ends the pause, whoever set it", "", verb_resume, ACCOUNT_LEDGER},
	{"scan", LEDGER, "[--dry-run] [--json] [--yes]",
		"looks at all present accounts of this host now",
		"  --dry-run  only shows whom they would be mapped to\n"
		"  --json     the same for machines\n"
		"  --yes      does not ask, however many they are\n",
		verb_scan, ACCOUNT_ROOT},
	{"check", GOOGLE, "[--json] WHO…", "asks whether the address can be invited",
		"  --json  a line a person: {\"address\":…,\"invitable\":true}\n"
		"Ends with 0 if all of them can be invited, 1 if somebody cannot.\n" WHO,
		verb_check, ACCOUNT_DISPATCHER},
	{"get", GOOGLE, "[--json] WHO…", "what Google shows of somebody's invitation",
		"  --json  a line a person\n"
		"Ends with 1 if Google shows none. It lags by up to 48 hours.\n" WHO,
		verb_get, ACCOUNT_DISPATCHER},
	{"list", GOOGLE, "[--state STATE] [--order-by ORDER] [--json | --csv]",
		"all invitations that Google has",
		"  --state STATE     not_yet_sent, invited, accepted or declined\n"
		"  --order-by ORDER  \"email\" or \"update_time\", also followed by \" desc\"\n"
		"  --json            a line a person\n"
		"  --csv             RFC 4180, quoted; a ' stands before what could be a formula\n",
		verb_list, ACCOUNT_DISPATCHER},
	{"send", GOOGLE, "[--again --reason TEXT] [--json] [--yes] WHO…",
		"invites, through ledger, pace and journal",
		"  --again        also somebody who was invited, declined, cancelled or blocked: "
		"one "
		"mail\n"
		"  --reason TEXT  why, for history; --again needs it\n"
		"  --json         a line a person\n"
		"  --yes          does not ask; more than ten people are asked about "
		"otherwise\n" WHO,
		verb_send, ACCOUNT_DISPATCHER},
	{"cancel", GOOGLE, "[--reason TEXT] [--json] [--yes] WHO…",
		"takes an invitation back, at Google and here",
		"  --reason TEXT  why, for history\n"
		"  --json         a line a person\n"
		"  --yes          does not ask; more than ten people are asked about "
		"otherwise\n" WHO,
		verb_cancel, ACCOUNT_DISPATCHER},
	{"login", GOOGLE,
		"--client FILE [--headless | --no-browser] [--port N]\n"
		"       [--account ADDRESS] [--output FILE] [--json]",
		"lets an administrator log in, and keeps the login as a credential",
		"  --client FILE      the OAuth client, as the Google Cloud console gives it out\n"
		"  --headless         listens for nothing: the browser's last address is pasted\n"
		"  --no-browser       opens none; the address to open is printed in any case\n"
		"  --port N           where to listen on 127.0.0.1\n"
		"  --account ADDRESS  who should log in (also --login-hint)\n"
		"  --output FILE      where it is kept, instead of the state directory\n"
		"  --json             where it is kept, for machines\n"
		"It acts as who logs in: a super administrator. Then one call is tried.\n",
		verb_login, ACCOUNT_DISPATCHER},
	{"token", GOOGLE, "[--json | --print]", "what access token there is: for whom, until when",
		"  --json   the same for machines; never the token itself\n"
		"  --print  the token, for curl: it is as good as the administrator's password "
		"until "
		"it ends\n"
		"Ends with 1 if there is none that can be used. --print mints one then.\n",
		verb_token, ACCOUNT_DISPATCHER},
	{"setup", SETUP,
		"[--customer ID] [--domain NAMES] [--address RULE] [--credentials FILE|metadata:]\n"
		"       [--subject ADDRESS] [--hosts N] [--pam | --no-pam] [--yes] [--json] …",
		"sets this host up: asks at the terminal, or takes everything as options",
		"  --customer ID            the organisation's id, or my_customer\n"
		"  --domain NAMES           its domains\n"
		"  --address RULE           the address of a user: {user}@example.com\n"
		"  --credentials FILE       a key file, a login, a federation's file, or "
		"metadata:\n"
		"  --install-credentials    copies that file to private/ beside the settings, "
		"for the dispatcher's account\n"
		"  --service-account ADDR   who signs, with metadata:\n"
		"  --subject ADDRESS        the administrator to act as\n"
		"  --hosts N                one budget is divided by so many hosts\n"
		"  --requests-per-minute N  that budget: all hosts together (30)\n"
		"  --sends-per-day N        the same (50)\n"
		"  --pam, --no-pam          turns on PAM, or leaves it; else it asks, or only "
		"looks\n"
		"  --no-check               asks nothing of Google\n"
		"  --wait MINUTES           so long for a delegation that Google does not know "
		"yet\n"
		"  --guide[=WAY]            only what to click and paste: keyless, key or login\n"
		"  --dry-run                writes nothing\n"
		"  --yes                    does not ask\n"
		"  --json                   what came of it, for machines; with --yes or "
		"--dry-run\n"
		"What is set already and not named stays. Nothing is sent before `enable`.\n",
		verb_setup, ACCOUNT_ROOT},
	{"doctor", SETUP, "[--offline] [--json]",
		"walks every step from the login to Google's answer, and names the remedies",
		"  --offline  asks nothing of the network\n"
		"  --json     the same for machines\n"
		"Mints a token and makes two harmless calls. Changes nothing.\n",
		verb_doctor, ACCOUNT_DISPATCHER},
	{"config", SETUP, "[--check] [--json]", "the effective settings and where each came from",
		"  --check  everything that is wrong with them, with its remedy; no network\n"
		"  --json   the same for machines\n",
		verb_config, ACCOUNT_DISPATCHER},
	{"pam", SETUP, "status [--json] | enable|disable [--dry-run] [--yes] [--json]",
		"whether logins are seen, and the distribution's way to turn that on and off",
		"  --dry-run  only shows the change\n"
		"  --yes      does not ask\n"
		"  --json     the same for machines\n"
		"status ends with 1 where logins are not seen, or a line is dangerous. disable "
		"takes\n"
		"back exactly what enable has done.\n",
		verb_pam, ACCOUNT_ROOT},
	{"help", SETUP, "[VERB]", "this, or one verb in detail", "", verb_help, ACCOUNT_ROOT},
	{"emit", PLUMBING, "--reason REASON [--] USER…",
		"writes arrivals, as the useradd hook does",
		"  --reason REASON  created, deleted, login or asked\n"
		"Needs root and the spool, and nothing else. What is written is on the disk when "
		"it\n"
		"returns.\n",
		verb_emit, ACCOUNT_ROOT},
	{"metrics", PLUMBING, "[--format openmetrics|text]",
		"what Prometheus is told: people, queue, calls, mails, pauses",
		"  --format text  Prometheus' own format instead of OpenMetrics\n"
		"Counters are a minute old at most. With metrics_file in [storage] the\n"
		"dispatcher writes the same to a file for node_exporter.\n",
		verb_metrics, ACCOUNT_LEDGER},
	{"report", PLUMBING, "[--output FILE] [--mode MODE] [--weeks N] [--people]",
		"one page with pictures: how far people have come, what is stuck and why",
		"  --output FILE  where it is written; only another report is replaced\n"
		"  --mode MODE    who may read that file, in octal (600)\n"
		"  --weeks N      so many weeks are shown (12, at most 53)\n"
		"  --people       names those who are stuck; without it nobody is named\n"
		"Without --output: on standard output. It needs no script and loads nothing.\n",
		verb_report, ACCOUNT_LEDGER},
	{NULL, NULL, NULL, NULL, NULL, NULL, ACCOUNT_ROOT},
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *verb = verbs; verb->name != NULL; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

/* ---- suggestions ---- */

#define NAME_MAX_BYTES 16

static int least(int a, int b, int c)
{
	int least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters must be changed, added, dropped or swapped with their neighbour. */
static int distance(const char *a, const char *b)
{
	int rows[3][NAME_MAX_BYTES + 1], n = (int)strlen(a), m = (int)strlen(b);
	int *before = rows[0], *above = rows[1], *row = rows[2], *old;

	for (int j = 0; j <= m; j++)
		above[j] = before[j] = j;
	for (int i = 1; i <= n; i++) {
		row[0] = i;
		for (int j = 1; j <= m; j++) {
			int differs = a[i - 1] != b[j - 1];
			row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + differs);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		old = before;
		before = above;
		above = row;
		row = old;
	}
	return above[m];
}

const struct verb *verb_nearest(const char *name)
{
	const struct verb *nearest = NULL;
	int best = (int)strlen(name) / 3 + 2;

	if (strlen(name) > NAME_MAX_BYTES)
		return NULL;
	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		int away = distance(name, verb->name);
		if (away >= best || away >= (int)strlen(verb->name))
			continue;
		best = away;
		nearest = verb;
	}
	return nearest;
}

/* ---- help ---- */

void verb_explain_usage(const struct verb *verb)
{
	printf("usage: cloudinvite [-c FILE] %s%s%s\n\n%s\n", verb->name,
		verb->usage[0] != '\0' ? " " : "", verb->usage, verb->does);
	if (verb->details[0] != '\0')
		printf("\n%s", verb->details);
}

int cli_usage(const char *name)
{
	const struct verb *verb = verb_find(name);

	fflush(stdout);
	if (verb != NULL)
		fprintf(stderr, "usage: cloudinvite [-c FILE] %s%s%s\n", verb->name,
			verb->usage[0] != '\0' ? " " : "", verb->usage);
	fprintf(stderr, "  See: cloudinvite help%s%s\n", verb != NULL ? " " : "",
		verb != NULL ? verb->name : "");
	return EXIT_USAGE;
}
