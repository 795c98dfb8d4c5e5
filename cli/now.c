/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/now.h"

#include <string.h>

#include "base/clock.h"
#include "base/privdrop.h"
#include "base/instance.h"

#define HIDDEN_S INT64_C(259200) /* 72 h: how long Google may hide a mail */

struct look {
	struct now *now;
	char host[HOST_MAX + 1];
};

static bool is_late(const struct now *now, const struct ledger_worker *w)
{
	return w->beat < now->at - BEAT_LATE_S; /* whatever the ledger says: no overflow */
}

/* This host's own heartbeat counts before the freshest of the others. */
static bool is_better(
	const struct look *look, const struct program *p, const struct ledger_worker *w)
{
	if (!p->beaten)
		return true;
	if (strcmp(p->worker.host, look->host) == 0)
		return false;
	return strcmp(w->host, look->host) == 0 || w->beat > p->worker.beat;
}

static bool take_worker(const struct ledger_worker *w, void *ctx)
{
	struct look *look = ctx;
	struct now *now = look->now;
	struct program *p = strcmp(w->role, now->dispatcher.role) == 0	? &now->dispatcher
			    : strcmp(w->role, now->collector.role) == 0 ? &now->collector
									: NULL;

	if (!p) /* none of ours: the ledger is open to other writers */
		return true;
	now->hosts++;
	if (is_late(now, w))
		now->late++;
	if (is_better(look, p, w)) {
		p->worker = *w;
		p->beaten = true;
	}
	return true;
}

static void judge(const struct store *store, const struct look *look, struct program *p)
{
	bool here = instance_is_running(store->settings->run, p->role, NULL, NULL);

	if (here || p->wanted)
		p->alive = here;
	else
		p->alive = p->beaten && !is_late(look->now, &p->worker);
}

int64_t now_reconciled_at(const struct now *now)
{
	return now->reconcile.mail_date > 0 ? now->reconcile.mail_date + HIDDEN_S : 0;
}

bool now_look(const struct store *store, struct now *out, struct fault *fault)
{
	const struct settings *settings = store->settings;
	struct look look = {.now = out};
	struct ledger_pause pause = {.since = 0};
	int paused = ledger_paused(store->ledger, &pause, fault), reconciling;
	struct ledger_reconcile reconcile;

	reconciling = paused < 0 ? -1 : ledger_reconciling(store->ledger, &reconcile, fault);
	if (reconciling < 0)
		return false;
	*out = (struct now){
		.at = clock_wall(),
		.dry_run = settings->mode == MODE_DRY_RUN,
		.paused = paused > 0,
		.pause = pause,
		.reconciling = reconciling > 0,
		.reconcile = reconcile,
		.collector = {.role = "collector", .wanted = settings->role != ROLE_DISPATCHER},
		.dispatcher = {.role = "dispatcher", .wanted = settings->role != ROLE_COLLECTOR},
	};
	local_hostname(look.host, sizeof(look.host));
	if (!ledger_each_worker(store->ledger, take_worker, &look, fault))
		return false;
	judge(store, &look, &out->collector);
	judge(store, &look, &out->dispatcher);
	return true;
}
