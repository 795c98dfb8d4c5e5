# SPDX-License-Identifier: Apache-2.0
"""A Debian of one's own with systemd in it, booted in a container, for the tests of this folder.

    root = tempfile.mkdtemp()
    machine.debian(steps, root, "bookworm", packages)      # made by debootstrap the first time
    machine.furnish(steps, root, {"/inside": script})      # make install, and what else it needs
    said, console = machine.boot(root)                     # until it has powered itself off

The script /inside runs once at boot, beside an emulated Google, and writes to /result.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("CLOUDINVITE_BUILD") or os.path.join(SOURCE, "build"))
PATIENCE = 240  # seconds; a container stops by itself long before
BASE = ["systemd", "systemd-sysv", "dbus", "openssl"]
LIBRARIES = {
    "bookworm": ["libcurl4", "libjansson4", "libsqlite3-0", "libinih1", "libmicrohttpd12", "libpam0g"],
    "trixie": ["libcurl4t64", "libjansson4", "libsqlite3-0", "libinih1", "libmicrohttpd12t64",
               "libpam0g"],
}
UNITS = {
    "emulator": "[Service]\nExecStart=/usr/bin/cloudinvite-emulator --quiet --directory /var/emulator "
                "--scenario /scenario.json\n",
    "inside": "[Unit]\nWants=emulator.service\nAfter=emulator.service\n"
              "[Service]\nType=oneshot\nTimeoutStartSec=infinity\nExecStart=/bin/sh /inside\n",
}


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, check=False, **more)
    return done.returncode, done.stdout


def mirror():
    """The first Debian archive that this machine's apt uses."""
    sources = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE)|$(CODENAME)|$(TRUSTED)"],
                             stdout=subprocess.PIPE, text=True, check=False).stdout
    for line in sources.splitlines():
        site = line.split("|")[0]
        if re.search(r"debian(/|$)", site) and "security" not in site:
            return site
    return "http://deb.debian.org/debian"


class Steps:
    """What a test promises, step by step, as TAP."""

    def __init__(self):
        self.number = self.failures = 0

    def step(self, name, status, output):
        self.number += 1
        print(f"{'ok' if status == 0 else 'not ok'} {self.number} - {name}", flush=True)
        if status != 0:
            self.failures += 1
            for line in output.splitlines()[-60:]:
                print(f"# {line}")
        return status == 0


def skip(what, reason):
    print(f"1..1\nok 1 - {what} # SKIP {reason}")
    sys.exit(0)


def skip_where_impossible(what):
    if os.geteuid() != 0:
        skip(what, "needs root")
    for program in ("debootstrap", "systemd-nspawn"):
        if not shutil.which(program):
            skip(what, f"{program} is not installed")
    with open("/etc/os-release", encoding="utf-8") as file:
        if not re.search(r"^VERSION_CODENAME=bookworm$", file.read(), re.M):
            skip(what, "what is built here runs in that Debian only if this is a Debian 12")


def debian(steps, root, suite, packages):
    """Unpacks a Debian, made by debootstrap the first time."""
    names = BASE + LIBRARIES[suite] + packages
    kept = f"{BUILD}/{suite}-{hashlib.sha256(' '.join(names).encode()).hexdigest()[:12]}.tar"
    if not os.path.exists(kept):
        status, output = run("debootstrap", "--variant=minbase", "--include=" + ",".join(names),
                             suite, root, mirror())
        if status == 0:
            status, output = run("tar", "-C", root, "--one-file-system", "-cf", kept + ".new", ".")
            os.rename(kept + ".new", kept)
        return steps.step(f"debootstrap makes a Debian ({suite}) with systemd", status, output)
    status, output = run("tar", "-C", root, "-xpf", kept)
    return steps.step(f"a Debian ({suite}) with systemd is there from before", status, output)


def furnish(steps, root, files, people):
    """`make install`, an emulated Google that knows the people, and what runs at boot."""
    status, output = run("make", "-C", SOURCE, "install", f"O={BUILD}", f"DESTDIR={root}",
                         "securedir=/lib/x86_64-linux-gnu/security")
    accounts = ",".join('{"address":"%s@example.com"}' % who for who in people)
    for name, text in {**files, "/scenario.json": '{"accounts":[%s]}' % accounts}.items():
        with open(root + name, "w", encoding="utf-8") as file:
            file.write(text)
    units = f"{root}/etc/systemd/system"
    for name, text in UNITS.items():
        with open(f"{units}/{name}.service", "w", encoding="utf-8") as file:
            file.write(text)
    os.makedirs(f"{units}/multi-user.target.wants", exist_ok=True)
    os.symlink("../inside.service", f"{units}/multi-user.target.wants/inside.service")
    os.mkdir(f"{root}/var/emulator")
    return steps.step("make install puts cloudinvite into it", status, output)


def boot(root):
    """Until it has powered itself off. What /inside said, and the console."""
    hierarchy = "1" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else "0"
    console = run("timeout", str(PATIENCE), "systemd-nspawn", "--quiet", "--register=no", "--keep-unit",
                  "--private-network", "--boot", "-D", root,
                  env=dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=hierarchy))[1]
    if not os.path.exists(f"{root}/result"):
        return "", console
    with open(f"{root}/result", encoding="utf-8", errors="replace") as file:
        return file.read(), console


class Root:
    """A directory for a machine, gone at the end unless CLOUDINVITE_KEEP is set."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="cloudinvite-machine.")
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *_):
        if not os.environ.get("CLOUDINVITE_KEEP"):
            shutil.rmtree(self.path, ignore_errors=True)


def judge(steps, promises, said, console):
    """Each promise is its name and the words that must have been said."""
    for name, *words in promises:
        missing = [word for word in words if word not in said]
        steps.step(name, len(missing), "\n".join(["missing:", *missing, said, console]))
