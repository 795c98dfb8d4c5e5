#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I18 (docs/design.md, "Invariants").
"""Every verb that root types becomes the service's user before it touches what that user owns. So a hostile service
account that plants links, FIFOs, leases and databases of others in its directories gets nothing of root's: no file is
read, written, made, removed or given away, and no verb hangs because of it.
"""
import contextlib
import fcntl
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import harness  # pylint: disable=wrong-import-position
from harness import Emulator, Site  # pylint: disable=wrong-import-position

WORKER = "nobody"
ALICE = "alice@example.com"
# Every verb except help and login (a dialogue: tests/e2e/test_login.py) and those that act as root.
VERBS = (("status",), ("status", "--json"), ("explain", "alice"), ("history",), ("history", ALICE),
         ("approve", "--all", "--yes"), ("retry", "--all", "--yes"),
         ("block", "--reason", "test", "bob@example.com"), ("unblock", "bob@example.com"),
         ("pause", "--reason", "test"), ("resume",), ("check", ALICE), ("get", ALICE), ("list",),
         ("send", "--yes", ALICE), ("cancel", "--yes", ALICE), ("token",), ("token", "--print"),
         ("config", "--check"), ("doctor",), ("report", "--people"), ("metrics",), ("forget", ALICE))
ROOTS = (("emit", "--trigger", "login", "alice"), ("scan", "--yes"), ("scan", "--dry-run"),
         ("enable", "--yes"))
PREPARE = ("cloudinvite-collector", "cloudinvite-dispatcher")
LONGEST = 20  # seconds


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Hostile(harness.Test):

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.google.accounts({"address": ALICE})
        self.worker = pwd.getpwnam(WORKER)
        os.chmod(self.google.directory, 0o755)
        self.give(self.google.file("credentials.json"))
        self.site = Site(self.google, {"worker": harness.accounts(WORKER)})
        os.chmod(self.site.root, 0o755)
        self.site.__enter__()
        self.addCleanup(self.leave)
        self.roots = tempfile.mkdtemp(prefix="cloudinvite-roots.")
        self.addCleanup(shutil.rmtree, self.roots)
        os.chmod(self.roots, 0o755)
        self.secret = os.path.join(self.roots, "secret")
        with open(self.secret, "w", encoding="ascii") as file:
            file.write("root's alone\n" * 200)
        os.chmod(self.secret, 0o600)
        self.site.arrive_account("alice")
        self.site.collector_once()

    def leave(self):
        # A file planted in place of the ledger is not a ledger to check.
        self.site.__exit__(AssertionError("hostile"))

    def give(self, path):
        os.chown(path, self.worker.pw_uid, self.worker.pw_gid, follow_symlinks=False)

    def verb(self, *words):
        """Its output; it must not hang, and must not be killed."""
        done = self.site.run(*words, timeout=LONGEST)
        self.assertGreaterEqual(done.returncode, 0, (words, done.stderr))
        self.assertLess(done.returncode, 128, (words, done.stderr))
        return done.stdout + done.stderr

    def state_of_root(self):
        """Everything in root's directory: names, owners, modes, times, contents."""
        seen = {}
        for name in sorted(os.listdir(self.roots)):
            status = os.lstat(os.path.join(self.roots, name))
            with open(os.path.join(self.roots, name), "rb") as file:
                seen[name] = (status.st_uid, status.st_gid, status.st_mode, status.st_mtime_ns,
                              status.st_ctime_ns, file.read())
        return seen

    def own_places(self):
        """Every file that the service owns, and names that it could create."""
        places = {self.site.path(name) for name in (
            "state/ledger.db", "state/ledger.db-wal", "state/ledger.db-shm",
            "state/collector/host", "state/login.json", "state/private/login.json",
            "tokens/last-mail")}
        for box in ("state/collector", "state/private", "tokens"):
            places |= {self.site.path(f"{box}/{name}") for name in os.listdir(self.site.path(box))}
        return places

    @contextlib.contextmanager
    def planted(self, plant):
        """As if the service had done it; afterwards everything is restored."""
        boxes = ("state", "tokens")
        kept = os.path.join(self.site.root, "kept")
        for box in boxes:
            subprocess.run(["cp", "-a", "-T", self.site.path(box),
                            os.path.join(kept, box.replace("/", "_"))], check=True)
        for place in self.own_places():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)
            plant(place)
            self.give(place)
        yield
        for box in boxes:
            shutil.rmtree(self.site.path(box))
            subprocess.run(["cp", "-a", "-T", os.path.join(kept, box.replace("/", "_")),
                            self.site.path(box)], check=True)
        shutil.rmtree(kept)

    def every_verb(self):
        before = self.state_of_root()
        for words in VERBS + ROOTS:
            said = self.verb(*words)
            self.assertNotIn("root's alone", said, words)
            self.assertEqual(self.state_of_root(), before, words)
        for program in PREPARE:
            subprocess.run([os.path.join(harness.BUILD, program), "-c", self.site.conf, "--prepare"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=LONGEST, check=False)
            self.assertEqual(self.state_of_root(), before, program)


class Planted(Hostile):

    def setUp(self):
        super().setUp()
        os.mkdir(os.path.join(self.site.root, "kept"))

    def test_links_to_a_file_of_roots(self):
        with self.planted(lambda place: os.symlink(self.secret, place)):
            self.every_verb()

    def test_links_to_a_name_that_is_not_there_yet(self):
        with self.planted(lambda place: os.symlink(os.path.join(self.roots, "new"), place)):
            self.every_verb()

    def test_fifos(self):
        with self.planted(os.mkfifo):
            self.every_verb()

    def test_directories(self):
        with self.planted(os.mkdir):
            self.every_verb()

    def test_files_under_a_lease(self):
        """open() waits for the lease's end, up to 45 s, without O_NONBLOCK."""
        held = []

        def lease(place):
            with open(place, "w", encoding="ascii"):
                pass
            held.append(os.open(place, os.O_RDONLY))
            fcntl.fcntl(held[-1], fcntl.F_SETLEASE, fcntl.F_RDLCK)
        before = signal.signal(signal.SIGIO, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGIO, before)
        with self.planted(lease):
            before = self.state_of_root()
            for words in (("emit", "--trigger", "login", "alice"), ("scan", "--yes")):
                self.verb(*words)
            self.assertEqual(self.state_of_root(), before)
            for descriptor in held:
                os.close(descriptor)

    def test_a_database_of_another_account(self):
        """A ledger of another customer, with a trigger in it that would write elsewhere."""
        other = self.site.path("other.db")
        subprocess.run(["sqlite3", other, "CREATE TABLE person (address); ATTACH '" + self.roots +
                        "/attached' AS a; CREATE TABLE t (x)"], check=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.roots + "/attached")

        def copy(place):
            shutil.copy(other, place)
        with self.planted(copy):
            self.every_verb()


def paths(call):
    return re.findall(r'"(/[^"]*)"', call)


@unittest.skipUnless(shutil.which("strace"), "needs strace")
class Order(Hostile):

    def trace(self, *words):
        """(the calls as root, the calls afterwards), of all its processes."""
        log = os.path.join(self.roots, "trace")
        subprocess.run(["strace", "-f", "-qq", "-o", log, "-e",
                        "trace=%file,%creds,execve,clone,clone3,fork,vfork",
                        os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf, *words],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=LONGEST, check=False)
        as_root, after, became = [], [], set()
        with open(log, encoding="utf-8", errors="replace") as file:
            for line in file:
                pid, call = line.split(maxsplit=1)
                if re.match(rf"setresuid\({self.worker.pw_uid}\b", call):
                    became.add(pid)
                    continue
                child = re.match(r".*(?:fork|clone3?)\b.*= (\d+)$", call)
                if child and pid in became:
                    became.add(child.group(1))
                (after if pid in became else as_root).append(call)
        os.unlink(log)
        return as_root, after

    def test_root_is_given_up_before_anything_of_the_services_is_touched(self):
        boxes = tuple(self.site.path(box) + "/" for box in ("state", "run", "tokens"))
        for words in VERBS:
            as_root, after = self.trace(*words)
            self.assertTrue(after, f"{words} stays root")
            touched = [call for call in as_root for path in paths(call) if path.startswith(boxes)]
            self.assertEqual(touched, [], words)
            # And none becomes root again or tries to, except for one setuid(0), which must fail.
            again = [call for call in after if re.match(r"set(res|re)?[ug]id\(", call)]
            self.assertTrue(all("EPERM" in call for call in again), (words, again))
            self.assertFalse([call for call in after if call.startswith("execve")], words)

    def test_prepare_opens_no_credential_in_a_directory_of_the_services(self):
        """It checks whether the file names the metadata server: behind a link there may be a device that acts when it
        is opened.
        """
        place = self.site.path("state/login.json")
        os.symlink("/dev/null", place)
        log = os.path.join(self.roots, "trace")
        self.site.write_settings({"google": {"credentials": place}})
        done = subprocess.run(["strace", "-f", "-qq", "-o", log, "-e", "trace=%file,setresuid",
                               os.path.join(harness.BUILD, "cloudinvite-dispatcher"), "-c",
                               self.site.conf, "--prepare"], timeout=LONGEST, check=False)
        self.assertEqual(done.returncode, 0)
        became, touched = set(), []
        with open(log, encoding="utf-8", errors="replace") as file:
            for line in file:
                pid, call = line.split(maxsplit=1)
                if call.startswith(f"setresuid({self.worker.pw_uid},"):
                    became.add(pid)
                if place in paths(call):
                    touched.append((pid in became, call))
        self.assertTrue(touched, "it has not looked")
        self.assertEqual([call for is_service, call in touched if not is_service], [])

    def test_no_group_of_roots_is_kept(self):
        as_root, _ = self.trace("status")
        self.assertTrue([call for call in as_root if call.startswith("setgroups(")], as_root[-5:])


if __name__ == "__main__":
    harness.main()
