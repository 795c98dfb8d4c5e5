/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy: whether somebody who may be invited is mailed now, later, or only when the administrator
 * says so. Pure: everything that it looks at is handed to it.
 */
#ifndef CLOUDINVITE_INVITE_POLICY_H
#define CLOUDINVITE_INVITE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger/ledger.h"
#include "settings/settings.h"

enum ruling_kind {
	RULING_SEND,
	RULING_HOLD, /* until `approve` */
	RULING_WAIT, /* until `due` */
};
struct ruling {
	enum ruling_kind kind;
	const char *reason; /* "max_mails", "discovered", "dry_run"; "send_window", "daily_limit" */
	int64_t due;
};

struct policy_facts {
	const struct settings *settings;
	const struct person *person;
	int64_t now;
	int64_t sends_today;  /* of the whole ledger, those under way included */
	int64_t window_opens; /* 0: it is open */
	/* An administrator sends to this very address: what holds back the automatic way (dry run,
	 * discovery, window) does not hold him back. */
	bool by_name;
};
struct ruling policy_rule(const struct policy_facts *f);

#endif
