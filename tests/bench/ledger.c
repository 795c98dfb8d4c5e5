/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger of a million people: how fast it is filled, and whether reading it stays cheap.
 *
 *   ledger DIRECTORY [PEOPLE]       prints `name value` lines, for docs/benchmarks.md
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "ledger/ledger.h"

#define GROUP  1000
#define ROUNDS 200

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(bool good, const struct fault *fault)
{
	if (good)
		return;
	fprintf(stderr, "ledger: %s\n%s\n", fault->what, fault->remedy);
	exit(1);
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), ascending);
	return values[n / 2];
}

/* Names in a random order: 7,919 has no common divisor with a count that ends in zeroes. */
static int64_t shuffled(int64_t i, int64_t count)
{
	return i * 7919 % count;
}

static void see(struct ledger *l, int64_t number, struct fault *fault)
{
	struct sighting s = {.uid = 1000 + number, .trigger = TRIGGER_LOGIN, .local = true};

	s.first_seen = clock_wall();
	str_copy(s.host, sizeof(s.host), "web1");
	str_copy(s.shell, sizeof(s.shell), "/bin/bash");
	str_format(s.user, sizeof(s.user), "user%lld", (long long)number);
	must(ledger_account_seen(l, &s, fault) == 1, fault);
}

static double fill_sightings(struct ledger *l, int64_t count, struct fault *fault)
{
	double start = seconds();

	for (int64_t i = 0; i < count; i++) {
		if (i % GROUP == 0)
			must(ledger_begin(l, fault), fault);
		see(l, shuffled(i, count), fault);
		if (i % GROUP == GROUP - 1 || i == count - 1)
			must(ledger_commit(l, fault), fault);
	}
	return (double)count / (seconds() - start);
}

/* Most are final; one in ten is queued, and half of those are due. */
static void put(struct ledger *l, int64_t number, int64_t now, struct fault *fault)
{
	struct person p = {.state = PERSON_NOT_INVITABLE, .mails = -1, .intent_mails = -1};

	str_format(p.address, sizeof(p.address), "user%lld@example.com", (long long)number);
	p.reason = REASON_NOT_INVITABLE;
	if (number % 10 == 0) {
		p.state = PERSON_QUEUED;
		p.priority = (enum priority)(number / 10 % 3);
		p.next_attempt =
			now + (number % 20 == 0 ? -number % 86400 - 1 : number % 86400 + 3600);
		p.reason = REASON_FIRST_CHECK;
	}
	must(ledger_person_put(l, &p, "bench", "bench", fault), fault);
}

static double fill_people(struct ledger *l, int64_t count, int64_t now, struct fault *fault)
{
	double start = seconds();

	for (int64_t i = 0; i < count; i++) {
		if (i % GROUP == 0)
			must(ledger_begin(l, fault), fault);
		put(l, i, now, fault);
		if (i % GROUP == GROUP - 1 || i == count - 1)
			must(ledger_commit(l, fault), fault);
	}
	return (double)count / (seconds() - start);
}

/* What every batch asks of the schedule. */
static double next_due_us(struct ledger *l, int64_t now, struct fault *fault)
{
	double took[ROUNDS];
	int64_t due;

	for (int i = 0; i < ROUNDS; i++) {
		double start;

		must(ledger_begin(l, fault), fault);
		start = seconds();
		must(ledger_clamp_schedule(l, now, fault), fault);
		must(ledger_next_due(l, &due, fault), fault);
		took[i] = (seconds() - start) * 1e6;
		must(ledger_commit(l, fault), fault);
	}
	return median(took, ROUNDS);
}

/* Sixteen people at a time, within the commit of a batch: the disk's own time is not counted. */
static double claim_us(struct ledger *l, int64_t now, struct fault *fault)
{
	static struct person people[16];
	double took[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double start;

		must(ledger_begin(l, fault), fault);
		start = seconds();
		must(ledger_claim(l, now, PRIO_BACKGROUND, "bench", now + 600, people, 16, fault) ==
				16,
			fault);
		took[i] = (seconds() - start) * 1e6;
		must(ledger_commit(l, fault), fault);
	}
	return median(took, ROUNDS);
}

static double summary_ms(struct ledger *l, int64_t now, int64_t count, struct fault *fault)
{
	struct ledger_summary summary;
	double took[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double start = seconds();

		must(ledger_summarise(l, now, &summary, fault), fault);
		took[i] = (seconds() - start) * 1e3;
	}
	if (summary.people[PERSON_QUEUED] + summary.people[PERSON_NOT_INVITABLE] != count ||
		summary.sightings[VERDICT_NONE] != count) {
		fprintf(stderr, "ledger: the summary has lost people\n");
		exit(1);
	}
	return median(took, ROUNDS);
}

int main(int argc, char **argv)
{
	char customer[] = "my_customer", where[4200];
	struct settings settings = {.customer = customer, .ledger = where};
	struct fault fault = {.kind = FAULT_NONE};
	long long count = 1000000;
	int64_t now = clock_wall();
	struct ledger *l;

	if (argc < 2 || argc > 3 || (argc == 3 && !str_number(argv[2], 10000, 10000000, &count))) {
		fprintf(stderr, "usage: ledger DIRECTORY [PEOPLE]\n");
		return 2;
	}
	str_format(where, sizeof(where), "sqlite:%s/bench.db", argv[1]);
	l = ledger_open(&settings, LEDGER_CREATE, &fault);
	must(l, &fault);
	printf("people %lld\n", count);
	printf("saw_per_s %.0f\n", fill_sightings(l, count, &fault));
	printf("put_per_s %.0f\n", fill_people(l, count, now, &fault));
	printf("next_due_us %.1f\n", next_due_us(l, now, &fault));
	printf("claim_us %.1f\n", claim_us(l, now, &fault));
	printf("summary_ms %.3f\n", summary_ms(l, now, count, &fault));
	ledger_close(l);
	return 0;
}
