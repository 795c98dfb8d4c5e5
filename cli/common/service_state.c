/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads mode, pause and reconcile, and which programs run: those of this host by their lock, others
 * by their heartbeat in the ledger.
 */
#include "cli/common/service_state.h"

#include <string.h>

#include "base/clock.h"
#include "base/instance.h"
#include "base/privdrop.h"
#include "google/types.h"

struct reading {
	struct service_state *service;
	char host[HOST_MAX + 1];
};

static bool is_late(const struct service_state *service, const struct ledger_worker *w)
{
	return w->last_heartbeat <
	       service->at - HEARTBEAT_LATE_S; /* whatever the ledger says: no overflow */
}

/* This host's own heartbeat is preferred to a more recent one of another host. */
static bool is_better(
	const struct reading *reading, const struct program *p, const struct ledger_worker *w)
{
	if (!p->has_heartbeat)
		return true;
	if (strcmp(p->worker.host, reading->host) == 0)
		return false;
	return strcmp(w->host, reading->host) == 0 || w->last_heartbeat > p->worker.last_heartbeat;
}

static bool on_worker(const struct ledger_worker *w, void *ctx)
{
	struct reading *reading = ctx;
	struct service_state *service = reading->service;
	struct program *p = strcmp(w->program, service->dispatcher.role) == 0 ? &service->dispatcher
			    : strcmp(w->program, service->collector.role) == 0 ? &service->collector
									       : NULL;

	if (!p) /* not one of our programs: other writers can open the ledger */
		return true;
	service->hosts++;
	if (is_late(service, w))
		service->late++;
	if (is_better(reading, p, w)) {
		p->worker = *w;
		p->has_heartbeat = true;
	}
	return true;
}

static void set_alive(const struct store *store, const struct reading *reading, struct program *p)
{
	bool here = instance_is_running(store->settings->run, p->role, NULL, NULL);

	if (here || p->wanted)
		p->alive = here;
	else
		p->alive = p->has_heartbeat && !is_late(reading->service, &p->worker);
}

int64_t service_state_reconcile_end(const struct service_state *service)
{
	return service->reconcile.mail_date > 0 ? service->reconcile.mail_date + GOOGLE_LAG_S : 0;
}

bool service_state_read(const struct store *store, struct service_state *out, struct fault *fault)
{
	const struct settings *settings = store->settings;
	struct reading reading = {.service = out};
	struct ledger_pause pause = {.since = 0};
	int paused = ledger_paused(store->ledger, &pause, fault), reconciling;
	struct ledger_reconcile reconcile;

	reconciling = paused < 0 ? -1 : ledger_reconciling(store->ledger, &reconcile, fault);
	if (reconciling < 0)
		return false;
	*out = (struct service_state){
		.at = clock_wall(),
		.dry_run = settings->mode == MODE_DRY_RUN,
		.paused = paused > 0,
		.pause = pause,
		.reconciling = reconciling > 0,
		.reconcile = reconcile,
		.collector = {.role = "collector", .wanted = settings->role != ROLE_HUB},
		.dispatcher = {.role = "dispatcher", .wanted = settings->role != ROLE_HOST},
	};
	local_hostname(reading.host, sizeof(reading.host));
	if (!ledger_each_worker(store->ledger, on_worker, &reading, fault))
		return false;
	set_alive(store, &reading, &out->collector);
	set_alive(store, &reading, &out->dispatcher);
	return true;
}
