#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I4 (docs/design.md, "Invariants").
"""A week without Google: all people who log in meanwhile are stored, in bounded memory and with few calls; afterwards
they are processed within the rate limit. And a name server that never answers.

The week is simulated: the programs run under libfaketime, and six hours pass after each batch of logins.
CLOUDINVITE_PEOPLE=100000 for the long run (default 8,000).
"""
import contextlib
import glob
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import harness  # pylint: disable=wrong-import-position
from harness import Emulator, Site  # pylint: disable=wrong-import-position
from proxy import Proxy  # pylint: disable=wrong-import-position
from test_rate_limit import busiest_minute  # pylint: disable=wrong-import-position

PEOPLE = int(os.environ.get("CLOUDINVITE_PEOPLE", "8000"))
UNMANAGED = PEOPLE // 100
STEPS = 28             # of six hours: a week
STEP = 6 * 3600
LIMIT = 600  # calls in any minute, when Google is back
CALLS_A_STEP = 40  # while it is away: calls in flight, and probes
MEBIBYTE = 1 << 20
LIBRARY = glob.glob("/usr/lib*/*/faketime/libfaketimeMT.so.1") + \
    glob.glob("/usr/lib*/faketime/libfaketimeMT.so.1")
INSIDE = "CLOUDINVITE_OUTAGE"
UNSHARE = ["unshare", "--mount", "--propagation", "private", "--net", "--"]
SILENT = "127.0.0.53"


def private_bytes(program):
    """The memory that its end would release."""
    with open(f"/proc/{program.pid}/smaps_rollup", encoding="ascii") as file:
        return sum(int(size) * 1024 for size in re.findall(r"Private_\w+: +(\d+) kB", file.read()))


def threads(program):
    return len(os.listdir(f"/proc/{program.pid}/task"))


class Away(harness.Test):

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)

    def site(self, **sections):
        site = Site(self.google, sections).__enter__()
        self.addCleanup(lambda: site.__exit__())  # pylint: disable=unnecessary-lambda
        return site

    @staticmethod
    def ledger(site, statement):
        with contextlib.closing(sqlite3.connect(site.path("state/ledger.db"), timeout=30)) as \
                connection:
            return connection.execute(statement).fetchall()

    @staticmethod
    def accounts(site, users):
        lines = (f"{user}:x:{1000 + number}:100::/home/{user}:/bin/bash\n"
                 for number, user in enumerate(users))
        site.write("etc/passwd", site.read("etc/passwd") + "".join(lines))

    def collected(self, site, users, seconds):
        for user in users:
            site.arrive(user)
        harness.wait_for(lambda: not os.listdir(site.path("spool/new")), "an empty spool", seconds)


@unittest.skipUnless(LIBRARY, "needs libfaketime")
class Week(Away):

    def move(self, site, seconds):
        """The host's clock and Google's; programs that sleep check it."""
        self.offset += seconds
        site.write("clock+", f"+{self.offset}\n")
        os.rename(site.path("clock+"), site.path("clock"))
        self.google.advance(f"{seconds}s")
        for name in ("collector", "dispatcher"):
            with contextlib.suppress(FileNotFoundError):
                os.utime(site.path(f"run/{name}.wake"))

    @contextlib.contextmanager
    def faked(self, site):
        self.offset = 0
        site.write("clock", "+0\n")
        names = {"LD_PRELOAD": LIBRARY[0], "FAKETIME_TIMESTAMP_FILE": site.path("clock"),
                 "FAKETIME_NO_CACHE": "1"}
        os.environ.update(names)
        yield
        for name in names:
            del os.environ[name]

    def test_no_person_is_lost_in_a_week_without_google_and_all_are_processed_afterwards(self):
        users = [f"found{n}" for n in range(UNMANAGED)] + \
            [f"nobody{n}" for n in range(PEOPLE - UNMANAGED)]
        self.google.accounts({"prefix": "found", "count": UNMANAGED, "domain": "example.com"})
        site = self.site(google={"requests_per_minute": str(LIMIT)},
                         people={"max_uid": "1000000"})
        self.accounts(site, users)
        site.collector_once()
        self.google.faults({"route": "*", "action": "drop_before", "times": 0})
        with self.faked(site):
            collector, dispatcher = site.start_collector(), site.start_dispatcher()
        early = self.week(site, users, (collector, dispatcher))
        late = self.at_rest((collector, dispatcher), early)
        self.assertEqual(self.ledger(site, "SELECT count(DISTINCT account) FROM sighting"),
                         [(PEOPLE,)])
        self.assertEqual(self.google.mailbox()["total"], 0)
        calls = len(self.google.log())
        self.assertLess(calls, CALLS_A_STEP * STEPS)
        self.recover(site, dispatcher)
        print(f"# {PEOPLE} first logins in a week without Google: {calls} calls; private memory of "
              f"collector and dispatcher after the first step and after the last "
              f"{[size // 1024 for size in early]} and {[size // 1024 for size in late]} KiB",
              flush=True)

    @staticmethod
    def at_rest(programs, before):
        """What they hold when there is nothing to do: no more than at first, apart from noise."""
        def small():
            held = [private_bytes(program) for program in programs]
            return held if all(now < then + MEBIBYTE for now, then in zip(held, before)) else None
        return harness.wait_for(small, "little memory", 20)

    def week(self, site, users, programs):
        """Their private memory after the first step."""
        early = None
        for step in range(STEPS):
            if step == STEPS // 2:
                self.google.clear_faults()
                self.google.faults({"route": "*", "action": "html", "times": 0})
            self.collected(site, users[step::STEPS], 120)
            self.move(site, STEP)
            time.sleep(0.3)
            early = early or [private_bytes(program) for program in programs]
        return early

    def recover(self, site, dispatcher):
        """At first within the rate limit; then, to reach the end, without."""
        self.google.clear_faults()
        seen = len(self.google.log())
        self.move(site, 3600)
        harness.wait_for(lambda: len(self.google.log(seen)) > LIMIT // 2, "calls again")
        time.sleep(3)
        log = [entry for entry in self.google.log(seen) if entry["route"] != "token"]
        self.assertLessEqual(busiest_minute(log), LIMIT)
        site.write_settings({"google": {"requests_per_minute": "0"}})
        os.kill(dispatcher.pid, 1)
        decided = "SELECT count(*) FROM person WHERE state IN ('invited', 'not_invitable')"
        harness.wait_for(lambda: self.ledger(site, decided) == [(PEOPLE,)], "all decisions",
                         30 + PEOPLE // 100)
        counts = self.google.mailbox()["counts"]
        self.assertEqual(counts, {f"found{n}@example.com": 1 for n in range(UNMANAGED)})


class Names(Away):

    def test_a_name_server_that_never_answers_delays_nothing_else(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind((SILENT, 53))
        proxy = Proxy("http").__enter__()
        self.addCleanup(proxy.__exit__)
        port = proxy.url.rsplit(":", 1)[1].strip("/")
        site = self.site(google={"proxy": f"http://proxy.test:{port}", "timeout": "1s"})
        users = [f"person{n}" for n in range(1000)]
        self.google.accounts({"prefix": "person", "count": 10, "domain": "example.com"})
        self.accounts(site, users)
        collector, dispatcher = site.start_collector(), site.start_dispatcher()
        began = time.monotonic()
        self.collected(site, users, 20)
        took = time.monotonic() - began
        most = self.most(dispatcher, seconds=8)
        self.assertLess(most["threads"], 2 * 16 + 4)
        self.assertLess(most["bytes"], 24 * MEBIBYTE)
        self.assertIn("Resolving timed out", site.read("cloudinvite-dispatcher.log"))
        self.assertIsNone(collector.poll())
        with open("/etc/hosts", "a", encoding="ascii") as file:
            file.write("127.0.0.1 proxy.test\n")
        self.assertEqual(harness.stop(dispatcher), 0)
        self.due_now(site)
        site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["counts"],
                         {f"person{n}@example.com": 1 for n in range(10)})
        print(f"# 1000 first logins collected in {took:.1f} s; the dispatcher then had at most "
              f"{most['threads']} threads and {most['bytes'] // 1024} KiB", flush=True)

    @staticmethod
    def most(program, seconds):
        most = {"threads": 0, "bytes": 0}
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            most = {"threads": max(most["threads"], threads(program)),
                    "bytes": max(most["bytes"], private_bytes(program))}
            time.sleep(0.1)
        return most

    @staticmethod
    def due_now(site):
        """The time when the wait after a fault would be over."""
        with contextlib.closing(sqlite3.connect(site.path("state/ledger.db"))) as connection:
            connection.execute("UPDATE person SET next_attempt = 1")
            connection.commit()


def main():
    if not os.environ.get(INSIDE):
        if os.geteuid() != 0 or subprocess.run([*UNSHARE, "true"], stderr=subprocess.DEVNULL,
                                               check=False).returncode != 0:
            print("ok 1 - outage # SKIP needs root for mount and network namespaces\n1..1")
            sys.exit(0)
        os.environ[INSIDE] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, os.path.abspath(sys.argv[0]),
                               *sys.argv[1:]])
    for command in ("ip link set lo up", "mount -n -t tmpfs tmpfs /run",
                    "touch /run/resolv.conf /run/hosts",
                    "mount -n --bind /run/resolv.conf /etc/resolv.conf",
                    "mount -n --bind /run/hosts /etc/hosts"):
        subprocess.run(command.split(), check=True)
    for path, text in (("/etc/resolv.conf", f"nameserver {SILENT}\n"),
                       ("/etc/hosts", "127.0.0.1 localhost\n")):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    harness.main()


if __name__ == "__main__":
    main()
