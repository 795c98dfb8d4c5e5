#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I4, I5 (docs/design.md, "Invariants").
"""Killed at any moment, under load: while people log in, in each round one of the programs, the spool's keeper, both it
and the collector, an administrator's command or a login that is calling the module dies by SIGKILL, and is started
again. In the end all people who have logged in are known after the next login at the latest, no person has two mails,
the ledger is intact, and nothing is left behind.

As many rounds as 40 seconds allow; CLOUDINVITE_KILLS_ROUNDS=10000 for the long run, CLOUDINVITE_SEED=N to repeat a run.
"""
import contextlib
import ctypes
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import ledger_invariants  # pylint: disable=wrong-import-position
import harness  # pylint: disable=wrong-import-position
from harness import Emulator, Site  # pylint: disable=wrong-import-position

ROUNDS = int(os.environ.get("CLOUDINVITE_KILLS_ROUNDS", "0"))
SECONDS = 40  # without a number of rounds
SEED = int(os.environ.get("CLOUDINVITE_SEED", str(int(time.time()))))
PEOPLE = 400
UNMANAGED = 150
KEEPER = "cloudinvite-keeper"
PROGRAMS = ("cloudinvite-collector", "cloudinvite-dispatcher")
VERBS = (("status",), ("scan", "--yes"), ("approve", "--all", "--yes"), ("retry", "--all", "--yes"),
         ("check", "person7@example.com"), ("get", "person8@example.com"), ("history",))
QUIET = 4  # of 73 hours each: unconfirmed sends are resolved by Google's clock


class Module:
    """Logins that call the module itself, in a child that may be killed meanwhile."""

    def __init__(self, site):
        self.pam = ctypes.CDLL("libpam.so.0")
        self.module = ctypes.CDLL(os.path.join(harness.BUILD, "pam_cloudinvite.so"))
        self.conf = os.path.join(site.root, "pam")
        os.mkdir(self.conf)
        site.write("pam/sshd", "session required pam_permit.so\n")
        self.words = (ctypes.c_char_p * 3)(f"spool={site.path('spool')}".encode(),
                                           b"network_users", b"silent")

    def open_session(self, user):
        handle, nobody = ctypes.c_void_p(), (ctypes.c_void_p * 2)()
        self.pam.pam_start_confdir(b"sshd", user.encode(), nobody, self.conf.encode(),
                                   ctypes.byref(handle))
        return self.module.pam_sm_open_session(handle, 0, 3, self.words)

    def log_in(self, user, killed_after=None):
        child = os.fork()
        if child == 0:
            os._exit(self.open_session(user))
        if killed_after is not None:
            time.sleep(killed_after)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0


@unittest.skipUnless(os.geteuid() == 0, "needs root: for anybody else the module does nothing")
class Kills(harness.Test):

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.google.accounts({"prefix": "person", "count": UNMANAGED, "domain": "example.com"})
        self.google.latency({"route": "*", "ms": 3})
        self.site = Site(self.google).__enter__()
        self.addCleanup(lambda: self.site.__exit__())  # pylint: disable=unnecessary-lambda
        self.users = [f"person{number}" for number in range(PEOPLE)]
        self.site.write("etc/passwd", self.site.read("etc/passwd") + "".join(
            f"{user}:x:{1000 + number}:100::/home/{user}:/bin/bash\n"
            for number, user in enumerate(self.users)))
        self.site.collector_once()  # they existed before
        self.listen()
        self.module = Module(self.site)
        self.random = random.Random(SEED)
        self.seen = set()
        self.killed = {}

    def listen(self):
        """The keeper's socket exists all the time, as systemd has it."""
        os.mkdir(self.site.path("run-keeper"))
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.site.path("run-keeper/socket"))
        self.listener.listen(16)
        self.addCleanup(self.listener.close)

    def start_keeper(self):
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        return subprocess.Popen(
            ["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" -c "$1" 3<&0',
             os.path.join(harness.BUILD, KEEPER), self.site.conf],
            stdin=self.listener, stdout=subprocess.DEVNULL,
            stderr=open(self.site.path("keeper.log"), "ab"))

    def start_program(self, name):
        return self.start_keeper() if name == KEEPER else self.site.start(name)

    def ledger(self, statement):
        with contextlib.closing(sqlite3.connect(self.site.path("state/ledger.db"),
                                                timeout=60)) as connection, connection:
            return connection.execute(statement).fetchall()

    def count(self, what):
        self.killed[what] = self.killed.get(what, 0) + 1

    def log_in(self):
        """One that gets in, and one whose session's process dies meanwhile."""
        user = self.random.choice(self.users)
        self.assertTrue(self.module.log_in(user))
        self.seen.add(user)
        user = self.random.choice(self.users)
        self.module.log_in(user, self.random.uniform(0, 0.001))
        self.seen.add(user)
        self.count("login")

    def kill_program(self, running):
        names = self.random.choice((*((name,) for name in (*PROGRAMS, KEEPER)), (KEEPER, PROGRAMS[0])))
        time.sleep(self.random.uniform(0, 0.04))
        for name in names:
            running[name].kill()
        for name in names:
            running[name].wait()
            if running[name] in self.site.programs:
                self.site.programs.remove(running[name])
            running[name] = self.start_program(name)
        self.count("+".join(names))

    def kill_verb(self):
        verb = self.random.choice(VERBS)
        with subprocess.Popen([os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf,
                               *verb], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as program:
            time.sleep(self.random.uniform(0, 0.03))
            program.kill()
        self.count(verb[0])

    def rounds(self):
        """How many there were."""
        running = {name: self.start_program(name) for name in (KEEPER, *PROGRAMS)}
        self.addCleanup(lambda: (running[KEEPER].kill(), running[KEEPER].wait()))
        began, done = time.monotonic(), 0
        while done < ROUNDS if ROUNDS else time.monotonic() - began < SECONDS:
            self.log_in()
            if self.random.random() < 0.75:
                self.kill_program(running)
            else:
                self.kill_verb()
            done += 1
            if done % 200 == 0:
                self.google.advance("80h")  # unconfirmed sends may be resolved meanwhile too
                self.make_due()
        time.sleep(1)  # a program that has just started does not listen yet
        for name in PROGRAMS:
            self.assertEqual(harness.stop(running[name]), 0)
        return done

    def make_due(self):
        """Makes time pass for the people who wait."""
        self.ledger("UPDATE person SET next_attempt = 1, runnable_at = 1, lease_until = 0 WHERE runnable_at > 0")

    def settle(self):
        for user in self.seen:
            self.assertTrue(self.module.log_in(user))
        self.site.collector_once()
        for _ in range(QUIET):
            self.site.dispatcher_once()
            self.assertEqual(ledger_invariants.violations(self.site.path("state/ledger.db")), [])
            self.google.advance("73h")
            self.site.run("resume")  # a change guard, or three sends in a row without an answer
            self.make_due()
        self.site.dispatcher_once()
        self.site.collector_once()

    def assert_all_known(self):
        known = {user for user, in self.ledger("SELECT account FROM sighting WHERE gone_day IS NULL")}
        self.assertEqual(self.seen - known, set())
        self.assertEqual(os.listdir(self.site.path("spool/new")), [])
        self.assertEqual(os.listdir(self.site.path("spool/bad")), [])
        marks = set(os.listdir(self.site.path("spool/seen"))) - {".ledger"}
        self.assertEqual(self.seen - marks, set())
        self.assertEqual([mark for mark in marks - known if not mark.startswith("person")], [],
                         "temporary files pile up")

    def assert_nobody_twice(self):
        counts = self.google.mailbox()["counts"]
        self.assertEqual({to: count for to, count in counts.items() if count > 1}, {})
        people = {address: (state, reason) for address, state, reason in
                  self.ledger("SELECT address, state, reason FROM person")}
        lost = [to for to in counts
                if people.get(to, ("",))[0] not in ("invited", "held", "unconfirmed")]
        self.assertEqual(lost, [], "the ledger does not know of a mail")
        return counts, people

    def test_processes_killed_at_any_time_lose_no_person_and_mail_none_twice(self):
        done = self.rounds()
        self.settle()
        self.assertEqual(self.ledger("PRAGMA integrity_check"), [("ok",)])
        self.assert_all_known()
        counts, people = self.assert_nobody_twice()
        addresses = {user + "@example.com" for user in self.seen if int(user[6:]) < UNMANAGED}
        uninvited = {address: people.get(address) for address in addresses
                     if people.get(address, ("",))[0] not in ("invited", "held")}
        self.assertEqual(uninvited, {})
        self.assertGreater(len(counts), len(self.seen) // 10)
        print(f"# seed {SEED}: {done} rounds, killed {self.killed}; {len(self.seen)} people, "
              f"{len(counts)} mails", flush=True)


if __name__ == "__main__":
    harness.main()
