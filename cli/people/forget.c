/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forget [--block] TARGET…: erases people, with everything that the ledger and this host's spool
 * know of them.
 *
 * A forgotten person counts as new at the next login. Google still knows of an invitation, but
 * shows it up to 48 hours late. Until then the person could be mailed a second time, so forgetting
 * requires --block.
 */
#include "cli/people/people.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/instance.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/selector.h"
#include "google/types.h"
#include "spool/client.h"
#include "spool/keeper.h"

struct marks {
	char (*users)[USER_MAX + 1]; /* on this host */
	size_t count, room;
	char host[HOST_MAX + 1];
	bool failed;
};

/* ---- whether it is allowed ---- */

static bool is_recent(const struct person *p)
{
	if (p->state == PERSON_SENDING || p->state == PERSON_UNCONFIRMED || p->intent_at > 0)
		return true;
	return p->our_mails > 0 && clock_wall() - p->changed < GOOGLE_LAG_S;
}

static bool may_forget(const struct store *store, const char *address, struct fault *fault)
{
	struct person p;
	int found = ledger_person(store->ledger, address, &p, fault);

	if (found <= 0 || !is_recent(&p))
		return found >= 0;
	if (ledger_blocked(store->ledger, address, NULL, 0, NULL) == 1)
		return true;
	fault_set(fault, FAULT_POLICY, "recent_mail",
		"%s: a mail was sent so recently that Google may not show it yet; another login "
		"could send a second one",
		address);
	return fault_remedy(fault, "Use forget --block, or wait 72 hours.");
}

/* ---- the markers of this host ---- */

static bool on_mark(const struct ledger_sighting *s, void *ctx)
{
	struct marks *marks = ctx;
	char(*users)[USER_MAX + 1];

	if (strcmp(s->seen.host, marks->host) != 0)
		return true;
	users = array_grow(marks->users, marks->count, &marks->room, sizeof(*users));
	marks->failed = !users;
	if (marks->failed)
		return false;
	marks->users = users;
	str_copy(marks->users[marks->count++], USER_MAX + 1, s->seen.user);
	return true;
}

/* The service's account, which we are by now, cannot open the spool, so a keeper does it. */
static bool remove_marks(const struct marks *marks, struct spool_client *spool, struct fault *fault)
{
	if (marks->count == 0 || spool->fd < 0)
		return true;
	for (size_t i = 0; i < marks->count; i++)
		if (!spool_client_unmark(spool, marks->users[i], fault))
			return false;
	return spool_client_flush(spool, fault);
}

/* Before root becomes the service's account. A host that only dispatches has no spool. */
static bool open_spool(const struct cli *cli, struct spool_client *spool, struct fault *fault)
{
	struct settings *settings = settings_load(cli->settings_path, NULL);
	int fd = -1;

	*spool = (struct spool_client){.fd = -1};
	/* Settings that cannot be read are reported when the ledger is opened. */
	if (settings && settings->role != ROLE_HUB) {
		if (geteuid() != 0 && access(settings->spool, X_OK) != 0 && errno == EACCES) {
			fault_set(fault, FAULT_STORAGE, "not_root",
				"%s: only root can remove this host's markers", settings->spool);
			fault_remedy(fault, "Run it as root: sudo cloudinvite forget …");
		} else {
			fd = spool_keeper_fork_beside(settings->spool, fault);
		}
	}
	settings_free(settings);
	if (fd >= 0)
		spool_client_attach(spool, fd);
	return fault->kind == FAULT_NONE;
}

/* ---- one person ---- */

static bool erase(const struct cli *cli, const struct store *store, const char *address, bool block,
	int *known, struct fault *fault)
{
	const struct ledger_block_note note = {"forgotten", cli->actor};

	*known = ledger_forget(store->ledger, address, block ? &note : NULL, fault);
	return *known >= 0;
}

static int forget_person(const struct cli *cli, const struct store *store,
	struct spool_client *spool, const char *address, bool block)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct marks marks = {.count = 0};
	int known = 0;
	bool ok;

	local_hostname(marks.host, sizeof(marks.host));
	ok = (block || may_forget(store, address, &fault)) &&
	     ledger_each_sighting(store->ledger, NULL, NULL, address, on_mark, &marks, &fault) &&
	     erase(cli, store, address, block, &known, &fault) &&
	     remove_marks(&marks, spool, &fault);
	free(marks.users);
	if (!ok)
		return cli_fail(&fault);
	/* The log must not record what is being forgotten. */
	if (known > 0 || block)
		cli_log_decision(
			cli, block ? "blocked" : "forgotten", block ? address : NULL, "forgotten");
	cli_print("%s: %s%s", address, known > 0 ? "forgotten" : "was not in the ledger",
		block ? ", blocked" : "");
	return known > 0 || block ? EXIT_OK : EXIT_NEGATIVE;
}

/* ---- an account without a person ---- */

static bool on_account(const struct ledger_sighting *s, void *ctx)
{
	struct ledger_sighting *out = ctx;

	*out = *s;
	return false;
}

static bool forget_sighting(const struct store *store, struct spool_client *spool,
	const struct ledger_sighting *s, struct fault *fault)
{
	struct marks marks = {.count = 0};
	bool ok;

	local_hostname(marks.host, sizeof(marks.host));
	on_mark(s, &marks);
	ok = ledger_forget_sighting(store->ledger, s->seen.host, s->seen.user, fault) >= 0 &&
	     remove_marks(&marks, spool, fault);
	free(marks.users);
	return ok;
}

/* On every host on which it was seen. */
static int forget_account(const struct cli *cli, const struct store *store,
	struct spool_client *spool, const char *typed)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct ledger_sighting s;
	int64_t last = 0;

	for (;;) {
		s.id = 0;
		selector_each_sighting(store->ledger, typed, on_account, &s, &fault);
		if (fault.kind != FAULT_NONE)
			return cli_fail(&fault);
		if (s.id == 0 || s.id == last)
			break;
		last = s.id;
		if (!forget_sighting(store, spool, &s, &fault))
			return cli_fail(&fault);
	}
	cli_log_decision(cli, "forgotten", NULL, NULL);
	cli_print("%s: forgotten", typed);
	return EXIT_OK;
}

/* ---- the command line ---- */

static bool is_account(const struct target *target)
{
	return strcmp(target->fault.code, "no_address") == 0;
}

static int check_targets(struct target *list, int count, bool block)
{
	int worst = EXIT_OK;

	for (int i = 0; i < count; i++) {
		if (list[i].fault.kind == FAULT_NONE || (is_account(&list[i]) && !block))
			continue;
		worst = cli_max_exit(worst, cli_fail(&list[i].fault));
	}
	return worst;
}

static int forget(const struct cli *cli, const struct store *store, struct spool_client *spool,
	char **typed, int n, bool block)
{
	int count, worst;
	struct target *list =
		selector_resolve_all(store->ledger, store->settings, typed, n, &count);
	bool understood;

	if (!list)
		return EXIT_STORAGE;
	worst = check_targets(list, count, block);
	understood = worst == EXIT_OK;
	for (int i = 0; understood && i < count; i++)
		worst = cli_max_exit(
			worst, is_account(&list[i])
				       ? forget_account(cli, store, spool, list[i].typed)
				       : forget_person(cli, store, spool, list[i].address, block));
	free(list);
	return worst;
}

int verb_forget(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"block", no_argument, NULL, 'b'},
		{NULL, 0, NULL, 0},
	};
	struct fault fault = {.kind = FAULT_NONE};
	struct spool_client spool;
	bool block = false;
	struct store store;
	int option, exit_code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'b')
			return cli_usage(cli);
		block = true;
	}
	if (optind == argc)
		return cli_usage(cli);
	if (!open_spool(cli, &spool, &fault))
		return cli_fail(&fault);
	if (cli_open_store(cli, LEDGER_WRITE, &store, &exit_code)) {
		exit_code = forget(cli, &store, &spool, argv + optind, argc - optind, block);
		wakeup_send(store.settings->run);
		cli_close_store(&store);
	}
	spool_client_close(&spool);
	return exit_code;
}
