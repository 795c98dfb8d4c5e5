#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Makefile: nothing is rebuilt without need, headers are dependencies, objects stay out of the tree, and
`uninstall` removes what `install` has installed. Prints TAP.
"""
import os
import shutil
import stat
import subprocess
import sys
import tempfile

from steps import SOURCE, check, end

PROGRAMS = ("cloudinvite", "cloudinvite-keeper", "cloudinvite-collector", "cloudinvite-dispatcher",
            "cloudinvite-emulator")


def make(tree, *arguments):
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "O", "SANITIZE")}
    done = subprocess.run(["make", "-C", tree, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, env=environment)
    return done.returncode, done.stdout


def files_below(directory):
    return sorted(os.path.relpath(os.path.join(base, name), directory)
                  for base, _, names in os.walk(directory) for name in names)


def compiled(output):
    return [line for line in output.splitlines() if line.startswith("  CC ")]


def building(tree, out):
    before = files_below(tree)
    status, output = make(tree, "-j2", f"O={out}", "all")
    check("a clean tree builds with -j2", status == 0, output)
    check("objects stay out of the tree", files_below(tree) == before,
          set(files_below(tree)) - set(before))
    status, output = make(tree, "-j2", f"O={out}", "all")
    check("nothing is rebuilt when nothing changed",
          status == 0 and not any(line.startswith("  ") for line in output.splitlines()), output)
    os.utime(f"{tree}/common/spool/spool.h")
    status, output = make(tree, f"O={out}", "all")
    built = compiled(output)
    check("a header's users are rebuilt, and only they",
          status == 0 and any("common/spool/spool.o" in line for line in built)
          and not any("common/base/str.o" in line for line in built), output)
    status, output = make(tree, f"O={out}", "OPT=-O1 -g", "module")
    check("other flags rebuild", status == 0 and any("spool.o" in line for line in compiled(output)),
          output)


def hardening(out):
    for program in PROGRAMS:
        path = f"{out}/{program}"
        headers = subprocess.run(["readelf", "-hldW", path], stdout=subprocess.PIPE, text=True,
                                 check=True).stdout
        check(f"{program} is position independent, with RELRO and immediate binding",
              "DYN (" in headers and "GNU_RELRO" in headers
              and ("BIND_NOW" in headers or "Flags: NOW" in headers), headers)
    for program in ("cloudinvite-collector", "cloudinvite-keeper", "pam_cloudinvite.so"):
        needed = subprocess.run(["readelf", "-dW", f"{out}/{program}"], text=True,
                                stdout=subprocess.PIPE, check=True).stdout
        check(f"{program} links neither libcurl nor libcrypto nor libp11-kit",
              not any(library in needed for library in ("libcurl", "libcrypto", "libp11-kit")), needed)


def installing(tree, out, root):
    status, output = make(tree, f"O={out}", f"DESTDIR={root}", "securedir=/lib/security", "install")
    check("make install DESTDIR= works", status == 0, output)
    installed = files_below(root)
    for path in ("usr/bin/cloudinvite", "usr/sbin/cloudinvite-collector", "lib/security/pam_cloudinvite.so",
                 "usr/sbin/cloudinvite-dispatcher", "etc/cloudinvite/cloudinvite.conf",
                 "usr/share/man/man1/cloudinvite.1", "usr/lib/sysusers.d/cloudinvite.conf",
                 "usr/lib/systemd/system/cloudinvite-dispatcher.service",
                 "usr/share/polkit-1/rules.d/00-cloudinvite.rules", "usr/share/cloudinvite/close-accounts",
                 "usr/sbin/cloudinvite-keeper", "usr/lib/systemd/system/cloudinvite-keeper.service",
                 "usr/lib/systemd/system/cloudinvite-keeper.socket",
                 "usr/share/pam-configs/cloudinvite", "usr/share/cloudinvite/hooks/useradd-post"):
        check(f"installs /{path}", path in installed, installed)
    for path in ("cloudinvite.conf", "addresses.map"):
        mode = stat.S_IMODE(os.stat(f"{root}/etc/cloudinvite/{path}").st_mode)
        check(f"others than root's group cannot read {path}", mode == 0o640, oct(mode))
    for path in ("hooks/useradd-post", "close-accounts"):
        with open(f"{root}/usr/share/cloudinvite/{path}", encoding="utf-8") as file:
            check(f"paths are filled in in {path}", "@" not in file.read().replace("$@", ""))
    with open(f"{root}/etc/cloudinvite/cloudinvite.conf", "a", encoding="utf-8") as file:
        file.write("# mine\n")
    make(tree, f"O={out}", f"DESTDIR={root}", "securedir=/lib/security", "install")
    with open(f"{root}/etc/cloudinvite/cloudinvite.conf", encoding="utf-8") as file:
        check("an upgrade keeps the administrator's settings", file.read().endswith("# mine\n"))
    os.makedirs(f"{root}/etc/pam.d", exist_ok=True)
    with open(f"{root}/etc/pam.d/sshd", "w", encoding="utf-8") as file:
        file.write("session required pam_cloudinvite.so\n")
    status, output = make(tree, f"O={out}", f"DESTDIR={root}", "securedir=/lib/security", "uninstall")
    check("uninstall refuses while a PAM file names the module",
          status != 0 and os.path.exists(f"{root}/lib/security/pam_cloudinvite.so"), output)
    os.unlink(f"{root}/etc/pam.d/sshd")
    status, output = make(tree, f"O={out}", f"DESTDIR={root}", "securedir=/lib/security", "uninstall")
    left = files_below(root)
    check("uninstall leaves settings and nothing else",
          status == 0 and left == ["etc/cloudinvite/addresses.map", "etc/cloudinvite/cloudinvite.conf"],
          output + "\n".join(left))


def main():
    with tempfile.TemporaryDirectory(prefix="cloudinvite-build.") as work:
        tree, out = f"{work}/tree", f"{work}/out"
        listed = subprocess.run(["git", "-C", SOURCE, "ls-files", "-z"], stdout=subprocess.PIPE,
                                check=True).stdout.decode().split("\0")
        for name in filter(None, listed):
            if os.path.exists(f"{SOURCE}/{name}"):
                os.makedirs(os.path.dirname(f"{tree}/{name}"), exist_ok=True)
                shutil.copy2(f"{SOURCE}/{name}", f"{tree}/{name}")
        building(tree, out)
        hardening(out)
        installing(tree, out, f"{work}/root")
    return end()


if __name__ == "__main__":
    sys.exit(main())
