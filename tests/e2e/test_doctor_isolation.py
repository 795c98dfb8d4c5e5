#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The doctor's checks of the services' accounts: programs that act for them outside of the units' isolation are named,
each with its remedy. In a host of its own.
"""
import json
import os
import shutil
import subprocess

import harness
import sandbox

UID = 990
ACCOUNT = "cloudinvite"
GENERAL = "[google]\ncustomer = C01234567\nsubject = a@example.com\n[people]\ndomains = example.com\n"


def worker(user):
    return "[worker]\n" + "".join(f"{key} = {user}\n" for key in harness.accounts(user))


SETTINGS = GENERAL + worker(ACCOUNT)  # one account for everything, which is checked once


def build():
    sandbox.write(sandbox.CONF, SETTINGS)
    for place in ("/run/systemd/users", "/var/lib/systemd/linger", "/var/spool/cron/crontabs"):
        os.makedirs(place)
    os.makedirs("/var/lib/cloudinvite", 0o700)
    os.chown("/var/lib/cloudinvite", UID, UID)


def entry(path, text):
    """Replaces the account's line in passwd or shadow."""
    with open(path, encoding="utf-8") as file:
        others = [one for one in file.read().splitlines() if not one.startswith(ACCOUNT + ":")]
    sandbox.write(path, "\n".join(others + [text] if text else others) + "\n",
               0o600 if path == "/etc/shadow" else 0o644)


class Isolation(harness.Test):

    def setUp(self):
        self.passwd()
        self.shadow()

    @staticmethod
    def passwd(home="/", shell="/usr/sbin/nologin"):
        entry("/etc/passwd", f"{ACCOUNT}:x:{UID}:{UID}::{home}:{shell}")

    @staticmethod
    def shadow(password="!", expires="1"):
        entry("/etc/shadow", f"{ACCOUNT}:{password}:20000:0:99999:7::{expires}:")

    def found(self):
        """[(result, code)] of the step, and all its output."""
        done = subprocess.run([sandbox.BIN + "/cloudinvite", "doctor", "--offline", "--json"], text=True,
                              stdout=subprocess.PIPE, timeout=harness.TIMEOUT, check=False)
        steps = [one for one in json.loads(done.stdout)["steps"] if one["step"] == "isolation"]
        for one in steps:
            if one["result"] == "bad":
                self.assertIn(ACCOUNT, one["remedy"])
        return [(one["result"], one["code"]) for one in steps], "\n".join(one["message"] for one in steps)

    def expect(self, *found):
        got, said = self.found()
        self.assertEqual(got, list(found), said)
        return said

    def test_an_account_as_the_packages_make_it(self):
        self.expect(("ok", None))

    def test_a_home_that_it_can_write(self):
        self.passwd("/var/lib/cloudinvite")
        said = self.expect(("bad", "account_home"))
        self.assertNotIn("it contains", said)
        os.chmod("/home", 0o777)
        self.addCleanup(os.chmod, "/home", 0o755)
        self.passwd("/home")
        self.expect(("bad", "account_home"))

    def test_dot_files_in_it_are_named(self):
        self.passwd("/var/lib/cloudinvite")
        for name in (".ssh", ".config", ".for\x1bward"):
            os.mkdir(f"/var/lib/cloudinvite/{name}")
            self.addCleanup(os.rmdir, f"/var/lib/cloudinvite/{name}")
        said = self.expect(("bad", "account_home"))
        self.assertIn("it contains", said)
        for name in (".ssh", ".config", ".for\\x1bward"):
            self.assertIn(name, said)

    def test_what_lies_in_a_home_that_it_cannot_write_is_roots(self):
        os.mkdir("/home/.ssh")
        self.addCleanup(os.rmdir, "/home/.ssh")
        self.passwd("/home")
        self.expect(("ok", None))
        self.passwd("/nonexistent")
        self.expect(("ok", None))

    def test_an_account_that_could_log_in(self):
        self.shadow(expires="")
        self.expect(("note", "account_not_expired"))
        self.shadow(expires="99999")
        self.expect(("note", "account_not_expired"))
        self.shadow("$y$j9T$x$y", "")
        self.assertIn("password", self.expect(("bad", "account_login")))
        self.shadow("", "")
        self.expect(("bad", "account_login"))
        self.shadow("$y$j9T$x$y", "1")
        self.expect(("ok", None))
        self.passwd(shell="/bin/bash")
        self.expect(("ok", None))
        self.shadow(expires="")
        self.assertIn("/bin/bash", self.expect(("bad", "account_login")))
        entry("/etc/shadow", None)
        self.expect(("skipped", None))

    def test_what_runs_for_it_outside_of_the_walls(self):
        for path, code in ((f"/var/lib/systemd/linger/{ACCOUNT}", "account_linger"),
                           (f"/run/systemd/users/{UID}", "account_manager"),
                           (f"/var/spool/cron/crontabs/{ACCOUNT}", "account_crontab"),
                           (f"/var/spool/cron/{ACCOUNT}", "account_crontab")):
            with self.subTest(path):
                sandbox.write(path, "")
                try:
                    self.assertIn(path, self.expect(("bad", code)))
                finally:
                    os.unlink(path)

    def test_without_settings_or_account_nothing_is_looked_at(self):
        entry("/etc/passwd", None)
        self.expect(("skipped", None))
        shutil.move(sandbox.CONF, sandbox.CONF + ".away")
        self.addCleanup(shutil.move, sandbox.CONF + ".away", sandbox.CONF)
        self.expect(("skipped", None))

    def test_as_root_no_account_is_checked(self):
        sandbox.write(sandbox.CONF, GENERAL + worker("root"))
        self.addCleanup(sandbox.write, sandbox.CONF, SETTINGS)
        self.expect(("skipped", None))


if __name__ == "__main__":
    sandbox.main(build)
