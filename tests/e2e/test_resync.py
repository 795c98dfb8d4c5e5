#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Resync instead of polling: what 10,000 people cost in calls, on the first day and afterwards, as Google has counted
them; and lists that break off, change or expire while they are read.

CLOUDINVITE_INVITATIONS=1000000 measures the memory of a resync with as many invitations.
"""
import collections
import contextlib
import os
import sqlite3
import unittest

import harness
from harness import Emulator, Site

PEOPLE = 10000
FOUND = 250  # have an unmanaged account that the list shows, …
YOUNG = 20      # … that it hides, because it is of the last 48 hours, …
OTHERS = 50     # … and were invited by another sender long ago
UNKNOWN = 500  # are at Google, but were never seen on this host
PAGE = 200
INVITATIONS = int(os.environ.get("CLOUDINVITE_INVITATIONS", "20000"))


class Resync(harness.Test):

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = Site(self.google).__enter__()
        self.addCleanup(lambda: self.site.__exit__())  # pylint: disable=unnecessary-lambda
        self.read = 0

    def arrive(self, users):
        """They log in for the first time, all on one morning."""
        passwd = self.site.read("etc/passwd")
        uid = 1000 + passwd.count("\n")
        for number, user in enumerate(users):
            passwd += f"{user}:x:{uid + number}:100::/home/{user}:/bin/bash\n"
        self.site.write("etc/passwd", passwd)
        for user in users:
            self.site.arrive(user)
        self.site.collector_once()

    def ledger(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.site.path("state/ledger.db"),
                                                timeout=30)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def people(self):
        return collections.Counter(
            word for word, in self.ledger("SELECT state || ' ' || reason FROM person"))

    def person(self, user):
        return self.ledger("SELECT state, reason FROM person WHERE address = ?",
                           user + "@example.com")[0]

    def calls(self):
        """The calls since the last time, by method, without the one that replaces an expired token."""
        log = self.google.log(self.read)
        self.read += len(log)
        return dict(collections.Counter(entry["route"] for entry in log
                                        if entry["route"] != "token" and entry["status"] != 401))

    def a_day_later(self, at_google="24h"):
        self.google.advance(at_google)
        self.ledger("UPDATE meta SET value = value - 86400 WHERE key IN ('resync_at', 'backlog_at')")
        self.site.dispatcher_once()
        return self.calls()

    def open_accounts(self, prefix, count, **more):
        self.google.accounts({"prefix": prefix, "count": count, "domain": "example.com", **more})

    def small_site(self, count=600):
        """So many who have been invited: several pages."""
        self.open_accounts("person", count)
        self.arrive([f"person{number}" for number in range(count)])
        self.site.dispatcher_once()
        self.assertEqual(self.people(), {"invited sent": count})
        self.calls()

    def test_ten_thousand_people_cost_what_the_design_says(self):
        self.open_accounts("found", FOUND)
        self.open_accounts("young", YOUNG, created="1h")
        self.open_accounts("other", OTHERS, state="INVITED", mails=1, updated="20d")
        self.open_accounts("stranger", UNKNOWN)
        users = [f"{kind}{number}" for kind, count in
                 (("found", FOUND), ("young", YOUNG), ("other", OTHERS),
                  ("nobody", PEOPLE - FOUND - YOUNG - OTHERS)) for number in range(count)]
        self.arrive(users)
        self.site.dispatcher_once()
        pages = -(-(FOUND + OTHERS + UNKNOWN) // PAGE)
        first = self.calls()
        # Three for each who is invited, one for each without an account, none for those who have been invited before,
        # and the list once.
        self.assertEqual(first, {"list": pages, "check": PEOPLE - OTHERS, "get": FOUND + YOUNG,
                                 "send": FOUND + YOUNG})
        self.assertEqual(self.people(), {
            "invited sent": FOUND + YOUNG, "invited by_others": OTHERS,
            "not_invitable not_invitable": PEOPLE - FOUND - YOUNG - OTHERS})
        self.assertEqual(set(self.google.mailbox()["counts"].values()), {1})
        self.assertEqual(self.google.mailbox()["total"], FOUND + YOUNG)

        self.google.accept("found0@example.com")
        self.google.decline("found1@example.com")
        self.open_accounts("nobody", 3, created="60h")
        days = [self.a_day_later() for _ in range(4)]
        pages = -(-(FOUND + YOUNG + OTHERS + UNKNOWN + 3) // PAGE)
        for day in days:
            self.assertEqual(list(day), ["list"])
            self.assertLessEqual(day["list"], pages)
        self.assertEqual(self.person("found0"), ("accepted", "answered"))
        self.assertEqual(self.person("found1"), ("declined", "answered"))
        for number in range(3):
            self.assertEqual(self.person(f"nobody{number}"), ("held", "discovered"))
        self.assertEqual(self.google.mailbox()["total"], FOUND + YOUNG)
        print(f"# {PEOPLE} people: {sum(first.values())} calls {first}; then "
              f"{[sum(day.values()) for day in days]} a day", flush=True)

    def test_where_fewer_are_open_than_the_list_has_pages_each_is_asked_about(self):
        self.open_accounts("stranger", 1900)
        self.open_accounts("person", 4)
        self.arrive([f"person{number}" for number in range(4)])
        self.site.dispatcher_once()
        self.calls()
        self.assertEqual(self.a_day_later(), {"list": 10})  # learns how many pages there are
        self.google.decline("person1@example.com")
        self.assertEqual(self.a_day_later(), {"get": 4})
        self.assertEqual(self.person("person1"), ("declined", "answered"))
        self.assertEqual(self.a_day_later(), {"get": 3})

    def test_a_page_token_that_has_expired_begins_the_list_again(self):
        self.small_site()
        self.google.decline("person599@example.com")
        self.google.faults({"route": "list", "after": 1, "status": 400})
        self.assertEqual(self.a_day_later("1s"), {"list": 2})
        self.assertIsNone(self.site.json("status", "--json")["service"]["pause"])
        self.assertEqual(self.a_day_later(), {"list": 3})
        self.assertEqual(self.person("person599"), ("declined", "answered"))
        self.assertEqual(self.people()["invited sent"], 599)

    def test_a_list_that_breaks_off_concludes_nothing_about_those_behind(self):
        for fault in ({"status": 429, "headers": {"Retry-After": "3600"}}, {"status": 500},
                      {"action": "truncate"}, {"action": "drop_after"}):
            with self.subTest(fault=fault):
                self.google.reset()
                self.read = 0
                self.ledger_gone()
                self.small_site(450)
                before = self.people()
                self.google.faults({"route": "list", "after": 1, "times": 0, **fault})
                self.a_day_later("1s")
                self.assertEqual(self.people(), before)
                self.google.clear_faults()
                self.google.decline("person99@example.com")  # on the last page
                self.assertEqual(self.a_day_later(), {"list": 3})
                self.assertEqual(self.person("person99"), ("declined", "answered"))

    def peak(self):
        """The most memory of one resync, in KiB."""
        self.google.advance("24h")
        self.ledger("UPDATE meta SET value = value - 86400 WHERE key = 'resync_at'")
        before = self.google.stats()["list"]
        pages = -(-self.google.control("GET", "accounts")["count"] // PAGE)
        program = self.site.start_dispatcher()
        harness.wait_for(lambda: self.google.stats()["list"] >= before + pages, "the resync", 600)
        with open(f"/proc/{program.pid}/status", encoding="ascii") as status:
            fields = dict(line.split(":", 1) for line in status)
        harness.stop(program)
        return int(fields["VmHWM"].split()[0])

    @unittest.skipIf(harness.SANITIZED, "a sanitizer keeps what is given back")
    def test_a_resync_needs_the_same_memory_however_long_the_list_is(self):
        self.small_site(450)
        few = self.peak()
        self.open_accounts("stranger", INVITATIONS)
        many = self.peak()
        print(f"# at most {few} KiB with 450 invitations, {many} KiB with {INVITATIONS + 450}",
              flush=True)
        self.assertLess(many - few, 512)

    def ledger_gone(self):
        """A new site."""
        self.site.__exit__()
        self.site = Site(self.google).__enter__()

    def test_a_person_who_moves_between_the_pages_while_they_are_read_is_seen_the_next_day(self):
        self.small_site(450)
        self.google.latency({"route": "list", "ms": 400})
        self.google.advance("24h")
        self.ledger("UPDATE meta SET value = value - 86400 WHERE key = 'resync_at'")
        program = self.site.start_dispatcher()
        harness.wait_for(lambda: self.google.stats()["list"] >= 1, "the first page")
        self.google.decline("person0@example.com")
        self.google.decline("person99@example.com")
        for number in range(50):  # before the page that is being read
            self.google.accounts({"address": f"a{number}@example.com"})
        harness.wait_for(lambda: self.google.stats()["list"] >= 3, "the last page")
        harness.wait_for(lambda: self.person("person99") == ("declined", "answered"), "its answer")
        harness.stop(program)
        self.google.latency({"route": "list", "ms": 0})
        self.calls()
        self.assertEqual(self.a_day_later(), {"list": 3})
        self.assertEqual(self.people(), {"invited sent": 448, "declined answered": 2})

    def test_a_dispatcher_killed_within_a_resync_begins_it_again(self):
        self.small_site(450)
        self.google.decline("person99@example.com")
        self.google.latency({"route": "list", "ms": 400})
        self.google.advance("24h")
        self.ledger("UPDATE meta SET value = value - 86400 WHERE key = 'resync_at'")
        program = self.site.start_dispatcher()
        harness.wait_for(lambda: self.google.stats()["list"] >= 2, "the second page")
        program.kill()
        program.wait()
        self.assertEqual(self.person("person99"), ("invited", "sent"))
        self.calls()
        self.google.latency({"route": "list", "ms": 0})
        self.site.dispatcher_once()
        self.assertEqual(self.calls(), {"list": 3})
        self.assertEqual(self.person("person99"), ("declined", "answered"))


if __name__ == "__main__":
    harness.main()
