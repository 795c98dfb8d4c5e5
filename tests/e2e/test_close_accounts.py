#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""close-accounts: the programs' accounts as the packages leave them at each installation and upgrade. In a host of its
own.
"""
import os
import subprocess

import harness
import sandbox

SYSUSERS = sandbox.SELF + "/sysusers.d"
SCRIPT = sandbox.SELF + "/close-accounts"
OLD = "cloudinvite"  # of both programs, in earlier versions
STATE = "/var/lib/cloudinvite"


def build():
    os.mkdir(SYSUSERS)
    with open(f"{sandbox.CONFIG}/close-accounts", encoding="utf-8") as file:
        sandbox.write(SCRIPT, file.read().replace("@sysusersdir@", SYSUSERS).replace("@localstatedir@", "/var"),
                   0o755)


class Accounts(harness.Test):

    def setUp(self):
        sandbox.write(f"{SYSUSERS}/cloudinvite.conf", f'u {OLD} - "cloudinvite" / /usr/sbin/nologin\n')

    def made(self, name, home):
        sandbox.output("useradd", "--system", "--no-create-home", "--home-dir", home, "--shell",
                    "/usr/sbin/nologin", name)
        self.addCleanup(subprocess.run, ["userdel", name], check=True, stderr=subprocess.DEVNULL)

    def home_and_expiry(self, name):
        fields = {}
        for path in ("/etc/passwd", "/etc/shadow"):
            with open(path, encoding="utf-8") as file:
                fields[path] = next(line.rstrip("\n").split(":") for line in file
                                    if line.startswith(name + ":"))
        return fields["/etc/passwd"][5], fields["/etc/shadow"][7]

    def test_an_account_of_before_gets_another_home_and_expires_also_while_its_programs_run(self):
        self.made(OLD, STATE)
        record = self.home_and_expiry(OLD)
        self.assertEqual(record, (STATE, ""))
        with subprocess.Popen(["setpriv", f"--reuid={OLD}", f"--regid={OLD}", "--clear-groups", "sleep", "60"],
                              stdout=subprocess.PIPE) as service:
            try:
                for _ in range(2):  # a second time changes nothing
                    self.assertEqual(sandbox.output(SCRIPT), "")
                    self.assertEqual(self.home_and_expiry(OLD), ("/", "1"))
            finally:
                service.kill()

    def test_a_home_that_an_administrator_chose_stays(self):
        self.made(OLD, "/srv/cloudinvite")
        sandbox.output(SCRIPT)
        self.assertEqual(self.home_and_expiry(OLD), ("/srv/cloudinvite", "1"))

    def test_every_account_of_the_sysusers_file_and_no_other(self):
        sandbox.write(f"{SYSUSERS}/cloudinvite.conf",
                   '# u not-this - - -\nu cloudinvite-one - "one" /\nu!\tcloudinvite-two - "two" /\n'
                   "m cloudinvite-one cloudinvite-two\n")
        for name in ("cloudinvite-one", "cloudinvite-two", "not-this", "cloudinvite-other"):
            self.made(name, STATE)
        sandbox.output(SCRIPT)
        for name, found in (("cloudinvite-one", ("/", "1")), ("cloudinvite-two", ("/", "1")),
                            ("not-this", (STATE, "")), ("cloudinvite-other", (STATE, ""))):
            self.assertEqual(self.home_and_expiry(name), found, name)

    def test_without_an_account_there_is_nothing_to_do(self):
        self.assertEqual(sandbox.output(SCRIPT), "")

    def test_an_obstacle_is_reported_and_does_not_stop_the_installation(self):
        self.made(OLD, STATE)
        lock = "/etc/passwd.lock"
        sandbox.write(lock, str(os.getpid()))
        try:
            self.assertIn("cloudinvite doctor", sandbox.output(SCRIPT))
        finally:
            os.unlink(lock)


if __name__ == "__main__":
    sandbox.main(build)
