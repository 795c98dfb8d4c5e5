#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`cloudinvite pam`: Debian's own pam-auth-update, authselect (a substitute), Fedora's postlogin, and the services' own
files as on openSUSE; each is undone byte for byte and read by the real libpam.
"""
import json
import os
import shutil
import signal
import subprocess

import harness
import overlay
import pam_trees
import sandbox
from pam_trees import DIRECTORY, VENDOR, contents, open_session

PROGRAM = overlay.OVERLAY + "/bin/cloudinvite"
PROFILE = "/usr/share/pam-configs/cloudinvite"
UPDATE = "/usr/sbin/pam-auth-update"
NEW = "/var/spool/cloudinvite/new"
LINE = "session optional pam_cloudinvite.so\n"
SAVED = overlay.OVERLAY + "/saved"
BEGUN = overlay.OVERLAY + "/begun"
CONF = overlay.OVERLAY + "/cloudinvite.conf"
# A module with a sanitizer cannot be loaded here.
LOGINS = () if harness.SANITIZED else ("sshd", "login")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def build():
    for path, kind in ((PROFILE, "config/pam-configs/cloudinvite"),
                       (pam_trees.module_path(PROGRAM), "bin/pam_cloudinvite.so")):
        shutil.copy(f"{overlay.OVERLAY}/{kind}", path)
        os.chmod(path, 0o644)
    sandbox.output("useradd", "--no-create-home", "--uid", "4711", "alice")
    os.makedirs(NEW, 0o755, exist_ok=True)
    for place in ("/etc/pam.d", "/var/lib/pam"):
        shutil.copytree(place, SAVED + place, symlinks=True)
    shutil.copy(UPDATE, SAVED + "/pam-auth-update")


class Host(harness.Test):
    """A host without any of the programs, and with Debian's PAM files."""

    def setUp(self):
        for place in ("/etc/pam.d", "/var/lib/pam"):
            shutil.rmtree(place)
            shutil.copytree(SAVED + place, place, symlinks=True)
        for place in ("/etc/authselect", VENDOR):
            shutil.rmtree(place, ignore_errors=True)
        for name in os.listdir(NEW):
            os.unlink(f"{NEW}/{name}")
        for path in (UPDATE, "/usr/bin/authselect"):
            if os.path.lexists(path):
                os.unlink(path)

    def run_pam(self, *words, uid=None, expect=0):
        done = subprocess.run([PROGRAM, "pam", *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=harness.TIMEOUT, check=False, user=uid)
        self.assertEqual(done.returncode, expect, done.stdout)
        return done.stdout

    def status(self, expect):
        answer = json.loads(self.run_pam("status", "--json", expect=expect))
        answer["seen"] = {service["service"]: service["presence"]
                          for service in answer["services"] if service["login"]}
        return answer

    def sees_alice(self, service="sshd"):
        """Whether a login of alice arrives; it must succeed in any case."""
        self.assertEqual(open_session(service, "alice"), 0)
        seen = os.listdir(NEW) == ["alice.login"]
        for name in os.listdir(NEW):
            os.unlink(f"{NEW}/{name}")
        return seen

    def on_and_off(self, method, *places):
        """Off, on, on, off, off: afterwards the files are what they were, byte for byte."""
        before = contents(DIRECTORY, *places)
        self.assertEqual(self.status(1)["method"], method)
        self.assertFalse(self.sees_alice())
        self.run_pam("enable", "--dry-run", uid=65534)
        self.assertEqual(contents(DIRECTORY, *places), before)
        self.assertIn("Changes made:", self.run_pam("enable", "--yes"))
        answer = self.status(0)
        self.assertEqual((answer["enabled"], answer["findings"]), (True, []))
        self.assertEqual((answer["seen"]["sshd"], answer["seen"]["login"]), ("present", "present"))
        for service in LOGINS:
            self.assertTrue(self.sees_alice(service))
        after = contents(DIRECTORY, *places)
        self.assertIn("already on. Nothing was changed", self.run_pam("enable", "--yes"))
        self.assertEqual(contents(DIRECTORY, *places), after)
        self.run_pam("disable", "--yes")
        self.assertEqual(contents(DIRECTORY, *places), before)
        self.assertIn("already off", self.run_pam("disable", "--yes"))
        self.assertFalse(self.sees_alice())
        return after


class Debian(Host):
    """Its own pam-auth-update."""

    def setUp(self):
        super().setUp()
        shutil.copy(SAVED + "/pam-auth-update", UPDATE)

    def test_it_is_turned_on_and_off_byte_for_byte(self):
        self.on_and_off("pam-auth-update")

    def test_cron_and_sudo_do_not_run_it(self):
        self.run_pam("enable", "--yes")
        with open(DIRECTORY + "/common-session-noninteractive", encoding="utf-8") as file:
            self.assertNotIn("cloudinvite", file.read())

    def slow_update(self, then):
        """A pam-auth-update that reports its start, and then does what the test wants."""
        sandbox.write(UPDATE, f"#!/bin/sh\n: > {BEGUN}\n{then}\n", 0o755)
        self.addCleanup(lambda: os.path.exists(BEGUN) and os.unlink(BEGUN))

    def interrupted(self, *words, go_on=lambda: None):
        """Ctrl-C, as a terminal sends it, during the update; returns the output."""
        with subprocess.Popen([PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, start_new_session=True) as it:
            harness.wait_for(lambda: os.path.exists(BEGUN), "the update")
            os.killpg(it.pid, signal.SIGINT)
            go_on()
            said = it.communicate(timeout=harness.TIMEOUT)[0]
        self.assertEqual(it.returncode, -signal.SIGINT, said)
        self.assertIn(f"stopping when {UPDATE} has finished", said)
        return " ".join(said.split())

    def test_an_interrupt_waits_for_an_update_that_has_begun(self):
        for words in (("pam", "enable", "--yes"),
                      ("-c", CONF, "setup", "--pam", "--yes", "--no-check", "--customer=C01234567",
                       "--domain=example.com", "--credentials=metadata:",
                       "--service-account=a@b.iam.gserviceaccount.com",
                       "--subject=admin@example.com")):
            with self.subTest(verb=words[-1]):
                self.setUp()
                gate = overlay.OVERLAY + "/gate"
                os.mkfifo(gate)
                self.addCleanup(lambda path=gate: os.path.exists(path) and os.unlink(path))
                self.slow_update(f'read -r word < {gate}\nexec {SAVED}/pam-auth-update "$@"')
                said = self.interrupted(*words, go_on=lambda: sandbox.write(gate, "on\n"))
                os.unlink(gate)
                os.unlink(BEGUN)
                self.assertEqual(self.status(0)["findings"], [])
                if "setup" in words:
                    self.assertIn(f"Written: {CONF}, the PAM line.", said)

    def test_an_interrupt_does_not_wait_for_an_update_without_end(self):
        """Nor for processes that it has started and that ignore the signal."""
        before = contents(DIRECTORY)
        self.slow_update("trap '' TERM\nsleep 1000 &\necho $! > " + BEGUN + "\nwait")
        self.interrupted("pam", "enable", "--yes", go_on=lambda: harness.wait_for(
            lambda: os.path.getsize(BEGUN) > 0, "the child"))
        with open(BEGUN, encoding="ascii") as file:
            child = int(file.read())
        harness.wait_for(lambda: not is_alive(child), "the end of what it has started")
        self.assertEqual(contents(DIRECTORY), before)

    def test_turned_off_it_stays_off_when_another_package_comes(self):
        self.run_pam("enable", "--yes")
        self.run_pam("disable", "--yes")
        sandbox.output(UPDATE, "--package", env={"DEBIAN_FRONTEND": "noninteractive",
                                              "PATH": os.environ["PATH"]})
        self.assertFalse(self.status(1)["enabled"])
        self.run_pam("enable", "--yes")
        self.assertTrue(self.status(0)["enabled"])

    def test_edited_files_stay_and_are_reported(self):
        path = DIRECTORY + "/common-session"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        pam_trees.write(path, text.replace("# end of", "session optional pam_echo.so\n# end of"))
        before = contents(DIRECTORY)
        self.assertIn("edited by hand", self.run_pam("enable", "--yes", expect=8))
        self.assertEqual(contents(DIRECTORY), before)

    def test_without_the_module_no_line_is_written(self):
        before = contents(DIRECTORY)
        path = pam_trees.module_path(PROGRAM)
        os.rename(path, path + ".away")
        try:
            self.assertIn("is not installed", self.run_pam("enable", "--yes", expect=3))
        finally:
            os.rename(path + ".away", path)
        self.assertEqual(contents(DIRECTORY), before)

    def test_without_the_profile_it_says_what_to_install(self):
        os.rename(PROFILE, PROFILE + ".away")
        try:
            self.assertIn("libpam-cloudinvite", self.run_pam("enable", "--yes", expect=3))
        finally:
            os.rename(PROFILE + ".away", PROFILE)

    def test_without_root_or_confirmation_nothing_changes(self):
        before = contents(DIRECTORY)
        self.assertIn("sudo", self.run_pam("enable", "--yes", uid=65534, expect=2))
        self.assertIn("--yes", self.run_pam("enable", expect=2))
        self.run_pam("enable", "disable", expect=2)
        self.run_pam("maybe", expect=2)
        self.assertEqual(contents(DIRECTORY), before)

    def test_machines_get_what_was_done(self):
        answer = json.loads(self.run_pam("enable", "--yes", "--json"))
        self.assertEqual((answer["changed"], answer["enabled"], answer["method"]),
                         (True, True, "pam-auth-update"))
        self.assertEqual(len(answer["done"]), 1)
        self.assertIn("common-session: +", answer["done"][0])
        again = json.loads(self.run_pam("enable", "--yes", "--json"))
        self.assertEqual((again["changed"], again["enabled"], again["done"]), (False, True, []))

    def test_setup_turns_it_on_too(self):
        pam_trees.write("/etc/cloudinvite/cloudinvite.conf", "[worker]\n" + "".join(
            f"{key} = root\n" for key in harness.accounts("root")))
        key = {"type": "service_account", "client_email": "a@b.iam.gserviceaccount.com",
               "client_id": "1", "private_key": "none"}
        pam_trees.write("/etc/key.json", json.dumps(key), 0o600)
        command = [PROGRAM, "setup", "--yes", "--json", "--no-check", "--pam", "--customer=C012345",
                   "--domain=example.com", "--credentials=/etc/key.json",
                   "--subject=admin@example.com"]
        first, second = (json.loads(sandbox.output(*command)) for _ in range(2))
        self.assertEqual((first["changed"], first["pam"]["changed"]), (True, True))
        self.assertEqual((second["changed"], second["pam"]["changed"]), (False, False))
        self.assertTrue(self.status(0)["enabled"])

    def test_a_dangerous_line_is_reported_with_its_file(self):
        self.run_pam("enable", "--yes")
        with open(DIRECTORY + "/sshd", "a", encoding="utf-8") as file:
            file.write("session required pam_cloudinvite.so\n")
        codes = {finding["code"]: finding for finding in self.status(1)["findings"]}
        self.assertEqual(set(codes), {"pam_required", "pam_twice"})
        self.assertTrue(codes["pam_required"]["bad"])
        said = subprocess.run([PROGRAM, "doctor", "--json", "--offline"], stdout=subprocess.PIPE,
                              check=False).stdout
        self.assertEqual({(step["code"], step["result"]) for step in json.loads(said)["steps"]
                          if step["step"] == "pam"},
                         {(None, "ok"), ("pam_required", "bad"), ("pam_twice", "note")})
        self.assertIn("/etc/pam.d/sshd:", codes["pam_required"]["message"])


class Fedora(Host):
    """postlogin, without authselect and with it."""

    def setUp(self):
        super().setUp()
        pam_trees.lay(pam_trees.FEDORA)

    def test_postlogin_is_turned_on_and_off_byte_for_byte(self):
        after = self.on_and_off("postlogin")
        self.assertTrue(after[DIRECTORY + "/postlogin"][1].endswith(LINE.encode()))

    def test_a_file_without_an_end_gets_its_last_line_back_as_it_was(self):
        pam_trees.write(DIRECTORY + "/postlogin", pam_trees.FEDORA_POSTLOGIN.rstrip("\n"))
        self.on_and_off("postlogin")

    def test_the_file_keeps_its_mode(self):
        os.chmod(DIRECTORY + "/postlogin", 0o600)
        self.on_and_off("postlogin")

    def test_arguments_that_were_added_go_with_the_line(self):
        before = contents(DIRECTORY)
        self.run_pam("enable", "--yes")
        path = DIRECTORY + "/postlogin"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        pam_trees.write(path, text.replace(LINE, LINE.rstrip("\n") + " notify\n"))
        self.run_pam("disable", "--yes")
        self.assertEqual(contents(DIRECTORY), before)

    def test_a_line_of_another_author_stays_and_is_reported(self):
        with open(DIRECTORY + "/postlogin", "a", encoding="utf-8") as file:
            file.write(LINE)
        before = contents(DIRECTORY)
        self.assertIn("already on", self.run_pam("enable", "--yes"))
        self.assertIn("Remove it by hand", self.run_pam("disable", "--yes", expect=8))
        self.assertEqual(contents(DIRECTORY), before)

    def test_where_the_line_would_be_jumped_over_it_is_taken_back(self):
        with open(DIRECTORY + "/postlogin", "a", encoding="utf-8") as file:
            file.write("session [default=1] pam_permit.so\n")
        before = contents(DIRECTORY)
        self.assertIn("the change was undone", self.run_pam("enable", "--yes", expect=8))
        self.assertEqual(contents(DIRECTORY), before)

    def test_authselect_gets_a_profile_of_its_own_and_keeps_its_features(self):
        sandbox.output(*pam_trees.install_authselect("with-mkhomedir"))
        after = self.on_and_off("authselect", "/etc/authselect")
        with_line = after["/etc/authselect/postlogin"][1].decode()
        self.assertIn(LINE, with_line)
        self.assertIn(b"mkhomedir.so", after["/etc/authselect/system-auth"][1])
        self.assertEqual(after["/etc/authselect/authselect.conf"][1],
                         b"custom/cloudinvite\nwith-mkhomedir\n")
        profile = "/etc/authselect/custom/cloudinvite/"
        self.assertEqual(after[profile + "system-auth"][1],
                         "/usr/share/authselect/default/sssd/system-auth")
        self.assertEqual(sandbox.output("/usr/bin/authselect", "current", "--raw"),
                         "sssd with-mkhomedir\n")

    def test_what_authselect_would_not_overwrite_is_left_alone(self):
        sandbox.output(*pam_trees.install_authselect())
        with open("/etc/authselect/postlogin", "a", encoding="utf-8") as file:
            file.write("session optional pam_echo.so\n")
        before = contents(DIRECTORY, "/etc/authselect")
        self.assertIn("postlogin was edited by hand", self.run_pam("enable", "--yes", expect=8))
        self.assertEqual(contents(DIRECTORY, "/etc/authselect"), before)

    def test_what_was_edited_since_is_left_alone_too(self):
        sandbox.output(*pam_trees.install_authselect())
        self.run_pam("enable", "--yes")
        with open("/etc/authselect/system-auth", "a", encoding="utf-8") as file:
            file.write("session optional pam_echo.so\n")
        before = contents(DIRECTORY, "/etc/authselect")
        self.assertIn("system-auth was edited", self.run_pam("disable", "--yes", expect=8))
        self.assertEqual(contents(DIRECTORY, "/etc/authselect"), before)

    def test_authselect_that_manages_nothing_is_not_asked(self):
        pam_trees.install_authselect()
        self.on_and_off("postlogin")


class ReadOnly(Host):
    """The cause is named, the remedy is harmless, and no file keeps a part of the change."""

    def read_only(self, place):
        sandbox.output("mount", "-n", "--bind", place, place)
        self.addCleanup(sandbox.output, "umount", "-n", place)
        sandbox.output("mount", "-n", "-o", "remount,bind,ro", place)

    def refused(self, place, verb="enable", path=None):
        before = contents(DIRECTORY)
        said = " ".join(self.run_pam(verb, "--yes", expect=8).split())
        self.assertIn(f"{path or place}: cannot be written: Read-only file system", said)
        self.assertIn("where the image is built", said)
        self.assertNotIn("--force", said)
        self.assertNotIn("memory", said)
        self.assertEqual(contents(DIRECTORY), before)

    def test_one_service_s_file(self):
        self.read_only(DIRECTORY + "/sshd")
        self.refused(DIRECTORY + "/sshd")

    def test_the_whole_directory(self):
        self.read_only(DIRECTORY)
        self.refused(DIRECTORY, path=DIRECTORY + "/login")

    def test_a_service_s_file_that_is_a_link_into_an_image(self):
        image = overlay.OVERLAY + "/image"
        os.makedirs(image, exist_ok=True)
        self.addCleanup(shutil.rmtree, image)
        shutil.move(DIRECTORY + "/sshd", image + "/sshd")
        os.symlink(image + "/sshd", DIRECTORY + "/sshd")
        self.read_only(image)
        self.refused(image + "/sshd")

    def test_disable_changes_all_files_or_none(self):
        self.run_pam("enable", "--yes")
        self.read_only(DIRECTORY + "/sshd")
        self.refused(DIRECTORY + "/sshd", "disable")

    def test_debians_own_way(self):
        shutil.copy(SAVED + "/pam-auth-update", UPDATE)
        self.read_only(DIRECTORY)
        self.refused(DIRECTORY, path=DIRECTORY + "/common-account")

    def test_one_of_debians_files(self):
        shutil.copy(SAVED + "/pam-auth-update", UPDATE)
        self.read_only(DIRECTORY + "/common-session")
        self.refused(DIRECTORY + "/common-session")


class Suse(Host):
    """pam-config knows only its own modules, so the services' files are written."""

    def setUp(self):
        super().setUp()
        pam_trees.lay_suse()

    def test_the_vendor_s_files_are_included_and_stay_what_they_are(self):
        vendor = contents(VENDOR)
        after = self.on_and_off("services", VENDOR)
        self.assertEqual({path: after[path] for path in vendor}, vendor)
        text = after[DIRECTORY + "/sshd"][1].decode()
        self.assertIn("session  include /usr/lib/pam.d/sshd\n", text)
        self.assertTrue(text.endswith(LINE))
        self.assertNotIn(DIRECTORY + "/sudo", after)

    def test_a_file_of_the_site_s_own_gets_the_line(self):
        pam_trees.write(DIRECTORY + "/sshd", pam_trees.SUSE_SSHD + "session optional pam_echo.so")
        after = self.on_and_off("services")
        self.assertIn("pam_echo.so\n", after[DIRECTORY + "/sshd"][1].decode())

    def test_an_override_that_was_edited_since_is_not_removed(self):
        self.run_pam("enable", "--yes")
        with open(DIRECTORY + "/sshd", "a", encoding="utf-8") as file:
            file.write("session optional pam_echo.so\n")
        self.assertIn("Remove it by hand", self.run_pam("disable", "--yes", expect=8))
        self.assertTrue(os.path.exists(DIRECTORY + "/sshd"))


if __name__ == "__main__":
    overlay.main(build)
