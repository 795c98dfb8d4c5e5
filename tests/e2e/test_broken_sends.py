#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Shows I7 (docs/design.md, "Invariants").
"""Sends with broken replies, through the dispatcher and its ledger: no person is mailed twice, and a person without a
mail is in a state that says why.
"""
import contextlib
import sqlite3
import unittest

import harness
import test_wire
import test_wire_http2
import wire


class Sends(harness.Test):

    make_wire = wire.Wire

    def setUp(self):
        self.google = harness.Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.wire = self.make_wire(self.google)
        self.addCleanup(self.wire.close)
        self.site = harness.Site(self.google, {"google": {
            "endpoint": self.wire.url, "ca_file": self.wire.file("ca.pem"), "timeout": "2s"}})
        self.site.__enter__()
        self.addCleanup(self.site.__exit__)

    def ledger(self, statement):
        with contextlib.closing(sqlite3.connect(self.site.path("state/ledger.db"), timeout=30)) \
                as connection, connection:
            return connection.execute(statement).fetchall()

    def meet(self, cases):
        """One person logs in for each case, and the send meets it; returns how many have a mail by then."""
        for number, how in enumerate(cases):
            self.google.accounts({"address": f"person{number}@example.com"})
            self.site.arrive_account(f"person{number}")
            self.site.collector_once()
            self.wire.break_next(how, ":send")
            self.site.dispatcher_once()
            self.assertIsNone(self.wire.how, "nothing was sent")
        return sum(self.google.mailbox()["counts"].values())

    def rest(self, rounds=3):
        """Time passes for people who wait, and nothing fails any more."""
        for _ in range(rounds):
            self.ledger("UPDATE person SET next_attempt = 1, runnable_at = 1 WHERE runnable_at > 0")
            self.site.dispatcher_once()

    def expect(self, count):
        """At most one mail each, no send but the first, and a state that says so."""
        mails = self.google.mailbox()["counts"]
        self.assertEqual({address for address, n in mails.items() if n > 1}, set())
        sends = [path for _, path in self.wire.requests if path.endswith(":send")]
        people = self.ledger("SELECT address, state, reason FROM person")
        self.assertEqual(len(people), count)
        for address, state, reason in people:
            expected = "invited" if address in mails else "unconfirmed"
            self.assertEqual(state, expected, (address, reason))
            self.assertTrue(reason, address)
        return sends

    def test_no_person_is_mailed_twice_over_http_1(self):
        cases = [broken.how for cases in (test_wire.CUTS, test_wire.LENGTHS, test_wire.STATUSES)
                 for broken in cases.values()]
        self.meet(cases)
        self.rest()
        self.assertEqual(len(self.expect(len(cases))), len(cases))


@unittest.skipUnless(test_wire_http2.wire_http2, "needs python3-h2")
class SendsOverHttp2(Sends):

    make_wire = test_wire_http2.Frames.make_wire
    test_no_person_is_mailed_twice_over_http_1 = None

    def test_no_person_is_mailed_twice_over_http_2(self):
        cases = [broken.how for cases in (test_wire_http2.CUTS, test_wire_http2.RESETS)
                 for broken in cases.values()]
        self.meet(cases)
        self.rest()
        self.assertEqual(len(self.expect(len(cases))), len(cases))

    def test_a_request_refused_before_processing_is_sent_the_next_time(self):
        cases = list(test_wire_http2.REFUSALS.values())
        self.assertEqual(self.meet(cases), 0)
        queued = self.ledger("SELECT state, reason FROM person")
        self.assertEqual({state for state, _ in queued}, {"queued"}, queued)
        self.rest()
        self.assertEqual(len(self.expect(len(cases))), 2 * len(cases))
        self.assertEqual(len(self.google.mailbox()["counts"]), len(cases))


if __name__ == "__main__":
    harness.main()
