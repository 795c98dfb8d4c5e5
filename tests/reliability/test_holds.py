#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I2 (docs/design.md, "Invariants").
"""No account of this host can delay a login: an account that holds the lock of every directory that it can open
(tests/reliability/hold.c) stops neither new, returning nor root's logins, nor the message of `notify`, nor emit, scan
and the hooks, nor the keeper and the collector. It is tried on the spool, on the directory above it, and on the file
system's rename lock, with a cold and a warm cache, as each of the product's accounts, with its groups, and as an
ordinary user; on ext4 and on XFS, where an account can also hold a file that it can read.

The controls show that the attack works: with a spool of the old layout, and with one that is open to others, logins do
hang. A separate process aborts every FUSE connection after 10 seconds, so that nothing stays in state D whatever
happens to this test.
"""
import contextlib
import ctypes
import grp
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
# pylint: disable=wrong-import-position
import accounts_table
import harness
import sandbox

HOLD = os.path.join(harness.BUILD, "tests/reliability/hold")
MODULE = os.path.join(harness.BUILD, "pam_cloudinvite.so")
INSIDE = "CLOUDINVITE_HOLDS"
UNSHARE = ["unshare", "--mount", "--propagation", "private", "--uts"]
CONTROL = "/sys/fs/fuse/connections"
COLLECTOR = "cloudinvite-collector"
LOCAL = "local"  # an ordinary user
SECONDS = 10     # until a connection is aborted
TIMEOUT = 6  # a login that takes so long counts as blocked
LOGINS = 20
SENTENCE = "Ask the service desk about your invitation."
# Only emit and the hooks report them: they existed before the collector, and never log in.
EMITTED, HOOKED, GONE = "emitted", "hooked", "gone"
SIZE = {"ext4": 64 << 20, "xfs": 320 << 20}  # of the images; mkfs.xfs makes no smaller ones


def why_not():
    """Why it cannot be done here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/dev/fuse"):
        return "needs /dev/fuse"
    probe = subprocess.run([*UNSHARE, "true"], check=False)
    return None if probe.returncode == 0 else "needs the right to make mount namespaces"


def run(*command):
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


def abort(connection):
    with contextlib.suppress(OSError):
        with open(f"{CONTROL}/{connection}/abort", "w", encoding="ascii") as file:
            file.write("1")


def holders():
    """Each of the product's accounts, and an ordinary user."""
    return (*accounts_table.accounts(), LOCAL)


def ids(account):
    """Its uid and its groups, its own first."""
    user = pwd.getpwnam(account)
    return user.pw_uid, [user.pw_gid, *(group.gr_gid for group in grp.getgrall()
                                        if account in group.gr_mem)]


class Message(ctypes.Structure):
    _fields_ = (("style", ctypes.c_int), ("text", ctypes.c_char_p))


ANSWER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.POINTER(Message)),
                          ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)


class Conversation(ctypes.Structure):
    _fields_ = (("answer", ANSWER), ("data", ctypes.c_void_p))


class Login:
    """A process that calls the module itself, and what the user is shown."""

    def __init__(self, module, user):
        self.user = user
        self.told, self.tell = os.pipe()
        conversation = Conversation(ANSWER(self.answer), None)
        handle = ctypes.c_void_p()
        module.pam.pam_start_confdir(b"sshd", user.encode(), ctypes.byref(conversation), module.conf,
                                     ctypes.byref(handle))
        self.child = os.fork()
        if self.child == 0:
            os._exit(module.module.pam_sm_open_session(handle, 0, len(module.words), module.words))
        os.close(self.tell)

    def answer(self, count, messages, answers, _):
        for number in range(count):
            os.write(self.tell, messages[number].contents.text + b"\n")
        answers[0] = None
        return 0

    def ended(self):
        done, status = os.waitpid(self.child, os.WNOHANG)
        assert not done or status == 0, status
        return done != 0

    def said(self):
        """What the user was shown."""
        with open(self.told, encoding="utf-8") as told:
            return told.read()


class Module:
    """Logins that call the module itself, each in a process."""

    def __init__(self, directory, spool, message):
        self.pam = ctypes.CDLL("libpam.so.0")
        self.module = ctypes.CDLL(MODULE)
        with open(directory + "/sshd", "w", encoding="ascii") as file:
            file.write("session required pam_permit.so\n")
        self.conf = directory.encode()
        words = (f"spool={spool}", "network_users", "silent", "notify", f"message_file={message}")
        self.words = (ctypes.c_char_p * len(words))(*(word.encode() for word in words))

    def log_in(self, users):
        """(users whose login did not end in time, {user: what the others were shown})"""
        waiting, told = [Login(self, user) for user in users], {}
        until = time.monotonic() + TIMEOUT
        while waiting and time.monotonic() < until:
            for login in list(waiting):
                if login.ended():
                    waiting.remove(login)
                    told[login.user] = login.said()
            time.sleep(0.005)
        return waiting, told


class Hold:
    """Holds every possible lock until the end of the block, and for SECONDS at most."""

    def __init__(self, site, account, opened, queued, target=None):
        uid, groups = ids(account)
        self.command = [HOLD, str(uid), ",".join(map(str, groups)), site.mountpoint(account), opened,
                        queued, *([target] if target else [])]
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
    """A small file system with a spool in it, as deep as /var/spool/cloudinvite."""

    def __init__(self, kind):
        self.root = tempfile.mkdtemp(prefix="cloudinvite-holds.")
        os.chmod(self.root, 0o755)
        self.fs = self.root + "/fs"
        self.above = self.fs + "/var/spool"
        self.spool = self.above + "/cloudinvite"
        self.collector = None
        os.mkdir(self.fs)
        os.mkdir(self.root + "/pam")
        with open(self.root + "/image", "wb") as file:
            file.truncate(SIZE[kind])
        run("mkfs." + kind, "-q", self.root + "/image")
        run("mount", "-o", "loop", self.root + "/image", self.fs)
        for place in ("/etc", "/var", "/var/spool", "/var/lib", "/var/cache"):
            os.mkdir(self.fs + place, 0o755)
        for account in holders():
            uid, groups = ids(account)
            for place in (self.mountpoint(account), self.own(account)):
                os.mkdir(place)
                os.chown(place, uid, groups[0])
            with open(self.own(account) + "/file", "wb") as file:
                os.fchown(file.fileno(), uid, groups[0])
        with open(sandbox.CONF, "w", encoding="utf-8") as file:
            file.write(f"[people]\naddress = {{user}}@example.com\ndomains = example.com\n"
                       f"network_users = yes\n[invitations]\ncreation_delay = 0\n"
                       f"[storage]\nspool = {self.spool}\nstate = {self.fs}/var/lib/cloudinvite\n"
                       f"tokens = {self.fs}/var/cache/cloudinvite\nrun = {self.root}/run\n"
                       f"ledger = sqlite:{self.fs}/var/lib/cloudinvite/ledger.db\n"
                       f"passwd = {self.root}/passwd\ngroup = {self.root}/group\n")
        for name, line in (("passwd", "root:x:0:0:root:/root:/bin/bash\n" + "".join(
                f"{kind}{number}:x:{2000 + 100 * base + number}:100::/:/bin/sh\n"
                for base, kind in enumerate(("new", "old"))
                for number in range(LOGINS)) + "".join(
                    f"{user}:x:{uid}:100::/:/bin/sh\n"
                    for uid, user in ((3001, EMITTED), (3002, HOOKED), (3003, GONE)))), ("group", "root:x:0:\n")):
            with open(f"{self.root}/{name}", "w", encoding="utf-8") as file:
                file.write(line)
        run(os.path.join(sandbox.BIN, "cloudinvite-collector"), "--prepare")
        self.module = self.module_saying(self.spool + "/message")
        self.mark_all()

    def module_saying(self, message):
        sandbox.write(message, SENTENCE + "\n")
        return Module(self.root + "/pam", self.spool, message)

    def mountpoint(self, account):
        return f"{self.root}/mount-{account}"

    def own(self, account):
        return f"{self.fs}/own-{account}"

    def mark_all(self):
        """The returning users, including the invited ones, and no others."""
        for name in os.listdir(self.spool + "/seen"):
            if not name.startswith((".", "old", "invited")):
                os.unlink(f"{self.spool}/seen/{name}")
        for number in range(LOGINS):
            sandbox.write(f"{self.spool}/seen/old{number}", "seen")
            sandbox.write(f"{self.spool}/seen/invited{number}", "invited")

    def start(self):
        # pylint: disable=consider-using-with
        with open(self.root + "/log", "wb") as log:
            self.collector = subprocess.Popen(
                [os.path.join(sandbox.BIN, "cloudinvite-collector")], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.wait_for(lambda: os.path.exists(self.spool + "/seen/.ledger"), "the collector")

    def close(self):
        if self.collector:
            harness.stop(self.collector)
        run("sync", "-f", self.fs)
        harness.wait_for(lambda: subprocess.run(["umount", self.fs], check=False,
                                                stderr=subprocess.DEVNULL).returncode == 0, "umount")
        shutil.rmtree(self.root)

    def cool_down(self):
        """Drops directory entries that are not in use."""
        for _ in range(2):
            with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
                file.write("2")


class Holds(harness.Test):
    KIND = "ext4"

    def setUp(self):
        self.site = Site(self.KIND)
        self.addCleanup(self.site.close)

    def users(self):
        """root first, who is not reported."""
        return ["root"] + [f"{kind}{number}" for kind in ("new", "old", "invited")
                           for number in range(LOGINS)]

    def attacks(self, account):
        """What is opened, what waits for a lock, and the target of its rename."""
        site = self.site
        for place in (site.spool, site.above):
            yield place, place + "/queued", None
            yield site.own(account), site.own(account) + "/file", place + "/moved"

    def start_commands(self):
        """emit, scan, and the hooks as useradd and userdel run them: {name: process}"""
        cli = os.path.join(sandbox.BIN, "cloudinvite")
        commands = {"emit": ("", cli, "emit", "--trigger", "created", EMITTED),
                    "scan": ("", cli, "scan", "--yes"),
                    "useradd": (HOOKED, sandbox.hook_path("useradd-post")),
                    "userdel": (GONE, sandbox.hook_path("userdel-post"))}
        # pylint: disable=consider-using-with
        return {name: subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env={**os.environ, "SUBJECT": subject})
                for name, (subject, *command) in commands.items()}

    def assert_users_get_in(self):
        """The invited users see the message, the others nothing."""
        held, told = self.site.module.log_in(self.users())
        self.assertEqual([login.user for login in held], [])
        for user, said in told.items():
            self.assertEqual(said, SENTENCE + "\n" if user.startswith("invited") else "", user)

    def assert_all_pass(self, account, cold):
        site = self.site
        for opened, queued, target in self.attacks(account):
            with self.subTest(account=account, cold=cold, opened=opened, target=target):
                site.mark_all()
                if cold:
                    site.cool_down()
                with Hold(site, account, opened, queued, target) as hold:
                    if opened == site.spool:
                        self.assertIn("refused open 13", hold.said)
                        self.assertIn("refused mkdir 13", hold.said)
                    commands = self.start_commands()
                    self.assert_users_get_in()
                    for name, command in commands.items():
                        self.assertEqual(command.wait(TIMEOUT), 0, name)
                    harness.wait_for(lambda: all(os.path.exists(f"{site.spool}/seen/{user}")
                                                 for user in (*self.users()[1:], EMITTED, HOOKED)),
                                     "the marks", TIMEOUT)

    def assert_hangs(self, account, opened, cold):
        """And it ends with the connection."""
        if cold:
            self.site.cool_down()
        with Hold(self.site, account, opened, opened + "/queued"):
            held, _ = self.site.module.log_in(["root", "new1", "old1", "invited1"])
            states = {}
            for login in held:
                with open(f"/proc/{login.child}/stat", encoding="ascii") as file:
                    states[login.user] = file.read().split()[2]
        for login in held:
            self.assertEqual(os.waitpid(login.child, 0)[1], 0)
            login.said()
        self.assertIn("D", states.values())

    def test_neither_account_holds_a_login_while_the_keeper_runs(self):
        self.site.start()
        for account in holders():
            for cold in (False, True):
                self.assert_all_pass(account, cold)

    def test_without_a_keeper_the_spool_itself_is_closed_anyway(self):
        site = self.site
        for account in holders():
            site.mark_all()
            site.cool_down()
            with Hold(site, account, site.spool, site.spool + "/queued") as hold:
                self.assertIn("refused open 13", hold.said)
                commands = self.start_commands()
                self.assert_users_get_in()
                for name, command in commands.items():
                    # There is no collector, and scan says so.
                    self.assertEqual(command.wait(TIMEOUT), 0, name)
                arrivals = os.listdir(site.spool + "/new")
                for name in (EMITTED + ".created", HOOKED + ".created", GONE + ".deleted"):
                    self.assertIn(name, arrivals)
                    os.unlink(f"{site.spool}/new/{name}")

    def test_the_open_pin_of_the_socket_unit_keeps_the_path_cached_without_a_keeper(self):
        site = self.site
        os.mkfifo(site.spool + "/pin", 0o600)
        pin = os.open(site.spool + "/pin", os.O_RDWR | os.O_NONBLOCK)  # as PID 1 opens it
        self.addCleanup(os.close, pin)
        for account in holders():
            site.mark_all()
            site.cool_down()
            with Hold(site, account, site.above, site.above + "/queued"):
                self.assert_users_get_in()

    def test_control_without_keeper_and_pin_the_path_hangs(self):
        self.assert_hangs(LOCAL, self.site.above, True)

    def test_control_the_old_layout_hangs(self):
        seen = self.site.spool + "/seen"
        os.chmod(self.site.spool, 0o755)
        shutil.chown(seen, COLLECTOR, COLLECTOR)
        self.assert_hangs(COLLECTOR, seen, False)

    def test_control_a_spool_that_others_can_open_hangs(self):
        os.chmod(self.site.spool, 0o755)
        self.assert_hangs(LOCAL, self.site.spool, True)

    def test_a_message_file_outside_of_the_spool_is_not_looked_up(self):
        site = self.site
        module = site.module_saying(site.fs + "/etc/message")
        site.cool_down()
        with Hold(site, LOCAL, site.fs + "/etc", site.fs + "/etc/queued"):
            held, told = module.log_in([f"invited{number}" for number in range(3)])
        self.assertEqual([login.user for login in held], [])
        for said in told.values():
            self.assertIn("Google has sent you an invitation", said)

    def test_held_settings_hold_neither_emit_nor_the_hooks(self):
        """They then use the default spool."""
        site, default = self.site, sandbox.SPOOL
        settings = site.fs + "/etc/cloudinvite"
        shutil.copytree("/etc/cloudinvite", settings)
        shutil.copytree(site.spool, default)
        self.addCleanup(shutil.rmtree, default)
        run("mount", "--bind", settings, "/etc/cloudinvite")
        self.addCleanup(run, "umount", "/etc/cloudinvite")
        site.cool_down()
        with Hold(site, LOCAL, settings, settings + "/queued"):
            commands = self.start_commands()
            for name in ("emit", "useradd", "userdel"):
                self.assertEqual(commands[name].wait(TIMEOUT), 0, name)
            self.assertIsNone(commands["scan"].poll())  # held, which is acceptable for a command of root
        self.assertEqual(commands["scan"].wait(TIMEOUT), 0)
        self.assertEqual(set(os.listdir(default + "/new")),
                         {EMITTED + ".created", HOOKED + ".created", GONE + ".deleted"})

    def test_emit_does_not_look_into_a_spool_that_others_can_open(self):
        """Neither do the hooks, which never fail."""
        os.chmod(self.site.spool, 0o755)
        self.site.cool_down()
        with Hold(self.site, LOCAL, self.site.spool, self.site.spool + "/queued"):
            for name, command in self.start_commands().items():
                self.assertEqual(command.wait(TIMEOUT), 0 if name.startswith("user") else 8, name)


@unittest.skipUnless(shutil.which("mkfs.xfs"), "needs mkfs.xfs")
class Xfs(Holds):
    """The same on XFS, where every account that may read a file can hold it."""
    KIND = "xfs"

    @contextlib.contextmanager
    def account_files(self):
        """/etc/passwd and /etc/login.defs on this file system, with the new users in them."""
        etc = self.site.fs + "/etc/"
        with open("/etc/passwd", encoding="utf-8") as own, \
                open(self.site.root + "/passwd", encoding="utf-8") as users:
            sandbox.write(etc + "passwd", own.read() + users.read())
        sandbox.write(etc + "login.defs", "UID_MIN 1000\nUID_MAX 60000\n")
        with contextlib.ExitStack() as stack:
            for name in ("passwd", "login.defs"):
                run("mount", "--bind", etc + name, "/etc/" + name)
                stack.callback(run, "umount", "/etc/" + name)
            yield

    def assert_held(self, path):
        """A program that reads it in the ordinary way waits."""
        reader = os.fork()
        if reader == 0:
            with open(path, "rb") as file:
                os._exit(not file.read())
        time.sleep(0.5)
        with open(f"/proc/{reader}/stat", encoding="ascii") as file:
            self.assertEqual(file.read().split()[2], "D")
        return reader

    def test_a_file_of_accounts_that_is_held_is_not_waited_for(self):
        """Whether a new user counts is then decided by the collector."""
        site = self.site
        new = [f"new{number}" for number in range(5)]
        with self.account_files():
            for account in holders():
                for name in ("passwd", "login.defs"):
                    with self.subTest(account=account, name=name):
                        with Hold(site, account, "/etc/" + name, "/etc/" + name):
                            reader = self.assert_held("/etc/" + name)
                            held, _ = site.module.log_in(["root", "old1", "invited1", *new])
                            self.assertEqual([login.user for login in held], [])
                        self.assertEqual(os.waitpid(reader, 0)[1], 0)
                        for user in new:
                            os.unlink(f"{site.spool}/new/{user}.login")


def make_host():
    """An /etc with the product's accounts, an ordinary user and the hook."""
    global HOLD, MODULE  # pylint: disable=global-statement
    hold, module = HOLD, MODULE
    sandbox.populate()
    HOLD, MODULE = (shutil.copy(path, sandbox.BIN) for path in (hold, module))
    sandbox.make_accounts()
    sandbox.output("useradd", "--no-create-home", LOCAL)
    sandbox.install_hooks()


def main():
    if not os.environ.get(INSIDE):
        reason = why_not()
        if reason:
            print(f"ok 1 - holds # SKIP {reason}\n1..1")
            return
        os.environ[INSIDE] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])
    if not os.path.ismount(CONTROL):
        run("mount", "-t", "fusectl", "fusectl", CONTROL)
    make_host()
    harness.main()


if __name__ == "__main__":
    main()
