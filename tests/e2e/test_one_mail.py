#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I5, I6, I9 (docs/design.md, "Invariants").
"""At most one mail: programs that are killed at every step of a send, connections that are lost at every step, ledgers
that are restored; and no person is lost.

CLOUDINVITE_KILLS=all kills at every single system call instead of a sample of them.
"""
import contextlib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

import ledger_invariants
import harness
from harness import BUILD, Emulator, Site

ALL = os.environ.get("CLOUDINVITE_KILLS") == "all"
SAMPLE = 24  # kills of each program, unless all are requested
SEED = 20261123
# Calls that change a file or exchange data with Google.
STEPS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "renameat", "unlink", "write", "sendto",
         "recvfrom")
HIDDEN, SHOWN = "1h", "30d"  # the age of an account: Google hides young ones


class OneMail(harness.Test):

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.number = 0

    def site(self, **sections):
        site = Site(self.google, sections).__enter__()
        self.addCleanup(site.__exit__)
        return site

    @staticmethod
    def ledger(site, statement, *values):
        with contextlib.closing(sqlite3.connect(site.path("state/ledger.db"), timeout=30)) as \
                connection, connection:
            return connection.execute(statement, values).fetchall()

    def people(self, site):
        return {address: (state, reason) for address, state, reason in
                self.ledger(site, "SELECT address, state, reason FROM person")}

    def make_due(self, site):
        """Makes time pass for the people who wait."""
        self.ledger(site, "UPDATE person SET next_attempt = 1, runnable_at = 1, lease_until = 0 WHERE runnable_at > 0")

    def newcomer(self, site, age=SHOWN, collect=True):
        """A person who was never seen before logs in; returns the address."""
        user = f"person{self.number}"
        self.number += 1
        self.google.accounts({"address": user + "@example.com", "created": age})
        site.arrive_account(user)
        if collect:
            site.collector_once()
        return user + "@example.com"

    def until_quiet(self, site):
        """72 hours of Google's clock for what is open, and again for what is sent then."""
        for _ in range(4):
            self.make_due(site)
            site.dispatcher_once()
            self.assertEqual(ledger_invariants.violations(site.path("state/ledger.db")), [])
            self.google.advance("73h")
        self.make_due(site)
        site.dispatcher_once()

    def assert_nobody_twice(self):
        twice = {to: count for to, count in self.google.mailbox()["counts"].items() if count > 1}
        self.assertEqual(twice, {})

    def assert_all_mailed_once(self, site):
        """People are held only because a hidden account's send was never confirmed: `approve` ends that."""
        self.assert_nobody_twice()
        held = [address for address, state in self.people(site).items() if state[0] == "held"]
        for address in held:
            self.assertEqual(self.people(site)[address], ("held", "unconfirmed"))
            self.assertEqual(self.google.mailbox()["counts"].get(address, 0), 0, address)
            self.assertEqual(site.run("approve", address).returncode, 0)
        site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["counts"],
                         {address: 1 for address in self.people(site)})
        self.assertEqual({state for state, _ in self.people(site).values()}, {"invited"})
        self.assertEqual(ledger_invariants.violations(site.path("state/ledger.db")), [])
        return len(held)


@contextlib.contextmanager
def traces():
    with tempfile.NamedTemporaryFile(prefix="cloudinvite-strace.") as file:
        yield file.name


def can_trace():
    return shutil.which("strace") is not None and subprocess.run(
        ["strace", "-o", "/dev/null", "true"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=False).returncode == 0


@unittest.skipUnless(can_trace(), "needs strace, and the right to trace")
class Kills(OneMail):

    def strace(self, expression, *command):
        with traces() as trace:
            done = subprocess.run(["strace", "-f", "-o", trace, "-e", expression, *command],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=60, check=False)
            with open(trace, encoding="utf-8", errors="replace") as file:
                return done.returncode, file.read()

    def steps(self, *command):
        """[(system call, its number)]: every step of an undisturbed run."""
        status, trace = self.strace("trace=" + ",".join(STEPS), *command)
        self.assertEqual(status, 0, trace[-2000:])
        calls = re.findall(r"^\d+ +(\w+)\(", trace, re.MULTILINE)
        return [(call, number + 1) for call in STEPS for number in range(calls.count(call))]

    def chosen(self, steps):
        return steps if ALL else sorted(random.Random(SEED).sample(steps, min(SAMPLE, len(steps))))

    def kill_at(self, step, *command):
        call, number = step
        status, trace = self.strace(f"inject={call}:signal=KILL:when={number}", *command)
        killed = "+++ killed by SIGKILL" in trace
        self.assertIn(status, (-signal.SIGKILL, 128 + signal.SIGKILL) if killed else (0, 5))
        return killed

    def kill_at_steps(self, site, command, arrive):
        """One new person for each step; an undisturbed run after each kill. Returns how many were killed."""
        arrive()
        steps = self.steps(*command())
        self.assertGreater(len(steps), 40)
        kills = 0
        for n, step in enumerate(self.chosen(steps)):
            arrive(HIDDEN if n % 3 == 0 else SHOWN)
            kills += self.kill_at(step, *command())
            site.dispatcher_once()
            self.assert_nobody_twice()
            self.assertEqual(ledger_invariants.violations(site.path("state/ledger.db")), [], step)
        return kills

    def test_a_dispatcher_killed_at_any_step_mails_no_person_twice_and_forgets_none(self):
        site = self.site()
        dispatcher = [os.path.join(BUILD, "cloudinvite-dispatcher"), "-c", site.conf, "--once"]
        kills = self.kill_at_steps(site, lambda: dispatcher,
                           lambda age=SHOWN: self.newcomer(site, age))
        self.assertGreater(kills, SAMPLE // 2)
        self.until_quiet(site)
        held = self.assert_all_mailed_once(site)
        print(f"# {kills} kills, {self.number} people, {held} had to be approved", flush=True)

    def test_a_send_by_name_killed_at_any_step_mails_no_person_twice_and_forgets_none(self):
        site = self.site()
        site.dispatcher_once()
        named = []

        def arrive(age=SHOWN):
            named.append(f"named{len(named)}@example.com")
            self.google.accounts({"address": named[-1], "created": age})

        kills = self.kill_at_steps(site, lambda: [os.path.join(BUILD, "cloudinvite"), "-c", site.conf,
                                          "send", named[-1]], arrive)
        self.assertGreater(kills, SAMPLE // 2)
        self.until_quiet(site)
        self.assert_nobody_twice()
        # The administrator sees that the command was killed, and repeats it when its lease is over.
        self.ledger(site, "UPDATE person SET lease_until = 0, lease_owner = ''")
        for address in named:
            known = self.people(site).get(address, ("", ""))
            if known[0] == "invited":
                continue
            self.assertIn(known, (("", ""), ("held", "manual"), ("held", "unconfirmed")))
            self.assertEqual(self.google.mailbox()["counts"].get(address, 0), 0, known)
            again = ["--resend", "--reason", "it was killed"] if known[1] == "unconfirmed" else []
            done = site.run("send", *again, address)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.google.mailbox()["counts"], {address: 1 for address in named})
        print(f"# {kills} kills, {len(named)} people", flush=True)


class Cuts(OneMail):

    FAULTS = (
        {"action": "drop_before"},
        {"action": "drop_after"},
        {"action": "status_after", "status": 500},
        {"action": "status_after", "status": 503},
        {"action": "status_after", "status": 408},
        {"action": "truncate"},
        {"action": "garbage"},
        {"action": "wrong_type"},
        {"action": "html", "status": 502},
        {"action": "status", "status": 429},
        {"action": "delay", "delay_ms": 1500},
    )

    def sends(self):
        return [entry for entry in self.google.log() if entry["route"] == "send"]

    def lose(self, site, fault, fresh):
        """One send that meets the fault, on a new connection or on one that has been used."""
        address = self.newcomer(site)
        if fresh:  # checked by an earlier process, so that the send is the first call of this one
            site.write_settings({"invitations": {"mode": "dry-run"}})
            site.dispatcher_once()
            self.assertEqual(self.people(site)[address], ("held", "dry_run"))
            self.assertEqual(site.run("approve", address).returncode, 0)
            site.write_settings({"invitations": {"mode": "send"}})
        self.google.faults({"route": "send", "address": address, **fault})
        before = len(self.google.log())
        site.dispatcher_once()
        routes = [entry["route"] for entry in self.google.log(before) if entry["route"] != "token"]
        if fresh:
            self.assertEqual(routes[:1], ["send"])
        else:
            self.assertEqual(routes[:3], ["check", "get", "send"])
        self.google.clear_faults()
        self.assertLessEqual(routes.count("send"), 2 if fault.get("status") == 429 else 1, fault)
        return address

    def test_a_connection_lost_at_any_step_is_never_sent_over_again_automatically(self):
        site = self.site(google={"timeout": "1s"})
        for fault in self.FAULTS:
            for fresh in (False, True):
                with self.subTest(fault=fault, fresh=fresh):
                    address = self.lose(site, fault, fresh)
                    self.assert_nobody_twice()
                    state = self.people(site)[address][0]
                    self.assertIn(state, ("invited", "unconfirmed", "queued"))
                    if state == "invited":
                        self.assertEqual(self.google.mailbox()["counts"][address], 1)
        self.until_quiet(site)
        self.assertEqual(self.assert_all_mailed_once(site), 0)


class Restores(OneMail):

    def test_a_restored_ledger_mails_no_person_twice_while_google_hides_them_and_then_continues(self):
        site = self.site()
        self.newcomer(site)
        site.dispatcher_once()
        with sqlite3.connect(site.path("state/ledger.db")) as ledger:
            ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ledger.close()
        shutil.copy(site.path("state/ledger.db"), site.path("state/copy"))
        time.sleep(1.1)  # the journal counts seconds
        since = [self.newcomer(site, HIDDEN if n % 2 else SHOWN) for n in range(5)]
        site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["total"], 6)

        os.rename(site.path("state/copy"), site.path("state/ledger.db"))
        for name in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(site.path("state/ledger.db" + name))
        self.assertIn("reconcile: The ledger is older", site.dispatcher_once())
        # The collector has marked them; this ledger does not know them.
        for address in since:
            site.arrive(address.partition("@")[0])
        site.collector_once()
        site.dispatcher_once()
        late = self.newcomer(site)
        site.dispatcher_once()
        said = site.json("status", "--json")["service"]["reconcile"]
        self.assertEqual((said["cause"], said["list_read"]), ("restored", True))
        self.assertIn("No invitations are sent", site.run("status").stdout)
        self.assertEqual(self.people(site)[late], ("queued", "reconcile"))
        self.assertIn("may be out", site.run("explain", late).stdout)
        self.assertIn("reconcile", site.run("history", late).stdout)
        refused = site.run("send", late)
        self.assertEqual(refused.returncode, 7)
        self.assertIn("--resend", refused.stderr)
        self.google.advance("71h")
        site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["total"], 6)
        self.google.advance("2h")
        self.assertIn("invitations are sent again", site.dispatcher_once())
        site.dispatcher_once()
        self.assertIsNone(site.json("status", "--json")["service"]["reconcile"])
        self.assertEqual(self.people(site)[late], ("invited", "sent"))
        self.assertEqual({self.people(site)[address] for address in since},
                         {("invited", "by_others")})
        self.assert_nobody_twice()
        self.assertEqual(self.google.mailbox()["total"], 7)

    def test_resume_ends_it_for_an_administrator_who_knows_better(self):
        site = self.site()
        self.newcomer(site)
        site.dispatcher_once()
        for name in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(site.path("state/ledger.db" + name))
        late = self.newcomer(site)
        site.dispatcher_once()
        self.assertEqual(site.json("status", "--json")["service"]["reconcile"]["cause"],
                         "other_ledger")
        self.assertEqual(self.people(site)[late], ("queued", "reconcile"))
        self.assertEqual(site.run("pause", "--reason", "lunch").returncode, 0)
        self.assertIn("No invitations are sent for now", site.run("resume").stdout)
        self.assertIn("Invitations are sent again", site.run("resume").stdout)
        self.assertIn("Nothing was paused", site.run("resume").stdout)
        site.dispatcher_once()
        self.assertEqual(self.people(site)[late], ("invited", "sent"))
        self.assert_nobody_twice()


if __name__ == "__main__":
    harness.main()
