#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""emit and scan: the two verbs that write arrivals."""
import json
import os
import pwd
import shutil
import stat
import subprocess

import harness
from test_cli import ESCAPE, Terminal, columns


class Spool(harness.Test):
    """A site with a spool, and no collector."""
    overrides = {}

    @classmethod
    def setUpClass(cls):
        cls.google = harness.Emulator().__enter__()
        cls.addClassCleanup(cls.google.__exit__)

    def setUp(self):
        self.google.reset()
        self.site = harness.Site(self.google, self.overrides).__enter__()
        self.addCleanup(self.site.__exit__)

    def run_verb(self, *verb, code=0, **options):
        """The completed process, which must end with that code."""
        done = self.site.run(*verb, **options)
        self.assertEqual(done.returncode, code, f"{verb}: {done.stdout}{done.stderr}")
        return done

    def arrivals(self):
        return sorted(os.listdir(self.site.path("spool/new")))

    def as_nobody(self, *verb):
        os.chmod(self.site.root, 0o755)
        record = pwd.getpwnam("nobody")
        return subprocess.run([os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf,
                               *verb], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              user=record.pw_uid, group=record.pw_gid, extra_groups=(),
                              check=False)


class Emit(Spool):

    def test_writes_an_empty_file_of_roots_for_each_user_and_says_nothing(self):
        done = self.run_verb("emit", "--trigger", "created", "alice", "bob")
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        self.assertEqual(self.arrivals(), ["alice.created", "bob.created"])
        status = os.stat(self.site.path("spool/new/alice.created"))
        self.assertEqual((stat.S_IMODE(status.st_mode), status.st_uid, status.st_size),
                         (0o600, 0, 0))

    def test_knows_four_triggers(self):
        for trigger in ("created", "deleted", "login", "manual"):
            self.run_verb("emit", "alice", "--trigger=" + trigger)
        self.assertEqual(self.arrivals(), ["alice.created", "alice.deleted", "alice.login",
                                           "alice.manual"])

    def test_another_command_line_is_misuse(self):
        for wrong in ((), ("alice",), ("--trigger", "created"), ("--trigger", "CREATED", "alice"),
                      ("--trigger", "", "alice"), ("--trigger", "created.x", "alice"),
                      ("--trigger", "created", "--sync", "alice"), ("--trigger", "created", "--")):
            with self.subTest(wrong):
                self.assertIn("usage:", self.run_verb("emit", *wrong, code=2).stderr)
        self.assertEqual(self.arrivals(), [])

    def test_one_that_waits_already_is_as_good(self):
        for _ in range(2):
            self.run_verb("emit", "--trigger", "created", "alice")
        self.assertEqual(self.arrivals(), ["alice.created"])

    def test_behind_two_dashes_everything_is_a_name(self):
        self.run_verb("emit", "--trigger", "created", "--", "-x", "--trigger", "../b", "a b", "ä")
        self.assertEqual(self.arrivals(), ["%2E.%2Fb.created", "%C3%A4.created",
                                           "--trigger.created", "-x.created", "a%20b.created"])

    def test_a_name_that_the_spool_does_not_take_does_not_stop_the_others(self):
        for name in ("", "x" * 153, "ä" * 60):
            done = self.run_verb("emit", "--trigger", "created", name, "alice", code=2)
            self.assertIn("is not a user name", done.stderr)
            self.assertEqual(self.arrivals(), ["alice.created"])
        self.run_verb("emit", "--trigger", "created", "x" * 152)

    def test_needs_no_ledger_no_state_and_no_google(self):
        for name in ("state", "tokens", "run"):
            shutil.rmtree(self.site.path(name))
        self.site.write_settings({"google": {"credentials": "/nowhere", "customer": ""}})
        self.run_verb("emit", "--trigger", "created", "alice")
        self.assertEqual(self.arrivals(), ["alice.created"])

    def test_wrong_settings_are_reported_and_the_default_spool_is_used(self):
        self.site.write_settings({"people": {"min_uid": "many"}})
        done = self.run_verb("emit", "--trigger", "nonsense", "alice", code=2)
        self.assertNotIn("min_uid", done.stderr)
        if os.path.exists("/var/spool/cloudinvite"):
            self.skipTest("cloudinvite is installed here; tests/e2e/test_hook.py tries it")
        done = self.run_verb("emit", "--trigger", "created", "alice", code=8)
        self.assertIn("min_uid", done.stderr)
        self.assertIn("The default spool /var/spool/cloudinvite is used", done.stderr)
        self.assertIn("/var/spool/cloudinvite: No such file", done.stderr)

    def test_without_a_spool_it_names_prepare(self):
        shutil.rmtree(self.site.path("spool"))
        self.assertIn("--prepare", self.run_verb("emit", "--trigger", "manual", "a", code=8).stderr)

    def test_a_link_in_place_of_the_box_is_not_followed(self):
        os.rmdir(self.site.path("spool/new"))
        os.symlink("/tmp", self.site.path("spool/new"))
        self.run_verb("emit", "--trigger", "created", "alice", code=8)
        self.assertFalse(os.path.exists("/tmp/alice.created"))

    def test_another_user_is_told_to_use_sudo(self):
        done = self.as_nobody("emit", "--trigger", "created", "alice")
        self.assertEqual(done.returncode, 8)
        self.assertIn("sudo cloudinvite", done.stderr)

    def test_a_running_collector_takes_it_at_once(self):
        self.site.add_user("alice")
        self.site.collector_once()
        self.site.start_collector()
        harness.wait_for(lambda: "started" in self.site.read("cloudinvite-collector.log"), "start")
        self.run_verb("emit", "--trigger", "manual", "alice")
        harness.wait_for(lambda: os.path.exists(self.site.path("spool/seen/alice")), "mark", 5)


class Scan(Spool):

    def add_people(self, count):
        for number in range(count):
            self.site.add_user(f"person{number}")

    def test_reports_all_accounts_in_the_range(self):
        self.add_people(2)
        self.site.add_user("daemon9", uid=200)
        self.site.add_user("nobody", uid=65534)
        said = self.run_verb("scan").stdout
        self.assertIn("2 accounts were reported", said)
        self.assertIn("is not running", said)
        self.assertEqual(self.arrivals(), ["person0.manual", "person1.manual"])
        self.assertIn("0 accounts were reported to the collector, 2 were already in the spool",
                      self.run_verb("scan").stdout)

    def test_json_counts(self):
        self.add_people(1)
        self.site.add_user("x" * 200)
        self.assertEqual(self.site.json("scan", "--json"),
                         {"reported": 1, "already_queued": 0, "skipped": 1})
        self.assertEqual(self.site.json("scan", "--json"),
                         {"reported": 0, "already_queued": 1, "skipped": 1})

    def test_omissions_are_reported(self):
        self.add_people(1)
        self.site.add_user("x" * 200)
        self.assertIn("is not a user name that the spool accepts", self.run_verb("scan").stderr)
        self.assertEqual(self.arrivals(), ["person0.manual"])

    def test_it_starts_with_the_existing_accounts(self):
        self.google.accounts({"prefix": "person", "count": 3, "domain": "example.com"})
        self.add_people(3)
        self.site.collector_once()
        self.run_verb("scan")
        self.site.collector_once()
        self.site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["total"], 3)
        people = self.site.json("status", "--json")["people"]
        self.assertEqual([person["state"] for person in people], ["invited"] * 3)

    def test_scanning_again_sends_no_second_mail(self):
        self.google.accounts({"prefix": "person", "count": 1, "domain": "example.com"})
        self.add_people(1)
        for _ in range(3):
            self.run_verb("scan")
            self.site.collector_once()
            self.site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["total"], 1)

    def test_more_than_ten_are_asked_about(self):
        self.add_people(11)
        done = self.run_verb("scan", code=2)
        self.assertIn("all 11 accounts", done.stderr)
        self.assertIn("--yes", done.stderr)
        self.assertEqual(self.arrivals(), [])
        for answer, code, count in (("n", 2, 0), ("y", 0, 11)):
            terminal = Terminal(self.site, "scan")
            terminal.read_until("[y/N]")
            terminal.type(answer + "\n")
            self.assertEqual(terminal.end()[0], code)
            self.assertEqual(len(self.arrivals()), count)

    def test_ten_or_yes_are_not_asked_about(self):
        self.add_people(10)
        self.run_verb("scan")
        self.add_people(11)
        self.run_verb("scan", "--yes")

    def test_a_running_collector_is_woken(self):
        self.add_people(1)
        self.site.collector_once()
        self.site.start_collector()
        harness.wait_for(lambda: "started" in self.site.read("cloudinvite-collector.log"), "start")
        self.assertNotIn("does not run", self.run_verb("scan").stdout)
        harness.wait_for(lambda: os.path.exists(self.site.path("spool/seen/person0")), "mark", 5)

    def test_faults_have_their_remedies(self):
        self.add_people(1)
        done = self.as_nobody("scan")
        self.assertEqual(done.returncode, 8)
        self.assertIn("sudo cloudinvite", done.stderr)
        shutil.rmtree(self.site.path("spool"))
        self.assertIn("--prepare", self.run_verb("scan", code=8).stderr)
        os.unlink(self.site.path("etc/passwd"))
        self.assertIn("etc/passwd", self.run_verb("scan", code=8).stderr)
        self.site.write_settings({"people": {"min_uid": "many"}})
        self.assertIn("min_uid", self.run_verb("scan", code=3).stderr)
        self.run_verb("scan", "everything", code=2)
        self.run_verb("scan", "--all", code=2)


class DryRun(Spool):

    def setUp(self):
        super().setUp()
        self.site.write("etc/addresses.map", "bob robert@example.com\ncarol -\n")
        self.site.write("etc/group", "users:x:100:\nno-cloudinvite:x:900:dave\n")
        for user in ("alice", "bob", "carol", "dave", "ubuntu"):
            self.site.add_user(user)
        self.site.add_user("closed", shell="/usr/sbin/nologin")
        self.site.add_user("daemon9", uid=200)

    def test_shows_who_would_be_mapped_to_what(self):
        said = self.run_verb("scan", "--dry-run").stdout
        self.assertRegex(said, r"alice +\d+ +mapped +alice@example.com +The template")
        self.assertRegex(said, r"bob +\d+ +mapped +robert@example.com")
        self.assertRegex(said, r"dave +\d+ +excluded .*no-cloudinvite")
        self.assertRegex(said, r"ubuntu +\d+ +excluded")
        self.assertRegex(said, r"closed +\d+ +excluded")
        self.assertNotIn("daemon9", said)
        self.assertIn("2 of 6 accounts would map to an address", said)

    def test_json_is_a_line_an_account(self):
        found = {entry["user"]: entry for entry in map(
            json.loads, self.run_verb("scan", "--dry-run", "--json").stdout.splitlines())}
        self.assertEqual(sorted(found), ["alice", "bob", "carol", "closed", "dave", "ubuntu"])
        self.assertEqual(set(found["alice"]), {"user", "uid", "verdict", "address", "explanation"})
        self.assertEqual(found["alice"]["address"], "alice@example.com")
        self.assertEqual(found["alice"]["uid"], 1001)
        self.assertEqual({user: entry["verdict"] for user, entry in found.items()},
                         {"alice": "mapped", "bob": "mapped", "carol": "excluded",
                          "dave": "excluded", "ubuntu": "excluded", "closed": "excluded"})
        self.assertIsNone(found["ubuntu"]["address"])

    def test_writes_nothing_and_needs_no_rights(self):
        def everything():
            return sorted(os.path.join(directory, name) for directory, _, names
                          in os.walk(self.site.root) for name in names)
        before = everything()
        self.run_verb("scan", "--dry-run")
        self.assertEqual(everything(), before)
        self.assertEqual(self.as_nobody("scan", "--dry-run").returncode, 0)

    def test_an_unknown_user_is_reported_with_the_places_searched(self):
        self.site.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
        self.assertIn("no accounts from uid 1000 to 60000",
                      self.run_verb("scan", "--dry-run").stdout)

    def test_a_narrow_terminal_cuts_the_reasons(self):
        code, said = Terminal(self.site, "scan", "--dry-run", width=70).end()
        self.assertEqual(code, 0)
        self.assertIn("alice@example.com", said)
        rows = [columns(ESCAPE.sub("", line)) for line in said.splitlines() if "excluded" in line]
        self.assertEqual(len(rows), 4)
        self.assertLessEqual(max(rows), 70)


if __name__ == "__main__":
    harness.main()
