#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The journal: sends and decisions are found by their fields, whichever program made them, and each kind has the
MESSAGE_ID that the catalog explains.
"""
import os
import re
import shutil
import socket
import subprocess
import sys

import harness
import sandbox

ALICE, BOB, CAROL, DAVE = (f"{name}@example.com" for name in ("alice", "bob", "carol", "dave"))
CATALOG = harness.SOURCE + "/config/journal/cloudinvite.catalog"
SOCKET = "/run/systemd/journal/socket"
EVENTS = ("invited", "cancelled", "approved", "blocked", "guard_tripped", "paused")


def enter():
    """A /run of its own, so that the journal there is ours. Why it is not possible, or None."""
    if os.environ.get(sandbox.INSIDE):
        sandbox.tmpfs("/run")
        os.makedirs(os.path.dirname(SOCKET))
        return None
    reason = sandbox.why_not()
    if not reason:
        os.environ[sandbox.INSIDE] = "1"
        os.execvp(sandbox.UNSHARE[0], [*sandbox.UNSHARE, sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    return reason


class Journal(harness.Test):
    def setUp(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(SOCKET)
        self.socket.setblocking(False)
        self.addCleanup(os.unlink, SOCKET)
        self.addCleanup(self.socket.close)
        self.google = harness.Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = harness.Site(self.google).__enter__()
        self.addCleanup(self.site.__exit__)
        self.google.accounts([{"address": address} for address in (ALICE, BOB, CAROL, DAVE)])

    def entries(self):
        """The entries since the last call: each a dictionary of its fields."""
        found = []
        while True:
            try:
                datagram = self.socket.recv(65536).decode()
            except BlockingIOError:
                return found
            found.append(dict(line.split("=", 1) for line in datagram.splitlines()))

    def entry(self, event):
        """The one entry of that event."""
        found = [e for e in self.entries() if e["CLOUDINVITE_EVENT"] == event]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def verb(self, *words, code=0):
        done = self.site.run(*words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertNotIn("CLOUDINVITE", done.stdout + done.stderr)

    def as_a_service(self, name):
        """As systemd starts it: the journal reads its standard error."""
        with open(self.site.path(name + ".log"), "w+", encoding="utf-8") as log:
            at = os.fstat(log.fileno())
            subprocess.run([f"{harness.BUILD}/{name}", "-c", self.site.conf, "--once"], check=True,
                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=harness.TIMEOUT,
                           env={**os.environ, "JOURNAL_STREAM": f"{at.st_dev}:{at.st_ino}"})
            log.seek(0)
            return log.read()

    def test_a_mail_that_the_service_sends(self):
        self.site.arrive_account("alice")
        self.assertEqual(self.as_a_service("cloudinvite-collector"), "")
        self.assertEqual(self.as_a_service("cloudinvite-dispatcher"), "")
        invited = self.entry("invited")
        self.assertEqual((invited["CLOUDINVITE_PERSON"], invited["CLOUDINVITE_ACTOR"],
                          invited["SYSLOG_IDENTIFIER"], invited["PRIORITY"]),
                         ("a***e@example.com", "dispatcher", "cloudinvite-dispatcher", "5"))
        self.assertTrue(invited["MESSAGE"].startswith("invited: a***e@example.com: "))

    def test_without_a_journal_the_stream_has_it(self):
        self.site.arrive_account("alice")
        os.unlink(SOCKET)
        said = self.as_a_service("cloudinvite-collector") + self.as_a_service("cloudinvite-dispatcher")
        self.assertIn("\n<5>invited: a***e@example.com: ", said)
        with open(SOCKET, "w", encoding="utf-8"):
            pass

    def test_what_administrators_decide_at_a_terminal(self):
        self.verb("pause", "--reason", "migration\nof mail")
        paused = self.entry("paused")
        self.assertEqual((paused["CLOUDINVITE_REASON"], paused["CLOUDINVITE_ACTOR"]),
                         ("migration\\x0aof mail", "root"))
        self.verb("resume")
        self.assertNotIn("MESSAGE_ID", self.entry("resumed"))
        self.verb("block", "--reason", "left", BOB)
        blocked = self.entry("blocked")
        self.assertEqual((blocked["CLOUDINVITE_PERSON"], blocked["CLOUDINVITE_REASON"]),
                         ("b***b@example.com", "left"))
        self.verb("send", CAROL)
        self.assertEqual(self.entry("invited")["CLOUDINVITE_ACTOR"], "root")
        self.verb("cancel", CAROL)
        self.assertEqual(self.entry("cancelled")["CLOUDINVITE_PERSON"], "c***l@example.com")

    def test_what_is_approved_one_by_one_and_as_a_whole(self):
        self.site.write_settings({"invitations": {"mode": "dry-run"}})
        for user in ("alice", "dave"):
            self.site.arrive_account(user)
        self.site.collector_once()
        self.site.dispatcher_once()
        self.verb("approve", ALICE)
        self.assertEqual(self.entry("approved")["CLOUDINVITE_PERSON"], "a***e@example.com")
        self.verb("approve", "--all")
        self.assertEqual(self.entry("approved")["CLOUDINVITE_PERSON"], "d***e@example.com")

    def test_forget_writes_no_trace_of_the_person(self):
        self.site.arrive_account("alice")
        self.site.collector_once()
        self.entries()
        self.verb("forget", "alice")
        self.assertNotIn("CLOUDINVITE_PERSON", self.entry("forgotten"))

    def test_addresses_are_in_full_if_the_settings_say_so(self):
        self.site.write_settings({"privacy": {"log_addresses": "full"}})
        self.verb("block", "--reason", "left", BOB)
        self.assertEqual(self.entry("blocked")["CLOUDINVITE_PERSON"], BOB)


class Catalog(harness.Test):
    @staticmethod
    def in_the_program():
        with open(harness.SOURCE + "/common/telemetry/events.c", encoding="utf-8") as file:
            return dict(re.findall(r'\{"([a-z_]+)", "([0-9a-f]{32})"\}', file.read()))

    def test_every_event_of_account_has_a_message_id(self):
        self.assertEqual(sorted(self.in_the_program()), sorted(EVENTS))

    def test_the_catalog_explains_each_of_them_and_no_other(self):
        with open(CATALOG, encoding="utf-8") as file:
            explained = re.findall(r"^-- ([0-9a-f]{32})$", file.read(), re.M)
        self.assertEqual(sorted(explained), sorted(self.in_the_program().values()))

    def test_journalctl_understands_it(self):
        if not shutil.which("journalctl"):
            self.skipTest("journalctl is not installed")
        top = "/run/catalog"
        os.makedirs(top + "/usr/lib/systemd/catalog")
        os.makedirs(top + "/var/lib/systemd/catalog")
        shutil.copy(CATALOG, top + "/usr/lib/systemd/catalog")
        done = subprocess.run(["journalctl", "--root=" + top, "--update-catalog"], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertTrue(os.path.getsize(top + "/var/lib/systemd/catalog/database") > 1000)


if __name__ == "__main__":
    WHY_NOT = enter()
    if WHY_NOT:
        print(f"ok 1 - the journal # SKIP {WHY_NOT}\n1..1")
        sys.exit(0)
    harness.main()
