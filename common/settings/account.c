/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which account a program or command runs as.
 */
#include "settings/settings.h"

#include "base/privdrop.h"

const char *settings_account(const struct settings *s, enum local_account account)
{
	switch (account) {
	case ACCOUNT_COLLECTOR:
		return s->collector_user;
	case ACCOUNT_DISPATCHER:
		return s->dispatcher_user;
	case ACCOUNT_ROOT:
		return "root";
	case ACCOUNT_LEDGER:
		break;
	}
	return s->ledger_user;
}

const char *settings_collector_user(const struct settings *s)
{
	return settings_account(s, ACCOUNT_COLLECTOR);
}

bool settings_run_as(const struct settings *s, enum local_account account, struct fault *fault)
{
	return drop_privileges(settings_account(s, account), s->ledger_user, fault);
}
