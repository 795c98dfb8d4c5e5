#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I22 (docs/design.md, "Invariants").
"""Debian's packages: built (debs.py), checked by lintian, and installed in a Debian 12, upgraded, downgraded, removed
and purged, with dpkg killed meanwhile. People log in all the time, and always can.

Needs root, debootstrap, a Debian 12 and a Debian mirror. Prints TAP.
"""
import contextlib
import glob
import os
import re
import shutil
import subprocess
import sys
import time

import debs
import nspawn

OLDER, NEWER = debs.version(), debs.higher()
KILLS = int(os.environ.get("CLOUDINVITE_KILLS", "2"))  # for each of install, upgrade, remove
LINE = re.compile(r"^session\s+optional\s+pam_cloudinvite\.so\s*$", re.M)
# The logins that run the whole time: PAM's own client, and a program that changes identity.
PEOPLE = """while [ -e /keep-going ]; do
	pamtester trial clara open_session close_session >>/logins 2>&1 || echo REFUSED >>/logins
	su - clara -c 'echo in' >>/logins 2>&1 || echo REFUSED >>/logins
done
"""


def check(steps, name, good, detail):
    return steps.step(name, 0 if good else 1, str(detail))


class Chroot:
    """A Debian in a directory, entered by chroot in namespaces of its own."""

    def __init__(self, root):
        self.root = root
        self.enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                      'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"',
                      root, "env", "-i", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C",
                      "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]

    def run(self, *command):
        return nspawn.run(*self.enter, *command)

    def dpkg(self, *arguments):
        return self.run("dpkg", "--force-confold", "--force-unsafe-io", *arguments)

    def path(self, inside):
        return self.root + inside

    def read(self, inside):
        with open(self.path(inside), encoding="utf-8", errors="replace") as file:
            return file.read()

    def write(self, inside, text):
        with open(self.path(inside), "w", encoding="utf-8") as file:
            file.write(text)

    def module(self):
        return glob.glob(self.path("/usr/lib/*/security/pam_cloudinvite.so"))

    def line(self):
        return bool(LINE.search(self.read("/etc/pam.d/common-session")))

    def login(self):
        """None, or how a login was refused that should not be."""
        for command in (("pamtester", "trial", "clara", "open_session", "close_session"),
                        ("su", "-", "clara", "-c", "echo in")):
            status, output = self.run(*command)
            if status != 0:
                return f"{' '.join(command)}: {output}"
        return None

    @contextlib.contextmanager
    def people(self):
        """People log in as long as this lasts."""
        self.write("/keep-going", "")
        with subprocess.Popen([*self.enter, "sh", "-c", PEOPLE], stdin=subprocess.DEVNULL) as crowd:
            try:
                yield
            finally:
                os.unlink(self.path("/keep-going"))
                crowd.wait(60)


def build(steps, folder):
    """In a folder of this test's own, because it makes a newer version of the packages, as others do."""
    built = debs.build(steps, "bookworm")
    if not built:
        return False
    os.mkdir(folder)
    for file in glob.glob(built + "/*.*"):
        if f"_{NEWER}_" not in file:
            shutil.copy(file, folder)
    changes = glob.glob(folder + "/*.changes")[0]
    status, output = nspawn.run("lintian", "--allow-root", "-I", "--pedantic", changes)
    check(steps, "lintian finds nothing in source and packages", status == 0 and not output, output)
    debs.renumber(folder, NEWER, debs.newer_sample)
    return True


def populate(chroot, folder):
    chroot.write("/etc/pam.d/trial", "auth required pam_permit.so\naccount required pam_permit.so\n"
                                   "@include common-session\n")
    chroot.run("useradd", "--create-home", "--shell", "/bin/sh", "clara")
    os.mkdir(chroot.path("/debs"))
    for number in (OLDER, NEWER):
        for file in debs.packages(folder, number).values():
            shutil.copy(file, chroot.path("/debs"))


def files(number):
    return [f"/debs/{name}_{number}_amd64.deb" for name in debs.NAMES]


def installed(steps, chroot):
    with chroot.people():
        status, output = chroot.dpkg("-i", *files(OLDER))
    steps.step("the packages can be installed", status, output)
    refused = chroot.login()
    check(steps, "the line is in common-session, after the module is there, and people log in",
          chroot.line() and chroot.module() and not refused, refused)
    check(steps, "and not where no person logs in",
          "cloudinvite" not in chroot.read("/etc/pam.d/common-session-noninteractive"), "")
    wants = chroot.path("/etc/systemd/system/multi-user.target.wants/cloudinvite-")
    check(steps, "the collector is enabled, the dispatcher is not",
          os.path.lexists(wants + "collector.service") and not os.path.lexists(wants + "dispatcher.service"),
          output)
    status, output = chroot.run("cloudinvite", "config", "--check")
    check(steps, "nothing is configured, and the dry run stands in the settings",
          status == 3 and "\nmode = dry-run\n" in chroot.read("/etc/cloudinvite/cloudinvite.conf"), output)
    status, output = chroot.run("sh", "-c", "cloudinvite-collector --prepare && pamtester trial clara "
                                          "open_session && ls /var/spool/cloudinvite/new")
    check(steps, "a first login leaves its arrival", status == 0 and "clara.login" in output, output)


def moved(steps, chroot):
    """Upgrade, downgrade, and settings that were changed."""
    settings = chroot.read("/etc/cloudinvite/cloudinvite.conf") + "\n# changed here\n"
    chroot.write("/etc/cloudinvite/cloudinvite.conf", settings)
    for what, number in (("upgraded", NEWER), ("downgraded", OLDER), ("upgraded again", NEWER)):
        with chroot.people():
            status, output = chroot.dpkg("-i", *files(number))
        check(steps, f"the packages are {what}, and the line stays", status == 0 and chroot.line(), output)
    check(steps, "settings that were changed are kept",
          chroot.read("/etc/cloudinvite/cloudinvite.conf") == settings, "")


def removed(steps, chroot):
    chroot.write("/etc/pam.d/trial", chroot.read("/etc/pam.d/trial") + "session required pam_cloudinvite.so\n")
    with chroot.people():
        status, output = chroot.dpkg("-r", "libpam-cloudinvite")
    check(steps, "a line that would refuse everybody without the module stops the removal",
          status != 0 and "/etc/pam.d/trial:" in output and chroot.module() and chroot.line(), output)
    chroot.write("/etc/pam.d/trial",
                 chroot.read("/etc/pam.d/trial").replace("session required pam_cloudinvite.so\n", ""))
    with chroot.people():
        status, output = chroot.dpkg("-r", *debs.NAMES)
    check(steps, "removed, the line and then the module are gone, and settings and ledger stay",
          status == 0 and not chroot.line() and not chroot.module()
          and os.path.exists(chroot.path("/etc/cloudinvite/cloudinvite.conf"))
          and os.path.exists(chroot.path("/var/lib/cloudinvite")), output)


def purged(steps, chroot):
    with chroot.people():
        status, output = chroot.dpkg("-P", *debs.NAMES)
    left = [place for place in ("/etc/cloudinvite", "/var/spool/cloudinvite", "/var/lib/cloudinvite",
                                "/var/cache/cloudinvite", "/run/cloudinvite")
            if os.path.exists(chroot.path(place))]
    check(steps, "purged, nothing is left but the accounts",
          status == 0 and not left and "\ncloudinvite-ledger:" in chroot.read("/etc/passwd"), f"{output}{left}")


def dangling(chroot):
    """A line without its module, which no login must ever meet."""
    return chroot.line() and not chroot.module()


def kill(chroot, after, *arguments):
    """dpkg and everything that it has started is killed after so many seconds."""
    with subprocess.Popen([*chroot.enter, "dpkg", "--force-unsafe-io", "--force-confold", *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as dpkg:
        time.sleep(after)
        dpkg.kill()


def repair(chroot, *wanted):
    for lock in ("lock", "lock-frontend"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(chroot.path("/var/lib/dpkg/" + lock))
    status, output = chroot.dpkg("--configure", "-a")
    if wanted:
        status, output = chroot.dpkg(*wanted)
    return status, output


def killed(steps, chroot):
    """At points spread over the whole run of dpkg."""
    ways = (("installing", ("-i", *files(OLDER))), ("upgrading", ("-i", *files(NEWER))),
            ("removing", ("-r", *debs.NAMES)))
    for what, arguments in ways:
        chroot.dpkg(*(("-P", *debs.NAMES) if what == "installing" else ("-i", *files(OLDER))))
        begun = time.monotonic()
        chroot.dpkg(*arguments)
        lasts = time.monotonic() - begun
        bad = []
        for i in range(KILLS):
            chroot.dpkg(*(("-P", *debs.NAMES) if what == "installing" else ("-i", *files(OLDER))))
            kill(chroot, lasts * (i + 0.7) / KILLS, *arguments)
            refused = chroot.login()
            if refused or dangling(chroot):
                bad.append(f"killed at {i}: {refused or 'a line without its module'}")
            status, output = repair(chroot, *arguments)
            if status != 0 or chroot.login():
                bad.append(f"killed at {i}, not repaired: {output}")
        check(steps, f"dpkg killed while {what}: people log in, and the same command repairs it",
              not bad, "\n".join(bad))


def refusals(steps, logins):
    many = logins.splitlines().count("in")
    check(steps, f"of {many} people who logged in meanwhile, none was refused",
          many and "REFUSED" not in logins, logins)


def main():
    what = "Debian's packages"
    nspawn.skip_where_impossible(what)
    for program in ("lintian", "dh", "dpkg-buildpackage"):
        if not shutil.which(program):
            nspawn.skip(what, f"{program} is not installed")
    steps = nspawn.Steps()
    with nspawn.Root() as folder, nspawn.Root() as root:
        chroot = Chroot(root)
        if build(steps, folder + "/debs") and nspawn.debian(steps, root, "bookworm", nspawn.PLAIN):
            populate(chroot, folder + "/debs")
            for part in (installed, moved, removed, purged):
                part(steps, chroot)
            refusals(steps, chroot.read("/logins"))
            killed(steps, chroot)
    print(f"1..{steps.number}")
    return 1 if steps.failures else 0


if __name__ == "__main__":
    sys.exit(main())
