/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person as such: new, claimable, still the one that a job has claimed.
 */
#include "base/str.h"
#include "person/event.h"

struct person person_new(const char *address, int64_t today)
{
	struct person p = {
		.state = PERSON_UNKNOWN, .mails = -1, .intent_mails = -1, .first_day = today};

	str_copy(p.address, sizeof(p.address), address);
	return p;
}

bool person_state_claimable(enum person_state state)
{
	return state == PERSON_QUEUED || state == PERSON_UNCONFIRMED || state == PERSON_SENDING ||
	       state == PERSON_INVITED;
}

bool person_still_claimed(struct person *p, const struct person *stored)
{
	/* If the host's clock jumps ahead, a lease may end while the send is under way. Another
	 * program then takes this one for dead and marks the person unconfirmed. The reply is still
	 * good. */
	bool same_state = stored->state == p->state ||
			  (p->state == PERSON_SENDING && stored->state == PERSON_UNCONFIRMED);

	if (!same_state || stored->intent_at != p->intent_at)
		return false;
	p->approved = p->approved || stored->approved;
	p->first_day = stored->first_day;
	p->orphaned_since = stored->orphaned_since;
	p->orphan_reason = stored->orphan_reason;
	return true;
}
