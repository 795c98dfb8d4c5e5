#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`cloudinvite setup` with a person who leaves at any question, has a narrow window, and comes back; and the problems
that others have met, each named where an administrator meets it.
"""
import os
import re
import signal
import subprocess

import harness
from test_setup import ADMIN, CUSTOMER, DOMAIN, Scene, Terminal, consent

# The questions in their order, with a good answer; `{key}` is the credential's file.
QUESTIONS = [
    ("Customer ID", CUSTOMER), ("domains", DOMAIN), ("The address of a user", ""),
    ("Which [1]", "2"), ("The key file", "{key}"), ("The administrator to act as", ADMIN),
    ("How many hosts", "2"), ("Write these settings", "yes")]

NOTHING = "setup was interrupted. Nothing was written."

# A problem, where it is reported, and words of the report.
KEYLESS, KEY, LOGIN, END = "keyless", "key", "login", "end"
WALLS = [
    ("new organisations forbid keys", (KEY,), "iam.disableServiceAccountKeyCreation"),
    ("an administrator of its own", (KEYLESS, KEY, LOGIN),
     "super administrator for this purpose only, and sign in with it once"),
    ("the name in Google's audit log", (KEYLESS, KEY, LOGIN), "audit log names that account"),
    ("editions", (KEYLESS, KEY, LOGIN), "Essentials has no invitations"),
    ("editions that the notice leaves out", (KEYLESS, KEY, LOGIN), "Frontline"),
    ("session control", (LOGIN,), "rapt_required"),
    ("a delegation takes its time", (KEYLESS, KEY), "minutes, sometimes a day"),
    ("the scope is exact", (KEYLESS, KEY), "add this scope and no other"),
    ("the client id is a number", (KEYLESS, KEY), "the number, not the mail address"),
    ("a key that leaks", (KEY,), "can use this scope as any user of the organisation"),
    ("a right to sign that leaks", (KEYLESS,),
     "can use this scope as any user of the organisation"),
    ("others invite, too", (KEYLESS, KEY, LOGIN), "Conflicting accounts management"),
    ("connectors invite, too", (KEYLESS, KEY, LOGIN), "resolveConflictAccount"),
    ("announce it", (END,), "announcement.md"),
    ("where accepted accounts should go", (END,), "organisational unit, licence"),
    ("who must not be invited", (END,), "without a known owner and people who have left"),
    ("golden images", (END,), "For a golden image"),
]


class Talk(Scene):
    """What both dialogues below need."""

    def open(self, *words, columns=80):
        terminal = Terminal(self.site, "--no-pam", "--no-check", *words, columns=columns)
        self.addCleanup(lambda: terminal.process.poll() is None and terminal.process.kill())
        return terminal

    def answer(self, terminal, questions):
        for question, answer in questions:
            terminal.answer(question, answer.format(key=self.key))


class Dialogue(Talk):

    def leave_at_each(self, leave, status, says):
        """At the first, the second … question: the file is unchanged, and nothing is left behind."""
        before = self.site.read("etc/cloudinvite.conf")
        for i, (question, _) in enumerate(QUESTIONS):
            with self.subTest(question):
                terminal = self.open()
                self.answer(terminal, QUESTIONS[:i])
                terminal.wait(question)
                leave(terminal)
                self.assertEqual(terminal.end(), status, terminal.said)
                self.assertIn(says, terminal.said)
                self.assertEqual(self.leftovers(), [])
        self.assertEqual(self.site.read("etc/cloudinvite.conf"), before)
        # And from the start again.
        terminal = self.open()
        self.answer(terminal, QUESTIONS)
        terminal.wait("Next steps")
        self.assertEqual(terminal.end(), 0, terminal.said)
        self.assertEqual(self.settings()["google.requests_per_minute"], "15")

    def test_an_interrupt_at_each_question(self):
        self.leave_at_each(lambda terminal: terminal.press(b"\x03"), -signal.SIGINT, NOTHING)

    def test_the_end_of_input_at_each_question(self):
        self.leave_at_each(lambda terminal: terminal.press(b"\x04"), 2,
                           "the input ended before all questions were answered")

    def test_an_empty_answer_is_asked_again_where_nothing_is_suggested(self):
        terminal = self.open()
        self.answer(terminal, [("Customer ID", ""), ("domains", "")])
        terminal.wait("An answer is required.")
        self.answer(terminal, [("domains", DOMAIN), ("The address", ""), ("Which", "9"),
                               ("Which", "key"), ("The key file", ""), ("The key file", "{key}"),
                               ("The administrator", ""), ("The administrator", ADMIN),
                               ("How many hosts", "none"), ("How many hosts", "0"),
                               ("How many hosts", "1"), ("Write these settings", "")])
        terminal.wait("Next steps")
        self.assertEqual(terminal.end(), 0, terminal.said)
        self.assertEqual(self.settings()["google.customer"], "my_customer")

    def test_a_narrow_window_breaks_no_guide(self):
        """Paragraphs stay within it; texts to paste stay unbroken."""
        terminal = self.open(columns=40)
        self.answer(terminal, QUESTIONS[:4])
        terminal.wait("The key file")
        wide = [line for line in terminal.said.splitlines()[1:]
                if len(line) > 40 and not line.startswith("     ")]
        self.assertEqual(wide, [])
        self.assertIn("\n     gcloud services enable cloudidentity.googleapis.com\n", terminal.said)
        self.answer(terminal, QUESTIONS[4:])
        self.assertEqual(terminal.end(), 0, terminal.said)


class Interrupted(Talk):
    """Ctrl-C, SIGTERM, a hangup: the settings are either the old or the new ones, the last line says which, and nothing
    is left behind.
    """

    def setUp(self):
        super().setUp()
        self.before = self.site.read("etc/cloudinvite.conf")
        self.copy = self.site.path("etc/private/credentials.json")

    def check(self, status, said, number=signal.SIGINT):
        """Holds at any moment of the signal."""
        self.assertEqual(status, -number, said)
        self.assertEqual(self.leftovers(), [])
        settings = self.site.read("etc/cloudinvite.conf")
        self.assertTrue(settings == self.before or f"customer = {CUSTOMER}\n" in settings)
        for path, written in ((self.site.conf, settings != self.before),
                              (self.copy, os.path.exists(self.copy))):
            last = " ".join(said.split("cloudinvite: setup was interrupted.")[-1].split())
            claimed = path in last.split("Not written:")[0].partition("Written:")[2]
            self.assertEqual(claimed, written, (path, said))

    def undo(self):
        self.site.write("etc/cloudinvite.conf", self.before)
        for name in ("etc/cloudinvite.conf.before", "etc/private/credentials.json"):
            if os.path.exists(self.site.path(name)):
                os.unlink(self.site.path(name))

    def whole(self, lines=None):
        """A whole dialogue; Ctrl-C is typed after so many lines have been read."""
        terminal = self.open("--install-credentials")
        left, seen = list(QUESTIONS), ""
        while terminal.read():
            if lines is not None and (seen + terminal.said).count("\n") >= lines:
                terminal.press(b"\x03")
                lines = None
            elif left and left[0][0] in terminal.said:
                seen += terminal.said.split(left[0][0])[0]
                terminal.answer(*(word.format(key=self.key) for word in left.pop(0)))
        status = terminal.end()
        return status, seen + terminal.said

    def test_while_it_prints(self):
        """The process may be ahead of what was read; wherever it is, it ends."""
        status, said = self.whole()
        self.assertEqual(status, 0, said)
        lines = said.count("\n")
        self.assertGreater(lines, 60)
        for line in range(1, lines - 25, 4):
            with self.subTest(line=line):
                self.undo()
                self.check(*self.whole(line))

    def strace(self, *options):
        trace = self.site.path("trace")
        done = subprocess.run(
            ["strace", "-o", trace, *options, os.path.join(harness.BUILD, "cloudinvite"),
             "-c", self.site.conf, "setup", "--no-pam", "--no-check", "--yes",
             "--install-credentials", *self.words()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=harness.TIMEOUT)
        with open(trace, encoding="utf-8", errors="replace") as file:
            return done, file.read()

    def test_at_each_call_that_changes_something(self):
        """The signal comes with the first, the second … call of a kind."""
        changing = ("mkdir", "symlink", "rename", "renameat", "fsync", "fchownat", "unlink",
                    "unlinkat", "write", "clone", "waitid")
        done, trace = self.strace("-e", "trace=" + ",".join("?" + call for call in changing))
        self.assertEqual(done.returncode, 0, done.stdout)
        calls = re.findall(r"^(\w+)\(", trace, re.MULTILINE)
        self.assertTrue({"fsync", "renameat", "write"} <= set(calls), trace)
        end = max(n for n, call in enumerate(calls) if call == "fsync")
        for call in sorted(set(calls[:end + 1])):
            count = calls[:end + 1].count(call)
            for n in sorted({1, 2, count // 3, count // 2, count - 2, count - 1, count}):
                if not 1 <= n <= count:
                    continue
                with self.subTest(call=call, n=n):
                    self.undo()
                    done, _ = self.strace("-e", f"inject={call}:signal=INT:when={n}")
                    self.check(done.returncode, done.stdout)

    def open_at_check(self, *words):
        """At the check with Google, whose first call does not return."""
        terminal = Terminal(self.site, *words, *self.words(address="{user}@" + DOMAIN))
        self.addCleanup(lambda: terminal.process.poll() is None and terminal.process.kill())
        self.google.latency({"route": "*", "ms": 30000})
        terminal.answer("How many hosts", "")
        terminal.answer("Write these settings", "")
        terminal.wait("Checks")
        terminal.wait("\x1b[K")  # and waiting is told
        return terminal

    def test_at_the_live_check_it_is_over(self):
        for number, leave in ((signal.SIGINT, lambda t: t.press(b"\x03")),
                              (signal.SIGTERM, lambda t: t.process.send_signal(signal.SIGTERM)),
                              (signal.SIGQUIT, lambda t: t.press(b"\x1c")),
                              (signal.SIGHUP, lambda t: t.process.send_signal(signal.SIGHUP))):
            with self.subTest(signal=number.name):
                self.undo()
                self.google.latency({"route": "*", "ms": 0})
                terminal = self.open_at_check()
                leave(terminal)
                status = terminal.end()
                self.check(status, terminal.said, number)
                said = " ".join(terminal.said.split())
                self.assertIn("Not written: the PAM line.", said)
                self.assertNotIn("Apply this PAM change", said)

    def test_while_it_waits_for_a_delegation(self):
        self.delegate([])
        terminal = Terminal(self.site, "--no-pam", *self.words(address="{user}@" + DOMAIN))
        self.addCleanup(lambda: terminal.process.poll() is None and terminal.process.kill())
        self.answer(terminal, [("How many hosts", ""), ("Write these settings", ""), ("Wait until", "")])
        terminal.wait("Google does not know the delegation")
        terminal.press(b"\x03")
        status = terminal.end()
        self.check(status, terminal.said)
        self.assertIn("Written: " + self.site.conf, " ".join(terminal.said.split()))

    def test_at_the_login_on_the_way(self):
        login = self.site.path("state/private/login.json")
        for kept in (False, True):
            with self.subTest(kept=kept):
                terminal = self.open("--customer", CUSTOMER, "--domain", DOMAIN)
                self.answer(terminal, [("The address of a user", ""), ("Which", "login"),
                                       ("client file", self.google.file("client.json"))])
                terminal.wait("Waiting")
                if kept:
                    self.google.latency({"route": "list", "ms": 30000})
                    consent(self.google, terminal)
                    harness.wait_for(lambda: os.path.exists(login), "the login")
                terminal.press(b"\x03")
                status = terminal.end()
                self.check(status, terminal.said)
                said = " ".join(terminal.said.split())
                self.assertIn(f"Written: {login}. Not written: {self.site.conf}" if kept
                              else NOTHING, said)

    def test_the_terminal_goes_away(self):
        terminal = self.open()
        terminal.wait("Customer ID")
        os.close(terminal.master)
        self.assertEqual(terminal.process.wait(harness.TIMEOUT), -signal.SIGHUP)
        self.assertEqual(self.leftovers(), [])

    def test_what_was_ignored_stays_ignored(self):
        """As under nohup."""
        done = subprocess.run(
            ["/bin/sh", "-c", "trap '' HUP; \"$@\"; echo status $?", "sh",
             "strace", "-o", "/dev/null", "-e", "inject=fsync:signal=HUP:when=1",
             os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf, "setup", "--yes",
             "--no-pam", "--no-check", *self.words()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=harness.TIMEOUT)
        self.assertIn("status 0", done.stdout)
        self.assertNotEqual(self.site.read("etc/cloudinvite.conf"), self.before)


class Walls(Scene):
    def test_each_wall_is_named(self):
        said = {way: " ".join(self.site.run("setup", f"--guide={way}").stdout.split())
                for way in (KEYLESS, KEY, LOGIN)}
        said[END] = " ".join(self.setup("--yes", "--no-check", *self.words()).split())
        for wall, places, words in WALLS:
            for place in places:
                with self.subTest(wall, place=place):
                    self.assertIn(words, said[place])

    def test_keyless_comes_first_the_key_second_a_login_last(self):
        terminal = Terminal(self.site, "--no-pam", "--no-check")
        self.addCleanup(lambda: terminal.process.poll() is None and terminal.process.kill())
        for question, answer in QUESTIONS[:3]:
            terminal.answer(question, answer)
        terminal.wait("Which [1]")
        said = " ".join(terminal.said.split())
        places = [said.index(way) for way in ("1 keyless:", "2 key:", "3 login:")]
        self.assertEqual(places, sorted(places))
        terminal.press(b"\x04")
        self.assertEqual(terminal.end(), 2)

    def test_what_an_image_must_not_hold_is_named_by_its_place(self):
        said = "".join(self.setup("--yes", "--no-check", *self.words()).split())
        for place in ("spool", "state", "tokens"):
            self.assertIn(self.site.path(place), said)


if __name__ == "__main__":
    harness.main()
