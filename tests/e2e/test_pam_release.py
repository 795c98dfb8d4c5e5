#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I22 (docs/design.md, "Invariants").
"""The module's removal (Debian's prerm, RPM's %preun, make uninstall) stops if a line names the module, and continues
if none does; what the real libpam does without the module shows why.
"""
import os
import shutil
import subprocess
import tempfile

import harness
import overlay
import pam_trees
import sandbox
from pam_trees import DIRECTORY, contents, open_session

RELEASE = harness.SOURCE + "/config/pam-release"
PROFILES = "/usr/share/pam-configs"
LINE = "session required pam_cloudinvite.so\n"
LONG = "/lib/x86_64-linux-gnu/security/pam_cloudinvite.so"

# A file and its content: the removal stops, and names FILE:LINE.
STOPS = [
    ("required", "session required pam_cloudinvite.so", 1),
    ("a comment that says optional",
     "session required pam_cloudinvite.so   # not optional here: audit wants it", 1),
    ("default=ignore and a module that is unknown",
     "session [success=ok default=ignore module_unknown=die] pam_cloudinvite.so", 1),
    ("optional, the only one", "session optional pam_cloudinvite.so", 1),
    ("a dash in front", "#\n\n-session optional pam_cloudinvite.so", 3),
    ("a line that goes on", "session \\\n   required \\\n   pam_cloudinvite.so", 1),
    ("… over a comment", "session \\\n# why\n\n required pam_cloudinvite.so", 1),
    ("… at the end of the file", "auth required pam_permit.so\nsession required pam_cloudinvite.so \\", 2),
    ("tabs", "\t session\trequired\t\tpam_cloudinvite.so\tdebug", 1),
    ("capitals", "SESSION REQUIRED pam_cloudinvite.so", 1),
    ("the whole path", f"session sufficient {LONG} notify", 1),
    ("brackets", f"session required [{LONG}]", 1),
    ("a comment behind", "session required pam_cloudinvite.so# x \\\nsession optional x.so", 1),
    ("auth", "auth required pam_unix.so\nauth requisite pam_cloudinvite.so", 2),
    ("carriage returns", "session required pam_cloudinvite.so\r", 1),
]
PASSES = [
    ("a comment", "# session required pam_cloudinvite.so"),
    ("an indented one", "  \t# session required pam_cloudinvite.so"),
    ("a comment behind another line", "session required pam_unix.so # not pam_cloudinvite.so"),
    ("… which does not go on", "session required pam_unix.so # \\\n#pam_cloudinvite.so"),
    ("another module", "session required pam_cloudinvite.so.old\nsession optional my_pam_cloudinvite.so"),
]
NEVER_READ = ("sshd.dpkg-old", "sshd.dpkg-dist", "sshd~", "sshd.bak", ".sshd.swp", "#sshd#", "sshd.rpmsave",
              "sshd.orig", "common-session.pam-old", "sshd.ucf-dist")


class Lines(harness.Test):
    """In a tree of files."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="cloudinvite-pam.")
        self.addCleanup(shutil.rmtree, self.root)
        self.write("etc/pam.d/login", "session required pam_unix.so\n")

    def write(self, name, text):
        path = f"{self.root}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def release(self):
        return subprocess.run([RELEASE, self.root], stdin=subprocess.DEVNULL, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=harness.TIMEOUT)

    def stops(self, *places):
        done = self.release()
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        named = [line.strip().removeprefix(self.root + "/").rsplit(": ", 1)[0].split(": ")[0]
                 for line in done.stderr.splitlines() if line.startswith("  ")]
        self.assertEqual(sorted(named), sorted(places), done.stderr)
        self.assertIn("Nothing was removed.", done.stderr)

    def passes(self):
        done = self.release()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_a_line_that_names_the_module_stops_it(self):
        for what, text, number in STOPS:
            with self.subTest(what):
                self.write("etc/pam.d/sshd", text + "\n")
                self.stops(f"etc/pam.d/sshd:{number}")

    def test_other_lines_do_not(self):
        for what, text in PASSES:
            with self.subTest(what):
                self.write("etc/pam.d/sshd", text + "\n")
                self.passes()

    def test_each_place_that_is_read(self):
        for name in ("etc/pam.d/sshd", "usr/lib/pam.d/sshd", "usr/etc/pam.d/sshd"):
            with self.subTest(name):
                self.write(name, LINE)
                self.stops(name + ":1")
                os.unlink(f"{self.root}/{name}")
        self.write("etc/pam.conf", "# \nsshd session required pam_cloudinvite.so\n")
        self.stops("etc/pam.conf:2")

    def test_files_that_are_never_read(self):
        for name in NEVER_READ:
            self.write("etc/pam.d/" + name, LINE)
        self.passes()
        self.write("usr/lib/pam.d/sshd", LINE)  # hidden by the one in /etc
        self.write("etc/pam.d/sshd", "session required pam_unix.so\n")
        self.passes()

    def test_files_that_are_included(self):
        for include in ("@include {}", "session include {}", "session\tsubstack\t{}", "@INCLUDE {}",
                        "session \\\n INCLUDE {}", "-session include [{}]"):
            for target, file in (("sshd.bak", "etc/pam.d/sshd.bak"), ("/opt/pam/ours", "opt/pam/ours"),
                                 ("vendor.old", "usr/lib/pam.d/vendor.old"),
                                 ("more/ours", "etc/pam.d/more/ours")):
                with self.subTest(include, target=target):
                    self.write(file, LINE)
                    self.write("etc/pam.d/sshd", include.format(target) + "\n")
                    self.stops(file + ":1")
                    self.write("etc/pam.d/sshd", "# " + include.format(target) + "\n")
                    if "\\\n" not in include:
                        self.passes()
                    os.unlink(f"{self.root}/{file}")

    def test_files_that_include_each_other(self):
        self.write("etc/pam.d/sshd", "@include a.bak\n")
        self.write("etc/pam.d/a.bak", "@include b.bak\n@include missing\n@include sshd\n")
        self.write("etc/pam.d/b.bak", "@include a.bak\n" + LINE)
        self.stops("etc/pam.d/b.bak:2")

    def test_links(self):
        self.write("elsewhere/postlogin", LINE)
        os.symlink("../../elsewhere/postlogin", self.root + "/etc/pam.d/postlogin")
        os.symlink("nowhere", self.root + "/etc/pam.d/dangling")
        os.symlink("loop", self.root + "/etc/pam.d/loop")
        self.stops("etc/pam.d/postlogin:1")

    def test_names_with_blanks_and_patterns(self):
        self.write("etc/pam.d/my login", LINE)
        self.write("etc/pam.d/x=*", LINE)
        self.stops("etc/pam.d/my login:1", "etc/pam.d/x=*:1")

    def test_nothing_there(self):
        shutil.rmtree(self.root + "/etc")
        self.passes()


class Host(harness.Test):
    """Debian's own pam-auth-update, its files, and the prerm."""

    def setUp(self):
        for place in (DIRECTORY, "/var/lib/pam", PROFILES):
            shutil.rmtree(place)
            shutil.copytree(SAVED + place, place, symlinks=True)
        shutil.copy(overlay.OVERLAY + "/bin/pam_cloudinvite.so", MODULE)

    def update(self, *words):
        sandbox.output("pam-auth-update", "--package", *words)

    def prerm(self, expect):
        before = contents(DIRECTORY, "/var/lib/pam")
        done = subprocess.run(["sh", PRERM, "remove"], stdin=subprocess.DEVNULL, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=harness.TIMEOUT)
        self.assertEqual(done.returncode != 0, expect != 0, done.stdout)
        if expect != 0:
            self.assertEqual(contents(DIRECTORY, "/var/lib/pam"), before)
        return done.stdout

    def test_its_own_line_goes_and_every_login_passes_afterwards(self):
        self.update()
        with open(DIRECTORY + "/common-session", encoding="utf-8") as file:
            self.assertIn("pam_cloudinvite.so", file.read())
        self.prerm(0)
        self.assertEqual(subprocess.run(["grep", "-r", "pam_cloudinvite", DIRECTORY], check=False).returncode, 1)
        os.unlink(MODULE)
        self.assertEqual(open_session("sshd", "root"), 0)

    def test_lines_that_refuse_without_the_module(self):
        """The first three refuse a session when it is gone, so any line stops the removal."""
        for control, refused in ((r"required pam_cloudinvite.so # not optional here: audit wants it", True),
                                 ("[success=ok default=ignore module_unknown=die] pam_cloudinvite.so", True),
                                 ("optional pam_cloudinvite.so", True)):
            with self.subTest(control):
                self.setUp()
                self.update()
                pam_trees.write(DIRECTORY + "/trial", f"session {control}\n")
                if not harness.SANITIZED:
                    self.assertEqual(open_session("trial", "root"), 0)
                self.assertIn("/etc/pam.d/trial:1: session ", self.prerm(1))
                os.unlink(MODULE)
                self.assertEqual(open_session("trial", "root") != 0, refused)

    def test_turned_off_it_stays_off_when_the_removal_stops(self):
        self.update()
        self.update("--disable", "cloudinvite")
        pam_trees.write(DIRECTORY + "/trial", LINE)
        self.prerm(1)
        self.update()
        with open(DIRECTORY + "/common-session", encoding="utf-8") as file:
            self.assertNotIn("pam_cloudinvite.so", file.read())

    def test_a_profile_of_the_hosts_own_stops_it_until_it_is_deleted(self):
        """docs/fleet.md, for users of a directory."""
        with open(f"{PROFILES}/cloudinvite", encoding="utf-8") as file:
            text = file.read().replace("pam_cloudinvite.so", "pam_cloudinvite.so network_users")
        pam_trees.write(f"{PROFILES}/cloudinvite-network", text)
        self.update("--disable", "cloudinvite")
        self.update("--enable", "cloudinvite-network")
        said = self.prerm(1)
        self.assertIn("/etc/pam.d/common-session:", said)
        self.assertIn(f"for {PROFILES}/cloudinvite-network: delete that file", said)
        os.unlink(f"{PROFILES}/cloudinvite-network")
        self.update()
        self.prerm(0)

    def test_with_another_architectures_module_the_line_stays(self):
        self.update()
        before = contents(DIRECTORY)
        sandbox.output("env", "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=2", "sh", PRERM, "remove")
        self.assertEqual(contents(DIRECTORY), before)

    def test_an_upgrade_changes_nothing(self):
        self.update()
        before = contents(DIRECTORY)
        sandbox.output("sh", PRERM, "upgrade", "0.2.0")
        self.assertEqual(contents(DIRECTORY), before)


SAVED = overlay.OVERLAY + "/saved"
PRERM = overlay.OVERLAY + "/prerm"
MODULE = ""


def build():
    """The files of the packages."""
    global MODULE  # pylint: disable=global-statement
    MODULE = pam_trees.module_path(overlay.OVERLAY + "/bin/cloudinvite")
    shutil.copy(harness.SOURCE + "/packaging/debian/libpam-cloudinvite.prerm", PRERM)
    os.makedirs("/usr/libexec/cloudinvite", exist_ok=True)
    shutil.copy(RELEASE, "/usr/libexec/cloudinvite")
    shutil.copy(overlay.OVERLAY + "/config/pam-configs/cloudinvite", PROFILES)
    for place in (DIRECTORY, "/var/lib/pam", PROFILES):
        shutil.copytree(place, SAVED + place, symlinks=True)


if __name__ == "__main__":
    overlay.main(build)
