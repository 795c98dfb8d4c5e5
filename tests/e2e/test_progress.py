#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A user who waits at a terminal is told why; without a terminal nothing is printed."""
import os
import pty
import select
import signal
import subprocess

import harness

SLOW = 3000  # ms; nothing is shown in the first second
ACCOUNTS = 5000  # their lines are more than a pipe holds


class Progress(harness.SharedSite):
    def run_at_terminal(self, *verb, words="", go_on=lambda: None):
        """Standard output is a pipe, and standard error a terminal. The pipe is read, and go_on() called, only after
        the terminal has shown `words`, so whatever waits for that waits long enough.
        """
        master, slave = pty.openpty()
        with subprocess.Popen([os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf,
                               *verb], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=slave) as process:
            os.close(slave)
            said = b""
            try:
                while words.encode() not in said and select.select([master], [], [], harness.TIMEOUT)[0]:
                    said += os.read(master, 4096)
            except OSError:
                pass  # it has ended without output
            go_on()
            out = process.communicate(timeout=harness.TIMEOUT)[0].decode()
        try:
            while piece := os.read(master, 4096):
                said += piece
        except OSError:
            pass  # the other end is closed
        os.close(master)
        return out, said.decode()

    def assert_told(self, words, *verb, hold=lambda: None, go_on=lambda: None):
        """The output itself is the same as without a terminal, byte for byte."""
        silent = self.site.run(*verb)
        self.assertEqual(silent.stderr, "")
        hold()
        out, said = self.run_at_terminal(*verb, words="\r\x1b[K" + words, go_on=go_on)
        self.assertIn("\r\x1b[K" + words, said)
        self.assertTrue(said.endswith("\r\x1b[K"), said)
        self.assertNotIn("\n", said)
        return out, silent.stdout

    def test_a_slow_google(self):
        for words, *verb in (("asking Google about alice@example.com", "check", "--json",
                              "alice@example.com"),
                             ("asking Google for the list", "list", "--json")):
            with self.subTest(verb[0]):
                out, silent = self.assert_told(
                    words, *verb, hold=lambda: self.google.process.send_signal(signal.SIGSTOP),
                    go_on=lambda: self.google.process.send_signal(signal.SIGCONT))
                self.assertEqual(out, silent)

    def test_the_doctors_first_step_already(self):
        self.google.latency({"route": "*", "ms": SLOW})
        self.addCleanup(self.google.latency, {"route": "*", "ms": 0})
        out, said = self.run_at_terminal("doctor", "--json")
        self.assertTrue(out.startswith("{"))
        for step in ("network", "token", "api"):
            self.assertIn("\r\x1b[K" + step, said)

    def test_many_accounts(self):
        with open(self.site.path("etc/passwd"), "a", encoding="ascii") as file:
            for i in range(ACCOUNTS):
                file.write(f"u{i}:x:{2000 + i}:100::/home:/bin/bash\n")
        out, silent = self.assert_told(f"0 of {ACCOUNTS + 1} accounts", "scan", "--dry-run", "--json")
        self.assertEqual(out, silent)
        self.assertEqual(out.count("\n"), ACCOUNTS)

    def test_what_is_quick_is_quiet(self):
        self.assertEqual(self.run_at_terminal("status", "--json")[1], "")


if __name__ == "__main__":
    harness.main()
