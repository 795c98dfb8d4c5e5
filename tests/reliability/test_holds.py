#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I2 (docs/design.md, "Invariants").
"""No account of this host can hold a login: an account that holds the lock of every directory that it
can (tests/reliability/hold.c) stops neither new, returning nor root's logins, nor emit and scan, nor
the keeper and the collector. It is tried on the spool, on the directory above it, and on the file
system's rename lock, with a cold and a warm cache, as the product's account and as an ordinary user.

The controls show that the attack works: with a spool of the old layout, and with one that is open to
others, logins do hang. Every FUSE connection is aborted after 10 seconds, by a process of its own, so
that nothing stays in state D whatever becomes of this test.
"""
import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import harness  # pylint: disable=wrong-import-position

HOLD = os.path.join(harness.BUILD, "tests/reliability/hold")
INSIDE = "CLOUDINVITE_HOLDS"
CONTROL = "/sys/fs/fuse/connections"
ACCOUNT = pwd.getpwnam("nobody")  # the product's, here
LOCAL = 41002                     # an ordinary user
SECONDS = 10                      # until a connection is aborted
TIMEOUT = 6                      # a login that takes as long is held
LOGINS = 20


def why_not():
    """Why it cannot be done here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/dev/fuse"):
        return "needs /dev/fuse"
    probe = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"], check=False)
    return None if probe.returncode == 0 else "needs the right to make mount namespaces"


def run(*command):
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


def abort(connection):
    with contextlib.suppress(OSError):
        with open(f"{CONTROL}/{connection}/abort", "w", encoding="ascii") as file:
            file.write("1")


class Module:
    """Logins that call the module itself, a process each."""

    def __init__(self, directory, spool):
        self.pam = ctypes.CDLL("libpam.so.0")
        self.module = ctypes.CDLL(os.path.join(harness.BUILD, "pam_cloudinvite.so"))
        with open(directory + "/sshd", "w", encoding="ascii") as file:
            file.write("session required pam_permit.so\n")
        self.conf = directory.encode()
        self.words = (ctypes.c_char_p * 4)(f"spool={spool}".encode(), b"network_users", b"silent",
                                           b"notify")

    def start(self, user):
        handle, nobody = ctypes.c_void_p(), (ctypes.c_void_p * 2)()
        self.pam.pam_start_confdir(b"sshd", user.encode(), nobody, self.conf, ctypes.byref(handle))
        child = os.fork()
        if child == 0:
            os._exit(self.module.pam_sm_open_session(handle, 0x8000, 4, self.words))
        return child

    def log_in(self, users):
        """The users whose login did not come to an end in time; the others got in."""
        children = {self.start(user): user for user in users}
        until = time.monotonic() + TIMEOUT
        while children and time.monotonic() < until:
            for child in list(children):
                done, status = os.waitpid(child, os.WNOHANG)
                if done:
                    del children[child]
                    assert status == 0, status
            time.sleep(0.005)
        return children


class Hold:
    """Somebody who holds what he can, until the end of the block, and SECONDS at most."""

    def __init__(self, site, uid, opened, queued, target=None):
        self.command = [HOLD, str(uid), site.mountpoint(uid), opened, queued,
                        *([target] if target else [])]
        self.said = []
        self.watchdog = self.connection = self.process = None

    def __enter__(self):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE)
        for line in self.process.stdout:
            self.said.append(line.strip())
            if line.startswith("connection"):
                self.connection = line.split()[1]
                self.watchdog = subprocess.Popen(
                    ["sh", "-c", f"sleep {SECONDS}; echo 1 > {CONTROL}/{self.connection}/abort"],
                    stderr=subprocess.DEVNULL, start_new_session=True)
            if line.strip() == "queued":
                return self
        self.__exit__()
        raise AssertionError(f"{self.command} ended: {self.said}")

    def __exit__(self, *_):
        if self.connection:
            abort(self.connection)
        if self.watchdog:
            os.killpg(self.watchdog.pid, signal.SIGKILL)
            self.watchdog.wait()
        self.process.kill()
        self.process.wait(20)
        self.process.stdout.close()
        self.process.stdin.close()


class Site:
    """A small file system with a spool in it, at the depth of /var/spool/cloudinvite."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="cloudinvite-holds.")
        os.chmod(self.root, 0o755)
        self.fs = self.root + "/fs"
        self.above = self.fs + "/var/spool"
        self.spool = self.above + "/cloudinvite"
        self.collector = None
        os.mkdir(self.fs)
        os.mkdir(self.root + "/pam")
        with open(self.root + "/image", "wb") as file:
            file.truncate(64 << 20)
        run("mkfs.ext4", "-q", self.root + "/image")
        run("mount", "-o", "loop", self.root + "/image", self.fs)
        for place in ("/var", "/var/spool", "/var/lib", "/var/cache"):
            os.mkdir(self.fs + place, 0o755)
        for uid in (ACCOUNT.pw_uid, LOCAL):
            for place in (self.mountpoint(uid), self.own(uid)):
                os.mkdir(place)
                os.chown(place, uid, uid)
        with open(self.own(LOCAL) + "/file", "wb") as file:
            os.fchown(file.fileno(), LOCAL, LOCAL)
        with open(self.own(ACCOUNT.pw_uid) + "/file", "wb") as file:
            os.fchown(file.fileno(), ACCOUNT.pw_uid, ACCOUNT.pw_uid)
        self.conf = self.root + "/conf"
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(f"[people]\naddress = {{user}}@example.com\ndomains = example.com\n"
                       f"network_users = yes\n[invitations]\nsettle = 0\n"
                       f"[storage]\nspool = {self.spool}\nstate = {self.fs}/var/lib/cloudinvite\n"
                       f"tokens = {self.fs}/var/cache/cloudinvite\nrun = {self.root}/run\n"
                       f"ledger = sqlite:{self.fs}/var/lib/cloudinvite/ledger.db\n"
                       f"passwd = {self.root}/passwd\ngroup = {self.root}/group\n"
                       "[worker]\n" + "".join(f"{key} = {ACCOUNT.pw_name}\n" for key in harness.accounts("")))
        for name, line in (("passwd", "root:x:0:0:root:/root:/bin/bash\n" + "".join(
                f"{kind}{number}:x:{2000 + 100 * base + number}:100::/:/bin/sh\n"
                for base, kind in enumerate(("new", "old", "created"))
                for number in range(LOGINS))), ("group", "root:x:0:\n")):
            with open(f"{self.root}/{name}", "w", encoding="utf-8") as file:
                file.write(line)
        run(os.path.join(harness.BUILD, "cloudinvite-collector"), "-c", self.conf, "--prepare")
        for number in range(LOGINS):
            self.mark(f"old{number}")
        self.module = Module(self.root + "/pam", self.spool)

    def mountpoint(self, uid):
        return f"{self.root}/mount-{uid}"

    def own(self, uid):
        return f"{self.fs}/own-{uid}"

    def mark(self, user):
        with open(f"{self.spool}/seen/{user}", "w", encoding="ascii") as file:
            file.write("seen")

    def start(self):
        # pylint: disable=consider-using-with
        with open(self.root + "/log", "wb") as log:
            self.collector = subprocess.Popen(
                [os.path.join(harness.BUILD, "cloudinvite-collector"), "-c", self.conf],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.wait_for(lambda: os.path.exists(self.spool + "/seen/.ledger"), "the collector")

    def close(self):
        if self.collector:
            harness.stop(self.collector)
        run("sync", "-f", self.fs)
        harness.wait_for(lambda: subprocess.run(["umount", self.fs], check=False,
                                                stderr=subprocess.DEVNULL).returncode == 0, "umount")
        shutil.rmtree(self.root)

    def cool_down(self):
        """Drops directory entries that nobody uses."""
        for _ in range(2):
            with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
                file.write("2")


class Holds(harness.Test):

    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.close)

    def users(self):
        """root first, who is nobody that is reported."""
        return (["root"] + [f"new{number}" for number in range(LOGINS)]
                + [f"old{number}" for number in range(LOGINS)])

    def attacks(self, uid):
        """What is opened, what waits for a lock, and where it is renamed to."""
        site = self.site
        for place in (site.spool, site.above):
            yield place, place + "/queued", None
            yield site.own(uid), site.own(uid) + "/file", place + "/moved"

    def start_verbs(self):
        verbs = {}
        for name, words in (("emit", ["emit", "--reason", "created", "created1"]),
                            ("scan", ["scan", "--yes"])):
            # pylint: disable=consider-using-with
            verbs[name] = subprocess.Popen(
                [os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf, *words],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return verbs

    def assert_all_pass(self, uid, cold):
        site = self.site
        for opened, queued, target in self.attacks(uid):
            with self.subTest(uid=uid, cold=cold, opened=opened, target=target):
                for number in range(LOGINS):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(f"{site.spool}/seen/new{number}")
                if cold:
                    site.cool_down()
                with Hold(site, uid, opened, queued, target) as hold:
                    if opened == site.spool:
                        self.assertIn("refused open 13", hold.said)
                        self.assertIn("refused mkdir 13", hold.said)
                    verbs = self.start_verbs()
                    held = site.module.log_in(self.users())
                    self.assertEqual(held, {})
                    for name, verb in verbs.items():
                        self.assertEqual(verb.wait(TIMEOUT), 0, name)
                    harness.wait_for(lambda: all(os.path.exists(f"{site.spool}/seen/{user}")
                                                 for user in self.users()[1:]),
                                     "the marks", TIMEOUT)

    def assert_hangs(self, uid, opened, cold):
        """And is over with the connection."""
        if cold:
            self.site.cool_down()
        with Hold(self.site, uid, opened, opened + "/queued"):
            held = self.site.module.log_in(["root", "new1", "old1"])
            states = {user: open(f"/proc/{child}/stat", encoding="ascii").read().split()[2]
                      for child, user in held.items()}
        for child in held:
            self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertIn("D", states.values())

    def test_neither_account_holds_a_login_while_the_keeper_runs(self):
        self.site.start()
        for uid in (ACCOUNT.pw_uid, LOCAL):
            for cold in (False, True):
                self.assert_all_pass(uid, cold)

    def test_without_a_keeper_the_spool_itself_is_closed_anyway(self):
        site = self.site
        for uid in (ACCOUNT.pw_uid, LOCAL):
            site.cool_down()
            with Hold(site, uid, site.spool, site.spool + "/queued") as hold:
                self.assertIn("refused open 13", hold.said)
                self.assertEqual(site.module.log_in(self.users()), {})

    def test_control_the_old_layout_hangs(self):
        seen = self.site.spool + "/seen"
        os.chmod(self.site.spool, 0o755)
        os.chown(seen, ACCOUNT.pw_uid, ACCOUNT.pw_gid)
        self.assert_hangs(ACCOUNT.pw_uid, seen, False)

    def test_control_a_spool_that_others_can_open_hangs(self):
        os.chmod(self.site.spool, 0o755)
        self.assert_hangs(LOCAL, self.site.spool, True)

    def test_emit_does_not_look_into_a_spool_that_others_can_open(self):
        os.chmod(self.site.spool, 0o755)
        self.site.cool_down()
        with Hold(self.site, LOCAL, self.site.spool, self.site.spool + "/queued"):
            for verb in self.start_verbs().values():
                self.assertEqual(verb.wait(TIMEOUT), 8)


def main():
    if not os.environ.get(INSIDE):
        reason = why_not()
        if reason:
            print(f"ok 1 - holds # SKIP {reason}\n1..1")
            return
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable,
                              os.path.abspath(sys.argv[0]), *sys.argv[1:]])
    if not os.path.ismount(CONTROL):
        run("mount", "-t", "fusectl", "fusectl", CONTROL)
    harness.main()


if __name__ == "__main__":
    main()
