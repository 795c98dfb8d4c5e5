/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resetting the emulator: a new tenant, an empty log, and counts of zero.
 */
#include "emulator.h"

#include <string.h>

#include "tenant_json.h"

bool emulator_reset(struct emulator *e, json_t *document, struct doc_error *doc_error)
{
	struct tenant *tenant = tenant_new(&e->keyring);

	if (document && !tenant_read(tenant, &e->keyring, document, doc_error)) {
		tenant_free(tenant);
		return false;
	}
	tenant_free(e->tenant);
	e->tenant = tenant;
	request_log_clear(&e->log);
	memset(e->counts, 0, sizeof e->counts);
	return true;
}
