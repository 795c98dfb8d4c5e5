/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waves. A commit waits for the disk as long as Google's side of this host takes for dozens of
 * calls. So where no pace orders the calls, questions go on between the commits, for which they
 * need nothing of the ledger, until as many people stand before their mail as may be mailed at
 * once; then one commit holds all these intents, the results of the last wave, and the claims of
 * the next.
 */
#include "invite/inside.h"

#include "base/clock.h"

#define ROOM_FACTOR 3 /* people on their way for each call that may be under way */
#define GATHER_MS   5 /* nobody's answer waits longer for that of others */

/* With a pace every call needs a slot of the ledger; an administrator is not kept waiting; and
 * after a fault the round decides first what it means for the others. */
static bool flows(const struct invite *i)
{
	return i->settings->requests_per_minute == 0 && !i->solo && !round_stopped(i) &&
	       !i->trouble && i->later_in_a_row == 0;
}

int wave_room(const struct settings *settings)
{
	int parallel = settings->parallel > 0 ? (int)settings->parallel : 1;

	return settings->requests_per_minute == 0 ? ROOM_FACTOR * parallel : parallel;
}

bool wave_straight_on(struct course *c)
{
	if (!flows(c->invite) || c->step != GOOGLE_CHECK || c->by_name ||
		c->answer.fault.kind != FAULT_NONE || !c->answer.invitable)
		return false;
	c->step = GOOGLE_GET;
	c->phase = COURSE_READY;
	c->ready_ms = clock_boot_ms();
	c->invite->answered--;
	return true;
}

/* Those whose mail is the next call, or may be when the round has looked at what get has shown. */
static int before_their_mail(struct invite *i)
{
	int count = 0;

	for (const struct course *c = round_first(i); c < round_end(i); c++)
		count += (c->phase == COURSE_ANSWERED && c->step == GOOGLE_GET) ||
			 (c->phase == COURSE_READY && c->step == GOOGLE_SEND);
	return count;
}

void wave_go_on(struct invite *i)
{
	int free = i->parallel - i->calling - before_their_mail(i);
	bool left = false;

	if (!flows(i))
		return;
	for (struct course *c = round_first(i); c < round_end(i); c++) {
		if (c->phase != COURSE_READY || c->step == GOOGLE_SEND)
			continue;
		if (free-- > 0 && clock_boot_ms() >= i->slots_at_ms)
			course_start(c);
		else
			left = true;
	}
	/* Nothing is under way whose answer would bring the next round. */
	if (left && i->calling == 0)
		i->next_ms = i->slots_at_ms;
}

int64_t wave_gathers_ms(const struct invite *i)
{
	int64_t left = i->answered_ms + GATHER_MS - clock_boot_ms();

	if (!flows(i) || i->calling == 0 || left < 0)
		return 0;
	return left < GATHER_MS ? left : GATHER_MS;
}
