/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the metrics to a file after each heartbeat. The file is replaced atomically, so that
 * node_exporter never reads half of it. A fault is logged once, until it is over.
 */
#include "worker/dispatcher/metrics_file.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "metrics/metrics.h"

#define PAGE_MAX ((size_t)256 * 1024)

static bool write_page(const char *path, const struct strbuf *page, struct fault *fault)
{
	if (file_replace(path, page->data, page->len, 0644) == 0)
		return true;
	fault_set(fault, FAULT_STORAGE, "metrics_file", "%s: %s", path, strerror(errno));
	return fault_remedy(fault,
		"The service's account needs permission to create files in that directory, "
		"and the unit needs ReadWritePaths= for it: see docs/monitoring.md.");
}

void metrics_file_update(struct metrics_file *m, const struct worker *w, struct ledger *ledger)
{
	const char *path = w->settings->metrics_file;
	struct strbuf page = {.max = PAGE_MAX};
	struct fault fault = {.kind = FAULT_NONE};
	bool ok;

	if (!path || path[0] == '\0' || !ledger || m->heartbeat_ms == w->heartbeat_ms)
		return;
	m->heartbeat_ms = w->heartbeat_ms;
	ok = metrics_write(ledger, w->settings, METRICS_TEXT, &page, &fault) &&
	     write_page(path, &page, &fault);
	if (!ok && !m->failing)
		log_fault(LOG_LEVEL_WARN, "metrics_file", &fault);
	m->failing = !ok;
	strbuf_free(&page);
}
