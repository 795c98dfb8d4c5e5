#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: every verb, its exit codes, its JSON, and its appearance."""
import csv
import datetime
import fcntl
import io
import json
import os
import pwd
import re
import signal
import struct
import subprocess
import termios
import time
import unicodedata

import harness

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
STATES = {"queued", "not_invitable", "sending", "unconfirmed", "invited", "accepted", "declined",
          "cancelled", "held", "failed", "gone"}
PERSON = {"address", "state", "reason", "mails_sent", "next_attempt", "changed", "approved", "first_seen", "attempts",
          "last_error"}  # members in JSON
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
DRY_RUN = {"invitations": {"mode": "dry-run"}}


def columns(line):
    """The columns of a terminal that a line takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line if not unicodedata.combining(c))


class Terminal:
    """cloudinvite on a terminal of its own."""

    def __init__(self, site, *verb, width=80, height=50, environment=()):
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        surroundings = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        surroundings.update(environment)
        self.process = subprocess.Popen(
            [os.path.join(harness.BUILD, "cloudinvite"), "-c", site.conf, *verb], stdin=slave,
            stdout=slave, stderr=slave, env=surroundings, start_new_session=True)
        os.close(slave)
        self.output = b""

    def read_until(self, word=None):
        """Reads until the word has been printed, or (None) to the end; all output so far."""
        while word is None or word.encode() not in self.output:
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                break
            if not piece:
                break
            self.output += piece
        return self.output.decode().replace("\r\n", "\n")

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        """(exit code, all output)"""
        output = self.read_until()
        code = self.process.wait(harness.TIMEOUT)
        os.close(self.master)
        return code, output


class AliceAndBob(harness.NewSite):
    """Alice and bob have unmanaged accounts, carol has none."""
    unmanaged = (ALICE, BOB)

    def run_verb(self, *verb, code=0, **options):
        """The completed process, which must end with that code."""
        done = self.site.run(*verb, **options)
        self.assertEqual(done.returncode, code,
                         f"{verb}: {done.stdout}{done.stderr}")
        return done

    def lines(self, *verb, code=0):
        """JSON lines."""
        return [json.loads(line) for line in self.run_verb(*verb, code=code).stdout.splitlines()]

    def on_terminal(self, *verb, **options):
        return Terminal(self.site, *verb, **options).end()

    def mails(self):
        return self.google.mailbox()["counts"]

    def arrive(self, *users):
        """They log in, and both programs do what is due."""
        for user in users:
            self.site.arrive_account(user)
        self.site.collector_once()
        self.site.dispatcher_once()

    def person(self, address):
        people = self.site.json("status", "--json", address)["people"]
        self.assertEqual(len(people), 1)
        return people[0]

    def state(self, address):
        return self.person(address)["state"]


class Help(AliceAndBob):

    def test_help_lists_the_verbs_by_group_and_only_those_that_are_there(self):
        said = self.run_verb("help").stdout
        for group in ("The ledger", "Google, live", "Setup", "Plumbing"):
            self.assertIn(f"\n{group}\n", said)
        listed = re.findall(r"^  ([a-z]+) +\S", said, re.MULTILINE)
        self.assertEqual(sorted(listed), sorted(
            "status explain history approve retry block unblock forget enable pause resume scan "
            "check get list send cancel login token setup doctor pam config help emit metrics report".split()))
        self.assertTrue(all(columns(line) <= 80 for line in said.splitlines()))

    def test_every_verb_explains_itself(self):
        listed = re.findall(r"^  ([a-z]+) +\S", self.run_verb("help").stdout, re.MULTILINE)
        for verb in listed:
            said = self.run_verb(verb, "--help").stdout
            self.assertTrue(said.startswith("usage: cloudinvite [-c FILE] " + verb), said)
            self.assertEqual(said, self.run_verb("help", verb).stdout)

    def test_an_unknown_verb_is_guessed(self):
        done = self.run_verb("stauts", code=2)
        self.assertIn("Did you mean: cloudinvite status", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_an_old_option_is_misuse_and_the_remedy_names_the_new_one(self):
        for words, old, new in ((("send", "--again", "--reason", "r", ALICE), "--again", "--resend"),
                                (("emit", "--reason", "created", "alice"), "--reason", "--trigger"),
                                (("emit", "alice", "--reason=login"), "--reason", "--trigger")):
            with self.subTest(words):
                done = self.run_verb(*words, code=2)
                self.assertEqual(done.stderr, f"cloudinvite: {words[0]} has no option {old}\n"
                                              f"  Use {new} instead.\n")

    def test_no_verb_at_all_shows_help_and_is_an_error(self):
        self.assertIn("The ledger", self.run_verb(code=2).stdout)

    def test_version(self):
        self.assertRegex(self.run_verb("--version").stdout, r"^cloudinvite \d+\.\d+\.\d+\n$")

    def test_an_unknown_option_shows_the_usage(self):
        for verb in (("status", "--frobnicate"), ("check",), ("send",), ("block", ALICE),
                     ("approve",), ("approve", "--all", ALICE), ("list", "--json", "--csv"),
                     ("pause",), ("pause", "--reason", "x", "y"), ("history", ALICE, BOB), ("forget",),
                     ("status", "--state", "tired"), ("list", "--state", "tired"),
                     ("list", "--order-by", "name"), ("resume", "now"), ("help", "frobnicate")):
            self.assertNotEqual(self.run_verb(*verb, code=2).stderr, "", verb)

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([os.path.join(harness.BUILD, "cloudinvite"), "help"],
                                  stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 8)
        self.assertIn("No space left", done.stderr)


class Asking(AliceAndBob):

    def test_check_says_yes_by_its_exit_code(self):
        self.assertIn("invitable", self.run_verb("check", ALICE).stdout)
        self.assertIn("not invitable", self.run_verb("check", CAROL, code=1).stdout)
        self.assertEqual(self.mails(), {})

    def test_check_json_is_a_line_a_person_and_the_worst_counts(self):
        self.assertEqual(self.lines("check", "--json", ALICE, CAROL, BOB, code=1),
                         [{"address": ALICE, "invitable": True},
                          {"address": CAROL, "invitable": False},
                          {"address": BOB, "invitable": True}])

    def test_options_may_follow_and_two_dashes_end_them(self):
        self.assertEqual(self.lines("check", ALICE, "--json"),
                         [{"address": ALICE, "invitable": True}])
        done = self.run_verb("check", "--", "--json", code=2)
        self.assertIn("'--json'", done.stderr)

    def test_one_bad_name_does_not_stop_the_others(self):
        found = self.lines("check", "--json", "no such", ALICE, code=2)
        self.assertEqual([one["invitable"] for one in found], [None, True])
        self.assertEqual(found[0]["error"]["kind"], "usage")
        self.assertTrue(found[0]["error"]["message"])

    def test_later_is_5_and_the_error_is_in_the_line(self):
        self.google.faults({"route": "check", "status": 503, "times": 0})
        found = self.lines("check", "--json", ALICE, code=5)
        self.assertIsNone(found[0]["invitable"])
        self.assertEqual(found[0]["error"]["kind"], "transient")
        self.assertEqual(set(found[0]["error"]), {"kind", "code", "message", "remedy"})

    def test_a_setup_that_google_refuses_is_6_and_is_met_once(self):
        self.google.faults([{"route": route, "status": 403, "times": 0}
                            for route in ("check", "list")])
        found = self.lines("check", "--json", ALICE, BOB, CAROL, code=6)
        self.assertEqual([one["error"]["kind"] for one in found], ["setup"] * 3)
        self.assertEqual(len(self.google.log(route="check")), 1)

    def test_settings_are_3_and_a_credential_is_4(self):
        os.rename(self.google.file("credentials.json"), self.google.file("away.json"))
        done = self.run_verb("check", ALICE, code=4)
        self.assertIn("credentials.json", done.stderr)
        self.site.write_settings({"google": {"timeout": "soon"}})
        done = self.run_verb("check", ALICE, code=3)
        self.assertIn("timeout", done.stderr)

    def test_a_ledger_that_is_none_is_8(self):
        self.site.write("state/ledger.db", "not a ledger\n" * 1000)
        self.assertNotEqual(self.run_verb("status", code=8).stderr, "")

    def test_get_shows_state_and_mails_or_that_nothing_is_shown(self):
        self.run_verb("send", ALICE)
        found = self.lines("get", "--json", ALICE)[0]
        self.assertEqual((found["shown"], found["state"], found["mails_sent"]),
                         (True, "INVITED", 1))
        datetime.datetime.strptime(found["updated"], "%Y-%m-%dT%H:%M:%SZ")
        self.assertEqual(self.lines("get", "--json", CAROL, code=1),
                         [{"address": CAROL, "shown": False, "state": None, "mails_sent": None,
                           "updated": None}])
        self.assertIn("INVITED, 1 mail", self.run_verb("get", ALICE).stdout)

    def test_people_may_be_named_by_their_user(self):
        self.arrive("alice")
        self.assertEqual(self.lines("get", "--json", "alice")[0]["address"], ALICE)
        host = self.person(ALICE)["sightings"][0]["host"]
        self.assertEqual(self.lines("get", "--json", f"alice@{host}")[0]["address"], ALICE)

    def test_an_ambiguous_user_is_refused_with_the_candidates(self):
        self.arrive("alice")
        host = self.person(ALICE)["sightings"][0]["host"]
        done = subprocess.run(
            ["sqlite3", self.site.path("state/ledger.db"),
             "INSERT INTO sighting (host, account, uid, trigger, first_day, local, shell,"
             " member_of, first_name, last_name, verdict, address, facts_revision, revision)"
             " SELECT 'other', account, uid, trigger, first_day, local, shell, member_of,"
             " first_name, last_name, verdict,"
             f" 'alice.two@example.com', facts_revision, revision FROM sighting WHERE host = '{host}'"],
            check=False, capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        done = self.run_verb("block", "--reason", "x", "alice", code=2)
        self.assertIn(ALICE, done.stderr)
        self.assertIn("alice.two@example.com", done.stderr)


    def test_waiting_for_the_rate_limit_is_shown_on_a_terminal(self):
        self.site.write_settings({"google": {"requests_per_minute": "1"}})
        terminal = Terminal(self.site, "check", ALICE, BOB)
        self.assertIn("invitable", terminal.read_until("waiting for the rate limit"))
        os.kill(terminal.process.pid, signal.SIGINT)
        self.assertEqual(terminal.end()[0], -signal.SIGINT)
        self.assertEqual(len(self.google.log(route="check")), 1)


class Listing(AliceAndBob):

    def setUp(self):
        super().setUp()
        self.run_verb("send", ALICE)
        self.google.accounts({"prefix": "user", "count": 450, "domain": "example.com"})

    def test_all_pages_as_json_lines(self):
        found = self.lines("list", "--json")
        self.assertEqual(len(found), 452)
        self.assertEqual(set(found[0]), {"address", "state", "mails_sent", "updated"})
        self.assertEqual(len(self.google.log(route="list")), 3)

    def test_state_and_order(self):
        found = self.lines("list", "--state", "invited", "--json")
        self.assertEqual([one["address"] for one in found], [ALICE])
        found = self.lines("list", "--state=NOT_YET_SENT", "--order-by", "email desc", "--json")
        self.assertEqual(len(found), 451)
        self.assertEqual(found[0]["address"], "user9@example.com")

    def test_csv_is_rfc_4180_and_holds_no_formula(self):
        self.google.accounts({"address": "=cmd@example.com"})
        text = self.run_verb("list", "--csv").stdout
        raw = subprocess.run([os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf,
                              "list", "--csv"], capture_output=True, check=True).stdout
        self.assertEqual(raw.count(b"\r\n"), 454)
        self.assertEqual(raw.count(b"\n"), 454)
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual(list(rows[0]), ["address", "state", "mails_sent", "updated"])
        self.assertEqual([row["address"] for row in rows if "cmd" in row["address"]],
                         ["'=cmd@example.com"])
        self.assertFalse(any(row["address"][0] in "=+-@" for row in rows))

    def test_the_table_has_one_head_and_a_count(self):
        text = self.run_verb("list").stdout
        self.assertEqual(text.count("address"), 1)
        self.assertIn("\n452 invitations\n", text)

    def test_a_page_that_fails_is_reported_and_the_list_is_incomplete(self):
        self.google.faults({"route": "list", "status": 503, "times": 0, "after": 1})
        done = self.run_verb("list", "--json", code=5)
        self.assertEqual(len(done.stdout.splitlines()), 200)
        self.assertNotEqual(done.stderr, "")


    def test_a_reader_that_closes_the_pipe_gets_no_message(self):
        with subprocess.Popen([os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf,
                               "list", "--json"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.stderr.read(), b"")


class Sending(AliceAndBob):

    def test_send_invites_once(self):
        self.assertIn("invited", self.run_verb("send", ALICE).stdout)
        self.assertEqual(self.mails(), {ALICE: 1})
        done = self.run_verb("send", ALICE, code=7)
        self.assertIn("--resend", done.stderr)
        self.assertEqual(self.mails(), {ALICE: 1})

    def test_send_json(self):
        self.assertEqual(self.lines("send", "--json", ALICE),
                         [{"address": ALICE, "state": "invited", "reason": "sent",
                           "mails_sent": 1}])
        found = self.lines("send", "--json", ALICE, BOB, code=7)
        self.assertEqual(found[0]["error"]["kind"], "policy")
        self.assertEqual(found[1]["state"], "invited")

    def test_resend_needs_a_reason_and_mails_once_more(self):
        self.run_verb("send", ALICE)
        self.google.decline(ALICE)
        self.run_verb("send", "--resend", ALICE, code=2)
        self.run_verb("send", "--resend", "--reason", "", ALICE, code=2)
        self.assertEqual(self.mails(), {ALICE: 1})
        self.run_verb("send", "--resend", "--reason", "she asked for it", ALICE)
        self.assertEqual(self.mails(), {ALICE: 2})
        self.assertIn("she asked for it", self.run_verb("history", ALICE).stdout)

    def test_a_person_without_an_account_is_a_no(self):
        self.assertIn("not invitable", self.run_verb("send", CAROL, code=1).stdout)

    def test_a_name_twice_is_one_mail_even_with_resend(self):
        self.run_verb("send", ALICE)
        self.run_verb("send", "--resend", "--reason", "r", ALICE, "ALICE@example.com", ALICE)
        self.assertEqual(self.mails(), {ALICE: 2})

    def test_one_bad_name_sends_nothing_at_all(self):
        self.run_verb("send", ALICE, "no such", code=2)
        self.run_verb("send", ALICE, "somebody@elsewhere.test", code=7)
        self.assertEqual(self.mails(), {})

    def test_over_ten_people_need_a_yes(self):
        self.google.accounts({"prefix": "user", "count": 11, "domain": "example.com"})
        many = [f"user{i}@example.com" for i in range(11)]
        done = self.run_verb("send", *many, code=2)
        self.assertIn("--yes", done.stderr)
        self.assertEqual(self.mails(), {})
        terminal = Terminal(self.site, "send", *many)
        terminal.read_until("[y/N]")
        terminal.type("n\n")
        self.assertEqual(terminal.end()[0], 2)
        self.assertEqual(self.mails(), {})
        terminal = Terminal(self.site, "send", *many[:11])
        self.assertIn("Invite 11 people?", terminal.read_until("[y/N]"))
        terminal.type("y\n")
        self.assertEqual(terminal.end()[0], 0)
        self.assertEqual(len(self.mails()), 11)

    def test_ten_people_or_a_yes_are_not_asked_about(self):
        self.google.accounts({"prefix": "user", "count": 12, "domain": "example.com"})
        self.run_verb("send", *[f"user{i}@example.com" for i in range(10)])
        self.assertEqual(len(self.mails()), 10)
        self.run_verb("send", "--yes", *[f"user{i}@example.com" for i in range(12)], code=7)
        self.assertEqual(len(self.mails()), 12)

    def test_cancel_takes_it_back_here_and_at_google(self):
        self.run_verb("send", ALICE)
        self.assertIn("cancelled", self.run_verb("cancel", "--reason", "left", ALICE).stdout)
        self.assertEqual(self.state(ALICE), "cancelled")
        self.assertEqual(self.lines("get", "--json", ALICE)[0]["state"], "NOT_YET_SENT")
        self.run_verb("send", ALICE, code=7)
        self.assertEqual(self.mails(), {ALICE: 1})

    def test_a_send_without_an_answer_is_5_and_is_not_repeated(self):
        self.google.faults({"route": "send", "action": "drop_after"})
        self.run_verb("send", ALICE, code=5)
        self.assertEqual(self.state(ALICE), "unconfirmed")
        self.run_verb("send", ALICE, code=7)
        self.assertEqual(self.mails(), {ALICE: 1})


    def test_an_interrupt_waits_for_the_current_person(self):
        self.google.latency({"route": "send", "ms": 1500})
        terminal = Terminal(self.site, "send", ALICE, BOB)
        harness.wait_for(lambda: self.google.log(route="send"), "the send")
        os.kill(terminal.process.pid, signal.SIGINT)
        code, said = terminal.end()
        self.assertEqual(code, 5, said)
        self.assertIn("1 more person was not tried", said)
        self.assertEqual(self.state(ALICE), "invited")
        self.assertEqual(self.mails(), {ALICE: 1})


class DryRun(AliceAndBob):
    overrides = DRY_RUN

    def test_nothing_is_sent_and_status_shows_who_would_be(self):
        self.arrive("alice", "carol")
        self.assertEqual(self.mails(), {})
        said = self.run_verb("status").stdout
        self.assertIn("Dry run: no invitations go out. 1 person would be invited.", said)
        self.assertIn("cloudinvite enable", said)
        self.assertRegex(said, rf"Would be invited\n  {ALICE}\n")
        self.assertEqual((self.state(ALICE), self.state(CAROL)), ("held", "not_invitable"))

    def test_enable_shows_them_asks_and_writes_the_setting(self):
        self.arrive("alice")
        self.assertIn("--yes", self.run_verb("enable", code=2).stderr)
        self.assertIn("dry-run", self.site.read("etc/cloudinvite.conf"))
        terminal = Terminal(self.site, "enable")
        self.assertIn(ALICE, terminal.read_until("[y/N]"))
        terminal.type("\n")
        self.assertEqual(terminal.end()[0], 2)
        self.assertIn("dry-run", self.site.read("etc/cloudinvite.conf"))
        self.run_verb("enable", "--yes")
        self.assertRegex(self.site.read("etc/cloudinvite.conf"), r"\nmode ?= ?send\n")
        self.assertIn("already on", self.run_verb("enable").stdout)
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {})
        self.run_verb("approve", "--reason", "dry_run")
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {ALICE: 1})

    def test_enable_tells_the_running_dispatcher(self):
        self.site.collector_once()  # makes the ledger
        self.site.start_dispatcher()
        harness.wait_for(lambda: any(
            p["program"] == "dispatcher" and p["running"] and p["pid"]
            for p in self.site.json("status", "--json")["service"]["programs"]), "the dispatcher")
        self.assertIn("is reloading its settings", self.run_verb("enable", "--yes").stdout)
        self.site.arrive_account("alice")
        self.site.collector_once()
        harness.wait_for(lambda: self.mails() == {ALICE: 1}, "the mail")

    def test_approve_in_dry_run_mails_when_sending_begins(self):
        self.arrive("alice", "bob")
        done = self.run_verb("approve", "alice")
        self.assertIn("This host is in dry run", done.stderr)
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {})
        self.assertIn("Approved. Will be invited when `enable` starts sending", self.run_verb("explain", ALICE).stdout)
        self.assertNotIn("approve --reason dry_run", self.run_verb("status").stdout)
        shown = self.run_verb("enable", "--yes").stdout
        self.assertRegex(shown, r"2 people would have been invited, the first on \d{4}-")
        self.assertIn(ALICE + " (approved)", shown)
        self.assertIn("stay held, except those who are approved", shown.replace("\n", " "))
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {ALICE: 1})

    def test_approved_people_are_invited_when_the_setting_is_edited_by_hand(self):
        self.arrive("alice", "bob")
        self.run_verb("approve", "alice")
        self.site.dispatcher_once()
        self.site.write("etc/cloudinvite.conf",
                        self.site.read("etc/cloudinvite.conf").replace("dry-run", "send"))
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {ALICE: 1})

    def test_enable_with_approve_releases_all_who_waited(self):
        self.arrive("alice", "bob")
        done = self.run_verb("enable", "--yes", "--approve")
        self.assertIn("2 people approved", done.stdout)
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {ALICE: 1, BOB: 1})

    def test_enable_asks_about_the_people_who_wait(self):
        self.arrive("alice", "bob")
        for answer, mails in (("n\n", {}), ("y\n", {ALICE: 1, BOB: 1})):
            self.site.write("etc/cloudinvite.conf",
                            self.site.read("etc/cloudinvite.conf").replace("mode = send", "mode = dry-run"))
            terminal = Terminal(self.site, "enable")
            self.assertIn("2 people would have been invited", terminal.read_until("Start sending? [y/N]"))
            terminal.type("y\n")
            terminal.read_until("Invite the 2 people who waited for this as well? [y/N]")
            terminal.type(answer)
            self.assertEqual(terminal.end()[0], 0)
            self.site.dispatcher_once()
            self.assertEqual(self.mails(), mails)

    def test_approve_all_of_more_than_ten_asks(self):
        self.google.accounts({"prefix": "member", "count": 12, "domain": "example.com"})
        self.arrive(*[f"member{i}" for i in range(12)])
        self.assertIn("Invite 12 people?", self.run_verb("approve", "--all", code=2).stderr)
        self.assertEqual(self.site.json("status", "--json")["summary"]["held"], 12)
        self.assertIn("12 people approved", self.run_verb("approve", "--all", "--yes").stdout)
        self.run_verb("enable", "--yes")
        self.site.dispatcher_once()
        self.assertEqual(len(self.mails()), 12)

    def test_approve_refuses_a_person_that_is_not_held_or_not_known(self):
        self.arrive("carol")
        self.assertIn("not invitable", self.run_verb("approve", CAROL, code=7).stderr)
        self.run_verb("approve", BOB, code=1)


class Deciding(AliceAndBob):

    def test_a_block_holds_every_arrival_and_unblock_releases_them(self):
        self.run_verb("block", "--reason", "on leave", ALICE)
        self.arrive("alice")
        self.assertEqual(self.mails(), {})
        said = self.run_verb("explain", "alice").stdout
        self.assertIn("blocked", said)
        self.assertIn("on leave", said)
        self.run_verb("unblock", ALICE)
        self.run_verb("unblock", ALICE, code=1)
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {ALICE: 1})

    def test_pause_holds_everything_and_status_shows_actor_and_reason(self):
        self.run_verb("pause", "--reason", "the announcement goes out first")
        self.arrive("alice")
        self.assertEqual(self.mails(), {})
        said = self.run_verb("status").stdout
        self.assertRegex(said, r"Paused by \S+, .*: the announcement goes out first")
        self.assertIn("cloudinvite resume", said)
        pause = self.site.json("status", "--json")["service"]["pause"]
        self.assertEqual(set(pause), {"kind", "reason", "remedy", "actor", "since", "next_probe"})
        self.assertEqual((pause["kind"], pause["reason"]),
                         ("operator", "the announcement goes out first"))
        self.assertIn("the announcement", self.run_verb("resume").stdout)
        self.assertIn("Nothing was paused", self.run_verb("resume").stdout)
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {ALICE: 1})

    def test_a_person_who_failed_is_tried_again(self):
        self.google.faults({"route": "check", "address": ALICE, "status": 403, "times": 0})
        self.arrive("alice", "bob")
        self.assertEqual((self.state(ALICE), self.state(BOB)), ("failed", "invited"))
        self.google.clear_faults()
        self.run_verb("retry", BOB, code=7)
        self.assertIn("1 person queued again", self.run_verb("retry", "--all").stdout)
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {ALICE: 1, BOB: 1})

    def test_a_person_who_has_no_account_yet_can_be_asked_about_again(self):
        self.arrive("carol")
        self.assertEqual(self.state(CAROL), "not_invitable")
        self.google.accounts({"address": CAROL})
        self.run_verb("retry", "carol")
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {CAROL: 1})

    def test_forget_erases_person_history_and_mark(self):
        self.arrive("carol")
        self.assertTrue(os.path.exists(self.site.path("spool/seen/carol")))
        self.run_verb("forget", CAROL)
        self.assertFalse(os.path.exists(self.site.path("spool/seen/carol")))
        self.assertEqual(self.site.json("status", "--json")["people"], [])
        self.run_verb("history", CAROL, code=1)
        self.run_verb("forget", CAROL, code=1)

    def test_a_person_just_mailed_is_forgotten_only_with_a_block(self):
        self.arrive("alice")
        self.assertIn("--block", self.run_verb("forget", ALICE, code=7).stderr)
        self.assertEqual(self.state(ALICE), "invited")
        self.run_verb("forget", "--block", ALICE)
        self.site.arrive("alice")
        self.site.collector_once()
        self.site.dispatcher_once()
        self.assertEqual(self.mails(), {ALICE: 1})

    def test_somebody_mailed_three_days_ago_is_forgotten_without_a_block(self):
        self.arrive("alice")
        for hours, code in ((71, 7), (73, 0)):
            subprocess.run(["sqlite3", self.site.path("state/ledger.db"),
                            f"UPDATE person SET changed = unixepoch() - {hours} * 3600"], check=True, timeout=60)
            self.run_verb("forget", ALICE, code=code)

    def test_an_account_without_address_can_be_forgotten(self):
        self.arrive("postmaster")
        self.run_verb("forget", "postmaster")
        self.assertFalse(os.path.exists(self.site.path("spool/seen/postmaster")))
        self.assertEqual(sum(self.site.json("status", "--json")["service"]["verdicts"].values()), 0)


class Looking(AliceAndBob):

    def test_status_json_is_what_the_design_says(self):
        self.arrive("alice", "carol", "postmaster")
        said = self.site.json("status", "--json")
        self.assertEqual(said["schema"], 1)
        self.assertEqual(set(said["summary"]), STATES)
        self.assertEqual((said["summary"]["invited"], said["summary"]["not_invitable"]), (1, 1))
        self.assertEqual((said["more"], said["next"]), (False, None))
        self.assertEqual([person["address"] for person in said["people"]], [ALICE, CAROL])
        alice = said["people"][0]
        self.assertEqual(set(alice), PERSON | {"sightings"})
        self.assertEqual((alice["state"], alice["mails_sent"]), ("invited", 1))
        sighting = alice["sightings"][0]
        self.assertEqual(set(sighting), {"host", "user", "uid", "verdict", "first_seen", "gone"})
        self.assertEqual((sighting["user"], sighting["uid"], sighting["verdict"]),
                         ("alice", 1001, "mapped"))
        datetime.datetime.strptime(sighting["first_seen"], "%Y-%m-%dT00:00:00Z")
        service = said["service"]
        self.assertEqual(set(service), {
            "version", "mode", "pause", "reconcile", "rate_limit", "sends_per_day", "mails_today", "blocked",
            "oldest_unconfirmed", "programs", "verdicts", "waiting", "errors", "ledger"})
        self.assertEqual(set(service["rate_limit"]), {"configured", "effective", "used", "wait_ms", "throttled_until",
                                                      "eta_seconds"})
        for program in service["programs"]:
            self.assertEqual(set(program), {"program", "expected", "running", "host", "version", "pid",
                                            "last_heartbeat", "started", "status"})
        self.assertEqual((service["mode"], service["pause"], service["mails_today"]),
                         ("send", None, 1))
        self.assertIsNone(said["people"][1]["mails_sent"])
        self.assertEqual(service["verdicts"]["excluded"], 1)

    def test_people_come_in_pages(self):
        for i in range(1005):
            self.site.add_user(f"user{i:04}")
            self.site.arrive(f"user{i:04}")
        self.site.collector_once()
        self.site.dispatcher_once()
        first = self.site.json("status", "--json")
        self.assertEqual((len(first["people"]), first["more"], first["next"]),
                         (1000, True, "user0999@example.com"))
        rest = self.site.json("status", "--json", "--after", first["next"])
        self.assertEqual((len(rest["people"]), rest["more"], rest["next"]), (5, False, None))
        all_people = self.site.json("status", "--json", "--all")
        self.assertEqual(all_people["people"], first["people"] + rest["people"])
        table = self.run_verb("status", "--state", "not-invitable").stdout
        self.assertEqual(len(re.findall(r"^user\d+@", table, re.MULTILINE)), 1000)
        self.assertIn("--after user0999@example.com", table)
        table = self.run_verb("status", "--state", "not_invitable", "--all").stdout
        self.assertEqual(len(re.findall(r"^user\d+@", table, re.MULTILINE)), 1005)

    def test_status_of_some_people_and_of_an_unknown_one(self):
        self.arrive("alice", "carol")
        said = self.run_verb("status", "alice", CAROL).stdout
        self.assertIn(ALICE, said)
        self.assertIn(CAROL, said)
        self.assertIn("not in the ledger", self.run_verb("status", BOB, code=1).stderr)
        found = self.site.json("status", "--json", BOB, "alice")
        self.assertEqual([person["address"] for person in found["people"]], [ALICE])
        self.assertEqual(self.site.run("status", "--json", BOB).returncode, 1)

    def test_the_morning_after_a_good_day(self):
        self.site.start_collector()
        self.site.start_dispatcher()
        self.site.arrive_account("alice")
        harness.wait_for(lambda: self.mails() == {ALICE: 1}, "the mail")
        said = harness.wait_for(
            lambda: (lambda text: text if "All is well" in text else None)(
                self.run_verb("status").stdout), "a good morning")
        self.assertIn("All is well. 1 invitation sent today; nothing queued.", said)
        self.assertEqual(len(re.findall(r"^  (?:collector|dispatcher) +runs", said,
                                        re.MULTILINE)), 2)

    def test_programs_that_are_down_are_reported_with_the_remedy(self):
        self.arrive("alice")
        said = self.run_verb("status").stdout
        self.assertIn("The collector and the dispatcher are not running", said)
        self.assertIn("systemctl start cloudinvite-dispatcher", said)
        self.assertFalse(any(program["running"] for program in
                             self.site.json("status", "--json")["service"]["programs"]))

    def test_explain_gives_verdict_rule_facts_state_and_commands(self):
        self.arrive("alice", "postmaster")
        said = self.run_verb("explain", "alice").stdout
        for part in ("mapped " + ALICE, "local account, uid 1001", "/bin/bash", "invited",
                     "cloudinvite cancel " + ALICE):
            self.assertIn(part, said)
        self.assertIn("reserved_name", self.run_verb("explain", "postmaster").stdout)
        said = self.site.json("explain", "--json", "alice")
        account, person = said["accounts"][0], said["people"][0]
        self.assertEqual(set(account), {"host", "user", "uid", "seen", "gone", "trigger", "first_seen", "facts",
                                        "recorded", "current"})
        self.assertEqual(set(account["facts"]), {"local", "shell", "groups", "first_name", "last_name"})
        self.assertEqual(set(account["recorded"]), {"verdict", "address", "rule", "explanation"})
        self.assertEqual((account["trigger"], account["recorded"]["verdict"]), ("login", "mapped"))
        self.assertEqual(account["recorded"], account["current"])
        self.assertEqual(account["facts"]["shell"], "/bin/bash")
        self.assertEqual(set(person), PERSON | {"blocked", "next_step", "commands"})
        self.assertEqual((person["address"], person["state"]), (ALICE, "invited"))
        self.assertTrue(person["next_step"])
        self.assertEqual(set(person["commands"][0]), {"command", "description"})

    def test_explain_evaluates_a_user_that_was_never_seen(self):
        self.arrive("alice")
        self.site.add_user("bob")
        said = self.run_verb("explain", "bob").stdout
        self.assertIn("never", said)
        self.assertIn(BOB, said)
        account = self.site.json("explain", "--json", "bob")["accounts"][0]
        self.assertEqual((account["seen"], account["recorded"], account["current"]["address"]),
                         (False, None, BOB))
        self.run_verb("explain", "nobody-at-all", code=1)

    def test_explain_says_when_the_settings_have_changed_since(self):
        self.arrive("alice")
        self.site.write_settings({"people": {"exclude_users": "alice"}})
        said = self.run_verb("explain", "alice").stdout
        self.assertIn("mapped " + ALICE, said)
        self.assertIn("exclude_users", said)

    def test_history_shows_event_time_reason_and_actor(self):
        self.arrive("alice")
        said = self.site.json("history", "--json", "alice")
        words = [entry["event"] for entry in said["history"]]
        self.assertIn("seen", words)
        self.assertIn("invited", words)
        for entry in said["history"]:
            self.assertEqual(set(entry), {"at", "subject", "event", "cause", "actor"})
            datetime.datetime.strptime(entry["at"], "%Y-%m-%dT%H:%M:%SZ")
        self.assertIn("invited", self.run_verb("history", ALICE).stdout)

    def test_nothing_that_was_read_can_drive_the_terminal(self):
        self.run_verb("pause", "--reason", "\x1b]0;owned\x07\x1b[2J and \u202e on")
        for verb in (("status",), ("status", "--json"), ("history", ALICE)):
            done = self.site.run(*verb)
            self.assertNotIn("\x1b", done.stdout + done.stderr)
        _, said = self.on_terminal("status")
        self.assertNotIn("\x1b]", said)
        self.assertNotIn("\x1b[2J", said)
        self.assertNotIn("\u202e", said)

    def test_token_is_shown_only_on_request(self):
        self.run_verb("check", ALICE)
        token = self.run_verb("token", "--print").stdout.strip()
        self.assertGreater(len(token), 10)
        self.assertNotIn(token, self.run_verb("token").stdout)
        self.assertNotIn(token, self.run_verb("token", "--json").stdout)

    def test_config_shows_the_settings(self):
        self.assertIn("[invitations]", self.run_verb("config").stdout)
        self.run_verb("config", "--check")

    def test_config_check_names_the_new_name_of_an_old_key(self):
        self.site.write_settings({"invitations": {"settle": "2m"}, "worker": {"role": "collector"}})
        said = " ".join(self.run_verb("config", "--check", code=3).stdout.split())
        self.assertIn("[invitations] has no key 'settle'", said)
        self.assertIn("Use creation_delay instead.", said)
        self.assertIn("role: 'collector' is not a valid choice", said)
        self.assertIn("Use host instead.", said)
        self.assertIn("Use creation_delay instead.", self.run_verb("config", code=3).stderr)


class Appearance(AliceAndBob):
    overrides = DRY_RUN

    def setUp(self):
        super().setUp()
        self.arrive("alice", "carol", "postmaster", "a-user-with-a-rather-long-name-indeed")
        self.run_verb("pause", "--reason", "a rather long reason, with all the details that the "
                      "next administrator may want to know before resuming")

    def test_every_screen_fits_its_terminal(self):
        for width in (60, 80, 120):
            for verb in (("status",), ("status", "--state", "not_invitable"), ("help",),
                         ("explain", "postmaster"), ("history", "alice"), ("status", "carol")):
                code, said = self.on_terminal(*verb, width=width)
                self.assertEqual(code, 0, said)
                for line in ESCAPE.sub("", said).splitlines():
                    self.assertLessEqual(columns(line), width, f"{verb} at {width}: {line}")

    def test_a_terminal_has_colour_and_bars_and_a_file_has_neither(self):
        _, said = self.on_terminal("status")
        self.assertIn("\x1b[", said)
        self.assertIn("\u2588", said)
        said = self.run_verb("status").stdout
        self.assertNotIn("\x1b", said)
        self.assertNotIn("\u2588", said)

    def test_no_color_is_honoured(self):
        _, said = self.on_terminal("status", environment={"NO_COLOR": "1"})
        self.assertNotIn("\x1b", said)
        _, said = self.on_terminal("status", environment={"TERM": "dumb"})
        self.assertNotIn("\x1b", said)

    def test_without_utf8_everything_is_ascii(self):
        _, said = self.on_terminal("status", environment={"LC_ALL": "C"})
        self.assertTrue(said.isascii(), said)
        self.assertIn("###", said)

    def test_a_pipe_cuts_nothing(self):
        said = self.run_verb("status", "--state", "not_invitable").stdout
        self.assertIn("a-user-with-a-rather-long-name-indeed@example.com", said)

    def test_watch_draws_again_until_interrupted(self):
        terminal = Terminal(self.site, "status", "--watch=1")
        until = time.monotonic() + harness.TIMEOUT
        while terminal.output.count(b"People") < 2 and time.monotonic() < until:
            terminal.output += os.read(terminal.master, 65536)
        os.kill(terminal.process.pid, signal.SIGINT)
        code, said = terminal.end()
        self.assertEqual(code, -signal.SIGINT)
        self.assertGreaterEqual(said.count("People"), 2)

    def test_watch_off_a_terminal_prints_again(self):
        with subprocess.Popen([os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf,
                               "status", "--watch", "1"], stdout=subprocess.PIPE) as process:
            seen = 0
            while seen < 2:
                seen += process.stdout.readline() == b"People\n"
            process.terminate()


class Rights(AliceAndBob):
    """Root becomes the service's account; any other user is told to use sudo."""
    overrides = {"worker": harness.accounts("nobody")}

    def setUp(self):
        super().setUp()
        os.chmod(self.site.root, 0o755)

    def as_user(self, user, *verb):
        record = pwd.getpwnam(user)
        return subprocess.run([os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf,
                               *verb], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              user=record.pw_uid, group=record.pw_gid, extra_groups=(),
                              check=False)

    def prepare(self):
        self.site.collector_once()

    def test_what_root_writes_belongs_to_the_service(self):
        self.prepare()
        self.run_verb("pause", "--reason", "x")
        names = os.listdir(self.site.path("state"))
        names.remove("ledger.db")  # --prepare makes it, and root keeps it
        for name in names:
            owner = os.stat(self.site.path("state/" + name)).st_uid
            self.assertEqual(owner, pwd.getpwnam("nobody").pw_uid, name)

    def test_another_user_is_told_to_use_sudo(self):
        self.prepare()
        for verb in ("status", "config", "scan", "enable"):
            done = self.as_user("games", verb)
            self.assertEqual(done.returncode, 3)
            self.assertIn("only root and the accounts of cloudinvite may read it", done.stderr)
            self.assertIn("sudo cloudinvite", done.stderr)
        os.chmod(self.site.conf, 0o644)
        done = self.as_user("games", "status")
        self.assertEqual(done.returncode, 8)
        self.assertIn("sudo cloudinvite", done.stderr)

    def test_the_service_itself_may_look(self):
        self.prepare()
        self.assertEqual(self.as_user("nobody", "status").returncode, 0)

    def test_enable_needs_root_and_the_settings_stay_roots(self):
        self.site.write_settings(DRY_RUN)
        os.chmod(self.site.conf, 0o644)
        self.prepare()
        os.chmod(self.google.directory, 0o755)
        os.chmod(self.google.file("credentials.json"), 0o640)
        os.chown(self.google.file("credentials.json"), 0, pwd.getpwnam("nobody").pw_gid)
        done = self.as_user("nobody", "enable", "--yes")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("sudo cloudinvite", done.stderr)
        self.run_verb("enable", "--yes")
        self.assertEqual(os.stat(self.site.conf).st_uid, 0)
        self.assertRegex(self.site.read("etc/cloudinvite.conf"), r"\nmode ?= ?send\n")


if __name__ == "__main__":
    harness.main()
