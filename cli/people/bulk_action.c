/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies an action to the people who were named, or to all who match. Each change is made under a
 * lease, so that the dispatcher never works on the same person. Matching people are read and
 * changed page by page, with one commit for each page.
 */
#include "cli/people/bulk_action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/common/confirm.h"
#include "cli/common/screen.h"
#include "cli/common/selector.h"

#define PAGE	500 /* people in one commit */
#define LEASE_S 60

/* ---- one person ---- */

static int error_unknown(const char *address)
{
	fflush(stdout);
	cli_note("cloudinvite: %s is not in the ledger", address);
	return EXIT_NEGATIVE;
}

static bool refuse_busy(const char *address, struct fault *fault)
{
	fault_set(fault, FAULT_TRANSIENT, "leased", "%s is in use by another process", address);
	return fault_remedy(fault, "Try again in a moment.");
}

/* A block counts in every state. */
static bool is_not_blocked(
	const struct action_run *run, const struct person *p, struct fault *fault)
{
	int blocked = ledger_blocked(run->store.ledger, p->address, NULL, 0, fault);

	if (blocked <= 0)
		return blocked == 0;
	fault_set(fault, FAULT_POLICY, "blocked", "%s is blocked", p->address);
	return fault_remedy(fault, "Unblock it first: cloudinvite unblock %s", p->address);
}

static struct person_step step_of(const struct action_run *run, const struct person *p, int64_t now)
{
	const struct person_event event = {
		.kind = run->action->event, .now = now, .today = clock_day_start(now)};
	const struct send_policy policy = {.blocked = false};

	return person_step(p, &event, &policy);
}

static bool eligible(const struct action_run *run, const struct person *p, struct fault *fault)
{
	struct person_step step = step_of(run, p, clock_wall());

	if (!is_not_blocked(run, p, fault))
		return false;
	return step.refusal == REFUSAL_NONE || run->action->refuse(p, step.refusal, fault);
}

/* 1 done, 0 the ledger does not know the person, -1 refused or failed. */
static int decide(const struct action_run *run, const char *address, struct person_step *step,
	struct fault *fault)
{
	struct ledger *ledger = run->store.ledger;
	int64_t now = clock_wall();
	struct person p;
	int found = ledger_person(ledger, address, &p, fault);

	if (found <= 0)
		return found;
	if (!eligible(run, &p, fault))
		return -1;
	found = ledger_lease(ledger, address, run->owner, now, now + LEASE_S, &p, fault);
	if (found == 0)
		refuse_busy(address, fault);
	if (found <= 0)
		return -1;
	*step = step_of(run, &p, now);
	return ledger_person_store(ledger, step, &p, NULL, 0, run->cli->actor, fault) ? 1 : -1;
}

/* Reads and stores in one transaction: what others set even of a person who is leased (a block, an
 * account that is removed) must not be overwritten with what it was before. */
static int decide_in_transaction(const struct action_run *run, const char *address,
	struct person_step *step, struct fault *fault)
{
	struct ledger *ledger = run->store.ledger;
	int done;

	if (!ledger_begin(ledger, fault))
		return -1;
	done = decide(run, address, step, fault);
	if (!ledger_end(ledger, done > 0, fault) && done > 0)
		return -1;
	return done;
}

/* The exit code for one person who was named. */
static int apply_named(struct action_run *run, const char *address)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct person_step step;
	int done = decide_in_transaction(run, address, &step, &fault);

	if (done == 0)
		return error_unknown(address);
	if (done < 0)
		return cli_fail(&fault);
	run->done++;
	cli_log_decision(run->cli, run->action->done, address, person_reason_word(&step.next));
	cli_print("%s: %s", address, run->action->done);
	return EXIT_OK;
}

int bulk_action_named(struct action_run *run, char **typed, int n)
{
	int count, exit_code;
	char question[96];
	struct target *list =
		selector_resolve_all(run->store.ledger, run->store.settings, typed, n, &count);

	if (!list)
		return EXIT_STORAGE;
	exit_code = selector_print_faults(list, count);
	str_format(question, sizeof(question), "%s %d people?", run->action->question, count);
	if (exit_code == EXIT_OK && count > CONFIRM_ABOVE && !run->yes && !cli_confirm(question))
		exit_code = EXIT_USAGE;
	for (int i = 0; exit_code != EXIT_USAGE && i < count; i++)
		if (list[i].fault.kind == FAULT_NONE)
			exit_code = cli_max_exit(exit_code, apply_named(run, list[i].address));
	free(list);
	return exit_code;
}

/* ---- all people in a state ---- */

struct page {
	const struct action_run *run;
	char addresses[PAGE][ADDRESS_MAX + 1];
	bool applied[PAGE];
	int count;
	char last[ADDRESS_MAX + 1];
	int64_t seen;
};

/* A person whose last send is unconfirmed may have a mail already, so only their name or that very
 * reason releases them. */
static bool matches(const struct action_run *run, const struct person *p)
{
	if (step_of(run, p, 0).refusal != REFUSAL_NONE || p->reason == REASON_BLOCKED)
		return false;
	if (run->reason)
		return strcmp(person_reason_word(p), run->reason) == 0;
	return p->reason != REASON_UNCONFIRMED;
}

static bool on_person(const struct person *p, void *ctx)
{
	struct page *page = ctx;

	page->seen++;
	str_copy(page->last, sizeof(page->last), p->address);
	if (matches(page->run, p))
		str_copy(page->addresses[page->count++], ADDRESS_MAX + 1, p->address);
	return true;
}

/* Reads the page of people after page->last. False: fault. */
static bool read_page(struct page *page, struct fault *fault)
{
	char after[ADDRESS_MAX + 1];
	const struct action_run *run = page->run;

	str_copy(after, sizeof(after), page->last);
	page->count = 0;
	page->seen = 0;
	return ledger_each_person(run->store.ledger, (int)run->action->state,
		after[0] != '\0' ? after : NULL, PAGE, on_person, page, fault);
}

static bool apply_one(struct action_run *run, const char *address, int64_t now, bool *applied,
	struct fault *fault)
{
	struct person_step step;
	struct person p;
	int leased =
		ledger_lease(run->store.ledger, address, run->owner, now, now + LEASE_S, &p, fault);

	if (leased < 0)
		return false;
	if (leased == 0) {
		run->busy++;
		return true;
	}
	if (p.state != run->action->state || !matches(run, &p) || !is_not_blocked(run, &p, NULL))
		return ledger_release(run->store.ledger, run->owner, address, fault);
	step = step_of(run, &p, now);
	run->done++;
	*applied = true;
	return ledger_person_store(run->store.ledger, &step, &p, NULL, 0, run->cli->actor, fault);
}

static bool apply_each(struct action_run *run, struct page *page, struct fault *fault)
{
	int64_t now = clock_wall();

	for (int i = 0; i < page->count; i++) {
		page->applied[i] = false;
		if (!apply_one(run, page->addresses[i], now, &page->applied[i], fault))
			return false;
	}
	return true;
}

static bool apply_page(struct action_run *run, struct page *page, struct fault *fault)
{
	int before = run->done;

	if (!ledger_begin(run->store.ledger, fault))
		return false;
	if (!ledger_end(run->store.ledger, apply_each(run, page, fault), fault)) {
		run->done = before;
		return false;
	}
	for (int i = 0; i < page->count; i++)
		if (page->applied[i])
			cli_log_decision(
				run->cli, run->action->done, page->addresses[i], run->reason);
	return true;
}

static bool count_matches(struct page *page, int64_t *total, struct fault *fault)
{
	*total = 0;
	do {
		if (!read_page(page, fault))
			return false;
		*total += page->count;
	} while (page->seen == PAGE);
	page->last[0] = '\0';
	return true;
}

static bool is_confirmed(const struct action_run *run, int64_t total)
{
	char question[96], people[SCREEN_PEOPLE_SIZE];

	str_format(question, sizeof(question), "%s %s?", run->action->question,
		screen_people(people, total));
	return run->yes || total <= CONFIRM_ABOVE || cli_confirm(question);
}

static bool count_and_apply(
	struct action_run *run, struct page *page, int *exit_code, struct fault *fault)
{
	char people[SCREEN_PEOPLE_SIZE];
	int64_t total;

	if (!count_matches(page, &total, fault))
		return false;
	if (!is_confirmed(run, total)) {
		*exit_code = EXIT_USAGE;
		return true;
	}
	do {
		if (!read_page(page, fault) || !apply_page(run, page, fault))
			return false;
	} while (page->seen == PAGE);
	cli_print("%s %s", screen_people(people, run->done), run->action->done);
	return true;
}

int bulk_action_all(struct action_run *run)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct page *page = calloc(1, sizeof(*page));
	int exit_code = EXIT_OK;

	if (!page) {
		fault_no_memory(&fault, FAULT_STORAGE);
		return cli_fail(&fault);
	}
	page->run = run;
	if (!count_and_apply(run, page, &exit_code, &fault))
		exit_code = cli_fail(&fault);
	free(page);
	return exit_code;
}
