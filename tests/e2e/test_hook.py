#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The hooks of useradd and userdel, and the collector beside the real tools that make accounts."""
import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import urllib.parse

import harness
import sandbox
from sandbox import BIN, CONF, SPOOL

SETTINGS = "[people]\naddress = {user}@example.com\ndomains = example.com\n" \
           "[invitations]\ncreation_delay = 1s\n"
NEW = SPOOL + "/new"
LEDGER = "/var/lib/cloudinvite/ledger.db"


def build():
    sandbox.make_accounts()
    sandbox.write(CONF, SETTINGS)
    sandbox.install_hooks()


def arrivals():
    return sorted(os.listdir(NEW))


def run(*command, **more):
    """The completed process, standard output and error together."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=harness.TIMEOUT, **more)


class Hook(harness.Test):
    """The conditions that useradd may meet."""
    number = 0

    def setUp(self):
        sandbox.write(CONF, SETTINGS)
        sandbox.install_hooks()
        shutil.rmtree(SPOOL, ignore_errors=True)
        sandbox.output(f"{BIN}/cloudinvite-collector", "--prepare")

    def quiet(self, done):
        self.assertEqual((done.returncode, done.stdout), (0, b""))

    def hook(self, subject, name="useradd-post", **more):
        """Runs the hook as useradd does, for any subject."""
        environment = {} if subject is None else {"SUBJECT": subject, "ACTION": "useradd"}
        self.quiet(run(sandbox.hook_path(name), env=environment, stdin=subprocess.DEVNULL, **more))

    def useradd(self):
        """A new account, in the present broken state."""
        Hook.number += 1
        name = f"person{self.number}"
        self.quiet(run("useradd", "--no-create-home", name))
        self.assertIn(f"\n{name}:", open("/etc/passwd", encoding="utf-8").read())
        return name

    @contextlib.contextmanager
    def mounted(self, place, options):
        sandbox.tmpfs(place, options)
        try:
            yield
        finally:
            sandbox.output("umount", place)

    def test_a_new_account_has_arrived_when_useradd_returns(self):
        name = self.useradd()
        self.assertEqual(arrivals(), [name + ".created"])
        status = os.stat(f"{NEW}/{name}.created")
        self.assertEqual((status.st_uid, stat.S_IMODE(status.st_mode), status.st_size),
                         (0, 0o600, 0))

    def test_a_deleted_account_arrives_too(self):
        name = self.useradd()
        self.quiet(run("userdel", name))
        self.assertEqual(arrivals(), [name + ".created", name + ".deleted"])

    def test_it_is_on_the_disk_before_useradd_returns(self):
        trace = sandbox.SELF + "/trace"
        run("strace", "-f", "-o", trace, "-e", "trace=openat,fsync", "useradd", "-M", "synced")
        with open(trace, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        made = [n for n, line in enumerate(lines) if '"synced.created"' in line]
        self.assertEqual(len(made), 1, lines)
        synced = [line for line in lines[made[0]:] if "fsync(" in line and line.endswith("= 0")]
        self.assertGreaterEqual(len(synced), 2, "the file and its directory")

    def move_program_away(self):
        os.rename(f"{BIN}/cloudinvite", f"{BIN}/elsewhere")
        self.addCleanup(os.rename, f"{BIN}/elsewhere", f"{BIN}/cloudinvite")

    def test_useradd_succeeds_where_the_program_was_removed(self):
        self.move_program_away()
        self.useradd()
        self.assertEqual(arrivals(), [])

    def test_useradd_succeeds_where_the_program_is_broken(self):
        self.move_program_away()
        for content, mode in (("#!/bin/sh\nkill -SEGV $$\n", 0o755), ("#!/bin/sh\n", 0o644),
                              ("#!/no/such/interpreter\n", 0o755), ("", 0o755),
                              ("\x7fELF rubbish", 0o755),
                              ("#!/bin/sh\necho talk\necho more >&2\ncat\nexit 1\n", 0o755)):
            with self.subTest(content):
                sandbox.write(f"{BIN}/cloudinvite", content, mode)
                self.useradd()
                # If sh is bash, it reports programs that crashed.
                self.quiet(run("bash", sandbox.hook_path("useradd-post"), env={"SUBJECT": "alice"}))

    def test_useradd_succeeds_without_a_spool(self):
        shutil.rmtree(SPOOL)
        self.useradd()
        self.assertFalse(os.path.exists(SPOOL))

    def test_useradd_succeeds_with_a_spool_that_is_none(self):
        for plant in (lambda: sandbox.write(NEW, ""), lambda: os.symlink("/home", NEW),
                      lambda: os.mkfifo(NEW)):
            shutil.rmtree(SPOOL)
            os.mkdir(SPOOL)
            plant()
            self.useradd()
        self.assertEqual(os.listdir("/home"), [])

    def test_useradd_succeeds_with_a_read_only_or_full_spool(self):
        with self.mounted(NEW, "mode=0770,ro"):
            self.useradd()
            self.assertEqual(arrivals(), [])
        with self.mounted(NEW, "mode=0770,nr_inodes=1"):
            self.useradd()
            self.assertEqual(arrivals(), [])

    def test_useradd_succeeds_with_settings_that_are_wrong_and_the_arrival_is_kept(self):
        for settings in ("[people\n", "[storage]\nspool = \n", "[people]\nmin_uid = many\n", None):
            with self.subTest(settings):
                os.unlink(CONF)
                if settings is not None:
                    sandbox.write(CONF, settings)
                name = self.useradd()
                self.assertIn(name + ".created", arrivals())
        os.mkfifo(CONF)
        self.addCleanup(os.unlink, CONF)
        self.assertIn(self.useradd() + ".created", arrivals())

    def test_the_spool_is_that_of_the_settings(self):
        sandbox.write(CONF, SETTINGS + "[storage]\nspool = /var/spool/other\n")
        sandbox.output(f"{BIN}/cloudinvite-collector", "--prepare")
        name = self.useradd()
        self.assertEqual(os.listdir("/var/spool/other/new"), [name + ".created"])
        self.assertEqual(arrivals(), [])

    def test_a_hostile_subject_is_a_name_and_nothing_else(self):
        hostile = ["-", "--", "-c", "--help", "--trigger", "--trigger=login", "-c/etc/passwd",
                   "$(touch /run/sandbox/caught)", "`touch /run/sandbox/caught`",
                   "; touch /run/sandbox/caught", "a\ntouch /run/sandbox/caught", "a b  c", "*", "?",
                   "../../../run/sandbox/caught", "/run/sandbox/caught", ".", "..", "%2e%2e", "%s%n",
                   "a'b", 'a"b', "\\", "\x1b]0;x\x07", "ä", "\x7f", "a.created", ".created"]
        for subject in hostile:
            with self.subTest(subject):
                self.hook(subject)
                self.assertEqual(len(arrivals()), 1)
                self.assertTrue(arrivals()[0].endswith(".created"))
                escaped = arrivals()[0][:-len(".created")]
                self.assertRegex(escaped, r"^([A-Za-z0-9_.-]|%[0-9A-F]{2})+$")
                self.assertEqual(urllib.parse.unquote(escaped), subject)
                os.unlink(f"{NEW}/{arrivals()[0]}")
        self.assertFalse(os.path.exists("/run/sandbox/caught"))

    def test_no_subject_or_an_endless_one_is_nothing(self):
        for subject in (None, "", "x" * 200, "x" * 100000, "\n" * 100):
            self.hook(subject)
            self.hook(subject, "userdel-post")
        self.assertEqual(arrivals(), [])

    def test_the_callers_environment_counts_for_nothing(self):
        evil = sandbox.SELF + "/evil"
        os.mkdir(evil)
        self.addCleanup(shutil.rmtree, evil)
        for name in ("cloudinvite", "sh", "test", "[", "exit"):
            sandbox.write(f"{evil}/{name}", "#!/bin/sh\n>/run/sandbox/caught\n", 0o755)
        environment = {"PATH": evil, "SUBJECT": "alice", "ACTION": "x", "IFS": "ac/",
                       "ENV": evil + "/sh", "BASH_ENV": evil + "/sh", "NO_COLOR": "",
                       "POSIXLY_CORRECT": "1", "HOME": evil, "CDPATH": evil}
        self.quiet(run(sandbox.hook_path("useradd-post"), env=environment, stdin=subprocess.DEVNULL))
        self.assertEqual(arrivals(), ["alice.created"])
        self.assertFalse(os.path.exists("/run/sandbox/caught"))

    def test_standard_input_is_left_to_the_caller(self):
        self.move_program_away()
        sandbox.write(f"{BIN}/cloudinvite", "#!/bin/sh\ncat\n", 0o755)
        script = 'SUBJECT=alice "$0"; cat'
        done = run("/bin/sh", "-c", script, sandbox.hook_path("useradd-post"), input=b"bob\ncarol\n")
        self.assertEqual(done.stdout, b"bob\ncarol\n")

    def test_closed_descriptors_do_not_matter(self):
        done = run("/bin/sh", "-c", 'SUBJECT=alice "$0" <&- >&- 2>&-',
                   sandbox.hook_path("useradd-post"))
        self.quiet(done)
        self.assertEqual(arrivals(), ["alice.created"])

    def test_in_a_chroot_without_devices_it_does_nothing(self):
        root = sandbox.SELF + "/root"
        os.mkdir(root)
        sandbox.output("mount", "-n", "--bind", "/", root)
        self.addCleanup(sandbox.output, "umount", "--recursive", root)
        sandbox.output("mount", "-n", "-o", "remount,bind,ro", root)
        for place in ("/run", "/etc", "/var"):
            sandbox.output("mount", "-n", "--bind", place, root + place)
        sandbox.tmpfs(root + "/dev")
        self.quiet(run("chroot", root, "/usr/bin/env", "SUBJECT=alice",
                       sandbox.hook_path("useradd-post")))
        self.assertEqual(os.listdir(root + "/dev"), [])
        self.assertEqual(arrivals(), [])

    def test_they_are_plain_files_that_may_be_executed(self):
        for name in ("useradd-post", "userdel-post"):
            mode = os.lstat(f"{sandbox.CONFIG}/hooks/{name}").st_mode
            self.assertTrue(stat.S_ISREG(mode))
            self.assertEqual(mode & 0o111, 0o111)


class Tools(harness.Test):
    """The collector as the service's account, beside the tools of the host. The hooks are not installed: the comparison
    finds the accounts.
    """

    @classmethod
    def setUpClass(cls):
        shutil.rmtree(sandbox.HOOKS)
        shutil.rmtree(SPOOL, ignore_errors=True)
        sandbox.write(CONF, SETTINGS)
        sandbox.output(f"{BIN}/cloudinvite-collector", "--prepare")
        with open("/run/sandbox/collector.log", "w", encoding="utf-8") as log:
            cls.collector = subprocess.Popen([f"{BIN}/cloudinvite-collector"], stdout=log,
                                             stderr=log, stdin=subprocess.DEVNULL)
        try:
            harness.wait_for(lambda: os.path.exists("/var/lib/cloudinvite/collector/host"), "the baseline")
        except AssertionError:
            harness.stop(cls.collector)
            raise AssertionError(cls.log()) from None

    @classmethod
    def tearDownClass(cls):
        harness.stop(cls.collector)

    @staticmethod
    def log():
        with open("/run/sandbox/collector.log", encoding="utf-8") as log:
            return log.read()

    def sightings(self):
        """{account: (trigger, whether it exists)}"""
        with contextlib.closing(sqlite3.connect(f"file:{LEDGER}?mode=ro", uri=True)) as ledger:
            return {account: (reason, gone is None) for account, reason, gone in
                    ledger.execute("SELECT account, trigger, gone_day FROM sighting")}

    def wait_for(self, *names, there=True):
        def all_seen():
            seen = self.sightings()
            return all(seen.get(name) == ("created", there) for name in names)
        harness.wait_for(all_seen, f"{names} in the ledger", 20)

    def mark(self, user):
        return os.path.exists(f"{SPOOL}/seen/{user}")

    def test_it_runs_as_the_services_account(self):
        uid = int(sandbox.output("id", "-u", "cloudinvite-collector"))
        self.assertEqual(os.stat(f"/proc/{self.collector.pid}").st_uid, uid)
        self.assertEqual(os.stat(LEDGER).st_uid, 0)  # root keeps the file; its group writes it

    def test_useradd_and_userdel(self):
        sandbox.output("useradd", "-m", "made")
        self.wait_for("made")
        # The keeper writes the marker after the ledger's commit.
        harness.wait_for(lambda: self.mark("made"), "the marker", 20)
        sandbox.output("userdel", "-r", "made")
        self.wait_for("made", there=False)
        harness.wait_for(lambda: not self.mark("made"), "the marker's removal", 20)

    def test_newusers(self):
        sandbox.output("newusers", input="".join(
            f"batch{number}:secret-word-{number}:::Batch:/home/batch{number}:/bin/sh\n"
            for number in range(3)))
        self.wait_for("batch0", "batch1", "batch2")

    def test_vipw(self):
        sandbox.write("/run/sandbox/editor", "#!/bin/sh\n"
                   "echo edited:x:4321:100::/home/edited:/bin/sh >>\"$1\"\n", 0o755)
        sandbox.output("vipw", env=dict(os.environ, VISUAL="/run/sandbox/editor"))
        self.wait_for("edited")

    def test_a_file_that_is_written_in_place(self):
        with open("/etc/passwd", "a", encoding="utf-8") as passwd:
            passwd.write("inplace:x:4322:100::/home/inplace:/bin/sh\n")
        self.wait_for("inplace")

    def test_usermod_renames(self):
        sandbox.output("useradd", "-M", "before")
        self.wait_for("before")
        sandbox.output("usermod", "--login", "afterwards", "before")
        self.wait_for("afterwards")
        self.assertNotIn("before", self.sightings())

    def test_an_account_that_is_made_and_removed_at_once_is_never_reported(self):
        sandbox.output("useradd", "-M", "shortlived")
        sandbox.output("userdel", "shortlived")
        sandbox.output("useradd", "-M", "longlived")
        self.wait_for("longlived")
        self.assertNotIn("shortlived", self.sightings())

    def test_system_accounts_do_not_count(self):
        sandbox.output("useradd", "--system", "-M", "machinery")
        sandbox.output("useradd", "-M", "next-person")
        self.wait_for("next-person")
        self.assertNotIn("machinery", self.sightings())


if __name__ == "__main__":
    sandbox.main(build)
