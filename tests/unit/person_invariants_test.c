/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every person that is stored (common/person/README.md, P1 to P8). */
#include "person_rows.h"

#include <string.h>

#include "base/str.h"

/* The least that makes a person of that state and reason valid. */
static struct person valid(enum person_state s, enum person_reason r)
{
	struct person p = row_person("queued retry");

	p.state = s;
	p.reason = r;
	p.approved = r == REASON_APPROVED;
	p.discovered = r == REASON_DISCOVERED;
	p.address_changed = r == REASON_ADDRESS_CHANGED;
	if (s == PERSON_QUEUED || s == PERSON_SENDING || s == PERSON_UNCONFIRMED)
		p.next_attempt = ROW_NOW;
	if (s == PERSON_SENDING || s == PERSON_UNCONFIRMED || r == REASON_UNCONFIRMED)
		p.intent_at = ROW_NOW;
	if (r == REASON_SENT || r == REASON_RESOLVED || r == REASON_DELETED)
		p.our_mails = 1;
	if (s == PERSON_FAILED)
		str_copy(p.fault_code, sizeof(p.fault_code), "bad");
	return p;
}

static void each_state_has_its_reasons(void **state)
{
	static const char *const reasons[PERSON_STATES] = {
		[PERSON_QUEUED] = " first_check approved retried retry breaker send_window "
				  "daily_limit reconcile resolved_unsent discovered ",
		[PERSON_NOT_INVITABLE] = " not_invitable ",
		[PERSON_SENDING] = " sending ",
		[PERSON_UNCONFIRMED] = " unconfirmed interrupted ",
		[PERSON_INVITED] = " sent resolved by_others account_removed renamed ",
		[PERSON_ACCEPTED] = " answered ",
		[PERSON_DECLINED] = " answered ",
		[PERSON_CANCELLED] = " elsewhere deleted renamed by_admin ",
		[PERSON_HELD] = " discovered address_changed dry_run max_mails collision "
				"unknown_state manual blocked "
				"unconfirmed ",
		[PERSON_FAILED] = " fault ",
		[PERSON_GONE] = " account_removed renamed forgotten mapped unmapped foreign_domain "
				"excluded "
				"blocked collision ",
	};

	(void)state;
	for (int s = 0; s < PERSON_STATES; s++)
		for (int r = 0; r < PERSON_REASONS; r++) {
			struct person p = valid((enum person_state)s, (enum person_reason)r);
			const char *wrong = person_invalid(&p);
			char word[64];

			str_format(word, sizeof(word), " %s ", reason_word(p.reason));
			if (r != REASON_NONE && strstr(reasons[s], word))
				assert_null(wrong);
			else
				assert_string_equal(
					wrong, "P1: a reason that is none of the state's");
		}
}

static void what_cannot_be_is_found(void **state)
{
	static const struct {
		const char *person, *wrong; /* NULL: nothing is */
	} rows[] = {
		{"", "P1: not a state that can be stored"},
		{"sending sending next=now", "P2: sending without an intent"},
		{"unconfirmed interrupted next=now", "P2: unconfirmed without an intent"},
		{"held unconfirmed", "P2: held as unconfirmed without an intent"},
		{"queued retry next=now intent=now",
			"P3: an intent is open in a state that forgets it"},
		{"held dry_run intent=now", "P3: an intent is open in a state that forgets it"},
		{"invited sent intent=now ours=1",
			"P3: an intent is open in a state that forgets it"},
		{"held unconfirmed intent=1 mails=2 imails=2 date=1", NULL},
		{"held unconfirmed intent=1 mails=2 imails=3",
			"P3: more mails at the intent than now"},
		{"held unconfirmed intent=1 imails=0", "P3: more mails at the intent than now"},
		{"invited by_others mails=1 imails=0",
			"P3: a count of mails is noted without an intent"},
		{"invited by_others date=1", NULL},
		{"cancelled elsewhere date=1", NULL},
		{"queued retry next=now date=1", "P3: a date of a mail that there was not"},
		{"accepted answered date=1", "P3: a date of a mail that there was not"},
		{"queued retry", "P4: something is to be done, but never"},
		{"sending sending intent=1", "P4: something is to be done, but never"},
		{"unconfirmed unconfirmed intent=1", "P4: something is to be done, but never"},
		{"invited by_others next=now", NULL},
		{"invited by_others", NULL},
		{"held dry_run next=now", "P4: nothing is to be done, but at a time"},
		{"accepted answered next=1", "P4: nothing is to be done, but at a time"},
		{"queued retry next=1 resend", NULL},
		{"unconfirmed unconfirmed next=1 intent=1 resend", NULL},
		{"held unconfirmed intent=1 resend", NULL},
		{"held blocked resend", "P5: a resend that is over"},
		{"invited by_others resend", "P5: a resend that is over"},
		{"failed fault fault=bad", NULL},
		{"failed fault", "P6: failed without a fault"},
		{"queued approved next=1", "P6: queued as approved, but not approved"},
		{"queued discovered next=1", "P6: waits as discovered, but not discovered"},
		{"held discovered", "P6: waits as discovered, but not discovered"},
		{"held address_changed address_changed", NULL},
		{"held address_changed",
			"P6: waits for a change of the address that there was not"},
		{"held address_changed address_changed approved",
			"P6: held for what the approval has released"},
		{"held dry_run approved", NULL},
		{"held collision approved", "P6: held for what the approval has released"},
		{"held unknown_state approved", "P6: held for what the approval has released"},
		{"held blocked approved", NULL},
		{"gone collision approved", NULL},
		{"invited sent", "P6: a mail of ours that is not counted"},
		{"invited resolved", "P6: a mail of ours that is not counted"},
		{"cancelled deleted", "P6: a mail of ours that is not counted"},
		{"accepted answered orphaned=1 orphan=mapped", NULL},
		{"accepted answered orphaned=1", NULL},
		{"accepted answered orphan=mapped", "P7: no account leads here, but since no day"},
		{"gone mapped orphaned=1 orphan=collision", NULL},
		{"accepted answered orphaned=1 orphan=retry",
			"P7: no account leads here, for a reason that takes none away"},
		{"sending sending next=1 intent=1 mails=-2 imails=-2",
			"P8: a number is below its range"},
		{"accepted answered ours=-1", "P8: a number is below its range"},
		{"accepted answered attempts=-1", "P8: a number is below its range"},
		{"sending sending next=1 intent=1 imails=-2", "P8: a number is below its range"},
		{"invited by_others next=-1", "P8: a time is below zero"},
		{"sending sending next=1 intent=-1", "P8: a time is below zero"},
		{"invited by_others date=-1", "P8: a time is below zero"},
		{"accepted answered checked=-1", "P8: a time is below zero"},
		{"accepted answered changed=-1", "P8: a time is below zero"},
		{"accepted answered orphaned=-1", "P8: a time is below zero"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct person p = row_person(rows[n].person);
		const char *wrong = person_invalid(&p);

		if (strcmp(wrong ? wrong : "", rows[n].wrong ? rows[n].wrong : "") != 0)
			fail_msg("%s: %s, not %s", rows[n].person, wrong, rows[n].wrong);
	}
}

static void words_of_no_enum_are_found(void **state)
{
	struct person p;

	(void)state;
	p = row_person("accepted answered");
	p.state = (enum person_state)(-1);
	assert_string_equal(person_invalid(&p), "P1: not a state that can be stored");
	p = row_person("accepted answered");
	p.reason = (enum person_reason)(-1);
	assert_string_equal(person_invalid(&p), "P1: a reason that is none of the state's");
	p.reason = (enum person_reason)PERSON_REASONS;
	assert_string_equal(person_invalid(&p), "P1: a reason that is none of the state's");
	p = row_person("accepted answered orphaned=1");
	p.orphan_reason = (enum person_reason)PERSON_REASONS;
	assert_string_equal(
		person_invalid(&p), "P7: no account leads here, for a reason that takes none away");
	p = row_person("accepted answered");
	p.priority = (enum priority)PRIORITIES;
	assert_string_equal(person_invalid(&p), "P8: not a priority");
	p.priority = (enum priority)(-1);
	assert_string_equal(person_invalid(&p), "P8: not a priority");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_has_its_reasons),
		cmocka_unit_test(what_cannot_be_is_found),
		cmocka_unit_test(words_of_no_enum_are_found),
	};

	return cmocka_run_group_tests_name("person: invariants", tests, NULL, NULL);
}
