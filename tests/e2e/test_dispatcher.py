#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The dispatcher as a process: whole decisions, signals, crashes, pauses, and the rate limit as Google sees it."""
import os
import random
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

import harness
from harness import BUILD, Emulator, Site, wait_for
from harness import BUILD, Site, wait_for
ALICE = "alice@example.com"


class Dispatcher(harness.NewEmulator):

    def people(self):
        """{address: (state, reason)}"""
        return {address: (state, reason) for address, state, reason
                in self.ledger("SELECT address, state, reason FROM person")}

    def make_due(self):
        """Makes time pass for the people who wait."""
        self.ledger("UPDATE person SET next_attempt = 1, runnable_at = 1 WHERE runnable_at > 0")

    def arrive(self, site, count, prefix="person", invitable=True):
        """`count` people log in; returns their addresses."""
        users = [f"{prefix}{number}" for number in range(count)]
        if invitable:
            self.google.accounts({"prefix": prefix, "count": count, "domain": "example.com"})
        for user in users:
            site.arrive_account(user)
        site.collector_once()
        return [user + "@example.com" for user in users]

    def mails(self):
        return self.google.mailbox()["counts"]

    def routes(self):
        return [entry["route"] for entry in self.google.log() if entry["route"] != "token"]

    def log_of(self, site):
        return site.read("cloudinvite-dispatcher.log")

    def wait_for_log(self, site, word):
        wait_for(lambda: word in self.log_of(site), f"'{word}' in the log")


class Ways(Dispatcher):

    def test_a_first_login_is_invited_within_seconds_with_one_mail_and_three_calls(self):
        site = self.make_site()
        self.google.accounts({"address": ALICE})
        site.start_dispatcher()
        self.wait_for_log(site, "started")
        site.start_collector()
        site.arrive_account("alice")
        wait_for(lambda: self.people().get(ALICE) == ("invited", "sent"), "the invitation")
        site.arrive("alice")
        site.arrive("alice", "created")
        time.sleep(1)
        self.assertEqual(self.mails(), {ALICE: 1})
        self.assertEqual(self.routes(), ["check", "get", "send"])

    def test_a_person_without_an_unmanaged_account_costs_one_call(self):
        site = self.make_site()
        self.arrive(site, 1, invitable=False)
        site.dispatcher_once()
        self.assertEqual(self.routes(), ["check"])
        self.assertEqual(self.people(), {"person0@example.com": ("not_invitable", "not_invitable")})

    def test_dry_run_sends_nothing_and_what_follows_mails_the_approved(self):
        site = self.make_site(invitations={"mode": "dry-run"})
        first, second = self.arrive(site, 2)
        site.dispatcher_once()
        site.dispatcher_once()
        self.assertEqual(self.people()[first], ("held", "dry_run"))
        self.assertEqual(self.mails(), {})
        self.assertEqual(site.run("approve", first).returncode, 0)
        site.dispatcher_once()
        self.assertEqual(self.mails(), {})
        site.write_settings({"invitations": {"mode": "send"}})
        site.dispatcher_once()
        self.assertEqual(self.mails(), {first: 1})
        self.assertEqual(self.people()[second], ("held", "dry_run"))

    def test_the_daily_limit(self):
        site = self.make_site(invitations={"sends_per_day": "3"})
        self.arrive(site, 8)
        site.dispatcher_once()
        site.dispatcher_once()
        self.assertEqual(sum(self.mails().values()), 3)
        waiting = [reason for state, reason in self.people().values() if state == "queued"]
        self.assertEqual(waiting, ["daily_limit"] * 5)

    def test_answers_of_invited_people_are_found_by_a_resync(self):
        site = self.make_site()
        first, second, third = self.arrive(site, 3)
        site.dispatcher_once()
        self.google.accept(first)
        self.google.decline(second)
        self.ledger("UPDATE meta SET value = '1' WHERE key = 'resync_at'")
        before = len(self.routes())
        site.dispatcher_once()
        self.assertEqual(self.people(), {first: ("accepted", "answered"),
                                         second: ("declined", "answered"),
                                         third: ("invited", "sent")})
        self.assertEqual(self.routes()[before:], ["list"])
        self.assertEqual(sum(self.mails().values()), 3)

    def test_a_person_who_opens_an_account_later_is_held_until_approved(self):
        site = self.make_site()
        address, = self.arrive(site, 1, invitable=False)
        site.dispatcher_once()
        self.google.accounts({"address": address})
        self.ledger("UPDATE meta SET value = '1' WHERE key = 'resync_at'")
        site.dispatcher_once()
        self.assertEqual(self.people(), {address: ("held", "discovered")})
        self.assertEqual(site.run("approve", address).returncode, 0)
        site.dispatcher_once()
        self.assertEqual(self.mails(), {address: 1})

    def test_an_operation_of_any_shape_mails_once(self):
        for shape in ("done", "pending", "missing_done", "empty"):
            self.google.reset()
            self.google.switches({"operation": shape})
            with self.subTest(shape), Site(self.google) as site:
                self.ledger_path = site.path("state/ledger.db")
                address, = self.arrive(site, 1)
                for _ in range(3):
                    site.dispatcher_once()
                    self.make_due()
                site.dispatcher_once()
                self.assertEqual(self.mails(), {address: 1})
                self.assertEqual(self.people()[address][0], "invited")


class Trouble(Dispatcher):

    def test_a_reply_that_never_came_is_resolved_by_what_google_shows(self):
        site = self.make_site()
        address, = self.arrive(site, 1)
        self.google.faults({"route": "send", "action": "drop_after"})
        site.dispatcher_once()
        self.assertEqual(self.people(), {address: ("unconfirmed", "unconfirmed")})
        site.dispatcher_once()  # not due yet
        self.assertEqual(self.people(), {address: ("unconfirmed", "unconfirmed")})
        self.make_due()
        site.dispatcher_once()
        self.assertEqual(self.people(), {address: ("invited", "resolved")})
        self.assertEqual(self.mails(), {address: 1})

    def test_a_request_that_never_arrived_is_repeated_after_72_hours_of_googles_clock(self):
        site = self.make_site()
        address, = self.arrive(site, 1)
        self.google.faults({"route": "send", "action": "drop_before"})
        site.dispatcher_once()
        for hours in (0, 48, 23):
            self.google.advance(f"{hours}h")
            self.make_due()
            site.dispatcher_once()
            self.assertEqual(self.people(), {address: ("unconfirmed", "unconfirmed")})
        self.google.advance("2h")
        self.make_due()
        site.dispatcher_once()
        self.make_due()
        site.dispatcher_once()
        self.assertEqual(self.people(), {address: ("invited", "sent")})
        self.assertEqual(self.mails(), {address: 1})
        self.assertEqual(self.routes().count("send"), 2)

    def test_an_error_after_the_effect_is_not_repeated(self):
        site = self.make_site()
        address, = self.arrive(site, 1)
        self.google.faults({"route": "send", "action": "status_after", "status": 503})
        site.dispatcher_once()
        self.assertEqual(self.people()[address][0], "unconfirmed")
        self.make_due()
        site.dispatcher_once()
        self.assertEqual((self.people()[address][0], self.mails()), ("invited", {address: 1}))

    def test_a_disabled_api_pauses_charges_no_person_and_recovers(self):
        site = self.make_site()
        addresses = self.arrive(site, 3)
        self.google.switches({"api_disabled": True})
        site.dispatcher_once()
        (kind, text, remedy), = self.ledger("SELECT kind, text, remedy FROM pause")
        self.assertEqual(kind, "setup")
        self.assertIn("not enabled", text)
        self.assertIn("https://console.cloud.google.com", remedy)
        self.assertEqual({state for state, _ in self.people().values()}, {"queued"})
        site.dispatcher_once()  # probes: still so
        self.assertEqual(self.ledger("SELECT kind FROM pause"), [("setup",)])
        self.google.switches({"api_disabled": False})
        site.dispatcher_once()
        self.assertEqual(self.ledger("SELECT kind FROM pause"), [])
        self.assertEqual(self.mails(), {address: 1 for address in addresses})

    def test_five_refusals_alike_trip_the_breaker_that_only_resume_closes(self):
        site = self.make_site()
        addresses = self.arrive(site, 12)
        self.google.faults({"route": "check", "status": 404, "times": 0})
        site.dispatcher_once()
        self.assertEqual(self.ledger("SELECT kind FROM pause"), [("breaker",)])
        self.assertEqual({state for state, _ in self.people().values()}, {"queued"})
        self.google.clear_faults()
        site.dispatcher_once()
        self.assertEqual(self.mails(), {})
        self.assertEqual(site.run("resume").returncode, 0)
        site.dispatcher_once()
        self.assertEqual(self.mails(), {address: 1 for address in addresses})

    def test_a_single_refusal_fails_that_person_alone(self):
        site = self.make_site()
        first, second = self.arrive(site, 2)
        self.google.faults({"route": "check", "status": 403, "address": first})
        site.dispatcher_once()
        self.assertEqual(self.people()[first][0], "failed")
        self.assertEqual(self.mails(), {second: 1})

    def test_a_ledger_that_cannot_be_written_for_a_while_loses_nothing(self):
        site = self.make_site()
        address, = self.arrive(site, 1)
        self.google.latency({"route": "*", "ms": 300})
        dispatcher = site.start_dispatcher()
        wait_for(lambda: "check" in self.routes(), "the first call")
        holder = sqlite3.connect(self.ledger_path, timeout=30, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        self.wait_for_log(site, "ledger:")
        holder.execute("ROLLBACK")
        holder.close()
        wait_for(lambda: self.people()[address] == ("invited", "sent"), "the invitation")
        self.assertEqual(self.mails(), {address: 1})
        self.assertIsNone(dispatcher.poll())


class Crashes(Dispatcher):

    def settle(self, site):
        """All that is open comes to its end: 72 hours, then what is queued again."""
        for _ in range(3):
            self.google.advance("73h")
            self.make_due()
            site.dispatcher_once()

    def test_killed_at_any_moment_no_person_is_mailed_twice_or_forgotten(self):
        chance = random.Random(20261123)
        site = self.make_site(google={"parallel": "4"})
        addresses = self.arrive(site, 60)
        self.google.latency({"route": "*", "ms": 15})
        kills = 0
        while kills < 12 and any(state == "queued" for state, _ in self.people().values()) \
                or not self.people():
            dispatcher = site.start_dispatcher()
            time.sleep(chance.uniform(0.02, 0.35))
            dispatcher.send_signal(signal.SIGKILL)
            dispatcher.wait()
            kills += 1
        self.google.latency({"route": "*", "ms": 0})
        site.dispatcher_once()
        self.assertTrue(all(count == 1 for count in self.mails().values()), self.mails())
        self.settle(site)
        self.assertEqual(self.mails(), {address: 1 for address in addresses})
        self.assertEqual({state for state, _ in self.people().values()}, {"invited"})
        self.assertGreater(kills, 2)

    def test_sigterm_in_the_middle_ends_what_is_under_way_and_starts_nothing_new(self):
        site = self.make_site(google={"parallel": "4"})
        addresses = self.arrive(site, 20)
        self.google.latency({"route": "send", "ms": 3000})
        dispatcher = site.start_dispatcher()
        wait_for(lambda: "send" in self.routes(), "a send")
        self.assertEqual(harness.stop(dispatcher), 0)
        self.assertNotIn("sending", {state for state, _ in self.people().values()})
        self.assertEqual(self.ledger("SELECT count(*) FROM person WHERE lease_until > 0"), [(0,)])
        self.assertLess(len(self.mails()), 20)
        self.google.latency({"route": "send", "ms": 0})
        site.dispatcher_once()
        self.assertEqual(self.mails(), {address: 1 for address in addresses})

    def test_a_call_that_hangs_does_not_keep_it_from_stopping(self):
        site = self.make_site(google={"timeout": "3s"})
        self.arrive(site, 1)
        self.google.faults({"route": "send", "action": "delay", "delay_ms": 60000})
        dispatcher = site.start_dispatcher()
        wait_for(lambda: self.ledger("SELECT 1 FROM person WHERE state = 'sending'"), "the intent")
        began = time.monotonic()
        self.assertEqual(harness.stop(dispatcher), 0)
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual({state for state, _ in self.people().values()}, {"unconfirmed"})


class Process(Dispatcher):

    def run_dispatcher(self, site, *arguments):
        return subprocess.run([os.path.join(BUILD, "cloudinvite-dispatcher"), "-c", site.conf,
                               *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)

    def test_start_errors_name_the_remedy_and_their_exit_code(self):
        site = self.make_site()
        for change, code, word in (
                ({"google": {"requests_per_minute": "many"}}, 3, "requests_per_minute"),
                ({"google": {"requests_per_minute": "0", "credentials": "/nonexistent.json"}}, 3,
                 "nonexistent"),
                ({"worker": {"role": "host"}}, 3, "not available in version")):
            original = site.read("etc/cloudinvite.conf")
            site.write_settings(change)
            done = self.run_dispatcher(site, "--once")
            self.assertIn(word, done.stdout)
            self.assertIn(done.returncode, (code, 4), done.stdout)
            site.settings.read_string(original)
            site.settings["worker"].pop("role", None)
            site.write_settings()
        self.assertEqual(self.run_dispatcher(site, "--nonsense").returncode, 2)
        self.assertEqual(self.run_dispatcher(site, "--once", "--prepare").returncode, 2)
        self.assertEqual(self.run_dispatcher(site, "--version").returncode, 0)
        self.assertIn("--once", self.run_dispatcher(site, "--help").stdout)

    def test_once_beside_a_running_one_wakes_it(self):
        site = self.make_site()
        self.google.accounts({"address": ALICE})
        site.start_dispatcher()
        self.wait_for_log(site, "started")
        site.add_user("alice")
        site.arrive("alice")
        run = site.settings["storage"]["run"]
        site.write_settings({"storage": {"run": site.path("elsewhere")}})
        os.mkdir(site.path("elsewhere"))
        site.collector_once()  # it wakes no program
        site.write_settings({"storage": {"run": run}})
        time.sleep(0.5)
        self.assertEqual(self.mails(), {})
        self.assertIn("woke it", site.dispatcher_once())
        wait_for(self.mails, "the mail")
        second = self.run_dispatcher(site)
        self.assertEqual(second.returncode, 8)
        self.assertIn("is already running", second.stdout)

    def test_sighup_takes_new_settings_and_keeps_the_old_ones_when_they_are_faulty(self):
        site = self.make_site(invitations={"mode": "dry-run"})
        dispatcher = site.start_dispatcher()
        self.wait_for_log(site, "started")
        site.write_settings({"invitations": {"mode": "send", "sends_per_day": "a lot"}})
        dispatcher.send_signal(signal.SIGHUP)
        self.wait_for_log(site, "config_reload_failed")
        self.assertIn("sends_per_day", self.log_of(site))
        wait_for(lambda: "have errors" in self.ledger("SELECT status_text FROM worker WHERE program = "
                                                      "'dispatcher'")[0][0], "the note")
        first, = self.arrive(site, 1, "early")
        wait_for(lambda: self.people().get(first) == ("held", "dry_run"), "dry run")
        site.write_settings({"invitations": {"mode": "send", "sends_per_day": "100"}})
        dispatcher.send_signal(signal.SIGHUP)
        self.wait_for_log(site, "config_reloaded")
        second, = self.arrive(site, 1, "late")
        wait_for(lambda: self.people().get(second) == ("invited", "sent"), "the invitation")
        self.assertEqual(self.mails(), {second: 1})
        self.assertNotIn("have errors", self.ledger("SELECT status_text FROM worker")[0][0])

    def test_what_only_a_restart_can_change_is_refused_by_a_reload(self):
        site = self.make_site()
        dispatcher = site.start_dispatcher()
        self.wait_for_log(site, "started")
        site.write_settings({"storage": {"ledger": "sqlite:" + site.path("state/other.db")}})
        dispatcher.send_signal(signal.SIGHUP)
        self.wait_for_log(site, "Restart")
        self.assertFalse(os.path.exists(site.path("state/other.db")))

    def test_systemd_gets_what_it_waits_for(self):
        site = self.make_site()
        with tempfile.TemporaryDirectory(prefix="cloudinvite-notify.") as directory, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
            box.bind(os.path.join(directory, "notify"))
            box.settimeout(30)
            with open(site.path("cloudinvite-dispatcher.log"), "w", encoding="ascii") as log:
                dispatcher = subprocess.Popen(
                    [os.path.join(BUILD, "cloudinvite-dispatcher"), "-c", site.conf],
                    env=dict(os.environ, NOTIFY_SOCKET=os.path.join(directory, "notify"),
                             WATCHDOG_USEC="400000"),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            site.programs.append(dispatcher)
            said = []

            def hear(word):
                while not any(word in line for line in said):
                    said.append(box.recv(4096).decode())

            hear("READY=1")
            said.clear()
            for _ in range(3):
                hear("WATCHDOG=1")
                said.clear()
            dispatcher.send_signal(signal.SIGHUP)
            hear("RELOADING=1")
            hear("READY=1")
            dispatcher.send_signal(signal.SIGTERM)
            hear("STOPPING=1")
            self.assertEqual(dispatcher.wait(20), 0)

    def test_idle_it_sleeps(self):
        site = self.make_site()
        self.arrive(site, 3)
        site.start_collector()
        dispatcher = site.start_dispatcher()
        wait_for(lambda: len(self.mails()) == 3, "the mails")

        def switches():
            with open(f"/proc/{dispatcher.pid}/status", encoding="ascii") as file:
                return sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)

        def sleeps():
            before = switches()
            time.sleep(3)
            return switches() - before <= 2

        wait_for(sleeps, "three seconds of sleep")

    def test_the_log_masks_people_unless_configured_otherwise(self):
        for setting, shown in (("masked", False), ("full", True)):
            self.google.reset()
            with Site(self.google, {"privacy": {"log_addresses": setting}}) as site:
                self.google.accounts({"address": ALICE})
                site.arrive_account("alice")
                site.collector_once()
                said = site.dispatcher_once()
                self.assertIn("invited: ", said)
                self.assertEqual(ALICE in said, shown, said)


class RateLimit(Dispatcher):

    def test_any_60_seconds_hold_at_most_the_limit_through_restarts_and_commands(self):
        limit = 10
        site = self.make_site(google={"requests_per_minute": str(limit)})
        self.arrive(site, 12)
        self.google.latency({"route": "*", "ms": 100})
        began = time.monotonic()
        dispatcher = site.start_dispatcher()
        wait_for(lambda: len(self.routes()) >= limit - 1, "the burst")
        self.assertLess(time.monotonic() - began, 30, "one every 6 s would take 54 s")
        dispatcher.send_signal(signal.SIGKILL)
        dispatcher.wait()
        site.start_dispatcher()
        self.assertIn(site.run("check", "bob@example.com", timeout=90).returncode, (0, 1))
        wait_for(lambda: len(self.routes()) > limit + 2, "the next minute", 75)
        times = [entry["at"] for entry in self.google.log() if entry["route"] != "token"]
        stamps = sorted(self.seconds(at) for at in times)
        for first in range(len(stamps)):
            within = [at for at in stamps[first:] if at - stamps[first] < 60]
            self.assertLessEqual(len(within), limit)
        # People were brought to their final state before all others were begun.
        self.assertGreaterEqual(len(self.mails()), 2)

    @staticmethod
    def seconds(at):
        whole, _, rest = at.rstrip("Z").partition(".")
        return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (rest or "0"))

    def test_once_takes_the_permits_that_are_free_and_ends(self):
        site = self.make_site(google={"requests_per_minute": "10"})
        self.arrive(site, 20)
        began = time.monotonic()
        site.dispatcher_once()
        self.assertLess(time.monotonic() - began, 50)
        self.assertLessEqual(len(self.routes()), 9)
        self.assertGreaterEqual(len(self.mails()), 2)
        states = [state for state, _ in self.people().values()]
        self.assertEqual(states.count("queued"), 20 - len(self.mails()))
        site.dispatcher_once()
        self.assertLessEqual(len(self.routes()), 9)


if __name__ == "__main__":
    harness.main()
