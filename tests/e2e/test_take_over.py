#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An installation of an earlier version, in which one account owned everything, is upgraded: --prepare gives its files
to the accounts that need them, loses none, and follows nothing that the old account may have planted.
"""
import contextlib
import fcntl
import grp
import json
import os
import pwd
import shutil
import sqlite3
import stat
import struct
import subprocess

import harness
import sandbox

OLD = "cloudinvite"
COLLECTOR, DISPATCHER, LEDGER = (f"cloudinvite-{name}" for name in
                                 ("collector", "dispatcher", "ledger"))
RUN, STATE, TOKENS, SPOOL = ("/run/cloudinvite", "/var/lib/cloudinvite", "/var/cache/cloudinvite",
                             "/var/spool/cloudinvite")
ETC = "/etc/cloudinvite"
BEFORE = "/var/before"  # a ledger as a killed program leaves it

# The layout of commit 7bafb6a: path, mode, owner, group. What is not root's belongs to the one account.
OLD_LAYOUT = (
    (ETC + "/private", 0o711, "root", "root"),
    (ETC + "/private/credentials.json", 0o600, OLD, OLD),
    (ETC + "/key.json", 0o640, "root", OLD),
    (ETC + "/conf.d", 0o755, "root", "root"),
    (ETC + "/conf.d/proxy.conf", 0o640, "root", OLD),
    (RUN, 0o755, OLD, OLD),
    (RUN + "/collector.lock", 0o600, OLD, OLD),
    (RUN + "/dispatcher.lock", 0o600, OLD, OLD),
    (RUN + "/wake", 0o600, OLD, OLD),
    (SPOOL, 0o755, "root", "root"),
    (SPOOL + "/new", 0o770, "root", OLD),
    (SPOOL + "/seen", 0o700, OLD, OLD),
    (SPOOL + "/seen/alice", 0o600, OLD, OLD),
    (SPOOL + "/bad", 0o700, OLD, OLD),
    (STATE, 0o700, OLD, OLD),
    (STATE + "/ledger.db", 0o600, OLD, OLD),
    (STATE + "/ledger.db-wal", 0o600, OLD, OLD),
    (STATE + "/ledger.db-shm", 0o600, OLD, OLD),
    (STATE + "/host", 0o600, OLD, OLD),
    (STATE + "/login.json", 0o600, OLD, OLD),
    (STATE + "/private", 0o700, OLD, OLD),
    (STATE + "/private/login.json", 0o600, OLD, OLD),
    (STATE + "/private/refresh-0123.json", 0o600, OLD, OLD),
    (TOKENS, 0o700, OLD, OLD),
    (TOKENS + "/token-0123.json", 0o600, OLD, OLD),
    (TOKENS + "/last-mail", 0o600, OLD, OLD),
)
DIRECTORIES = {path for path, *_ in OLD_LAYOUT if any(other.startswith(path + "/")
                                                      for other, *_ in OLD_LAYOUT)} | {
    SPOOL + "/new", SPOOL + "/bad"}

NEW_LAYOUT = {
    ETC + "/private": (0o710, "root", DISPATCHER),
    ETC + "/private/credentials.json": (0o640, "root", DISPATCHER),
    ETC + "/key.json": (0o640, "root", DISPATCHER),
    ETC + "/conf.d/proxy.conf": (0o640, "root", LEDGER),
    SPOOL: (0o700, "root", "root"),
    SPOOL + "/new": (0o700, "root", "root"),
    SPOOL + "/seen": (0o700, "root", "root"),
    SPOOL + "/seen/alice": (0o600, "root", "root"),
    RUN: (0o750, "root", LEDGER),
    RUN + "/collector.lock": (0o600, COLLECTOR, COLLECTOR),
    RUN + "/collector.wake": (0o640, COLLECTOR, LEDGER),
    RUN + "/dispatcher.lock": (0o600, DISPATCHER, DISPATCHER),
    RUN + "/dispatcher.wake": (0o640, DISPATCHER, LEDGER),
    RUN + "/commands.wake": (0o640, LEDGER, LEDGER),
    STATE: (0o3770, "root", LEDGER),
    STATE + "/ledger.db": (0o660, "root", LEDGER),
    STATE + "/ledger.db-wal": (0o660, "root", LEDGER),
    STATE + "/ledger.db-shm": (0o660, "root", LEDGER),
    STATE + "/login.json": (0o600, DISPATCHER, DISPATCHER),
    STATE + "/collector": (0o700, COLLECTOR, COLLECTOR),
    STATE + "/collector/host": (0o600, COLLECTOR, COLLECTOR),
    STATE + "/private": (0o700, DISPATCHER, DISPATCHER),
    STATE + "/private/login.json": (0o600, DISPATCHER, DISPATCHER),
    STATE + "/private/refresh-0123.json": (0o600, DISPATCHER, DISPATCHER),
    TOKENS: (0o700, DISPATCHER, DISPATCHER),
    TOKENS + "/token-0123.json": (0o600, DISPATCHER, DISPATCHER),
    TOKENS + "/last-mail": (0o600, DISPATCHER, DISPATCHER),
}


def program(name, *arguments, **more):
    return subprocess.run([f"{sandbox.BIN}/{name}", *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=harness.TIMEOUT, check=False, **more)


def names(path):
    status = os.lstat(path)
    return (stat.S_IMODE(status.st_mode), pwd.getpwuid(status.st_uid).pw_name,
            grp.getgrgid(status.st_gid).gr_name)


def tree():
    """Every path of ours, with kind, mode, owner, group and what a file holds."""
    seen = {}
    for top in (RUN, STATE, TOKENS, SPOOL, ETC):
        for directory, folders, files in os.walk(top):
            for path in (os.path.join(directory, name) for name in folders + files):
                status = os.lstat(path)
                content = None
                if stat.S_ISREG(status.st_mode):
                    with open(path, "rb") as file:
                        content = file.read()
                seen[path] = (status.st_mode, status.st_uid, status.st_gid, content)
    return seen


def make_ledger():
    """With a row that is only in the write-ahead log."""
    sandbox.output(sandbox.BIN + "/cloudinvite-collector", "--prepare")
    sandbox.output(sandbox.BIN + "/cloudinvite", "pause", "--reason", "first")
    sandbox.output(sandbox.BIN + "/cloudinvite", "resume")
    database = sqlite3.connect(STATE + "/ledger.db", isolation_level=None)
    database.execute("PRAGMA wal_autocheckpoint = 0")
    database.execute("INSERT INTO block VALUES ('wal@example.com', 'only in the log', 'test', 1, 0)")
    os.makedirs(BEFORE)
    for end in ("", "-wal", "-shm"):
        shutil.copy(STATE + "/ledger.db" + end, BEFORE + "/ledger.db" + end)
    database.close()


def build():
    sandbox.output("useradd", "--system", "--user-group", "--home-dir", STATE, "--shell",
                "/usr/sbin/nologin", OLD)
    sandbox.make_accounts()
    sandbox.write(sandbox.CONF, "[google]\ncustomer = C01234567\n[people]\n"
               "address = {user}@example.com\ndomains = example.com\n")
    make_ledger()


class TakeOver(harness.Test):

    def setUp(self):
        for top in (RUN, STATE, TOKENS, SPOOL, ETC + "/private", ETC + "/conf.d"):
            shutil.rmtree(top, ignore_errors=True)
        for path, mode, owner, group in OLD_LAYOUT:
            if path in DIRECTORIES:
                os.makedirs(path, exist_ok=True)
            elif os.path.basename(path).startswith("ledger.db"):
                shutil.copy(f"{BEFORE}/{os.path.basename(path)}", path)
            else:
                sandbox.write(path, self.content(path))
            shutil.chown(path, owner, group)
            os.chmod(path, mode)

    @staticmethod
    def content(path):
        if path.startswith(SPOOL):
            return "seen"
        if path.endswith("/host"):
            with open("/etc/machine-id", encoding="ascii") as file:
                return f"cloudinvite-host 1\nname {os.uname().nodename}\nmachine {file.read().strip()}\n" \
                       "known 1001 alice\nend 1\n"
        return "# kept\n"

    def prepare(self, name="cloudinvite-collector"):
        done = program(name, "--prepare")
        self.assertEqual(done.returncode, 0, done.stdout)

    def refuse(self, *words):
        done = program("cloudinvite-collector", "--prepare")
        self.assertEqual(done.returncode, 8, done.stdout)
        for word in words:
            self.assertIn(word, done.stdout)

    def is_new(self):
        for path, wanted in NEW_LAYOUT.items():
            self.assertEqual(names(path), wanted, path)


class Whole(TakeOver):

    def test_every_file_has_its_heir_and_holds_what_it_held(self):
        before = tree()
        self.prepare()
        self.is_new()
        after = tree()
        for path, (*_, content) in before.items():
            moved = path.replace("/host", "/collector/host")
            if content is not None and not path.startswith(RUN):
                self.assertEqual(after[moved][3], content, path)
        self.assertFalse([path for path in (RUN + "/wake", STATE + "/host")
                          if os.path.lexists(path)])

    def test_both_programs_do_it_and_twice_is_once(self):
        self.prepare("cloudinvite-dispatcher")
        self.is_new()
        before = tree()
        for name in ("cloudinvite-collector", "cloudinvite-dispatcher"):
            self.prepare(name)
            self.assertEqual(tree(), before)

    def test_the_programs_of_now_go_on_with_it(self):
        self.prepare()
        done = program("cloudinvite-collector", "--once")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("baseline", done.stdout)
        done = program("cloudinvite", "unblock", "wal@example.com")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_old_account_has_nothing_left_and_doctor_names_it(self):
        self.prepare()
        old = pwd.getpwnam(OLD)
        for path in NEW_LAYOUT:
            for mode in (os.R_OK, os.W_OK):
                if path.startswith((STATE + "/", RUN + "/", TOKENS + "/", ETC + "/private/")):
                    done = subprocess.run(["/usr/bin/test", "-r" if mode == os.R_OK else "-w",
                                           path], user=old.pw_uid, group=old.pw_gid,
                                          extra_groups=(), check=False)
                    self.assertEqual(done.returncode, 1, path)
        said = program("cloudinvite", "doctor", "--offline", "--json").stdout
        notes = [step["code"] for step in json.loads(said)["steps"]]
        self.assertIn("old_account", notes)


class Interrupted(TakeOver):

    def test_it_goes_on_where_it_was_stopped(self):
        """A directory is root's, 01700, from the first to the last step."""
        for path in (STATE, TOKENS, RUN, STATE + "/private"):
            with self.subTest(path):
                self.setUp()
                os.chown(path, 0, 0)
                os.chmod(path, 0o1700)
                self.prepare()
                self.is_new()

    def test_after_a_kill_at_any_moment(self):
        """strace stops it before one of its changes; the next run completes it."""
        calls = "fchown,fchownat,fchmod,fchmodat,renameat,unlinkat,mkdirat"
        for number in range(1, 60, 4):
            self.setUp()
            done = subprocess.run(
                ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e",
                 f"inject={calls}:signal=KILL:when={number}",
                 sandbox.BIN + "/cloudinvite-collector", "--prepare"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                check=False)
            self.prepare()
            self.is_new()
            if done.returncode == 0:
                break


class Traps(TakeOver):

    def setUp(self):
        super().setUp()
        self.victim = "/var/victim"
        sandbox.write(self.victim, "root's alone\n", 0o600)
        self.victim_was = os.stat(self.victim)[:5]

    def plant(self, path, how):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        how(path)
        os.chown(path, pwd.getpwnam(OLD).pw_uid, 0, follow_symlinks=False)

    def test_what_is_not_a_plain_file_of_one_name_is_refused_and_followed_nowhere(self):
        def hard_link(path):
            with open(self.victim + ".other", "w", encoding="ascii"):
                os.link(self.victim + ".other", path)
        for path in (STATE + "/ledger.db", STATE + "/host", STATE + "/private/login.json",
                     TOKENS + "/last-mail", STATE + "/new-name"):
            for how in (lambda path: os.symlink(self.victim, path), os.mkfifo, hard_link):
                with self.subTest(path, how=how):
                    self.setUp()
                    self.plant(path, how)
                    self.refuse(path, "move it away")
                    self.assertEqual(os.stat(self.victim)[:5], self.victim_was)
                    os.unlink(path)
                    with contextlib.suppress(FileNotFoundError):
                        other = os.stat(self.victim + ".other")
                        self.assertEqual((other.st_uid, stat.S_IMODE(other.st_mode)),
                                         (pwd.getpwnam(OLD).pw_uid, 0o644))
                        os.unlink(self.victim + ".other")
                    if path == STATE + "/ledger.db":
                        shutil.copy(BEFORE + "/ledger.db", path)
                    self.prepare()
                    self.assertEqual(names(STATE), NEW_LAYOUT[STATE])

    def test_links_in_the_run_directory_are_removed(self):
        for name in ("wake", "collector.wake", "other"):
            self.plant(f"{RUN}/{name}", lambda path: os.symlink(self.victim, path))
        self.prepare()
        self.is_new()
        self.assertEqual(os.stat(self.victim)[:5], self.victim_was)

    def test_a_directory_in_the_place_of_the_collectors(self):
        for how in (os.mkdir, lambda path: os.symlink("/etc", path)):
            self.setUp()
            self.plant(STATE + "/collector", how)
            if os.path.islink(STATE + "/collector"):
                self.refuse(STATE)
                os.unlink(STATE + "/collector")
            self.prepare()
            self.is_new()

    def test_another_accounts_directory_is_still_refused(self):
        for path in (STATE, TOKENS, RUN):
            self.setUp()
            os.chown(path, 4242, 4242)
            self.refuse(path, "4242")
            self.assertEqual(os.stat(path).st_uid, 4242)


class Running(TakeOver):

    def test_a_program_of_before_that_still_runs_is_named(self):
        for name in ("collector.lock", "dispatcher.lock"):
            self.setUp()
            with open(f"{RUN}/{name}", "r+", encoding="ascii") as file:
                fcntl.fcntl(file, fcntl.F_OFD_SETLK,
                            struct.pack("hhqqixxxx", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
                self.refuse(name, "systemctl stop")
                self.assertEqual(names(STATE), (0o700, OLD, OLD))
            self.prepare()
            self.is_new()


if __name__ == "__main__":
    sandbox.main(build)
