#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The system calls that pam_cloudinvite.so adds to a login, as strace sees them."""
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
    """Runs under strace: the module's own function, between two calls that are easy to find. libpam's own conversation
    writes its messages.
    """
    class Conversation(ctypes.Structure):
        _fields_ = [("function", ctypes.c_void_p), ("data", ctypes.c_void_p)]

    service, effective_uid = os.environ.get("SERVICE", "sshd"), os.environ.get("EUID")
    says = Conversation(ctypes.cast(ctypes.CDLL("libpam_misc.so.0").misc_conv, ctypes.c_void_p))
    handle = ctypes.c_void_p()
    if ctypes.CDLL("libpam.so.0").pam_start_confdir(
            service.encode(), user.encode(), ctypes.byref(says), directory.encode(),
            ctypes.byref(handle)) != 0:
        return 1
    open_session = ctypes.CDLL(module.PATH).pam_sm_open_session
    words = (ctypes.c_char_p * len(arguments))(*[word.encode() for word in arguments])
    if effective_uid:
        os.seteuid(int(effective_uid))
    os.path.exists(MARK % "begins")
    result = open_session(handle, 0, len(arguments), words)
    os.path.exists(MARK % "ended")
    return result


def of_files(*files):
    """The calls that read these files, up to the line of a user. None can block it, whatever the files are."""
    calls = []
    for file in files:
        calls += [f'openat(AT_FDCWD, "{file}", O_RDONLY|O_NOCTTY|O_NONBLOCK|O_CLOEXEC)',
                  "fstat(FILE)", "preadv2(FILE, RWF_NOWAIT)", "close(FILE)"]
    return calls


PASSWD, LOGIN_DEFS = of_files("/etc/passwd"), of_files("/etc/login.defs")
# If the log is full, slow or stopped, there is no line, and nothing waits.
LOGGED = ["getpid()", "socket(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0)",
          "sendto(LOG, MSG_DONTWAIT|MSG_NOSIGNAL)", "close(FILE)"]


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
        for name in ("/etc/passwd", "/etc/login.defs"):  # it does not wait for what is not in the cache
            with open(name, "rb") as file:
                file.read()
        for service in ("sshd", "cron"):
            self.put("conf/" + service, "session required pam_permit.so\n")

    def path(self, name):
        return os.path.join(self.directory, name)

    def put(self, name, text=""):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def trace(self, user="root", arguments="", **environment):
        """The system calls of one session: their names and the arguments that matter."""
        done = subprocess.run(
            ["strace", "-s", "300", "-o", self.path("trace"), sys.executable,
             os.path.abspath(__file__), "--log-in", self.path("conf"), user,
             "spool=" + self.path("spool"), *arguments.split()], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, env=dict(os.environ, **environment), check=False)
        self.assertEqual(done.returncode, 0)
        with open(self.path("trace"), encoding="utf-8", errors="replace") as file:
            # If the file system cannot tell whether a read would wait, the file is still read.
            text = re.sub(r"preadv2\((.*)RWF_NOWAIT\) += -1 EOPNOTSUPP.*\nread\(.*",
                          r"preadv2(\1RWF_NOWAIT) = 1", file.read())
            inside = re.search(re.escape(MARK % "begins") + r".*\n((?:.*\n)*?).*"
                               + re.escape(MARK % "ended"), text)
        return [self.shorten(call) for call in inside.group(1).splitlines()]

    def shorten(self, call):
        """Without results, contents, numbers of descriptors, and the directory of this test."""
        call = re.sub(r"\)\s+= .*", ")", call).replace(self.directory, "")
        for pattern, short in (
                (r"newfstatat\(AT_FDCWD, (\".*?\"), .*, (AT_\w+)\)$", r"newfstatat(\1, \2)"),
                (r"(newfstatat\(\d+, \"\"|fstat\(\d+), .*\)$", "fstat(FILE)"),
                (r"preadv2\(\d+, .*, RWF_NOWAIT\)$", "preadv2(FILE, RWF_NOWAIT)"),
                (r"(read|close|fsync)\(\d+.*\)$", r"\1(FILE)"),
                (r"sendto\(\d+, .*, (MSG_DONTWAIT\|MSG_NOSIGNAL), .*\)$", r"sendto(LOG, \1)"),
                (r"openat\(\d+, ", "openat(BOX, "),
                (r"write\(1, .*", "write(USER)")):
            call = re.sub("^" + pattern, short, call)
        return call

    @staticmethod
    def whole(calls):
        """However many reads a file takes."""
        return [call for n, call in enumerate(calls)
                if "read" not in call or calls[n - 1] != call]

    @staticmethod
    def looks(user="root", both=True):
        """Whether the user has a marker; if not, whether an arrival is waiting."""
        return [f'newfstatat("/spool/{box}", AT_SYMLINK_NOFOLLOW)'
                for box in (f"seen/{user}", f"new/{user}.login")[:2 if both else 1]]

    @staticmethod
    def arrival(user="root"):
        """An empty file, so neither a full disk nor RLIMIT_FSIZE can strike half-way."""
        return ['openat(AT_FDCWD, "/spool/new", O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_PATH|O_DIRECTORY)',
                f'openat(BOX, "{user}.login", '
                "O_WRONLY|O_CREAT|O_EXCL|O_NOCTTY|O_NONBLOCK|O_NOFOLLOW|O_CLOEXEC, 0600)",
                "close(FILE)", "close(FILE)"]

    def test_a_returning_user_costs_one_look_at_the_spool(self):
        self.put("spool/seen/root", "queued\n")
        self.assertEqual(self.trace(), ["geteuid()"] + self.looks(both=False))

    def test_a_storm_of_first_logins_costs_two(self):
        self.put("spool/new/root.login")
        self.assertEqual(self.trace(), ["geteuid()"] + self.looks())

    def test_the_security_page_lists_the_calls_of_both_ways(self):
        """docs/security.md: a first login that reads both files, and the next login."""
        def names(calls):
            return [call.split("(")[0] for call in self.whole(calls)]
        self.assertEqual(names(self.trace(arguments="min_uid=0")), module.named("system calls of a first login"))
        self.put("spool/seen/root", "queued\n")
        self.assertEqual(names(self.trace()), module.named("system calls of a returning user"))

    def test_a_service_that_does_not_count_costs_nothing(self):
        self.assertEqual(self.trace(arguments="skip_services=sshd"), [])
        self.assertEqual(self.trace(SERVICE="cron"), [])
        self.assertEqual(self.trace(arguments="services=login"), [])

    def test_only_root_may_act_as_other_accounts(self):
        self.assertEqual(self.trace(EUID="65534"), ["geteuid()"])

    def test_a_first_login_waits_for_nothing_but_the_disks_of_the_accounts_and_the_spool(self):
        """This is all: no lock, no write, no wait, no signal, no memory, no other process."""
        calls = self.trace(arguments="min_uid=0 max_uid=0")
        self.assertEqual(calls, ["geteuid()"] + self.looks() + PASSWD + self.arrival())
        self.assertEqual(os.path.getsize(self.path("spool/new/root.login")), 0)

    def test_without_a_range_of_its_own_it_reads_login_defs(self):
        self.assertEqual(self.whole(self.trace()),
                         ["geteuid()"] + self.looks() + PASSWD + LOGIN_DEFS)
        self.assertEqual(os.listdir(self.path("spool/new")), [])

    def test_with_sync_a_first_login_waits_for_the_spools_disk_twice(self):
        calls = self.trace(arguments="min_uid=0 max_uid=0 sync")
        opened, created, *closed = self.arrival()
        self.assertEqual(calls, ["geteuid()"] + self.looks() + PASSWD + [
            opened, created, "fsync(FILE)",
            'openat(BOX, ".", O_RDONLY|O_CLOEXEC|O_DIRECTORY)', "fsync(FILE)", "close(FILE)",
            *closed])

    def test_a_user_of_the_network_costs_the_accounts_to_their_end(self):
        self.assertEqual(self.whole(self.trace("nobody-here")),
                         ["geteuid()"] + self.looks("nobody-here") + PASSWD)
        self.assertEqual(self.whole(self.trace("nobody-here", "network_users")),
                         ["geteuid()"] + self.looks("nobody-here") + PASSWD
                         + self.arrival("nobody-here"))

    def test_a_line_of_the_log_is_sent_or_dropped(self):
        os.rmdir(self.path("spool/new"))
        calls = self.trace(arguments="min_uid=0 max_uid=0")
        self.assertEqual(calls, ["geteuid()"] + self.looks() + PASSWD + self.arrival()[:1] + LOGGED)
        self.assertEqual(self.trace(arguments="min_uid=0 max_uid=0 silent"),
                         ["geteuid()"] + self.looks() + PASSWD + self.arrival()[:1])

    def test_what_it_does_not_understand_costs_a_line_of_the_log(self):
        self.put("spool/seen/root", "queued\n")
        self.assertEqual(self.trace(arguments="wrong"),
                         LOGGED + ["geteuid()"] + self.looks(both=False))

    def test_a_mark_is_read_for_notify_and_cannot_hold_it_up(self):
        self.put("spool/seen/root", "invited\n")
        calls = self.trace(arguments="notify")
        self.assertEqual([call for call in calls if call != "write(USER)"], [
            "geteuid()", *self.looks(both=False),
            'openat(AT_FDCWD, "/spool/seen", O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_PATH|O_DIRECTORY)',
            'openat(BOX, "root", O_RDONLY|O_NOCTTY|O_NONBLOCK|O_NOFOLLOW|O_CLOEXEC)',
            "fstat(FILE)", "read(FILE)", "close(FILE)", "close(FILE)"])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--log-in"]:
        sys.exit(log_in(*sys.argv[2:]))
    harness.main()
