#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I12 (docs/design.md, "Invariants").
"""The host's clock jumps a day back, back to right, a day ahead and back to right again, every few seconds, while
people log in and mails are in flight. No person is lost, mailed twice, or waits until the wrong clock's time; the rate
limit holds; and no token is used that Google considers expired.

The programs run under libfaketime, which moves their wall clock and leaves the boot clock alone, as a jump does. With
each jump an hour passes, for them and for Google: the life of a token. CLOUDINVITE_JUMPERS=N people for each of the
clocks (default 40; 200 for the long run, which keeps the rate limit to the end).
"""
import contextlib
import glob
import os
import sqlite3
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import harness  # pylint: disable=wrong-import-position
from harness import Emulator, Site  # pylint: disable=wrong-import-position
from test_rate_limit import busiest_minute  # pylint: disable=wrong-import-position

CROWD = int(os.environ.get("CLOUDINVITE_JUMPERS", "40"))
LONG = CROWD >= 200
DAY, HOUR = 86400, 3600
# Ahead comes last: a clock that is behind must not help people who were scheduled by it.
CLOCKS = ((0, DAY, 0, -DAY) if LONG else ()) + (0, -DAY, 0, DAY, 0)
LIMIT = 600  # calls in any minute: enough for all but the last group
LATE = 3  # of each group must be checked again
CALLS_A_PERSON = 3
SECONDS = 3  # with each clock; in the long run as many as the rate limit needs for the group
LIBRARY = glob.glob("/usr/lib*/*/faketime/libfaketimeMT.so.1") + \
    glob.glob("/usr/lib*/faketime/libfaketimeMT.so.1")


@unittest.skipUnless(LIBRARY, "needs libfaketime")
class Jumps(harness.Test):

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        count = CROWD * len(CLOCKS)
        self.google.accounts([
            {"prefix": "person", "count": count, "domain": "example.com"},
            {"prefix": "made", "count": len(CLOCKS), "domain": "example.com"}])
        self.google.latency({"route": "*", "ms": 50})
        self.site = Site(self.google, {
            "google": {"requests_per_minute": str(LIMIT)},
            "invitations": {"creation_delay": "1m"}}).__enter__()
        self.addCleanup(lambda: self.site.__exit__())  # pylint: disable=unnecessary-lambda
        self.users = [f"person{n}" for n in range(count)]
        self.site.write("etc/passwd", self.site.read("etc/passwd") + "".join(
            f"{user}:x:{2000 + n}:100::/home/{user}:/bin/bash\n"
            for n, user in enumerate(self.users)))
        self.site.collector_once()  # they existed before
        self.hours = 0
        self.set_clock(0)
        with self.faked():
            self.collector = self.site.start_collector()
            self.dispatcher = self.site.start_dispatcher()

    @contextlib.contextmanager
    def faked(self):
        names = {"LD_PRELOAD": LIBRARY[0], "FAKETIME_TIMESTAMP_FILE": self.site.path("clock"),
                 "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1",
                 "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        os.environ.update(names)
        yield
        for name in names:
            del os.environ[name]

    def set_clock(self, seconds):
        self.site.write("clock+", f"{seconds:+d}\n")
        os.rename(self.site.path("clock+"), self.site.path("clock"))

    def ledger(self, statement):
        with contextlib.closing(sqlite3.connect(self.site.path("state/ledger.db"),
                                                timeout=30)) as connection:
            return connection.execute(statement).fetchall()

    def calls(self):
        return [entry for entry in self.google.log() if entry["route"] != "token"]

    def jump(self, number, clock):
        """An hour passes, the clock is set, and a group logs in, with one new account."""
        self.google.advance(f"{HOUR}s")
        self.hours += 1
        self.set_clock(clock + self.hours * HOUR)
        crowd = self.users[number::len(CLOCKS)]
        self.google.faults([{"route": "check", "address": f"{user}@example.com", "status": 503}
                            for user in crowd[::CROWD // LATE]])
        self.site.add_user(f"made{number}")
        for user in crowd:
            self.site.arrive(user)
        rate = LIMIT - LIMIT // 10
        time.sleep(60 * CROWD * CALLS_A_PERSON / rate if LONG else SECONDS)

    def an_hour_later(self):
        """For accounts that settle, and for people who are checked again."""
        self.hours += 1
        self.set_clock(self.hours * HOUR)
        self.google.advance(f"{HOUR}s")
        os.utime(self.site.path("run/commands.wake"))

    def test_no_person_is_lost_or_delayed_and_the_rate_limit_holds_while_the_clock_jumps(self):
        for number, clock in enumerate(CLOCKS):
            self.jump(number, clock)
        self.an_hour_later()
        calls = self.finish()
        self.assertLessEqual(busiest_minute(calls), LIMIT)
        log = self.google.log()
        self.assertEqual([entry for entry in log if entry["status"] == 401], [])
        late = [entry for entry in calls if entry["status"] == 503]
        self.assertGreaterEqual(len(late), LATE * (len(CLOCKS) - 1), "not asked while it was ahead")
        minted = [entry for entry in log if entry["route"] == "token" and entry["status"] == 200]
        self.assertIn(len(minted), range(len(CLOCKS) // 2, len(CLOCKS) + 5))
        self.assertEqual(set(self.google.mailbox()["counts"].values()), {1})
        print(f"# {len(CLOCKS) - 1} jumps, {len(self.users)} people: {len(log)} calls, at most "
              f"{busiest_minute(calls)} in a minute, {len(minted)} tokens", flush=True)

    def finish(self):
        """Makes the calls under the rate limit. In the short run it is used up by now, and is then lifted."""
        began, all_people = time.monotonic(), len(self.users) + len(CLOCKS)
        harness.wait_for(lambda: self.ledger("SELECT count(*) FROM person") == [(all_people,)],
                         "all people in the ledger")
        calls = self.calls()
        if not LONG:
            self.site.write_settings({"google": {"requests_per_minute": "0"}})
            os.kill(self.dispatcher.pid, 1)
            harness.wait_for(lambda: self.left("reason <> 'retry'") == [], "all first answers")
            self.an_hour_later()
        try:
            harness.wait_for(lambda: self.left() == [], "all mails", 150 if LONG else 20)
        except AssertionError:
            self.fail(f"not all have a mail: {self.left()}")
        print(f"# all mails {time.monotonic() - began:.0f} s after the last jump", flush=True)
        return self.calls() if LONG else calls

    def left(self, where="1"):
        """People without a mail, and in how many seconds of the right clock they are due."""
        return self.ledger(
            f"SELECT state, reason, next_attempt - unixepoch() - {self.hours * HOUR}, count(*) FROM person "
            f"WHERE state <> 'invited' AND {where} GROUP BY 1, 2, 3")


if __name__ == "__main__":
    harness.main()
