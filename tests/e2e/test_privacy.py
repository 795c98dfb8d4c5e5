#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I21 (docs/design.md, "Invariants").
"""History and privacy: one person's history, what the log shows about a person, what is stored for how long, and what
remains of a forgotten person.
"""
import os
import re
import sqlite3
import time

import harness

ALICE, BOB, CAROL = ("alice.liddell@example.com", "bob@example.com", "carol@example.com")
DAY = 86400


class AliceAndBob(harness.NewSite):
    unmanaged = (ALICE, BOB)

    def arrive(self, *users):
        """They log in, and both programs do what is due; returns what they logged."""
        for user in users:
            self.site.arrive_account(user)
        return self.site.collector_once() + self.site.dispatcher_once()

    def ledger(self, statement, *values):
        with sqlite3.connect(self.site.path("state/ledger.db"), timeout=10) as ledger:
            return ledger.execute(statement, values).fetchall()

    def resync(self):
        self.ledger("UPDATE meta SET value = '1' WHERE key = 'resync_at'")
        return self.site.dispatcher_once()

    def story(self, who):
        said = self.site.json("history", "--json", who)["history"]
        return [(e["event"], e["cause"], e["actor"]) for e in said]


class History(AliceAndBob):

    def test_one_person_from_the_first_login_to_the_answer(self):
        self.arrive("alice.liddell")
        self.google.accept(ALICE)
        self.resync()
        story = self.story("alice.liddell")
        self.assertEqual([what for what, _, _ in story],
                         ["seen", "evaluated", "queued", "sending", "invited", "accepted"])
        causes = dict((what, cause) for what, cause, _ in story)
        actors = dict((what, actor) for what, _, actor in story)
        self.assertEqual(causes["seen"], "login")
        self.assertIn("{user}@example.com", causes["evaluated"])
        self.assertIn("login of alice.liddell", causes["queued"])
        self.assertEqual((actors["seen"], actors["evaluated"], actors["accepted"]),
                         ("collector", "rules", "dispatcher"))
        self.assertTrue(causes["accepted"])
        times = [e["at"] for e in self.site.json("history", "--json", ALICE)["history"]]
        self.assertEqual(times, sorted(times))

    def test_decisions_are_recorded_with_the_actor(self):
        self.arrive("carol")
        for verb in (("block", "--reason", "on leave", CAROL), ("unblock", CAROL)):
            self.assertEqual(self.site.run(*verb).returncode, 0)
        self.google.accounts({"address": CAROL})
        self.assertEqual(self.site.run("retry", CAROL).returncode, 0)
        self.site.dispatcher_once()
        self.assertEqual(self.site.run("send", "--resend", "--reason", "the mail was lost",
                                       CAROL).returncode, 0)
        by_us = [(what, cause) for what, cause, actor in self.story("carol") if actor == "root"]
        self.assertIn(("blocked", "on leave"), by_us)
        self.assertIn(("queued", "queued again"), by_us)
        self.assertTrue([cause for _, cause in by_us if "the mail was lost" in str(cause)], by_us)

    def test_decisions_about_the_service_are_listed_without_a_name(self):
        self.arrive("bob")
        self.site.run("pause", "--reason", "the announcement goes out first")
        self.site.run("resume")
        said = self.site.json("history", "--json")
        self.assertEqual([(e["event"], e["actor"]) for e in said["history"]],
                         [("paused", "root"), ("resumed", "root")])
        self.assertIn("announcement", self.site.run("history").stdout)

    def test_a_block_is_stronger_than_retry(self):
        self.arrive("carol")
        self.site.run("block", "--reason", "on leave", CAROL)
        done = self.site.run("retry", CAROL)
        self.assertEqual(done.returncode, 7)
        self.assertIn("cloudinvite unblock " + CAROL, done.stderr)

    def test_times_of_logins_are_not_kept_but_days(self):
        self.arrive("bob")
        self.ledger("SELECT 1")
        for table, column in (("history", "at"),):
            rows = self.ledger(f"SELECT {column} FROM {table} WHERE event IN"
                               " ('seen', 'evaluated', 'queued')")
            self.assertEqual({at % DAY for at, in rows}, {0})
        self.assertEqual({day % DAY for day, in self.ledger("SELECT first_day FROM sighting")}
                         | {day % DAY for day, in self.ledger("SELECT first_day FROM person")}, {0})


class Retention(AliceAndBob):

    def test_history_and_sends_end_after_retain_history(self):
        self.arrive("alice.liddell", "bob")
        old = int(time.time()) - 401 * DAY
        self.ledger("UPDATE history SET at = ? WHERE address = ?", old, BOB)
        self.ledger("UPDATE send SET at = ? WHERE address = ?", old, BOB)
        self.site.dispatcher_once()
        self.assertEqual(self.ledger("SELECT count(*) FROM history WHERE address = ?", BOB), [(0,)])
        self.assertEqual(self.ledger("SELECT count(*) FROM send WHERE address = ?", BOB), [(0,)])
        self.assertNotEqual(self.story(ALICE), [])
        people = self.site.json("status", "--json", BOB)["people"]
        self.assertEqual([p["state"] for p in people], ["invited"])  # and so is not mailed again
        self.arrive("bob")
        self.assertEqual(self.google.mailbox()["counts"], {ALICE: 1, BOB: 1})

    def test_a_person_who_is_gone_and_was_never_invited_ends_after_retain_gone(self):
        self.arrive("carol")
        self.site.remove_user("carol")
        self.site.arrive("carol", "deleted")
        self.site.collector_once()
        self.site.collector_once()
        self.site.dispatcher_once()
        self.ledger("UPDATE sighting SET gone_day = gone_day - ?", 31 * DAY)
        self.ledger("UPDATE person SET orphaned_since = orphaned_since - ?", 31 * DAY)
        self.site.dispatcher_once()
        self.assertEqual(self.ledger("SELECT count(*) FROM sighting"), [(0,)])
        self.assertEqual(self.ledger("SELECT count(*) FROM person"), [(0,)])


class Forgotten(AliceAndBob):

    def test_nothing_on_disk_holds_the_address(self):
        self.google.faults({"route": "check", "action": "status", "status": 400, "times": 1,
                            "body": '{"error":{"code":400,"message":"no ' + ALICE + '"}}'})
        self.arrive("alice.liddell")
        self.assertEqual(self.site.run("forget", ALICE).returncode, 0)
        left = []
        for folder, _, names in os.walk(self.site.root):
            for name in names:
                path = os.path.join(folder, name)
                if name in ("passwd", "group", "host"):  # the existing accounts
                    continue
                with open(path, "rb") as file:
                    if b"liddell" in file.read() or "liddell" in name:
                        left.append(path)
        self.assertEqual(left, [])


class Log(AliceAndBob):
    """Every user who may read the journal may read these lines."""

    NAMED = {"code": 400, "message": f"{ALICE} and {BOB} are not users", "status":
             "INVALID_ARGUMENT"}

    def everything(self):
        """Invited, refused with a body that names people, unconfirmed, found by the resync."""
        said = self.arrive("carol")
        self.google.faults([
            {"route": "check", "address": ALICE, "action": "status", "status": 400, "times": 1,
             "body": '{"error":' + str(self.NAMED).replace("'", '"') + "}"},
            {"route": "send", "address": BOB, "action": "drop_after", "times": 1}])
        said += self.arrive("alice.liddell", "bob")
        self.google.accounts({"address": CAROL})
        said += self.resync()
        for verb in (("check", CAROL), ("get", CAROL), ("retry", ALICE), ("send", ALICE)):
            self.site.run(*verb)
        return said + self.site.dispatcher_once()

    def test_addresses_are_masked(self):
        said = self.everything()
        self.assertIn("b***b@example.com", said)
        self.assertEqual([line for line in said.splitlines()
                          if re.search("(alice.liddell|bob|carol)@example", line)], [])

    def test_unless_they_are_asked_for(self):
        self.site.write_settings({"privacy": {"log_addresses": "full"}})
        said = self.everything()
        self.assertIn(BOB, said)
        self.assertNotIn("***", said)


if __name__ == "__main__":
    harness.main()
