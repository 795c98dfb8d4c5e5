#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The collector as a process: arrivals, the comparison with the baseline, markers, crashes, --prepare."""
import contextlib
import os
import random
import signal
import sqlite3
import stat
import time

import harness
from harness import Emulator, Site, wait_for


class Collector(harness.NewEmulator):

    def baseline(self, **sections):
        """A site whose collector knows alice and zoe, who existed before it."""
        site = self.make_site(**sections)
        site.add_user("alice")
        site.add_user("zoe")
        site.collector_once()
        return site

    def seen(self):
        """{account: reason} of the accounts that are there."""
        return dict(self.ledger("SELECT account, trigger FROM sighting WHERE gone_day IS NULL"))

    def gone(self):
        return {account for account, in
                self.ledger("SELECT account FROM sighting WHERE gone_day IS NOT NULL")}

    def mark(self, site, user):
        path = site.path("spool/seen/" + user)
        return site.read("spool/seen/" + user) or "seen" if os.path.exists(path) else None

    def arrivals(self, site):
        return sorted(os.listdir(site.path("spool/new")))

    def log(self, site):
        return site.read("cloudinvite-collector.log")


class Arrivals(Collector):

    def test_a_login_becomes_a_sighting_and_a_mark(self):
        site = self.baseline()
        site.arrive("alice")
        site.collector_once()
        self.assertEqual(self.seen(), {"alice": "login"})
        self.assertEqual(self.arrivals(site), [])
        self.assertEqual(self.mark(site, "alice").strip(), "seen")
        self.assertEqual(stat.S_IMODE(os.stat(site.path("spool/seen/alice")).st_mode), 0o600)

    def test_days_are_kept_and_not_times(self):
        site = self.baseline()
        site.arrive("alice")
        site.collector_once()
        self.assertEqual([day % 86400 for day, in self.ledger("SELECT first_day FROM sighting")], [0])
        self.assertEqual([at % 86400 for at, in self.ledger("SELECT at FROM history")], [0])

    def test_a_user_in_no_database_is_dropped(self):
        site = self.baseline()
        site.arrive("nobodyknows")
        site.collector_once()
        self.assertEqual(self.seen(), {})
        self.assertEqual(self.arrivals(site), [])

    def test_what_is_not_an_arrival_goes_to_quarantine(self):
        site = self.baseline()
        for name in ("rubbish", "..login", "alice.LOGIN", "a%2flice.login", ".hidden"):
            site.write("spool/new/" + name, "")
        os.symlink("/etc/passwd", site.path("spool/new/link.login"))
        os.mkfifo(site.path("spool/new/fifo.login"))
        site.write("spool/new/alice.login", "content")
        site.collector_once()
        self.assertEqual(self.arrivals(site), [])
        self.assertEqual(len(os.listdir(site.path("spool/bad"))), 8)
        self.assertEqual(self.seen(), {})

    def test_a_hostile_name_stays_a_name(self):
        site = self.baseline()
        site.arrive("..%2F..%2Fetc%2Fshadow")
        site.arrive("x%0D%0ABcc%3A%20y")
        site.collector_once()
        self.assertEqual(self.seen(), {})
        self.assertEqual(self.arrivals(site), [])

    def test_a_running_collector_takes_an_arrival_when_it_comes(self):
        site = self.baseline()
        site.start_collector()
        wait_for(lambda: "started" in self.log(site), "the start")
        site.arrive("alice")
        wait_for(lambda: self.mark(site, "alice"), "a mark")
        self.assertEqual(self.seen(), {"alice": "login"})

    def test_a_created_account_waits_for_creation_delay(self):
        site = self.baseline(invitations={"creation_delay": "1h"})
        site.add_user("bob")
        site.arrive("bob", "created")
        site.collector_once()
        self.assertEqual(self.seen(), {})
        self.assertEqual(self.arrivals(site), ["bob.created"])
        os.utime(site.path("spool/new/bob.created"), (1, time.time() - 3601))
        site.collector_once()
        self.assertEqual(self.seen(), {"bob": "created"})
        self.assertEqual(self.arrivals(site), [])

    def test_an_account_that_is_gone_before_it_settles_is_never_reported(self):
        site = self.baseline(invitations={"creation_delay": "1h"})
        site.arrive("bob", "created")
        os.utime(site.path("spool/new/bob.created"), (1, time.time() - 3601))
        site.collector_once()
        self.assertEqual(self.seen(), {})
        self.assertEqual(self.arrivals(site), [])


class Compare(Collector):

    def test_the_accounts_of_the_first_start_are_not_new(self):
        self.baseline()
        self.assertEqual(self.seen(), {})

    def test_a_new_line_in_passwd_is_a_created_account(self):
        site = self.baseline()
        site.add_user("bob")
        site.collector_once()
        self.assertEqual(self.seen(), {"bob": "created"})
        self.assertEqual(self.mark(site, "bob").strip(), "seen")

    def test_a_running_collector_sees_it_automatically(self):
        site = self.baseline(invitations={"creation_delay": "1s"})
        site.start_collector()
        wait_for(lambda: "started" in self.log(site), "the start")
        site.add_user("bob")
        wait_for(lambda: self.seen() == {"bob": "created"}, "a sighting", 10)

    def test_hook_and_compare_together_are_one_sighting(self):
        site = self.baseline()
        site.add_user("bob")
        site.arrive("bob", "created")
        site.collector_once()
        site.collector_once()
        self.assertEqual(self.ledger("SELECT count(*) FROM sighting"), [(1,)])
        self.assertEqual(self.ledger("SELECT count(*) FROM history WHERE event = 'seen'"), [(1,)])

    def test_system_accounts_come_and_go_unnoticed(self):
        site = self.baseline()
        site.add_user("daemon9", uid=200)
        site.collector_once()
        site.remove_user("daemon9")
        site.collector_once()
        site.collector_once()
        self.assertEqual(self.seen(), {})

    def test_a_deletion_counts_when_seen_twice(self):
        site = self.baseline()
        site.arrive("alice")
        site.collector_once()
        site.remove_user("alice")
        site.collector_once()
        self.assertEqual(self.seen(), {"alice": "login"})
        self.assertTrue(self.mark(site, "alice"))
        site.collector_once()
        self.assertEqual(self.gone(), {"alice"})
        self.assertIsNone(self.mark(site, "alice"))

    def test_an_account_that_comes_back_in_between_was_never_gone(self):
        site = self.baseline()
        site.arrive("alice")
        site.collector_once()
        passwd = site.read("etc/passwd")
        site.remove_user("alice")
        site.collector_once()
        site.write("etc/passwd", passwd)
        site.collector_once()
        site.collector_once()
        self.assertEqual(self.gone(), set())

    def test_the_same_uid_under_another_name_is_a_rename(self):
        site = self.baseline()
        site.arrive("alice")
        site.collector_once()
        site.write("etc/passwd", site.read("etc/passwd").replace("alice", "alicia"))
        for _ in range(3):
            site.collector_once()
        self.assertEqual(self.seen(), {"alicia": "login"})
        self.assertIsNone(self.mark(site, "alice"))

    def test_another_uid_under_the_same_name_is_a_new_account(self):
        site = self.baseline()
        site.arrive("alice")
        site.collector_once()
        site.write("etc/passwd", site.read("etc/passwd").replace("alice:x:1001", "alice:x:4001"))
        for _ in range(3):
            site.collector_once()
        self.assertEqual(self.seen(), {"alice": "created"})
        self.assertEqual(self.ledger("SELECT uid FROM sighting WHERE gone_day IS NULL"), [(4001,)])

    def test_a_passwd_without_root_or_with_a_broken_line_is_not_compared(self):
        for broken in ("alice:x:1001:100::/home/alice:/bin/bash\n",
                       "root:x:0:0:root:/root:/bin/bash\nbroken line\n"):
            with self.subTest(broken=broken):
                site = self.baseline()
                site.arrive("zoe")
                site.collector_once()
                site.write("etc/passwd", broken)
                site.collector_once()
                site.collector_once()
                self.assertEqual(self.gone(), set())
                self.assertEqual(self.seen(), {"zoe": "login"})

    def test_too_many_changes_at_once_pause_until_resume(self):
        site = self.baseline()
        for number in range(51):
            site.add_user(f"many{number}")
        site.collector_once()
        self.assertEqual(self.seen(), {})
        pause = site.json("status", "--json")["service"]["pause"]
        self.assertEqual(pause["kind"], "account_changes")
        site.start_collector()
        wait_for(lambda: "started" in self.log(site), "the start")
        self.assertEqual(self.seen(), {})
        self.assertEqual(site.run("resume").returncode, 0)
        wait_for(lambda: len(self.seen()) == 51, "the accounts", 20)

    def test_deletions_trip_the_change_guard(self):
        site = self.make_site()
        for number in range(12):
            site.add_user(f"many{number}")
        site.collector_once()
        for number in range(12):
            site.arrive(f"many{number}")
        site.collector_once()
        for number in range(12):
            site.remove_user(f"many{number}")
        for _ in range(3):
            site.collector_once()
        self.assertEqual(self.gone(), set())

    def test_changed_facts_are_reported_again(self):
        site = self.baseline()
        site.arrive("alice")
        site.collector_once()
        site.dispatcher_once()
        self.assertEqual(self.ledger("SELECT verdict FROM sighting"), [("mapped",)])
        site.write("etc/group", site.read("etc/group") + "no-cloudinvite:x:900:alice\n")
        site.collector_once()
        site.dispatcher_once()
        self.assertEqual(self.ledger("SELECT verdict FROM sighting"), [("excluded",)])

    def test_a_copy_of_the_machine_begins_again_but_forgets_no_people(self):
        site = self.baseline()
        site.arrive("alice")
        site.collector_once()
        site.dispatcher_once()
        host = site.read("state/collector/host")
        lines = [line for line in host.splitlines() if not line.startswith("machine ")]
        site.write("state/collector/host", "\n".join(lines[:1] + ["machine of-another"] + lines[1:]) + "\n")
        site.collector_once()
        self.assertIsNone(self.mark(site, "alice"))
        self.assertEqual(self.seen(), {})
        self.assertEqual(self.ledger("SELECT count(*) FROM person"), [(1,)])


class Marks(Collector):

    def test_markers_have_the_states_of_people(self):
        self.google.accounts({"address": "alice@example.com", "kind": "consumer"})
        site = self.baseline()
        site.start_collector()
        site.start_dispatcher()
        site.arrive("alice")
        wait_for(lambda: (self.mark(site, "alice") or "").strip() == "invited", "the mark `invited`")

    def test_the_marks_of_another_ledger_are_dropped(self):
        site = self.baseline()
        site.arrive("alice")
        site.collector_once()
        for name in os.listdir(site.path("state")):
            if name.startswith("ledger.db"):
                os.unlink(site.path("state/" + name))
        site.collector_once()
        self.assertIsNone(self.mark(site, "alice"))
        site.arrive("alice")
        site.collector_once()
        self.assertEqual(self.seen(), {"alice": "login"})


class Copies(Collector):
    """The host directory of another machine: its ledger, its journal and its marks agree with each other."""

    def mailed(self):
        """A site that has invited alice, with what another copy of it would not know: the mail to zoe."""
        self.google.accounts([{"address": "alice@example.com"}, {"address": "zoe@example.com", "created": "1h"}])
        site = self.baseline()
        site.arrive("alice")
        site.collector_once()
        site.dispatcher_once()
        return site

    def host_file(self, site, **facts):
        """Changes lines of the baseline; None removes one."""
        lines = [line for line in site.read("state/collector/host").splitlines()
                 if line.split(" ")[0] not in facts]
        lines[1:1] = [f"{name} {value}" for name, value in facts.items() if value is not None]
        site.write("state/collector/host", "\n".join(lines) + "\n")

    def assert_waits(self, site):
        site.arrive("zoe")
        site.collector_once()
        site.dispatcher_once()
        said = site.json("status", "--json")["service"]["reconcile"]
        self.assertEqual(said["cause"], "other_machine")
        self.assertEqual(self.google.mailbox()["counts"], {"alice@example.com": 1})
        self.assertIn("copy that another machine made", site.run("status").stdout.replace("\n  ", " "))

    def test_a_clone_with_another_machine_id_mails_no_person(self):
        site = self.mailed()
        self.host_file(site, machine="of-another")
        site.collector_once()
        self.assert_waits(site)
        self.google.advance("73h")
        site.dispatcher_once()
        site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["counts"], {"alice@example.com": 1, "zoe@example.com": 1})

    def test_an_image_without_a_machine_id_is_noticed_in_its_clones(self):
        site = self.mailed()
        self.host_file(site, machine=None)
        site.collector_once()
        self.assertIn("\nmachine ", site.read("state/collector/host"))
        self.assertIsNone(self.mark(site, "alice"))
        self.assert_waits(site)

    def test_a_clone_with_an_equal_machine_id_is_told_by_its_hardware(self):
        site = self.mailed()
        self.host_file(site, product="0123456789abcdef")
        site.write("run/machine", "fedcba9876543210")
        site.collector_once()
        self.assertIsNone(self.mark(site, "alice"))
        self.assert_waits(site)

    def test_a_clone_with_equal_ids_and_another_name_waits_and_keeps_its_accounts(self):
        site = self.mailed()
        self.host_file(site, name="original")
        self.ledger("UPDATE sighting SET host = 'original'")
        site.write("run/machine", "")
        self.host_file(site, product=None, instance=None)
        site.collector_once()
        self.assertEqual(self.seen(), {"alice": "login"})
        self.assert_waits(site)

    def test_a_clone_whose_dispatcher_starts_first_waits(self):
        site = self.mailed()
        self.ledger("UPDATE meta SET value = 'of-another' WHERE key = 'machine_id'")
        site.dispatcher_once()
        self.assertEqual(site.json("status", "--json")["service"]["reconcile"]["cause"], "other_machine")
        self.assert_waits(site)

    def test_the_same_machine_goes_on(self):
        site = self.mailed()
        site.arrive("zoe")
        site.collector_once()
        site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["total"], 2)


class Groups(Collector):
    """The group file, while an editor, a full disk or a deployment has damaged it."""
    USERS = ["ann", "ben", "cat", "dan", "eve"]
    whole = ""

    def excluded(self):
        """A site with five contractors, who have logged in and are not to be invited."""
        self.google.accounts([{"address": user + "@example.com"} for user in self.USERS])
        site = self.baseline(invitations={"creation_delay": "2s"})
        self.whole = "root:x:0:\nno-cloudinvite:x:500:" + ",".join(self.USERS) + "\nusers:x:100:\n"
        site.write("etc/group", self.whole)
        for user in self.USERS:
            site.arrive_account(user)
        site.start_collector()
        site.start_dispatcher()
        wait_for(lambda: self.verdicts() == {("excluded",)}, "the verdicts")
        return site

    def verdicts(self):
        return set(self.ledger("SELECT verdict FROM sighting"))

    def test_a_damaged_group_file_mails_no_person(self):
        site = self.excluded()
        for damaged in ("", self.whole[:-30], "users:x:100:\n", "root:x:0:\n"):
            site.write("etc/group", damaged)
            time.sleep(2)
            site.write("etc/group", self.whole)
            time.sleep(3)
            self.assertEqual(self.verdicts(), {("excluded",)})
        self.assertEqual(self.google.mailbox()["total"], 0)

    def test_a_group_that_stays_away_waits_for_an_administrator(self):
        site = self.excluded()
        site.write("etc/group", "root:x:0:\n")
        wait_for(lambda: self.ledger("SELECT kind FROM pause") == [("account_changes",)], "the pause")
        self.assertIn("accounts were excluded", site.run("status").stdout)
        time.sleep(3)
        self.assertEqual(self.verdicts(), {("excluded",)})
        self.assertEqual(site.run("resume").returncode, 0)
        wait_for(lambda: self.google.mailbox()["total"] == 5, "the mails")

    def test_one_person_who_leaves_the_group_is_invited_after_the_delay(self):
        site = self.excluded()
        began = time.monotonic()
        site.write("etc/group", self.whole.replace("ann,", ""))
        wait_for(lambda: self.google.mailbox()["counts"] == {"ann@example.com": 1}, "the mail")
        self.assertGreaterEqual(time.monotonic() - began, 2)


class Triggers(Collector):
    """An account is reported a second time, for a reason that matters more."""

    def created(self, triggers="login", **invitations):
        """A site with an account that was created after the first start; its person can be invited."""
        self.google.accounts({"address": "bob@example.com"})
        site = self.baseline(invitations={"triggers": triggers, **invitations})
        site.add_user("bob")
        for _ in range(2):
            site.collector_once()
        site.dispatcher_once()
        site.collector_once()
        self.assertEqual(self.seen(), {"bob": "created"})
        return site

    def assert_invited(self, site):
        site.collector_once()
        site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["counts"], {"bob@example.com": 1})

    def test_a_login_of_an_account_that_was_created_is_seen_where_created_is_no_trigger(self):
        site = self.created()
        self.assertIsNone(self.mark(site, "bob"))  # otherwise the module would not report the login
        site.arrive("bob")
        self.assert_invited(site)
        self.assertEqual(self.seen(), {"bob": "login"})
        site.collector_once()
        self.assertEqual(self.mark(site, "bob").strip(), "invited")

    def test_the_scan_that_explain_names_looks_again(self):
        site = self.created()
        self.assertIn("cloudinvite scan", site.run("explain", "bob").stdout)
        self.assertEqual(site.run("scan", "--yes").returncode, 0)
        self.assert_invited(site)
        self.assertEqual(self.seen()["bob"], "manual")

    def test_emit_looks_again(self):
        site = self.created()
        self.assertEqual(site.run("emit", "--trigger", "manual", "bob").returncode, 0)
        self.assert_invited(site)

    def test_where_created_becomes_no_trigger_the_marks_of_the_created_go(self):
        site = self.created("created", mode="dry-run")
        self.assertTrue(self.mark(site, "bob"))
        site.write_settings({"invitations": {"triggers": "login", "mode": "send"}})
        site.collector_once()
        self.assertIsNone(self.mark(site, "bob"))
        site.arrive("bob")
        site.collector_once()
        self.assertEqual(self.seen(), {"bob": "login"})

    def test_a_creation_counts_after_a_login_where_login_is_no_trigger(self):
        self.google.accounts({"address": "bob@example.com"})
        site = self.baseline(invitations={"triggers": "created", "creation_delay": "2s"})
        site.add_user("bob")
        site.arrive("bob")
        site.collector_once()
        site.dispatcher_once()
        self.assertEqual(self.seen(), {"bob": "login"})
        self.assertEqual(self.google.mailbox()["counts"], {})
        time.sleep(2.1)
        self.assert_invited(site)
        self.assertEqual(self.seen(), {"bob": "created"})

    def test_a_login_after_a_login_is_no_news(self):
        site = self.baseline()
        for _ in range(2):
            site.arrive("alice")
            site.collector_once()
            site.dispatcher_once()
        self.assertEqual(self.ledger("SELECT count(*) FROM history WHERE event = 'seen'"), [(1,)])


class Restores(Collector):
    """The ledger of yesterday is put back, as docs/operate.md says, and no mail has left since."""

    def backup(self, site):
        with sqlite3.connect(site.path("state/ledger.db")) as source, \
                sqlite3.connect(site.path("state/backup.db")) as target:
            source.backup(target)
        source.close()
        target.close()
        os.chmod(site.path("state/backup.db"), 0o600)

    def restore(self, site):
        for name in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(site.path("state/ledger.db" + name))
        os.rename(site.path("state/backup.db"), site.path("state/ledger.db"))

    def test_who_was_seen_since_the_backup_is_reported_again(self):
        site = self.baseline(invitations={"mode": "dry-run"})
        site.arrive("alice")
        site.collector_once()
        site.dispatcher_once()
        self.backup(site)
        site.arrive("zoe")
        site.collector_once()
        site.dispatcher_once()
        self.assertTrue(self.mark(site, "zoe"))
        self.restore(site)
        # The dispatcher comes first and changes more than the collector had reported.
        self.ledger("UPDATE ledger_info SET revision = revision + 1000")
        site.dispatcher_once()
        self.assertIn("restored from a backup", site.collector_once())
        self.assertIsNone(self.mark(site, "zoe"))
        self.assertIsNone(self.mark(site, "alice"))
        site.arrive("zoe")
        site.collector_once()
        self.assertEqual(self.seen(), {"alice": "login", "zoe": "login"})
        # Nothing was ever mailed, so nothing is to be waited for.
        site.dispatcher_once()
        self.assertIsNone(site.json("status", "--json")["service"]["reconcile"])
        self.assertNotIn("backup", site.collector_once())

    def test_a_rename_since_the_backup_is_found_again(self):
        site = self.baseline(invitations={"mode": "dry-run"})
        site.arrive("alice")
        site.collector_once()
        site.dispatcher_once()
        self.backup(site)
        passwd = site.read("etc/passwd")
        site.write("etc/passwd", passwd.replace("alice", "alice2"))
        for _ in range(3):
            site.collector_once()
            time.sleep(1.1)
        self.assertEqual(self.seen(), {"alice2": "login"})
        self.restore(site)
        self.assertEqual(self.seen(), {"alice": "login"})
        for _ in range(3):
            site.collector_once()
            time.sleep(1.1)
        self.assertEqual(self.seen(), {"alice2": "login"})
        self.assertEqual(self.gone(), set())

    def test_a_restore_under_a_running_collector_is_noticed(self):
        site = self.baseline()
        self.backup(site)
        site.arrive("alice")
        site.start_collector()
        wait_for(lambda: self.mark(site, "alice"), "the mark")
        self.restore(site)
        site.arrive("zoe")
        wait_for(lambda: self.mark(site, "alice") is None, "the end of the mark")
        site.arrive("alice")
        wait_for(lambda: set(self.seen()) == {"alice", "zoe"}, "the sightings")


class Trouble(Collector):

    def test_without_a_ledger_arrivals_wait(self):
        site = self.baseline()
        site.start_collector()
        wait_for(lambda: "started" in self.log(site), "the start")
        lock = sqlite3.connect(self.ledger_path, timeout=1, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        site.arrive("alice")
        wait_for(lambda: "waiting" in self.log(site), "a complaint", 30)
        self.assertEqual(self.arrivals(site), ["alice.login"])
        lock.execute("ROLLBACK")
        lock.close()
        wait_for(lambda: self.mark(site, "alice"), "a mark", 90)
        self.assertEqual(self.seen(), {"alice": "login"})

    def test_a_kill_at_any_point_loses_no_person(self):
        site = self.baseline()
        chance = random.Random(4711)
        users = [f"many{number}" for number in range(40)]
        site.write("etc/passwd", site.read("etc/passwd") + "".join(
            f"{user}:x:{5000 + number}:100::/home/{user}:/bin/sh\n"
            for number, user in enumerate(users)))
        for user in users:
            site.arrive(user)
            program = site.start_collector()
            time.sleep(chance.random() * 0.03)
            program.send_signal(signal.SIGKILL)
            program.wait()
        site.collector_once()
        self.assertEqual(set(self.seen()), set(users))
        self.assertEqual(self.ledger("SELECT count(*) FROM history WHERE event = 'seen'"), [(40,)])

    def test_sigterm_ends_it_well_and_sighup_takes_new_settings(self):
        site = self.baseline()
        program = site.start_collector()
        wait_for(lambda: "started" in self.log(site), "the start")
        site.write_settings({"people": {"max_uid": "50000"}})
        program.send_signal(signal.SIGHUP)
        wait_for(lambda: "config_reloaded" in self.log(site), "the reload", 10)
        site.write_settings({"people": {"max_uid": "many"}})
        program.send_signal(signal.SIGHUP)
        wait_for(lambda: "max_uid" in self.log(site), "the refusal", 10)
        self.assertEqual(harness.stop(program), 0)

    def test_once_beside_a_running_one_wakes_it(self):
        site = self.baseline()
        site.start_collector()
        wait_for(lambda: "started" in self.log(site), "the start")
        self.assertIn("is already running", site.collector_once())


class Prepare(Collector):

    def modes(self, site):
        return {name: (stat.S_IMODE(os.stat(site.path(name)).st_mode),
                       os.stat(site.path(name)).st_uid)
                for name in ("spool", "spool/new", "spool/seen", "spool/bad", "state", "tokens", "run")}

    def test_makes_every_directory_with_its_mode(self):
        self.assertEqual(self.modes(self.make_site()), {
            "spool": (0o700, 0), "spool/new": (0o700, 0), "spool/seen": (0o700, 0),
            "spool/bad": (0o700, 0), "state": (0o3770, 0), "tokens": (0o700, 0), "run": (0o750, 0)})

    def test_repairs_modes_and_repeats_harmlessly(self):
        site = self.make_site()
        before = self.modes(site)
        os.chmod(site.path("spool/new"), 0o777)
        os.chmod(site.path("tokens"), 0o755)
        site.program("cloudinvite-collector", "--prepare")
        self.assertEqual(self.modes(site), before)

    def test_refuses_links_files_and_foreign_directories(self):
        site = self.make_site()
        for plant in (lambda path: os.symlink("/etc", path), lambda path: open(path, "w").close(),
                      lambda path: (os.mkdir(path), os.chown(path, 4242, 4242))):
            os.rmdir(site.path("spool/bad"))
            plant(site.path("spool/bad"))
            with self.assertRaisesRegex(AssertionError, "ended with 8"):
                site.program("cloudinvite-collector", "--prepare")
            if os.path.isdir(site.path("spool/bad")) and not os.path.islink(site.path("spool/bad")):
                os.rmdir(site.path("spool/bad"))
            else:
                os.unlink(site.path("spool/bad"))
            os.mkdir(site.path("spool/bad"), 0o700)
        self.assertEqual(os.stat("/etc").st_uid, 0)


if __name__ == "__main__":
    harness.main()
