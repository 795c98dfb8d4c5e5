#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The doctor: what is right is reported as right, and each problem is found at its step, with its remedy, while the
other steps are still checked.
"""
import contextlib
import json
import os
import shutil
import socket
import sqlite3
import time
from unittest import mock

import harness
from harness import Emulator, Site

HERE_ONLY = {"module", "pam", "hook", "isolation"}  # of this machine, not of the site


class Doctor(harness.Test):

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = Site(self.google, {"google": {"requests_per_minute": "60"}}).__enter__()
        self.addCleanup(lambda: self.site.__exit__())  # pylint: disable=unnecessary-lambda

    def doctor(self, *arguments):
        """{step: [(result, code)]} without the steps of this machine, and the exit code."""
        done = self.site.run("doctor", "--json", *arguments)
        found = {}
        for step in json.loads(done.stdout)["steps"]:
            if step["step"] not in HERE_ONLY:
                found.setdefault(step["step"], []).append((step["result"], step["code"]))
                self.assertTrue(step["message"])
                if step["result"] == "bad":
                    self.assertTrue(step["remedy"], step)
        return found, done.returncode

    def results(self, *arguments):
        """{step: its worst result}."""
        order = ("ok", "skipped", "note", "bad")
        found, _ = self.doctor(*arguments)
        return {step: max((result for result, _ in said), key=order.index)
                for step, said in found.items()}

    def expect_bad(self, step, code, *arguments):
        found, exit_code = self.doctor(*arguments)
        self.assertIn(("bad", code), found[step], found)
        self.assertNotEqual(exit_code, 0)
        return exit_code

    def everything_runs(self):
        self.google.accounts({"address": "alice@example.com"})
        self.site.arrive_account("alice")
        self.site.start_collector()
        self.site.start_dispatcher()
        harness.wait_for(lambda: self.google.mailbox()["total"] == 1, "the mail")
        harness.wait_for(lambda: self.ledger("SELECT state FROM person") == [("invited",)], "its reply")

    def ledger(self, statement):
        connection = sqlite3.connect(self.site.path("state/ledger.db"), timeout=30)
        with connection:
            rows = connection.execute(statement).fetchall()
        connection.close()
        return rows


class Right(Doctor):

    def test_right_results_are_reported_and_nothing_is_changed(self):
        self.everything_runs()
        before = self.ledger("SELECT * FROM person"), self.ledger("SELECT * FROM history")
        found = self.results()
        self.assertEqual(set(found.values()), {"ok"}, found)
        self.assertEqual(list(found), [
            "settings", "directories", "accounts", "ledger", "programs", "backlog", "pause",
            "people", "network", "clock", "credential", "secrets", "token", "api", "quota"])
        self.assertEqual(self.google.mailbox()["total"], 1)
        self.assertEqual(
            (self.ledger("SELECT * FROM person"), self.ledger("SELECT * FROM history")), before)

    def test_for_people_each_step_is_a_line_and_the_end_says_how_it_is(self):
        self.everything_runs()
        done = self.site.run("doctor")
        self.assertRegex(done.stdout, r"(?m)^ok +token +minted as admin@example\.com")
        self.assertRegex(done.stdout, r"No problems found|1 problem\.")
        self.assertNotIn("PRIVATE KEY", done.stdout)
        self.assertNotIn("ya29", done.stdout)

    def test_before_the_programs_have_run_google_is_asked_anyway(self):
        found = self.results()
        self.assertEqual((found["ledger"], found["programs"]), ("note", "skipped"))
        self.assertEqual((found["token"], found["api"]), ("ok", "ok"))
        self.assertEqual(os.path.getsize(self.site.path("state/ledger.db")), 0)

    def test_offline_makes_no_request(self):
        found = self.results("--offline")
        self.assertEqual({found[step] for step in ("network", "clock", "token", "api")},
                         {"skipped"})
        self.assertEqual(self.google.log(), [])

    def test_hostile_names_stay_in_their_line(self):
        self.site.add_user("eve\x1b[2J", gecos="\x1b]0;x\x07")
        said = self.site.run("doctor").stdout
        self.assertNotIn("\x1b", said)
        self.assertIn("\\x1b", said)


class Host(Doctor):

    def test_broken_settings_are_named_and_the_rest_is_skipped(self):
        self.site.write_settings({"google": {"timeout": "many"}})
        found, exit_code = self.doctor()
        self.assertEqual(found["settings"][0][0], "bad")
        self.assertEqual(exit_code, 3)
        self.assertEqual(found["token"][0][0], "skipped")

    def test_a_directory_that_is_missing_or_open_to_others(self):
        os.chmod(self.site.path("state"), 0o755)
        self.assertEqual(self.expect_bad("directories", "directory"), 8)
        os.chmod(self.site.path("state"), 0o700)
        os.rmdir(self.site.path("spool/bad"))
        self.expect_bad("directories", "directory")
        self.expect_bad("backlog", "spool")
        os.mkdir(self.site.path("spool/bad"), 0o700)

    def test_accounts_without_an_address_are_named(self):
        self.site.write_settings({"people": {"address": "", "map": self.site.path("etc/some.map")}})
        self.site.write("etc/some.map", "")
        self.site.add_user("bob")
        found, _ = self.doctor("--offline")
        self.assertEqual(found["accounts"], [("note", "nobody_mapped"), ("note", "unmapped")])
        self.assertIn("bob", self.site.run("doctor", "--offline").stdout)

    def test_arrivals_without_a_collector(self):
        self.site.arrive_account("alice")
        old = time.time() - 7200
        os.utime(self.site.path("spool/new/alice.login"), (old, old))
        self.expect_bad("backlog", "spool_stuck", "--offline")
        self.site.write("spool/bad/what", "")
        found, _ = self.doctor("--offline")
        self.assertIn(("note", "bad_arrivals"), found["backlog"])


class Ledger(Doctor):

    def test_programs_that_are_down_or_stuck(self):
        self.site.collector_once()
        self.site.dispatcher_once()
        found, _ = self.doctor("--offline")
        self.assertEqual(found["programs"], [("bad", "program_down")] * 2)
        running = self.site.start_collector()
        harness.wait_for(lambda: (running.pid,) in self.ledger("SELECT pid FROM worker"), "its heartbeat")
        self.ledger("UPDATE worker SET last_heartbeat = last_heartbeat - 3600")
        found, _ = self.doctor("--offline")
        self.assertEqual(found["programs"], [("bad", "program_stuck"), ("bad", "program_down")])

    def test_a_broken_ledger(self):
        self.site.collector_once()
        self.site.write("state/ledger.db", "no ledger\n" * 1000)
        found, exit_code = self.doctor("--offline")
        self.assertEqual((found["ledger"][0][0], exit_code), ("bad", 8))
        os.unlink(self.site.path("state/ledger.db"))

    def test_a_backup_beside_an_old_log(self):
        """SQLite itself says nothing: `status` reads a mixture of both."""
        path = self.site.path("state/ledger.db")
        for i in range(5):
            self.site.arrive_account(f"early{i}")
        self.site.collector_once()
        shutil.copy(path, path + ".backup")
        with contextlib.closing(sqlite3.connect(path)) as killed:  # a program that does not close the ledger
            for half in range(2):
                killed.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                for i in range(half, 200, 2):
                    self.site.arrive_account(f"late{i * 37 % 200:03}")
                self.site.collector_once()
            shutil.copy(path + "-wal", path + ".log")
        shutil.copy(path + ".backup", path)
        shutil.copy(path + ".log", path + "-wal")
        self.expect_bad("ledger", "ledger_damaged", "--offline")
        for program in ("cloudinvite-collector", "cloudinvite-dispatcher"):
            with self.assertRaisesRegex(AssertionError, "the ledger is damaged"):
                self.site.program(program, "--once")
        for name in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + name)
        shutil.copy(path + ".backup", path)
        found, _ = self.doctor("--offline")
        self.assertEqual(found["ledger"][0][0], "ok")

    def test_a_pause_and_a_dry_run(self):
        self.site.collector_once()
        self.site.run("pause", "--reason", "holidays")
        self.assertEqual(self.expect_bad("pause", "paused", "--offline"), 7)
        self.site.run("resume")
        self.site.write_settings({"invitations": {"mode": "dry-run"}})
        found, _ = self.doctor("--offline")
        self.assertEqual(found["pause"], [("note", "dry_run")])


class Way(Doctor):

    def test_a_closed_port(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.site.write_settings(
                {"google": {"endpoint": f"https://127.0.0.1:{closed.getsockname()[1]}"}})
            self.assertEqual(self.expect_bad("network", "network_connect"), 5)
            found = self.results()
        self.assertEqual({found[step] for step in ("clock", "token", "api")}, {"skipped"})
        self.assertEqual(found["credential"], "ok")

    def test_a_certificate_that_is_not_trusted(self):
        self.site.write_settings({"google": {"ca_file": "/etc/ssl/certs/ca-certificates.crt"}})
        self.assertEqual(self.expect_bad("network", "tls_untrusted"), 6)

    def test_a_clock_that_is_off(self):
        self.google.advance("10m")
        self.assertEqual(self.expect_bad("clock", "clock"), 6)

    def test_google_has_asked_to_slow_down(self):
        self.everything_runs()
        self.google.faults({"route": "list", "status": 429, "headers": {"Retry-After": "3600"}})
        found, _ = self.doctor()
        self.assertEqual(found["api"][0][0], "bad")
        self.assertEqual(found["quota"], [("note", "throttled")])


class Credential(Doctor):

    def test_a_key_that_others_can_read(self):
        path = self.google.file("credentials.json")
        os.chmod(path, 0o644)
        found, exit_code = self.doctor("--offline")
        self.assertEqual((found["settings"][0][0], found["credential"][0][0]), ("bad", "bad"))
        self.assertEqual(exit_code, 4)

    def test_no_key_at_all(self):
        os.unlink(self.google.file("credentials.json"))
        found, exit_code = self.doctor()
        self.assertEqual((found["credential"][0][0], found["token"][0][0]), ("bad", "skipped"))
        self.assertEqual(exit_code, 4)

    def test_a_token_in_the_cache_does_not_hide_a_key_that_is_refused_today(self):
        self.everything_runs()
        self.google.state({"grants": []})
        self.expect_bad("token", "token_delegation_missing")

    def test_a_subject_who_is_not_an_administrator(self):
        self.site.write_settings({"google": {"subject": "helpdesk@example.com"}})
        found, exit_code = self.doctor()
        self.assertEqual((found["token"][0][0], found["api"][0][0]), ("ok", "bad"))
        self.assertEqual(exit_code, 6)

    def test_another_customer_and_an_api_that_is_off(self):
        for switch, settings in (({}, {"customer": "C07654321"}), ({"api_disabled": True}, {})):
            with self.subTest(switch or settings):
                self.google.reset()
                self.google.switches(switch)
                self.site.write_settings({"google": {"customer": "C01234567", **settings}})
                found, exit_code = self.doctor()
                self.assertEqual((found["api"][0][0], exit_code), ("bad", 6))

    def test_an_edition_without_invitations_is_found_by_the_method_alone(self):
        self.google.switches({"essentials": True})
        found, _ = self.doctor()
        self.assertEqual([result for result, _ in found["api"]], ["ok", "bad"])


class Shut(harness.Test):
    """Outside of /tmp, which the collector's unit hides in any case."""

    def secrets(self, site, **google):
        site.write_settings({"google": google})
        done = site.run("doctor", "--offline", "--json")
        return [(step["result"], step["code"]) for step in json.loads(done.stdout)["steps"]
                if step["step"] == "secrets"]

    def test_a_credential_that_the_collector_could_read_is_named(self):
        seen, hidden = [("note", "collector_sees_it")], [("ok", None)]
        with Emulator() as google, mock.patch("tempfile.tempdir", "/dev/shm"), \
                Site(google) as site:
            for place, found in (("etc/google.json", seen), ("etc/private/google.json", hidden),
                                 ("state/login.json", seen), ("state/private/login.json", hidden),
                                 ("etc/private2/google.json", seen), ("tokens/a.json", hidden)):
                with self.subTest(place):
                    self.assertEqual(self.secrets(site, credentials=site.path(place)), found)
            for other in ("systemd:google", "metadata:", google.file("credentials.json")):
                self.assertEqual(self.secrets(site, credentials=other), hidden)
            self.assertEqual(self.secrets(site, client_key=site.path("etc/tls.key")), seen)


if __name__ == "__main__":
    harness.main()
