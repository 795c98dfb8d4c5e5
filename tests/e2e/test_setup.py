#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`cloudinvite setup` with the emulated Google: with options and with a dialogue at a terminal."""
import fcntl
import json
import os
import pwd
import pty
import select
import signal
import stat
import struct
import subprocess
import termios
import threading
import time
import urllib.request

import harness

CUSTOMER, ADMIN, DOMAIN = "C01234567", "admin@example.com", "example.com"
SCOPE = "https://www.googleapis.com/auth/cloud-identity.userinvitations"
COMMENTED = "# who changes this, and why\n[google]\n;customer = C01234567\n\n# kept\n"


class Scene(harness.Test):
    """An emulated Google, and a host whose settings only have paths."""

    def setUp(self):
        self.google = harness.Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = harness.Site(self.google).__enter__()
        self.addCleanup(self.site.__exit__)
        settings = self.site.settings
        for key in ("customer", "credentials", "subject", "requests_per_minute"):
            settings.remove_option("google", key)
        for key in ("address", "domains"):
            settings.remove_option("people", key)
        settings["invitations"] = {"creation_delay": "0"}
        self.site.write_settings()
        self.site.write("etc/cloudinvite.conf", COMMENTED + self.site.read("etc/cloudinvite.conf")
                        .replace("[google]\n", "", 1))
        self.key = self.google.file("credentials.json")
        self.google.accounts({"address": "alice@example.com"})
        for user in ("alice", "bob", "admin"):
            self.site.add_user(user)

    def words(self, **other):
        """The options of a complete configuration."""
        words = {"customer": CUSTOMER, "domain": DOMAIN, "credentials": self.key,
                 "subject": ADMIN, **other}
        return [f"--{name.replace('_', '-')}={value}" for name, value in words.items() if value]

    def setup(self, *words, expect=0):
        done = self.site.run("setup", "--no-pam", *words)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def setup_json(self, *words, expect=0):
        return json.loads(self.setup("--yes", "--json", *words, expect=expect))

    def settings(self):
        """The effective settings that are not the defaults."""
        return {f"{s['section']}.{s['key']}": s["value"]
                for s in self.site.json("config", "--json")["settings"] if s["origin"] != "default"}

    def leftovers(self):
        """Files beside the settings that are only there while one of them is replaced."""
        return [name for _, _, names in os.walk(self.site.path("etc")) for name in names if name.startswith(".")]

    def delegate(self, scopes):
        """Removes the delegation, or restores it."""
        client = json.load(open(self.key, encoding="utf-8"))["client_id"]
        self.google.state({"grants": [{"client_id": client, "scopes": scopes}] if scopes else []})


class Options(Scene):
    """As configuration management runs it."""

    def test_all_of_it_in_one_call(self):
        answer = self.setup_json(*self.words())
        self.assertTrue(answer["changed"])
        self.assertEqual({c["key"] for c in answer["settings"]},
                         {"customer", "credentials", "subject", "domains", "address"})
        self.assertEqual({c["result"] for c in answer["checks"]}, {"ok"})
        self.assertEqual(answer["accounts"]["looked_at"], 3)
        self.assertEqual([a["address"] for a in answer["accounts"]["first"]],
                         [None, "alice@example.com", "bob@example.com"])
        is_ = self.settings()
        self.assertEqual((is_["google.customer"], is_["people.address"]),
                         (CUSTOMER, "{user}@example.com"))
        self.assertNotIn("invitations.mode", is_)
        self.assertEqual(self.google.mailbox()["counts"], {})

    def test_a_second_run_changes_nothing_and_says_so(self):
        self.setup("--yes", *self.words())
        before = self.site.read("etc/cloudinvite.conf")
        status = os.stat(self.site.conf)
        self.assertFalse(self.setup_json(*self.words())["changed"])
        self.assertIn("Nothing to change", self.setup("--yes", *self.words()))
        self.assertIn("Nothing to change", self.setup("--yes"))
        self.assertEqual(self.site.read("etc/cloudinvite.conf"), before)
        self.assertEqual(os.stat(self.site.conf).st_ino, status.st_ino)

    def test_comments_order_and_mode_of_the_file_are_kept(self):
        os.chmod(self.site.conf, 0o640)
        self.setup("--yes", *self.words())
        text = self.site.read("etc/cloudinvite.conf")
        self.assertTrue(text.startswith("# who changes this, and why\n[google]\n"
                                        ";customer = C01234567\ncustomer = C01234567\n"), text)
        self.assertIn("\n# kept\n", text)
        self.assertEqual(stat.S_IMODE(os.stat(self.site.conf).st_mode), 0o640)
        self.assertEqual(sorted(os.listdir(self.site.path("etc"))),
                         ["addresses.map", "cloudinvite.conf", "cloudinvite.conf.before", "group",
                          "passwd"])

    def test_what_the_file_was_undoes_the_change_byte_for_byte(self):
        os.chmod(self.site.conf, 0o640)
        before = self.site.read("etc/cloudinvite.conf")
        said = self.setup("--yes", *self.words())
        kept = self.site.conf + ".before"
        self.assertIn("The previous version is in " + kept, " ".join(said.split()))
        self.assertEqual(self.site.read("etc/cloudinvite.conf.before"), before)
        self.assertEqual(stat.S_IMODE(os.stat(kept).st_mode), 0o640)
        self.setup("--yes", *self.words())  # nothing changes, so nothing is backed up again
        self.assertEqual(self.site.read("etc/cloudinvite.conf.before"), before)

    def test_a_file_that_is_not_there_is_made_for_the_programs_alone(self):
        os.unlink(self.site.conf)
        self.setup("--yes", "--no-check", *self.words())
        self.assertEqual(stat.S_IMODE(os.stat(self.site.conf).st_mode), 0o640)
        self.assertEqual(self.settings()["google.subject"], ADMIN)
        self.assertIn("mode = dry-run", self.site.read("etc/cloudinvite.conf"))

    def test_dry_run_writes_nothing_and_asks_google_nothing(self):
        before = self.site.read("etc/cloudinvite.conf")
        said = self.setup("--dry-run", *self.words())
        self.assertIn("[google] customer", said)
        self.assertIn("Nothing was written.", said)
        self.assertEqual(self.site.read("etc/cloudinvite.conf"), before)
        self.assertEqual(self.google.log(), [])

    def test_what_is_missing_is_named_by_its_option(self):
        said = self.setup("--yes", expect=2)
        self.assertIn("--customer, --domain, --credentials", said)
        self.assertIn("--subject", self.setup("--yes", *self.words(subject=None), expect=2))

    def test_what_is_wrong_is_not_written(self):
        before = self.site.read("etc/cloudinvite.conf")
        for words, says in (({"customer": "12"}, "customer"),
                            ({"address": "{user}@elsewhere.org"}, "elsewhere.org"),
                            ({"credentials": self.site.path("etc/passwd")}, "not a Google credential"),
                            ({"credentials": "/nowhere.json"}, "/nowhere.json"),
                            ({"subject": "nobody"}, "subject")):
            with self.subTest(words=words):
                done = self.site.run("setup", "--no-pam", "--yes", *self.words(**words))
                self.assertIn(done.returncode, (3, 4), done.stdout + done.stderr)
                self.assertIn(says, done.stdout + done.stderr)
        self.assertEqual(self.site.read("etc/cloudinvite.conf"), before)

    def test_a_drop_in_that_counts_more_is_named(self):
        os.mkdir(self.site.path("etc/conf.d"), 0o755)
        self.site.write("etc/conf.d/10-site.conf", "[google]\ncustomer = C99999999\n")
        said = self.setup("--yes", *self.words(), expect=3)
        self.assertIn("10-site.conf:2", said)
        self.assertIn("customer = C01234567", said)

    def test_a_credential_is_copied_for_the_service_only_if_asked(self):
        copy = self.site.path("etc/private/credentials.json")
        self.setup("--yes", *self.words())
        self.assertFalse(os.path.exists(copy))
        answer = self.setup_json("--install-credentials", *self.words())
        self.assertTrue(answer["changed"])
        self.assertEqual(self.settings()["google.credentials"], copy)
        self.assertEqual(stat.S_IMODE(os.stat(copy).st_mode), 0o640)
        self.assertFalse(self.setup_json("--install-credentials", *self.words())["changed"])
        self.assertEqual({c["result"] for c in answer["checks"]}, {"ok"})

    def test_the_copy_is_for_the_dispatcher_to_read_and_for_root_to_change(self):
        group = pwd.getpwnam("nobody").pw_gid
        self.site.write_settings({"worker": harness.accounts("nobody")})
        self.setup("--yes", "--no-check", "--install-credentials", *self.words())
        status = os.stat(self.site.path("etc/private/credentials.json"))
        self.assertEqual((status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)),
                         (0, group, 0o640))
        status = os.stat(self.site.path("etc/private"))
        self.assertEqual((status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)),
                         (0, group, 0o710))

    def test_one_budget_is_divided_by_the_hosts(self):
        said = self.setup("--yes", "--no-check", "--hosts=4", *self.words())
        self.assertIn("PostgreSQL is designed, but not built yet", " ".join(said.split()))
        is_ = self.settings()
        self.assertEqual((is_["google.requests_per_minute"], is_["invitations.sends_per_day"]),
                         ("7", "12"))
        self.setup("--yes", "--no-check", "--hosts=100", "--sends-per-day=1000")
        is_ = self.settings()
        self.assertEqual((is_["google.requests_per_minute"], is_["invitations.sends_per_day"]),
                         ("1", "10"))
        self.assertFalse(self.setup_json("--no-check")["changed"])
        self.setup("--yes", "--no-check", "--hosts=1")
        self.assertEqual(self.settings()["google.requests_per_minute"], "30")

    def test_without_a_delegation_it_says_what_to_paste_where(self):
        self.delegate([])
        said = self.setup("--yes", *self.words(), expect=6)
        client = json.load(open(self.key, encoding="utf-8"))["client_id"]
        self.assertIn("https://admin.google.com/ac/owl/domainwidedelegation", said)
        self.assertIn("Client ID:    " + client, said)
        self.assertIn("OAuth scopes: " + SCOPE, said)
        self.assertEqual(self.settings()["google.customer"], CUSTOMER)

    def test_it_waits_for_a_delegation_on_request(self):
        self.delegate([])
        later = threading.Timer(1, self.delegate, ([SCOPE],))
        later.start()
        try:
            answer = self.setup_json("--wait=1", *self.words())
        finally:
            later.join()
        self.assertEqual({c["result"] for c in answer["checks"]}, {"ok"})

    def test_the_key_itself_is_never_shown(self):
        secret = json.load(open(self.key, encoding="utf-8"))["private_key"].split("\n")[1]
        self.assertNotIn(secret, self.setup("--yes", *self.words()))

    def test_keyless_by_the_metadata_server(self):
        machine = "machine@cloudinvite-emulated.iam.gserviceaccount.com"
        said = self.setup("--yes", "--no-check", *self.words(credentials="metadata:"), expect=2)
        self.assertIn("--service-account", said)
        self.setup("--yes", "--no-check",
                   *self.words(credentials="metadata:", service_account=machine))
        self.assertEqual(self.settings()["google.service_account"], machine)

    def test_each_way_has_its_guide(self):
        for way, says in (("keyless", "iamcredentials.googleapis.com"),
                          ("key", "iam.disableServiceAccountKeyCreation"),
                          ("login", "rapt_required")):
            said = self.site.run("setup", f"--guide={way}").stdout
            self.assertIn(says, said)
            self.assertIn("https://console.cloud.google.com/apis/library/"
                          "cloudidentity.googleapis.com", said)
        self.assertEqual(self.site.run("setup", "--guide=none").returncode, 2)

    def test_a_wrong_command_line_changes_nothing(self):
        before = self.site.read("etc/cloudinvite.conf")
        for words in (["--json"], ["--pam", "--no-pam", "--yes"], ["--hosts=0", "--yes"],
                      ["--wait=x", "--yes"], ["--yes", "word"]):
            self.assertEqual(self.site.run("setup", *words).returncode, 2, words)
        self.assertIn("--yes", self.setup(*self.words(), expect=2))
        self.assertEqual(self.site.read("etc/cloudinvite.conf"), before)

    def test_nothing_is_left_behind(self):
        self.setup("--yes", *self.words())
        self.setup("--yes", *self.words(customer="12"), expect=3)
        self.assertEqual(self.leftovers(), [])


def take_terminal():
    """In the child: makes it the process group of its terminal, so that Ctrl-C and a hangup reach the program."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY)


class Terminal:
    """A person at a terminal, who answers when the question appears."""

    def __init__(self, site, *words, columns=80):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            [os.path.join(harness.BUILD, "cloudinvite"), "-c", site.conf, "setup", *words],
            stdin=slave, stdout=slave, stderr=slave, preexec_fn=take_terminal,
            env={**os.environ, "TERM": "dumb", "COLUMNS": str(columns)})
        os.close(slave)
        self.master = master
        self.said = ""

    def read(self):
        if select.select([self.master], [], [], 0.1)[0]:
            try:
                self.said += os.read(self.master, 4096).decode(errors="replace").replace("\r", "")
            except OSError:
                return False
        return True

    def wait(self, question):
        until = time.monotonic() + harness.TIMEOUT
        while question not in self.said:
            if not self.read() or time.monotonic() > until:
                raise AssertionError(f"'{question}' was not asked:\n{self.said}")

    def answer(self, question, answer):
        self.wait(question)
        self.said = self.said.split(question, 1)[1]
        os.write(self.master, (answer + "\n").encode())

    def press(self, keys):
        os.write(self.master, keys)

    def end(self):
        """Its exit status, once no process holds the terminal any more."""
        until = time.monotonic() + harness.TIMEOUT
        while self.read():
            if time.monotonic() > until:
                raise AssertionError(f"it does not end:\n{self.said}")
        os.close(self.master)
        return self.process.wait(harness.TIMEOUT)


def consent(google, terminal):
    """What the administrator's browser does with the address that the terminal shows."""
    address = next(line for line in terminal.said.splitlines()
                   if line.startswith("https://127.0.0.1"))
    status, headers, _ = google.request(
        "POST", address.split(str(google.port), 1)[1],
        f"decision=allow&account={ADMIN}&granted=yes",
        {"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 302, status
    urllib.request.urlopen(headers["Location"], timeout=harness.TIMEOUT).read()


class Dialogue(Scene):
    """A complete configuration in a dialogue."""

    def open(self, *words):
        terminal = Terminal(self.site, "--no-pam", *words)
        self.addCleanup(lambda: terminal.process.poll() is None and terminal.process.kill())
        return terminal

    def test_with_a_key(self):
        terminal = self.open()
        terminal.answer("Customer ID", "nonsense")
        terminal.wait("which begins with C")
        terminal.answer("Customer ID", CUSTOMER)
        terminal.answer("domains", DOMAIN)
        terminal.answer("The address of a user [{user}@example.com]", "")
        terminal.wait("keyless:")
        terminal.answer("Which [1]", "2")
        terminal.wait("iam.disableServiceAccountKeyCreation")
        terminal.answer("The key file", "/nowhere.json")
        terminal.answer("The key file", self.key)
        terminal.wait("Client ID:    " + json.load(open(self.key, encoding="utf-8"))["client_id"])
        terminal.answer("The administrator to act as", ADMIN)
        terminal.answer("How many hosts", "")
        terminal.wait("alice@example.com")
        terminal.answer("Write these settings [yes]", "")
        terminal.wait("Next steps")
        self.assertEqual(terminal.end(), 0, terminal.said)
        is_ = self.settings()
        self.assertEqual((is_["google.credentials"], is_["google.subject"], is_["people.domains"]),
                         (self.key, ADMIN, DOMAIN))
        self.assertNotIn("google.requests_per_minute", is_)

    def test_a_key_that_the_service_cannot_read_is_copied_for_it(self):
        group = pwd.getpwnam("nobody").pw_gid
        self.site.write_settings({"worker": harness.accounts("nobody")})
        terminal = self.open("--no-check", "--customer", CUSTOMER, "--domain", DOMAIN)
        terminal.answer("The address of a user", "")
        terminal.answer("Which", "key")
        terminal.answer("The key file", self.key)
        terminal.answer("Copy it beside the settings", "")
        terminal.answer("The administrator to act as", ADMIN)
        terminal.answer("How many hosts", "")
        terminal.answer("Write these settings", "")
        self.assertEqual(terminal.end(), 0, terminal.said)
        status = os.stat(self.site.path("etc/private/credentials.json"))
        self.assertEqual((status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)),
                         (0, group, 0o640))

    def test_what_was_put_in_the_place_of_the_key_meanwhile_is_not_copied(self):
        """It may be in the home of a user, who could put a link to a file of root's there."""
        key = self.site.path("key.json")
        with open(self.key, "rb") as file:
            self.site.write("key.json", file.read().decode())
        terminal = self.open("--install-credentials", *self.words(credentials=key))
        terminal.answer("The address of a user", "")
        terminal.answer("How many hosts", "")
        terminal.wait("Write these settings")
        self.site.write("key.json", "root:$y$j9T$secret:20000:0:99999:7:::\n")
        terminal.answer("Write these settings", "yes")
        self.assertEqual(terminal.end(), 4)
        self.assertIn("is not a Google credential", " ".join(terminal.said.split()))
        self.assertFalse(os.path.exists(self.site.path("etc/private/credentials.json")))

    def test_no_leaves_everything_as_it_was(self):
        before = self.site.read("etc/cloudinvite.conf")
        terminal = self.open(*self.words())
        terminal.answer("The address of a user", "")
        terminal.answer("How many hosts", "3")
        terminal.answer("Write these settings", "no")
        self.assertEqual(terminal.end(), 2)
        self.assertEqual(self.site.read("etc/cloudinvite.conf"), before)

    def test_a_change_by_another_user_meanwhile_is_kept(self):
        terminal = self.open(*self.words())
        terminal.answer("The address of a user", "")
        terminal.answer("How many hosts", "")
        terminal.wait("Write these settings")
        other = self.site.read("etc/cloudinvite.conf") + "# by somebody else\n"
        self.site.write("etc/cloudinvite.conf", other)
        terminal.answer("Write these settings", "yes")
        self.assertEqual(terminal.end(), 3)
        self.assertIn("another process changed the file", terminal.said)
        self.assertEqual(self.site.read("etc/cloudinvite.conf"), other)

    def test_a_person_who_goes_away_has_changed_nothing(self):
        before = self.site.read("etc/cloudinvite.conf")
        terminal = self.open()
        terminal.answer("Customer ID", CUSTOMER)
        terminal.wait("domains")
        os.write(terminal.master, b"\x04")
        self.assertEqual(terminal.end(), 2)
        self.assertIn("the input ended before all questions were answered", terminal.said)
        self.assertEqual(self.site.read("etc/cloudinvite.conf"), before)

    def test_an_interrupt_leaves_nothing_behind(self):
        terminal = self.open()
        terminal.answer("Customer ID", CUSTOMER)
        terminal.wait("domains")
        terminal.press(b"\x03")
        self.assertEqual(terminal.end(), -signal.SIGINT)
        self.assertEqual(self.leftovers(), [])

    def test_a_second_time_enter_keeps_everything(self):
        self.setup("--yes", *self.words())
        before = self.site.read("etc/cloudinvite.conf")
        terminal = self.open()
        for question in (f"[{CUSTOMER}]", f"[{DOMAIN}]", "[{user}@example.com]",
                         "Keep the current credential [yes]", f"[{ADMIN}]", "hosts"):
            terminal.answer(question, "")
        terminal.wait("Nothing to change")
        self.assertEqual(terminal.end(), 0)
        self.assertEqual(self.site.read("etc/cloudinvite.conf"), before)

    def test_a_login_is_made_on_the_way(self):
        terminal = self.open("--customer", CUSTOMER, "--domain", DOMAIN)
        terminal.answer("The address of a user", "")
        terminal.answer("Which", "login")
        terminal.answer("The OAuth client file", self.google.file("client.json"))
        terminal.wait("Waiting")
        consent(self.google, terminal)
        terminal.answer("How many hosts", "")
        terminal.answer("Write these settings", "")
        terminal.wait("Next steps")
        self.assertEqual(terminal.end(), 0)
        self.assertTrue(self.settings()["google.credentials"].endswith("/login.json"))


if __name__ == "__main__":
    harness.main()
