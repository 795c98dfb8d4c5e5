#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The RPM packages, built on a Debian as far as possible: no requirement is resolved and nothing is installed. The
SELinux policy is compiled, the AppArmor profiles are parsed; no machine here enforces either. Prints TAP.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import nspawn

sys.path.insert(0, nspawn.SOURCE + "/tests/build")
import rpms  # pylint: disable=wrong-import-position

RPMLINTRC = nspawn.SOURCE + "/packaging/rpm/cloudinvite.rpmlintrc"
NAMES = ("cloudinvite", "cloudinvite-emulator", "cloudinvite-selinux", "pam_cloudinvite")


def check(steps, name, good, detail):
    return steps.step(name, 0 if good else 1, str(detail))


def build(steps, top):
    rpms.pack(nspawn.SOURCE, top)
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "O")}
    status, output = nspawn.run(*rpms.command(nspawn.SOURCE, top, "-ba"), env=environment)
    return steps.step("rpmbuild builds the packages, with the SELinux policy", status, output)


def packages(top):
    return sorted(glob.glob(top + "/RPMS/*/*.rpm"))


def lint(steps, top):
    status, output = nspawn.run("rpmlint", "-r", RPMLINTRC, nspawn.SOURCE + rpms.SPEC, *packages(top),
                                 *glob.glob(top + "/SRPMS/*.rpm"))
    check(steps, "rpmlint finds nothing in spec and packages",
          status == 0 and " 0 errors, 0 warnings" in output, output)


def contents(steps, top):
    listed = {}
    for file in packages(top):
        name = re.match(r"(.*)-[^-]*-[^-]*$", os.path.basename(file)).group(1)
        listed[name] = nspawn.run("rpm", "-qpl", file)[1].split()
    check(steps, "there are four packages", tuple(sorted(listed)) == NAMES, sorted(listed))
    check(steps, "the module, and nothing that turns it on, is in its package",
          any(path.endswith("/security/pam_cloudinvite.so") for path in listed["pam_cloudinvite"])
          and not any("pam-configs" in path or "/pam.d/" in path for path in sum(listed.values(), [])),
          listed["pam_cloudinvite"])
    settings = nspawn.run("rpm", "-qpc", *[p for p in packages(top) if "/cloudinvite-0" in p])[1].split()
    check(steps, "settings are configuration files, and kept",
          settings == ["/etc/cloudinvite/addresses.map", "/etc/cloudinvite/cloudinvite.conf"], settings)


def scriptlet(top, root):
    """The script that runs before the module's package is removed, as a program with the package's own script."""
    file = next(path for path in packages(top) if "/pam_cloudinvite" in path)
    text = nspawn.run("rpm", "-qp", "--queryformat", "%{PREUN}", file)[1]
    script = "/usr/libexec/cloudinvite/pam-release"
    assert script in text, text
    nspawn.run("sh", "-c", f"cd {root} && rpm2cpio {file} | cpio -id --quiet")
    return text.replace(script, f"{root}{script} {root}")


def refusing(steps, top):
    """The module stays if a line would refuse logins without it."""
    root = top + "/root"
    os.makedirs(root + "/etc/pam.d")
    answers = []
    for line in ("session required pam_cloudinvite.so", "session optional pam_cloudinvite.so",
                 "# session required pam_cloudinvite.so"):
        with open(root + "/etc/pam.d/sshd", "w", encoding="utf-8") as file:
            file.write(line + "\n")
        answers.append(subprocess.run(["sh", "-c", scriptlet(top, root), "preun", "0"], check=False,
                                      stderr=subprocess.PIPE).returncode)
    check(steps, "where a line names the module, it is not removed", answers == [1, 1, 0], answers)


def apparmor(steps):
    for profile in sorted(glob.glob(nspawn.SOURCE + "/config/apparmor/*")):
        status, output = nspawn.run("apparmor_parser", "-Q", "-T", "-K", profile)
        steps.step(f"AppArmor's parser understands {os.path.basename(profile)}", status, output)


def main():
    what = "RPM packages"
    for program in ("rpmbuild", "rpmlint", "apparmor_parser", "checkmodule"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            nspawn.skip(what, f"{program} is not installed")
    steps = nspawn.Steps()
    top = tempfile.mkdtemp(prefix="cloudinvite-rpm.")
    try:
        if build(steps, top):
            for part in (lint, contents, refusing):
                part(steps, top)
        apparmor(steps)
    finally:
        shutil.rmtree(top)
    print(f"1..{steps.number}")
    return 1 if steps.failures else 0


if __name__ == "__main__":
    sys.exit(main())
