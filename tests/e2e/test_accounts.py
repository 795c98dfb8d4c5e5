#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I15 (docs/design.md, "Invariants").
"""The accounts of docs/security.md are those that --prepare and the programs make: every place has the owner, group and
mode of its row and is open only to the accounts of its row, and every verb that root types becomes the account of its
row. With the packages' accounts, in a host of its own.
"""
import fnmatch
import grp
import json
import os
import pwd
import re
import shutil
import stat
import subprocess

import accounts_table
import harness
import sandbox

TOPS = ("/run/cloudinvite", "/var/lib/cloudinvite", "/var/cache/cloudinvite",
        "/var/spool/cloudinvite", "/etc/cloudinvite/private")
# Directories of one account: their contents belong to that account.
LEAVES = ("/var/lib/cloudinvite/collector", "/var/lib/cloudinvite/private",
          "/var/cache/cloudinvite", "/var/spool/cloudinvite/new", "/var/spool/cloudinvite/seen",
          "/var/spool/cloudinvite/bad")
ALICE = "alice@example.com"
# Every verb once, if it needs no terminal.
TYPED = (("status",), ("status", "--json"), ("explain", "alice"), ("history",),
         ("approve", "--all", "--yes"), ("retry", "--all", "--yes"),
         ("block", "--reason", "test", "bob@example.com"), ("unblock", "bob@example.com"),
         ("pause", "--reason", "test"), ("resume",), ("metrics",), ("report", "--people"),
         ("check", ALICE), ("get", ALICE), ("list",), ("send", "--yes", ALICE),
         ("cancel", "--yes", ALICE), ("token",), ("config", "--check"), ("doctor", "--offline"),
         ("enable", "--yes"), ("scan", "--yes"), ("emit", "--trigger", "login", "alice"),
         ("pam", "status"), ("help",), ("forget", "alice"))
UNTYPED = {"login", "setup"}  # dialogues: tests/e2e/test_login.py, test_setup.py
NOBODY = "nobody"
MAP = "/etc/cloudinvite/addresses.map"
DROP_IN = "/etc/cloudinvite/conf.d/50-site.conf"


def program(name, *arguments):
    return subprocess.run([f"{sandbox.BIN}/{name}", *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=harness.TIMEOUT, check=False)


def build():
    sandbox.make_accounts()
    sandbox.output("useradd", "--no-create-home", "alice")
    sandbox.write(sandbox.CONF, "[google]\ncustomer = C01234567\nsubject = admin@example.com\n"
               "credentials = /etc/cloudinvite/private/credentials.json\nendpoint = https://127.0.0.1:1\n"
               "[people]\naddress = {user}@example.com\ndomains = example.com\n"
               "[invitations]\ncreation_delay = 0\n")
    sandbox.write(MAP, "# none\n")
    os.mkdir("/etc/cloudinvite/private", 0o711)
    sandbox.write("/etc/cloudinvite/private/credentials.json", json.dumps(
        {"type": "service_account", "client_email": "i@p.iam.gserviceaccount.com",
         "client_id": "1", "private_key_id": "k",
         "token_uri": "https://oauth2.googleapis.com/token",
         "private_key": sandbox.output("openssl", "genpkey", "-quiet", "-algorithm", "RSA")}))
    os.chmod("/etc/cloudinvite/private/credentials.json", 0o640)
    for name in ("cloudinvite-collector", "cloudinvite-dispatcher"):
        sandbox.output(f"{sandbox.BIN}/{name}", "--prepare")
    shutil.chown("/etc/cloudinvite/private/credentials.json", "root", "cloudinvite-dispatcher")
    sandbox.output(sandbox.BIN + "/cloudinvite", "emit", "--trigger", "login", "alice")
    sandbox.output(sandbox.BIN + "/cloudinvite-collector", "--once")


def groups_of(name):
    return [grp.getgrnam(group).gr_gid for group in accounts_table.accounts().get(name, [])]


def as_account(name, *command):
    user = pwd.getpwnam(name)
    return subprocess.run(command, user=user.pw_uid, group=user.pw_gid,
                          extra_groups=groups_of(name), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def running(said):
    """The number of programs that run according to `status --json`."""
    return len(re.findall(r'"running": ?true', said))


class OwnAccounts(harness.Test):
    """The accounts of the services, in files and with rights that are not the usual ones."""

    def passwd(self, change):
        with open("/etc/passwd", encoding="utf-8") as file:
            before = file.read()
        self.addCleanup(sandbox.write, "/etc/passwd", before)
        sandbox.write("/etc/passwd", change(before))

    def test_a_very_long_line_hides_no_account(self):
        self.passwd(lambda text: "long:x:4999:4999:" + "g" * 100000 + ":/:/bin/false\n" + text)
        self.assertEqual(program("cloudinvite", "status").returncode, 0)

    def test_blanks_before_a_line_hide_no_account(self):
        self.passwd(lambda text: re.sub("^cloudinvite", "  cloudinvite", text, flags=re.MULTILINE))
        self.assertEqual(program("cloudinvite", "status").returncode, 0)

    def test_a_missing_account_is_named_wherever_it_is_needed(self):
        self.passwd(lambda text: re.sub("^cloudinvite-dispatcher:.*\n", "", text, flags=re.MULTILINE))
        for words in (("cloudinvite", "check", ALICE), ("cloudinvite-dispatcher", "--once"),
                      ("cloudinvite", "config", "--check"), ("cloudinvite", "doctor", "--offline")):
            said = " ".join(program(*words).stdout.split())
            with self.subTest(words):
                self.assertRegex(said, "no account '?cloudinvite-dispatcher'? in /etc/passwd")
                self.assertIn("systemd-sysusers", said)

    def test_missing_capabilities_are_named(self):
        done = subprocess.run(["setpriv", "--bounding-set=-setuid,-setgid", sandbox.BIN + "/cloudinvite", "status"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        self.assertEqual(done.returncode, 8, done.stdout)
        said = " ".join(done.stdout.split())
        self.assertIn("CAP_SETUID and CAP_SETGID", said)
        self.assertIn("Or start the command as cloudinvite", said)


class Cron(harness.Test):
    """The lines of cloudinvite-dispatcher(8), as cron runs them: a short PATH, no terminal, and nothing in /run after a
    boot."""

    def lines(self):
        with open(harness.SOURCE + "/docs/man/cloudinvite-dispatcher.8", encoding="utf-8") as file:
            shown = re.search(r"^D=(\S+)\n((?:\S+ +\* \* \* \* root .*\n)+)", file.read(), re.MULTILINE)
        self.assertEqual(shown[1], "/usr/sbin")
        return [line.split(None, 6)[6] for line in shown[2].splitlines()]

    def test_they_work_after_a_boot_and_again(self):
        self.assertEqual(len(self.lines()), 2)
        for place in ("/run/cloudinvite", "/run/cloudinvite-keeper"):
            shutil.rmtree(place, ignore_errors=True)
        for _ in range(2):
            for line in self.lines():
                done = subprocess.run(
                    ["/bin/sh", "-c", line], env={"PATH": "/usr/bin:/bin", "D": sandbox.BIN, "SHELL": "/bin/sh"},
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                    timeout=harness.TIMEOUT, check=False)
                self.assertEqual(done.returncode, 0, line + "\n" + done.stdout)


class Tables(harness.Test):

    @classmethod
    def setUpClass(cls):
        """Both programs run, so that their logs and locks exist."""
        cls.running = []
        for name in ("cloudinvite-collector", "cloudinvite-dispatcher"):
            with open(f"/run/{name}.log", "w", encoding="utf-8") as log:
                cls.running.append(subprocess.Popen([f"{sandbox.BIN}/{name}"], stdout=log, stderr=log,
                                                    stdin=subprocess.DEVNULL))
        harness.wait_for(lambda: running(program("cloudinvite", "status", "--json").stdout) == 2,
                         "the programs")

    @classmethod
    def tearDownClass(cls):
        for running in cls.running:
            harness.stop(running)

    def test_the_accounts_and_their_groups(self):
        for name, groups in accounts_table.accounts().items():
            user = pwd.getpwnam(name)
            self.assertEqual(grp.getgrgid(user.pw_gid).gr_name, name)
            self.assertEqual([group.gr_name for group in grp.getgrall() if name in group.gr_mem],
                             groups)
            self.assertEqual((user.pw_dir, user.pw_shell), ("/", "/usr/sbin/nologin"))

    def test_every_place_has_the_owner_group_and_mode_of_its_row(self):
        for place in accounts_table.places():
            for path in self.matching(place.path):
                status = os.lstat(path)
                owner = pwd.getpwuid(status.st_uid).pw_name
                self.assertEqual((place.owner and owner, grp.getgrgid(status.st_gid).gr_name,
                                  oct(stat.S_IMODE(status.st_mode))),
                                 (place.owner, place.group, oct(place.mode)), path)

    def matching(self, pattern):
        directory, name = os.path.split(pattern)
        found = [os.path.join(directory, one) for one in os.listdir(directory)
                 if fnmatch.fnmatchcase(one, name)]
        self.assertTrue(found, f"{pattern} is not there")
        return found

    def test_every_place_has_a_row(self):
        rows = [place.path for place in accounts_table.places()]
        for top in TOPS:
            for directory, folders, files in os.walk(top):
                if directory in LEAVES:
                    continue
                for path in (os.path.join(directory, name) for name in folders + files):
                    self.assertTrue([row for row in rows if fnmatch.fnmatchcase(path, row)], path)

    def test_every_place_is_open_to_the_accounts_of_its_row_alone(self):
        columns = [(f"cloudinvite-{name}", name) for name in accounts_table.ACCOUNTS]
        for place in accounts_table.places():
            for path in self.matching(place.path):
                for account, column in (*columns, (NOBODY, "others")):
                    got = "".join(right for right in "rw" if as_account(
                        account, "/usr/bin/test", "-" + right, path).returncode == 0)
                    self.assertEqual(got, place.rights[column], (path, account))

    def test_neither_account_can_make_remove_or_replace_what_is_anothers(self):
        for place in accounts_table.places():
            for account in accounts_table.ACCOUNTS:
                name = f"cloudinvite-{account}"
                if place.owner == name or "*" in place.path:
                    continue
                for command in (("rm", "-rf", "--", place.path),
                                ("mv", "-T", "--", place.path, place.path + ".away"),
                                ("ln", "-sfT", "/etc/passwd", place.path)):
                    before = os.lstat(place.path)
                    if place.path.rpartition("/")[0] + "/" and stat.S_ISDIR(before.st_mode) and \
                            command[0] == "rm":
                        command = ("rmdir", "--", place.path)
                    self.assertNotEqual(as_account(name, *command).returncode, 0, (name, command))
                    after = os.lstat(place.path)
                    self.assertEqual((before.st_ino, before.st_mode), (after.st_ino, after.st_mode))

    def test_the_accounts_wake_and_see_each_other(self):
        """--once beside a running one, as the other account would do it, and a command's wake-up."""
        for name, account in (("cloudinvite-collector", "cloudinvite-collector"),
                              ("cloudinvite-dispatcher", "cloudinvite-dispatcher")):
            done = as_account(account, f"{sandbox.BIN}/{name}", "--once")
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("is already running", done.stdout)
        for account in accounts_table.ACCOUNTS:
            said = as_account(f"cloudinvite-{account}", f"{sandbox.BIN}/cloudinvite", "status", "--json")
            self.assertEqual(running(said.stdout), 2, said.stdout)

    def test_a_scan_before_the_first_start_shuts_no_program_out(self):
        """It once made the wake file as root, and neither program could open it any more."""
        for running in self.running:
            harness.stop(running)
        shutil.rmtree("/run/cloudinvite")
        try:
            program("cloudinvite-collector", "--prepare")
            for name in os.listdir("/run/cloudinvite"):
                if name.endswith(".wake"):
                    os.unlink("/run/cloudinvite/" + name)
            self.assertEqual(program("cloudinvite", "scan", "--yes").returncode, 0)
            self.assertEqual([name for name in os.listdir("/run/cloudinvite") if "wake" in name], [])
            program("cloudinvite-collector", "--prepare")
            done = program("cloudinvite-collector", "--once")
            self.assertEqual(done.returncode, 0, done.stdout)
        finally:
            self.setUpClass()


class Settings(harness.Test):
    """Only the accounts may read settings and map, unless an administrator has decided otherwise."""

    def setUp(self):
        for path in (sandbox.CONF, MAP):
            self.addCleanup(self.set, path, 0o640, "cloudinvite-ledger")
        self.addCleanup(shutil.rmtree, os.path.dirname(DROP_IN), True)
        os.makedirs(os.path.dirname(DROP_IN), 0o755, exist_ok=True)
        sandbox.write(DROP_IN, "[people]\nexclude_users = carol\n")

    def set(self, path, mode, group):
        shutil.chown(path, "root", group)
        os.chmod(path, mode)

    def rights(self, path):
        status = os.stat(path)
        return stat.S_IMODE(status.st_mode), grp.getgrgid(status.st_gid).gr_name

    def prepare(self):
        return sandbox.output(sandbox.BIN + "/cloudinvite-collector", "--prepare")

    def test_files_that_every_user_could_read_are_closed_once(self):
        kept = sandbox.CONF + ".before"
        sandbox.write(kept, "")
        self.addCleanup(os.unlink, kept)
        for path in (sandbox.CONF, MAP, kept):
            self.set(path, 0o644, "root")
        self.prepare()
        for path in (sandbox.CONF, MAP, DROP_IN, kept):
            self.assertEqual(self.rights(path), (0o640, "cloudinvite-ledger"), path)

    def test_an_interruption_between_mode_and_group_is_gone_on_with(self):
        self.set(MAP, 0o640, "root")
        self.prepare()
        self.assertEqual(self.rights(MAP), (0o640, "cloudinvite-ledger"))

    def test_what_an_administrator_has_decided_stays(self):
        for mode, group in ((0o600, "root"), (0o440, "cloudinvite-ledger"), (0o640, "adm"),
                            (0o644, "cloudinvite-ledger")):
            self.set(MAP, mode, group)
            self.prepare()
            self.assertEqual(self.rights(MAP), (mode, group))

    def test_links_and_files_elsewhere_stay(self):
        sandbox.write("/etc/site.map", "# none\n")
        os.unlink(DROP_IN)
        sandbox.write("/etc/site.conf", f"[people]\nmap = /etc/site.map\n")
        os.symlink("/etc/site.conf", DROP_IN)
        self.prepare()
        for path in ("/etc/site.conf", "/etc/site.map"):
            self.assertEqual(self.rights(path), (0o644, "root"))

    def test_the_doctor_names_files_that_every_user_or_no_program_can_read(self):
        self.set(MAP, 0o644, "cloudinvite-ledger")
        os.chmod(DROP_IN, 0o600)
        said = json.loads(program("cloudinvite", "doctor", "--offline", "--json").stdout)
        found = {(step["code"], step["result"]): step["message"] for step in said["steps"]
                 if step["step"] == "settings"}
        self.assertIn(MAP, found[("settings_open", "note")])
        self.assertIn(DROP_IN, found[("settings_closed", "bad")])

    def test_a_drop_in_that_a_service_cannot_read_is_found_before_it_is_started(self):
        for mode, group, who in ((0o600, "root", "the programs"), (0o640, "cloudinvite-dispatcher", "the collector")):
            self.set(DROP_IN, mode, group)
            done = program("cloudinvite", "config", "--check")
            self.assertEqual(done.returncode, 3, done.stdout)
            said = " ".join(done.stdout.split())
            self.assertIn(f"{DROP_IN}: {who} cannot read it", said)
            self.assertIn(f"chgrp cloudinvite-ledger {DROP_IN} && chmod 0640 {DROP_IN}", said)

    def test_the_missing_right_is_named(self):
        for words in (("status",), ("config",), ("config", "--check"), ("scan", "--dry-run"),
                      ("explain", "alice"), ("emit", "--trigger", "login", "alice"),
                      ("doctor", "--offline"), ("check", ALICE), ("report",)):
            done = as_account(NOBODY, sandbox.BIN + "/cloudinvite", *words)
            self.assertNotEqual(done.returncode, 0, words)
            said = " ".join(done.stdout.split())
            self.assertIn("only root and the accounts of cloudinvite may read it", said, words)
            self.assertIn("sudo cloudinvite", said, words)

    def test_setup_keeps_owner_and_mode(self):
        for mode, group in ((0o640, "cloudinvite-ledger"), (0o640, "adm"), (0o644, "root")):
            self.set(sandbox.CONF, mode, group)
            done = program("cloudinvite", "setup", "--yes", "--no-check", "--no-pam",
                           "--sends-per-day", str(mode % 7 + len(group)))
            self.assertEqual(done.returncode, 0, done.stdout)
            for path in (sandbox.CONF, sandbox.CONF + ".before"):
                self.assertEqual(self.rights(path), (mode, group), path)
                self.assertEqual(os.stat(path).st_uid, 0)
        os.unlink(sandbox.CONF + ".before")

    def test_setup_makes_new_ones_that_the_accounts_alone_can_read(self):
        new = "/etc/cloudinvite/new.conf"
        done = program("cloudinvite", "-c", new, "setup", "--yes", "--no-check", "--no-pam",
                       "--customer", "C01234567", "--domain", "example.com", "--subject",
                       "admin@example.com", "--credentials",
                       "/etc/cloudinvite/private/credentials.json")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.rights(new), (0o640, "cloudinvite-ledger"))
        os.unlink(new)


class Verbs(harness.Test):

    def became(self, *words):
        """(whether a process that stayed root did it all, the accounts that processes changed to)"""
        log = "/run/trace"
        subprocess.run(["strace", "-f", "-qq", "-o", log, "-e", "trace=setresuid",
                        sandbox.BIN + "/cloudinvite", *words], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                       timeout=harness.TIMEOUT)
        with open(log, encoding="utf-8") as file:
            calls = re.findall(r"^(\d+) +setresuid\((\d+),", file.read(), re.M)
        return {pwd.getpwuid(int(uid)).pw_name for _, uid in calls}

    def test_every_verb_has_one_row_and_is_tried(self):
        said = program("cloudinvite", "help").stdout
        verbs = set(re.findall(r"^  ([a-z]+) ", said, re.M))
        self.assertEqual(set(accounts_table.verbs()), verbs)
        self.assertEqual({words[0] for words in TYPED} | UNTYPED, verbs)

    def test_each_becomes_the_account_of_its_row(self):
        for words in TYPED:
            stays, wanted = accounts_table.verbs()[words[0]]
            got = self.became(*words)
            if stays or len(wanted) > 1:
                self.assertLessEqual(got, wanted, words)
            else:
                self.assertEqual(got, wanted, words)


if __name__ == "__main__":
    sandbox.main(build)
