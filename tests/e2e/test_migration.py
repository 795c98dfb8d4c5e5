#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows L16 (common/ledger/README.md).
"""A ledger of schema version 1, as an update finds it: who may migrate it, and that the work goes on where the earlier
program left it. The rows and words are compared in tests/unit/ledger_migration_test.c."""
import contextlib
import os
import sqlite3

import harness

FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../unit/fixtures/ledger_v1.sql")
FIRST, SENT, DECLINED, HELD = (f"{name}@example.com" for name in ("q.first", "i.sent", "d.eclined", "h.dry"))


class Migration(harness.NewSite):
    unmanaged = (FIRST, SENT, DECLINED, HELD)

    def setUp(self):
        super().setUp()
        self.ledger_path = self.site.path("state/ledger.db")
        with open(FIXTURE, encoding="utf-8") as file:
            self.sql(file.read())
        self.sql("UPDATE about SET customer = '" + self.site.settings["google"]["customer"] + "'")

    def sql(self, script):
        with contextlib.closing(sqlite3.connect(self.ledger_path, timeout=30)) as connection, connection:
            connection.executescript(script)

    def rows(self, statement):
        with contextlib.closing(sqlite3.connect(self.ledger_path, timeout=30)) as connection, connection:
            return connection.execute(statement).fetchall()

    def resume(self):
        """The pause of the breaker, and the reconcile."""
        for _ in range(2):
            done = self.site.run("resume")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_command_that_only_reads_asks_for_the_services(self):
        for verb in (("status",), ("history", FIRST), ("report", "--output", self.site.path("page.html"))):
            done = self.site.run(*verb)
            self.assertEqual(done.returncode, 8, verb)
            said = " ".join(done.stderr.split())
            self.assertIn("the ledger has schema version 1, but this program supports version 2", said)
            self.assertIn("Restart the services: they migrate the ledger when they start.", said)
        self.assertEqual(self.rows("PRAGMA user_version"), [(1,)])
        self.resume()
        self.assertEqual(self.rows("PRAGMA user_version"), [(2,)])

    def test_the_dispatcher_goes_on_where_the_earlier_one_stopped(self):
        self.site.dispatcher_once()
        pause = self.site.json("status", "--json")["service"]["pause"]
        self.assertEqual(pause["kind"], "breaker")
        self.assertEqual(self.google.mailbox()["total"], 0)
        self.resume()
        self.site.dispatcher_once()
        people = {person["address"]: (person["state"], person["reason"])
                  for person in self.site.json("status", "--json", "--all")["people"]}
        self.assertEqual(people[FIRST], ("invited", "sent"))
        self.assertEqual(people[DECLINED][0], "declined")
        self.assertEqual(people[HELD], ("held", "dry_run"))
        # A send that came to nothing, of a person whose account was seen: queued, and checked.
        self.assertEqual(people["h.asked@example.com"], ("not_invitable", "not_invitable"))
        mailed = [mail["to"] for mail in self.google.mailbox()["mails"]]
        self.assertIn(FIRST, mailed)
        self.assertEqual({SENT, DECLINED, HELD} & set(mailed), set())
        self.assertIn("evaluated", self.site.run("history", FIRST).stdout)

    def test_the_collector_may_be_the_first_to_start(self):
        self.site.arrive_account("newcomer")
        self.site.collector_once()
        self.assertEqual(self.rows("PRAGMA user_version"), [(2,)])
        self.assertEqual(self.rows("SELECT trigger FROM sighting WHERE account = 'newcomer'"), [("login",)])
        self.resume()

    def test_doctor_names_the_version_after_the_migration(self):
        self.site.dispatcher_once()
        self.resume()
        self.assertIn("schema 2", self.site.run("doctor").stdout)


if __name__ == "__main__":
    harness.main()
