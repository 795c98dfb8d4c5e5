#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a login asks of the kernel because of pam_cloudinvite.so, as strace sees it."""
import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import module
from module import harness

MARK = "/the/module/%s"


def log_in(directory, user, *arguments):
    """Runs under strace: the module's own function, between two calls that are easy to find."""
    class Conversation(ctypes.Structure):
        _fields_ = [("function", ctypes.c_void_p), ("data", ctypes.c_void_p)]

    handle = ctypes.c_void_p()
    if ctypes.CDLL("libpam.so.0").pam_start_confdir(
            b"sshd", user.encode(), ctypes.byref(Conversation()), directory.encode(),
            ctypes.byref(handle)) != 0:
        return 1
    open_session = ctypes.CDLL(module.PATH).pam_sm_open_session
    words = (ctypes.c_char_p * len(arguments))(*[word.encode() for word in arguments])
    os.path.exists(MARK % "begins")
    result = open_session(handle, 0, len(arguments), words)
    os.path.exists(MARK % "ended")
    return result


def can_trace():
    return shutil.which("strace") is not None and subprocess.run(
        ["strace", "-o", "/dev/null", "true"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=False).returncode == 0


@unittest.skipUnless(os.geteuid() == 0, "needs root: for anybody else the module does nothing")
@unittest.skipIf(module.is_sanitized(), "a sanitizer asks the kernel for things of its own")
@unittest.skipUnless(can_trace(), "needs strace, and the right to trace")
class SystemCalls(harness.Test):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="cloudinvite-calls.")
        self.addCleanup(shutil.rmtree, self.directory)
        for name in ("conf", "spool", "spool/new", "spool/seen"):
            os.mkdir(self.path(name))
        self.put("conf/sshd", "session required pam_permit.so\n")

    def path(self, name):
        return os.path.join(self.directory, name)

    def put(self, name, text=""):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def trace(self, user="root", arguments=""):
        """The system calls of one session."""
        done = subprocess.run(
            ["strace", "-o", self.path("trace"), sys.executable, os.path.abspath(__file__),
             "--log-in", self.path("conf"), user, "spool=" + self.path("spool"),
             *arguments.split()], stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 0)
        with open(self.path("trace"), encoding="utf-8", errors="replace") as file:
            inside = re.search(re.escape(MARK % "begins") + r".*\n((?:.*\n)*?).*"
                               + re.escape(MARK % "ended"), file.read())
        return inside.group(1).splitlines()

    def test_a_returning_user_costs_one_look_at_the_spool(self):
        self.put("spool/seen/root", "queued\n")
        calls = self.trace()
        self.assertEqual([call.split("(")[0] for call in calls], ["geteuid", "newfstatat"], calls)
        self.assertIn(self.path("spool/seen/root"), calls[1])

    def test_a_storm_of_first_logins_costs_two(self):
        self.put("spool/new/root.login")
        names = [call.split("(")[0] for call in self.trace()]
        self.assertEqual(names, ["geteuid", "newfstatat", "newfstatat"])

    def test_a_service_that_does_not_count_costs_nothing(self):
        self.assertEqual(self.trace(arguments="skip_services=sshd"), [])

    def test_a_new_face_is_written_without_a_write(self):
        """An empty file: so neither a full disk nor RLIMIT_FSIZE can hit half-way."""
        calls = self.trace(arguments="min_uid=0 max_uid=0")
        self.assertTrue(os.path.exists(self.path("spool/new/root.login")))
        for call in calls:
            self.assertNotRegex(call, r"^(p?write|pwritev?|fsync|fchmod|fchown|f?truncate|rename"
                                      r"|link|symlink|umask|socket|connect|sendto|clone|execve"
                                      r"|rt_sig|mmap|brk|setres|flock|fcntl)")
        opened = [call for call in calls if call.startswith("open")]
        self.assertTrue(all("O_CLOEXEC" in call for call in opened), opened)
        created = [call for call in opened if "O_CREAT" in call]
        self.assertEqual(len(created), 1)
        self.assertRegex(created[0], "O_EXCL.*O_NOFOLLOW")

    def test_a_new_face_is_on_the_disk_with_sync(self):
        calls = self.trace(arguments="min_uid=0 max_uid=0 sync")
        self.assertEqual(len([call for call in calls if call.startswith("fsync")]), 2)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--log-in"]:
        sys.exit(log_in(*sys.argv[2:]))
    harness.main()
