#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`cloudinvite setup` with somebody who goes away at any question, who has a narrow window, and who
comes back; and the walls that others have met, each named where an administrator meets it."""
import glob
import os
import signal

import harness
from test_setup import ADMIN, CUSTOMER, DOMAIN, Scene, Terminal

# What is asked, in its order, and a good answer; `{key}` is the credential's file.
QUESTIONS = [
    ("Customer ID", CUSTOMER), ("domains", DOMAIN), ("The address of a user", ""),
    ("Which [1]", "2"), ("The key file", "{key}"), ("The administrator to act as", ADMIN),
    ("How many hosts", "2"), ("Write them", "yes")]

# A wall, where it is said, and words of it.
KEYLESS, KEY, LOGIN, END = "keyless", "key", "login", "end"
WALLS = [
    ("new organisations forbid keys", (KEY,), "iam.disableServiceAccountKeyCreation"),
    ("an administrator of its own", (KEYLESS, KEY, LOGIN),
     "super administrator of its own for this, who has signed in once"),
    ("the name in Google's audit log", (KEYLESS, KEY, LOGIN), "audit log names that account"),
    ("editions", (KEYLESS, KEY, LOGIN), "Essentials has no invitations"),
    ("editions that the notice leaves out", (KEYLESS, KEY, LOGIN), "Frontline"),
    ("session control", (LOGIN,), "rapt_required"),
    ("a delegation takes its time", (KEYLESS, KEY), "minutes, sometimes a day"),
    ("the scope is exact", (KEYLESS, KEY), "the scope must be this one and no other"),
    ("the client id is a number", (KEYLESS, KEY), "the number, not the mail address"),
    ("a key that leaks", (KEY,), "reaches this one scope as any user of the organisation"),
    ("a right to sign that leaks", (KEYLESS,),
     "reaches this one scope as any user of the organisation"),
    ("others invite, too", (KEYLESS, KEY, LOGIN), "Conflicting accounts management"),
    ("connectors invite, too", (KEYLESS, KEY, LOGIN), "resolveConflictAccount"),
    ("announce it", (END,), "announcement.md"),
    ("where accepted accounts land", (END,), "organisational unit, licence"),
    ("whom not to invite", (END,), "whose owner nobody can name, and people who left"),
    ("golden images", (END,), "A golden image"),
]


class Dialogue(Scene):
    def open(self, *words, columns=80):
        terminal = Terminal(self.site, "--no-pam", "--no-check", *words, columns=columns)
        self.addCleanup(lambda: terminal.process.poll() is None and terminal.process.kill())
        return terminal

    def answer(self, terminal, questions):
        for question, answer in questions:
            terminal.answer(question, answer.format(key=self.key))

    def stages(self):
        return set(glob.glob("/tmp/cloudinvite-setup-*"))

    def leave_at_each(self, leave):
        """At the first, the second … question: the file is as it was, and nothing is left behind."""
        before = self.site.read("etc/cloudinvite.conf")
        for i, (question, _) in enumerate(QUESTIONS):
            with self.subTest(question):
                mine = self.stages()
                terminal = self.open()
                self.answer(terminal, QUESTIONS[:i])
                terminal.wait(question)
                mine = self.stages() - mine
                leave(terminal)
                self.assertEqual(terminal.end(), 2, terminal.said)
                self.assertIn("nobody answers any more", terminal.said)
                self.assertTrue(mine)
                harness.wait_for(lambda: len(self.stages() & mine) < len(mine), "its stage to go")
        self.assertEqual(self.site.read("etc/cloudinvite.conf"), before)
        # And from the start again, as if nothing had been.
        terminal = self.open()
        self.answer(terminal, QUESTIONS)
        terminal.wait("What is next")
        self.assertEqual(terminal.end(), 0, terminal.said)
        self.assertEqual(self.settings()["google.requests_per_minute"], "15")

    def test_an_interrupt_at_each_question(self):
        self.leave_at_each(lambda terminal: terminal.process.send_signal(signal.SIGINT))

    def test_the_end_of_input_at_each_question(self):
        self.leave_at_each(lambda terminal: os.write(terminal.master, b"\x04"))

    def test_an_empty_answer_is_asked_again_where_nothing_is_suggested(self):
        terminal = self.open()
        self.answer(terminal, [("Customer ID", ""), ("domains", "")])
        terminal.wait("This one is needed.")
        self.answer(terminal, [("domains", DOMAIN), ("The address", ""), ("Which", "9"),
                               ("Which", "key"), ("The key file", ""), ("The key file", "{key}"),
                               ("The administrator", ""), ("The administrator", ADMIN),
                               ("How many hosts", "none"), ("How many hosts", "0"),
                               ("How many hosts", "1"), ("Write them", "")])
        terminal.wait("What is next")
        self.assertEqual(terminal.end(), 0, terminal.said)
        self.assertEqual(self.settings()["google.customer"], "my_customer")

    def test_a_narrow_window_breaks_no_guide(self):
        """Paragraphs stay within it; what is to be pasted stays whole."""
        terminal = self.open(columns=40)
        self.answer(terminal, QUESTIONS[:4])
        terminal.wait("The key file")
        wide = [line for line in terminal.said.splitlines()[1:]
                if len(line) > 40 and not line.startswith("     ")]
        self.assertEqual(wide, [])
        self.assertIn("\n     gcloud services enable cloudidentity.googleapis.com\n", terminal.said)
        self.answer(terminal, QUESTIONS[4:])
        self.assertEqual(terminal.end(), 0, terminal.said)


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
        os.write(terminal.master, b"\x04")
        self.assertEqual(terminal.end(), 2)

    def test_what_an_image_must_not_hold_is_named_by_its_place(self):
        said = "".join(self.setup("--yes", "--no-check", *self.words()).split())
        for place in ("spool", "state", "tokens"):
            self.assertIn(self.site.path(place), said)


if __name__ == "__main__":
    harness.main()
