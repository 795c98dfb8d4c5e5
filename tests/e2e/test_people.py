#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No one gets a mail by accident, and no one is forgotten: stories of one person, with the programs and commands."""
import glob
import os

import harness
from harness import Emulator, Site

ALICE = "alice@example.com"
MARY = "mary@example.com"


class People(harness.Test):

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = Site(self.google).__enter__()
        self.addCleanup(lambda: self.site.__exit__())  # pylint: disable=unnecessary-lambda

    def person(self, address):
        for person in self.site.json("status", "--json", "--all")["people"]:
            if person["address"] == address:
                return person["state"], person["reason"]
        return None

    def log_in(self, user):
        self.site.arrive_account(user)
        self.site.collector_once()
        self.site.dispatcher_once()

    def mails(self):
        return self.google.mailbox()["counts"]

    def test_a_slip_in_the_map_is_held_until_approved(self):
        self.google.accounts({"address": MARY})
        self.log_in("bob")
        self.site.write("etc/addresses.map", "bob mary@example.com\n")
        self.site.write_settings({"people": {"map": self.site.path("etc/addresses.map")}})
        self.site.dispatcher_once()
        self.assertEqual(self.person(MARY), ("held", "address_changed"))
        self.assertEqual(self.mails(), {})
        self.assertIn("mapped to another one before", " ".join(self.site.run("explain", MARY).stdout.split()))
        self.assertIn("approve --reason address_changed", self.site.run("status").stdout)
        self.assertEqual(self.site.run("approve", "--reason", "address_changed").returncode, 0)
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {MARY: 1})

    def test_a_send_while_google_is_down_does_not_replace_the_first_login(self):
        self.google.accounts({"address": ALICE})
        self.google.faults({"route": "check", "action": "status", "status": 503})
        self.assertNotEqual(self.site.run("send", ALICE).returncode, 0)
        self.google.clear_faults()
        self.log_in("alice")
        self.assertEqual(self.person(ALICE), ("invited", "sent"))
        self.assertEqual(self.mails(), {ALICE: 1})

    def test_a_block_survives_a_lost_ledger(self):
        self.google.accounts({"address": ALICE})
        self.assertEqual(self.site.run("block", "--reason", "asked not to be written to", ALICE).returncode, 0)
        for path in glob.glob(self.site.path("state/ledger.db*")):
            os.unlink(path)
        self.log_in("alice")
        self.assertIn("asked not to be written to", self.site.run("explain", ALICE).stdout)
        self.assertEqual(self.mails(), {})

    def test_unblock_waits_for_the_mail_of_a_forgotten_person(self):
        self.google.accounts({"address": ALICE})
        self.log_in("alice")
        self.assertEqual(self.mails(), {ALICE: 1})
        self.assertEqual(self.site.run("block", "--reason", "asked", ALICE).returncode, 0)
        self.assertEqual(self.site.run("forget", ALICE).returncode, 0)
        refused = self.site.run("unblock", ALICE)
        self.assertEqual(refused.returncode, 7)
        self.assertIn("may not show it yet", refused.stderr)
        self.log_in("alice")
        self.assertEqual(self.mails(), {ALICE: 1})


if __name__ == "__main__":
    harness.main()
