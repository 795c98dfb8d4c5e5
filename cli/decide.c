/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/screen.h"
#include "cli/selector.h"

#define PAGE	500 /* people in one commit */
#define LEASE_S 60

/* ---- one person ---- */

static int say_unknown(const char *address)
{
	fflush(stdout);
	cli_note("cloudinvite: %s is not in the ledger", address);
	return EXIT_NEGATIVE;
}

static int say_busy(const char *address, struct fault *fault)
{
	fault_set(fault, FAULT_TRANSIENT, "leased", "%s is in use by another process", address);
	fault_remedy(fault, "Try again in a moment.");
	return cli_fail(fault);
}

/* A block holds whatever state its person is in. */
static bool is_free(const struct deciding *d, const struct person *p, struct fault *fault)
{
	int blocked = ledger_blocked(d->store.ledger, p->address, NULL, 0, fault);

	if (blocked <= 0)
		return blocked == 0;
	fault_set(fault, FAULT_POLICY, "blocked", "%s is blocked", p->address);
	return fault_remedy(fault, "Unblock it first: cloudinvite unblock %s", p->address);
}

static bool fits(const struct deciding *d, const struct person *p, struct fault *fault)
{
	return is_free(d, p, fault) && d->decision->fits(p, fault);
}

/* The exit code for one who was named. */
static int decide_one_named(struct deciding *d, const char *address)
{
	struct fault fault = {.kind = FAULT_NONE};
	int64_t now = clock_wall();
	struct person p;
	int found = ledger_person(d->store.ledger, address, &p, &fault);

	if (found == 0)
		return say_unknown(address);
	if (found < 0 || !fits(d, &p, &fault))
		return cli_fail(&fault);
	found = ledger_lease(d->store.ledger, address, d->owner, now, now + LEASE_S, &p, &fault);
	if (found == 0)
		return say_busy(address, &fault);
	if (found < 0)
		return cli_fail(&fault);
	if (!fits(d, &p, &fault)) {
		ledger_release(d->store.ledger, d->owner, address, NULL);
		return cli_fail(&fault);
	}
	d->decision->change(&p, now);
	if (!ledger_person_put(d->store.ledger, &p, d->decision->done, d->cli->actor, &fault))
		return cli_fail(&fault);
	d->done++;
	cli_log_decision(d->cli, d->decision->done, address, p.reason);
	cli_print("%s: %s", address, d->decision->done);
	return EXIT_OK;
}

int decide_named(struct deciding *d, char **typed, int n)
{
	int count, exit_code;
	char question[96];
	struct target *list =
		selector_resolve_all(d->store.ledger, d->store.settings, typed, n, &count);

	if (!list)
		return EXIT_STORAGE;
	exit_code = selector_print_faults(list, count);
	str_format(question, sizeof(question), "%s %d people?", d->decision->question, count);
	if (exit_code == EXIT_OK && count > CONFIRM_ABOVE && !d->yes && !cli_confirm(question))
		exit_code = EXIT_USAGE;
	for (int i = 0; exit_code != EXIT_USAGE && i < count; i++)
		if (list[i].fault.kind == FAULT_NONE)
			exit_code = cli_max_exit(exit_code, decide_one_named(d, list[i].address));
	free(list);
	return exit_code;
}

/* ---- everybody who stands there ---- */

struct page {
	const struct deciding *d;
	char addresses[PAGE][ADDRESS_MAX + 1];
	bool decided[PAGE];
	int count;
	char last[ADDRESS_MAX + 1];
	int64_t seen;
};

/* Somebody whose last send is unconfirmed may have a mail already: only a name, or that very
 * reason, releases such a person. */
static bool is_meant(const struct deciding *d, const struct person *p)
{
	if (!d->decision->fits(p, NULL) || strcmp(p->reason, "blocked") == 0)
		return false;
	if (d->reason)
		return strcmp(p->reason, d->reason) == 0;
	return strcmp(p->reason, "unconfirmed") != 0;
}

static bool collect(const struct person *p, void *ctx)
{
	struct page *page = ctx;

	page->seen++;
	str_copy(page->last, sizeof(page->last), p->address);
	if (is_meant(page->d, p))
		str_copy(page->addresses[page->count++], ADDRESS_MAX + 1, p->address);
	return true;
}

/* Reads the page of people after page->last. False: fault. */
static bool turn_page(struct page *page, struct fault *fault)
{
	char after[ADDRESS_MAX + 1];
	const struct deciding *d = page->d;

	str_copy(after, sizeof(after), page->last);
	page->count = 0;
	page->seen = 0;
	return ledger_each_person(d->store.ledger, (int)d->decision->state,
		after[0] != '\0' ? after : NULL, PAGE, collect, page, fault);
}

static bool decide_one(
	struct deciding *d, const char *address, int64_t now, bool *decided, struct fault *fault)
{
	struct person p;
	int leased =
		ledger_lease(d->store.ledger, address, d->owner, now, now + LEASE_S, &p, fault);

	if (leased < 0)
		return false;
	if (leased == 0) {
		d->busy++;
		return true;
	}
	if (p.state != d->decision->state || !is_meant(d, &p) || !is_free(d, &p, NULL))
		return ledger_release(d->store.ledger, d->owner, address, fault);
	d->decision->change(&p, now);
	d->done++;
	*decided = true;
	return ledger_person_put(d->store.ledger, &p, d->decision->done, d->cli->actor, fault);
}

static bool decide_each(struct deciding *d, struct page *page, struct fault *fault)
{
	int64_t now = clock_wall();

	for (int i = 0; i < page->count; i++) {
		page->decided[i] = false;
		if (!decide_one(d, page->addresses[i], now, &page->decided[i], fault))
			return false;
	}
	return ledger_commit(d->store.ledger, fault);
}

static bool decide_page(struct deciding *d, struct page *page, struct fault *fault)
{
	int before = d->done;

	if (!ledger_begin(d->store.ledger, fault))
		return false;
	if (decide_each(d, page, fault)) {
		for (int i = 0; i < page->count; i++)
			if (page->decided[i])
				cli_log_decision(
					d->cli, d->decision->done, page->addresses[i], d->reason);
		return true;
	}
	ledger_rollback(d->store.ledger);
	d->done = before;
	return false;
}

static bool count_meant(struct page *page, int64_t *total, struct fault *fault)
{
	*total = 0;
	do {
		if (!turn_page(page, fault))
			return false;
		*total += page->count;
	} while (page->seen == PAGE);
	page->last[0] = '\0';
	return true;
}

static bool may_go_on(const struct deciding *d, int64_t total)
{
	char question[96], people[SCREEN_PEOPLE_SIZE];

	str_format(question, sizeof(question), "%s %s?", d->decision->question,
		screen_people(people, total));
	return d->yes || total <= CONFIRM_ABOVE || cli_confirm(question);
}

static bool count_and_decide(
	struct deciding *d, struct page *page, int *exit_code, struct fault *fault)
{
	char people[SCREEN_PEOPLE_SIZE];
	int64_t total;

	if (!count_meant(page, &total, fault))
		return false;
	if (!may_go_on(d, total)) {
		*exit_code = EXIT_USAGE;
		return true;
	}
	do {
		if (!turn_page(page, fault) || !decide_page(d, page, fault))
			return false;
	} while (page->seen == PAGE);
	cli_print("%s %s", screen_people(people, d->done), d->decision->done);
	return true;
}

int decide_all(struct deciding *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct page *page = calloc(1, sizeof(*page));
	int exit_code = EXIT_OK;

	if (!page) {
		fault_no_memory(&fault, FAULT_STORAGE);
		return cli_fail(&fault);
	}
	page->d = d;
	if (!count_and_decide(d, page, &exit_code, &fault))
		exit_code = cli_fail(&fault);
	free(page);
	return exit_code;
}
