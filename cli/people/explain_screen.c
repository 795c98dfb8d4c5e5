/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An explanation for readers: each account that the name may stand for, the verdict on it, and the
 * person to which it leads. A verdict that the present settings would change is shown beside the
 * old one.
 */
#include "cli/people/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/common/labels.h"
#include "cli/common/person.h"

/* ---- accounts ---- */

static const char *trigger_sentence(enum trigger trigger)
{
	static const char *const texts[] = {
		[TRIGGER_LOGIN] = "at a login",
		[TRIGGER_CREATED] = "when the account was created",
		[TRIGGER_MANUAL] = "on request",
	};

	return texts[trigger];
}

static void show_facts(struct screen *s, const struct sighting *candidate)
{
	char line[2048];
	size_t at = 0;

	str_format(line, sizeof(line), "%s account", candidate->local ? "local" : "network");
	if (candidate->uid >= 0) {
		at = strlen(line);
		str_format(line + at, sizeof(line) - at, ", uid %" PRId64, candidate->uid);
	}
	at = strlen(line);
	if (candidate->shell[0] != '\0')
		str_format(line + at, sizeof(line) - at, ", shell %s", candidate->shell);
	at = strlen(line);
	if (candidate->groups[0] != '\0')
		str_format(line + at, sizeof(line) - at, ", groups %s", candidate->groups);
	at = strlen(line);
	if (candidate->first[0] != '\0' || candidate->last[0] != '\0')
		str_format(line + at, sizeof(line) - at, ", named %s %s", candidate->first,
			candidate->last);
	person_line(s, "facts", STYLE_PLAIN, line);
}

static enum style verdict_style(enum verdict_kind kind)
{
	if (kind == VERDICT_MAPPED)
		return STYLE_GOOD;
	return kind == VERDICT_NONE ? STYLE_DIM : STYLE_WARN;
}

static void show_verdict(struct screen *s, const char *name, enum verdict_kind kind,
	const char *address, const char *rule)
{
	char line[ADDRESS_MAX + 128];

	str_format(line, sizeof(line), "%s%s%s%s%s%s", label_verdict(kind),
		address[0] != '\0' ? " " : "", address, rule[0] != '\0' ? " (" : "", rule,
		rule[0] != '\0' ? ")" : "");
	person_line(s, name, verdict_style(kind), line);
}

/* Blocklist and collisions are found by the ledger, so these verdicts agree with the present
 * settings. */
static bool has_changed(const struct candidate *candidate)
{
	enum verdict_kind kind = candidate->found.verdict;

	if (kind == VERDICT_BLOCKED || kind == VERDICT_COLLISION)
		kind = VERDICT_MAPPED;
	return kind != candidate->verdict.kind ||
	       strcmp(candidate->found.address, candidate->verdict.address) != 0;
}

static void show_account(
	struct screen *s, const struct explanation *x, const struct candidate *candidate)
{
	const struct ledger_sighting *found = &candidate->found;
	char line[128], day[CLOCK_TEXT_SIZE];

	screen_putf(s, STYLE_BOLD, "%s@%s", found->seen.user, found->seen.host);
	screen_newline(s);
	if (x->no_sighting) {
		person_line(s, "seen", STYLE_PLAIN,
			"never: no login, and the account is older than the collector");
	} else {
		str_format(line, sizeof(line), "%s on %s%s", trigger_sentence(found->seen.trigger),
			clock_day(found->seen.first_seen, day),
			found->gone ? "; the account has since been deleted" : "");
		person_line(s, "seen", STYLE_PLAIN, line);
		show_verdict(s, "verdict", found->verdict, found->address, found->rule);
		if (found->sentence[0] != '\0')
			person_line(s, "why", STYLE_PLAIN, found->sentence);
	}
	if (x->no_sighting || (has_changed(candidate) && !found->gone)) {
		show_verdict(s, x->no_sighting ? "would be" : "now", candidate->verdict.kind,
			candidate->verdict.address, candidate->verdict.rule);
		person_line(s, "why", STYLE_PLAIN, candidate->verdict.sentence);
	}
	show_facts(s, &found->seen);
}

/* ---- people ---- */

static void show_block(struct screen *s, const struct explanation *x, const char *address)
{
	char why[320], line[400];

	if (ledger_blocked(x->store.ledger, address, why, sizeof(why), NULL) != 1)
		return;
	str_format(line, sizeof(line), "yes: %s", why);
	person_line(s, "blocked", STYLE_WARN, line);
}

static bool show_person(
	struct screen *s, const struct explanation *x, const char *address, struct fault *fault)
{
	struct person p;
	int found = ledger_person(x->store.ledger, address, &p, fault);

	if (found < 0)
		return false;
	screen_newline(s);
	if (found > 0) {
		person_show(s, &p, &x->service);
		show_block(s, x, address);
		person_commands(s, &p, &x->service);
		return true;
	}
	screen_put(s, STYLE_BOLD, address);
	screen_newline(s);
	person_line(s, "state", STYLE_PLAIN, "unknown: this address is not in the ledger");
	show_block(s, x, address);
	person_line(s, "next", STYLE_PLAIN,
		x->candidate_count > 0 && x->candidates[0].verdict.kind == VERDICT_MAPPED
			? "Nothing before the next login. To check now: cloudinvite scan"
			: "Nothing.");
	return true;
}

bool explain_show(const struct explanation *x, const struct cli *cli, struct fault *fault)
{
	struct screen s;
	bool ok = true;

	screen_open(&s, cli, stdout);
	for (size_t i = 0; i < x->candidate_count; i++) {
		if (i > 0)
			screen_newline(&s);
		show_account(&s, x, &x->candidates[i]);
	}
	for (size_t i = 0; ok && i < x->address_count; i++)
		ok = show_person(&s, x, x->addresses[i], fault);
	return ok;
}
