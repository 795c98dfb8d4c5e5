#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`cloudinvite status --watch` on a terminal: its keys, its sizes, and a terminal that is restored however it ends."""
import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time

import harness
from harness import Emulator, Site

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
KEYS = b"q quit  p freeze  space refresh"
TIMEOUT = 10  # seconds


class Terminal:
    """`cloudinvite status --watch` on a terminal of its own."""

    def __init__(self, site, *options, width=80, height=24):
        self.master, self.slave = os.openpty()
        self.resize(width, height)
        self.before = termios.tcgetattr(self.slave)
        surroundings = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(
            [os.path.join(harness.BUILD, "cloudinvite"), "-c", site.conf, "status", *options],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, env=surroundings,
            start_new_session=True)
        self.output = b""

    def resize(self, width, height):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds):
        """Adds what comes within that time to the output."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                self.output += os.read(self.master, 65536)

    def until(self, word, count=1):
        """Reads until the word has appeared since the last time; returns and removes that output."""
        end = time.monotonic() + TIMEOUT
        while self.output.count(word) < count:
            if time.monotonic() > end:
                raise AssertionError(f"{word} did not come: {self.output}")
            self.read(0.02)
        seen, self.output = self.output, b""
        return seen

    def press(self, keys):
        os.write(self.master, keys)

    def end(self):
        code = self.process.wait(harness.TIMEOUT)
        self.read(0.05)
        after = termios.tcgetattr(self.slave)
        os.close(self.master)
        os.close(self.slave)
        return code, after


class Watch(harness.Test):

    def setUp(self):
        google = Emulator().__enter__()
        self.addCleanup(google.__exit__)
        self.site = Site(google).__enter__()
        self.addCleanup(self.site.__exit__)
        self.site.collector_once()
        self.site.dispatcher_once()

    def watch(self, *options, **size):
        """One that refreshes once an hour, after its first picture."""
        terminal = Terminal(self.site, *(options or ("--watch=3600",)), **size)
        self.addCleanup(terminal.process.kill)
        self.first = terminal.until(KEYS)
        return terminal

    def test_q_quits_and_the_screen_and_the_terminal_are_as_before(self):
        terminal = self.watch()
        self.assertIn(ENTER, self.first)
        self.assertNotEqual(terminal.before, termios.tcgetattr(terminal.slave))
        terminal.press(b"q")
        code, after = terminal.end()
        self.assertEqual(0, code)
        self.assertTrue(terminal.output.endswith(LEAVE), terminal.output)
        self.assertEqual(terminal.before, after)

    def test_signals_end_it_with_the_terminal_as_before(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(signal=number.name):
                terminal = self.watch()
                terminal.process.send_signal(number)
                code, after = terminal.end()
                self.assertEqual(-number, code)
                self.assertIn(LEAVE, terminal.output)
                self.assertEqual(terminal.before, after)

    def test_a_signal_while_the_ledger_is_read_does_not_wait_for_the_picture(self):
        terminal = self.watch()
        trace = self.site.path("trace")
        strace = subprocess.Popen(
            ["strace", "-o", trace, "-e", "trace=fcntl", "-e", "inject=fcntl:signal=INT:when=1",
             "-p", str(terminal.process.pid)], stderr=subprocess.PIPE)
        self.addCleanup(strace.communicate)
        self.addCleanup(terminal.process.kill)
        strace.stderr.readline()  # attached
        terminal.press(b" ")
        code, after = terminal.end()
        self.assertEqual(-signal.SIGINT, code)
        self.assertEqual(terminal.before, after)
        self.assertTrue(terminal.output.endswith(LEAVE), terminal.output)
        self.assertEqual(self.site.read("trace").count("fcntl("), 1)

    def test_stopped_it_gives_the_terminal_back_and_takes_it_again(self):
        terminal = self.watch()
        terminal.process.send_signal(signal.SIGTSTP)
        terminal.until(LEAVE)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)
        self.assertEqual(terminal.before, termios.tcgetattr(terminal.slave))
        terminal.process.send_signal(signal.SIGCONT)
        self.assertIn(ENTER, terminal.until(KEYS))
        terminal.press(b"q")
        self.assertEqual(0, terminal.end()[0])

    def test_space_refreshes_at_once(self):
        terminal = self.watch()
        self.assertNotIn(b"moving", self.first)
        self.site.run("pause", "--reason", "moving")
        terminal.press(b" ")
        terminal.until(b"moving")
        terminal.press(b"q")
        self.assertEqual(0, terminal.end()[0])

    def test_p_holds_the_picture_until_p_is_pressed_again(self):
        terminal = self.watch("--watch=1")
        terminal.press(b"p")
        terminal.until(b"frozen")
        self.site.run("pause", "--reason", "moving")
        terminal.read(1.5)
        self.assertEqual(b"", terminal.output)
        terminal.press(b"p")
        terminal.until(b"moving")
        terminal.press(b"q")
        self.assertEqual(0, terminal.end()[0])

    def test_the_line_of_keys_can_be_hidden(self):
        terminal = self.watch()
        terminal.press(b"?")
        terminal.read(0.3)
        self.assertIn(b"\x1b[H", terminal.output)
        self.assertNotIn(KEYS, terminal.output)
        terminal.press(b"?")
        terminal.until(KEYS)
        terminal.press(b"q")
        self.assertEqual(0, terminal.end()[0])

    def test_another_size_is_drawn_again_and_never_more_lines_than_there_are(self):
        terminal = self.watch(width=80, height=24)
        self.assertLess(self.first.count(b"\n"), 24)
        for width, height in ((40, 10), (132, 50)):
            terminal.resize(width, height)
            terminal.process.send_signal(signal.SIGWINCH)
            picture = terminal.until(KEYS)
            self.assertIn(b"People" if height > 10 else b"cloudinvite", picture)
            self.assertLess(picture.count(b"\n"), height)
        terminal.press(b"q")
        self.assertEqual(0, terminal.end()[0])

    def test_an_error_at_the_start_is_printed_on_the_normal_screen(self):
        terminal = Terminal(self.site, "--watch", "nobody-of-that-name")
        code, _ = terminal.end()
        self.assertNotEqual(0, code)
        self.assertNotIn(ENTER, terminal.output)
        self.assertIn(b"nobody-of-that-name", terminal.output)

    def test_without_a_terminal_nothing_is_painted(self):
        with subprocess.Popen([os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf,
                               "status", "--watch=1"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE) as process:
            seen = b""
            while seen.count(b"\n\n\n") < 1 and seen.count(b"cloudinvite ") < 2:
                seen += os.read(process.stdout.fileno(), 65536)
            process.terminate()
        self.assertNotIn(b"\x1b", seen)


if __name__ == "__main__":
    harness.main()
