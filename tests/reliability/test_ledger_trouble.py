#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A ledger that is damaged, locked, full, of another customer or of a later version: each program says what happened,
where and what to do, and ends with 8. Arrivals stay in the spool until it is over. No person is mailed twice because of
it.
"""
import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import harness  # pylint: disable=wrong-import-position
from harness import Emulator, Site  # pylint: disable=wrong-import-position

PROGRAMS = ("cloudinvite-collector", "cloudinvite-dispatcher")
READING = (("status",), ("explain", "alice"), ("history",))
WRITING = (("pause", "--reason", "test"), ("approve", "--all", "--yes"), ("retry", "--all", "--yes"),
           ("block", "--reason", "test", "alice"), ("check", "alice"), ("send", "--yes", "alice"))
STORAGE = 8


class Trouble(harness.Test):

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.google.accounts([{"address": "alice@example.com"}, {"address": "bob@example.com"}])
        self.site = Site(self.google).__enter__()
        self.addCleanup(lambda: self.site.__exit__())  # pylint: disable=unnecessary-lambda
        self.path = self.site.path("state/ledger.db")
        self.site.arrive_account("alice")
        self.site.collector_once()
        self.site.dispatcher_once()
        shutil.copy(self.path, self.path + ".good")

    def read(self):
        with open(self.path, "rb") as file:
            return file.read()

    def write(self, data):
        with contextlib.suppress(FileNotFoundError):
            for name in ("-wal", "-shm"):
                os.unlink(self.path + name)
        with open(self.path, "wb") as file:
            file.write(data)

    def repair(self):
        self.write(b"")
        shutil.copy(self.path + ".good", self.path)

    def run_program(self, name, **more):
        return subprocess.run([os.path.join(harness.BUILD, name), "-c", self.site.conf, "--once"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=harness.TIMEOUT,
                              check=False, **more)

    def expect_said(self, said, words, who):
        lines = [line for line in said.splitlines() if words in line]
        self.assertTrue(lines, f"{who}: '{words}' is not in: {said}")
        self.assertIn(self.path, said, who)

    def refused(self, words, verbs=READING + WRITING):
        """By every program and verb; bob, who logs in now, is not lost."""
        self.site.arrive_account("bob")
        for name in PROGRAMS:
            done = self.run_program(name)
            self.assertEqual(done.returncode, STORAGE, f"{name}: {done.stdout}")
            self.expect_said(done.stdout, words, name)
        for verb in verbs:
            done = self.site.run(*verb)
            self.assertEqual(done.returncode, STORAGE, f"{verb}: {done.stdout}{done.stderr}")
            self.expect_said(done.stderr, words, verb)
            self.assertLessEqual(len(done.stderr.splitlines()), 2, verb)
        self.assertEqual(os.listdir(self.site.path("spool/new")), ["bob.login"])

    def goes_on(self):
        """And both have one mail each in the end."""
        self.site.collector_once()
        self.site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["counts"],
                         {"alice@example.com": 1, "bob@example.com": 1})
        self.assertEqual(os.listdir(self.site.path("spool/new")), [])

    # ---- damaged ----

    def test_a_file_that_is_not_a_database(self):
        self.write(b"no ledger\n" * 1000)
        self.refused("not")
        self.repair()
        self.goes_on()

    def test_a_header_that_is_gone(self):
        self.write(bytes(100) + self.read()[100:])
        self.refused("")
        self.repair()
        self.goes_on()

    def test_a_file_that_was_cut(self):
        self.write(self.read()[:len(self.read()) // 2])
        self.refused("")
        self.repair()
        self.goes_on()

    # ---- of another customer or version ----

    def test_one_that_is_newer_than_the_program(self):
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA user_version = 4711")
            connection.commit()
        self.refused("schema version 4711")
        self.repair()
        self.goes_on()

    def test_another_programs_database(self):
        self.write(b"")
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            connection.execute("CREATE TABLE music (title TEXT)")
            connection.commit()
        self.refused("")
        self.repair()
        self.goes_on()

    def test_a_directory_in_its_place(self):
        os.unlink(self.path)
        os.mkdir(self.path)
        self.refused("")
        os.rmdir(self.path)
        self.repair()
        self.goes_on()

    # ---- blocked ----

    def test_one_that_another_program_holds_locked(self):
        """Until it is released: nothing is lost, and the programs continue automatically."""
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(2, lambda: connection.execute("ROLLBACK"))
        release.start()
        self.site.arrive_account("bob")
        self.site.start_collector()
        self.site.start_dispatcher()
        harness.wait_for(lambda: self.google.mailbox()["total"] == 2, "bob's mail")
        release.join()
        connection.close()
        self.goes_on()

    def test_a_disk_without_room_for_it(self):
        """RLIMIT_FSIZE: every write beyond the present size fails."""
        size = os.path.getsize(self.path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path + "-wal")
        self.site.arrive_account("bob")

        def small():
            resource.setrlimit(resource.RLIMIT_FSIZE, (min(size, 4096), min(size, 4096)))
        done = self.run_program("cloudinvite-collector", preexec_fn=small)
        self.assertEqual(done.returncode, STORAGE, done.stdout)
        self.expect_said(done.stdout, "ledger.db", "collector")
        self.assertEqual(os.listdir(self.site.path("spool/new")), ["bob.login"])
        self.goes_on()


if __name__ == "__main__":
    harness.main()
