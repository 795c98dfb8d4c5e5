#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""README's first commands on a machine that has nothing: a Debian made for this run (debootstrap's minbase, and git,
make, ca-certificates), without a line for the host in /etc/hosts, without a running systemd, with the clone in /root,
which only root may enter, or in /srv.

    tests/system/newcomer.py [bookworm] [trixie]
    tests/system/newcomer.py --check PLACE [bookworm] [trixie]      make check alone, with the clone in PLACE

Debian 12: make check in one copy, make demo and make deb in others. Debian 13: in one copy, make demo, build, unit
tests, and keys in a token. Steps that compute run beside steps that wait.

Not for tests/run: the output of `make check` is shown as it comes, and its last line counts its tests. The last line
here counts what this file tests beyond that. Needs root and a mirror.
"""
import argparse
import concurrent.futures
import functools
import os
import re
import shutil
import subprocess
import sys
import threading

import debs
import nspawn

GIVEN = ["git", "make", "ca-certificates"]
HOST = "newcomer"
# Not needed by a demo, but installed once.
NOT_FOR_A_DEMO = ("chromium", "nginx-light", "prometheus", "cron", "valgrind", "strace", "libcmocka-dev", "sqlite3")
NOT_FOR_A_DEB = ("lintian", "rpm", "debootstrap", "openssh-server", "selinux-policy-dev", "apparmor")
# Debian 13 has a PKCS#11 provider for OpenSSL, so its predecessor, the engine, is not installed. The unit tests use
# valgrind, and test_held_keys.py uses strace.
HELD_KEYS = ("openssl", "strace", "pkcs11-provider", "p11-kit-modules", "softhsm2", "opensc", "tpm2-openssl",
             "tpm2-tools", "swtpm", "libtss2-tcti-swtpm0t64", "valgrind", "binutils")
ENTER = f"""hostname {HOST} && mount --bind "$0" "$0" && mount -t proc proc "$0/proc" &&
mount --rbind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/run" &&
exec unshare --root "$0" --wd "$@" """
APT_INSTALL = "apt-get install -qq -y --no-install-recommends"
PROXIES = ("http_proxy", "https_proxy", "no_proxy")
# As gcc writes it.
WARNING = re.compile(r"^\S+:\d+:\d+: warning: ", re.M)
OFF = """find /etc/systemd/system /etc/rc?.d -type l ! -lname /dev/null ! -name 'K*' -printf '%p %l\\n'"""


class Tree:
    """A copy of that Debian with a clone of the present tree in `place`."""

    def __init__(self, base, suite, name, place):
        self.root, self.downloaded = f"{base}.{name}", nspawn.downloaded(suite)
        self.inside = f"{place}/cloudinvite"
        self.clone = self.root + self.inside
        nspawn.Machine.must("cp", "-a", "--reflink=auto", base, self.root)
        clone(self.clone)
        # After a power failure the tree is lost anyway, so dpkg need not wait for the disk.
        with open(f"{self.root}/etc/dpkg/dpkg.cfg.d/unsafe-io", "w", encoding="ascii") as file:
            file.write("force-unsafe-io\n")
        self.packages = f"{self.root}/var/cache/apt/archives"
        nspawn.keep_packages(self.downloaded, self.packages)
        self.enabled = self.run("sh", "-c", OFF)[1]

    def run(self, *command, **more):
        environment = {**nspawn.ENVIRONMENT, "LC_ALL": "C.UTF-8",
                       **{name: os.environ[name] for name in PROXIES if name in os.environ}}
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child", "sh", "-c", ENTER, self.root,
             self.inside, "env", "-i", *[f"{name}={value}" for name, value in environment.items()], *command],
            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
            **{"stdout": subprocess.PIPE, **more})
        nspawn.keep_packages(self.packages, self.downloaded)
        return done.returncode, done.stdout

    def has(self, packages):
        wanted = self.run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n")[1]
        return sorted(set(packages) & {line.split()[0] for line in wanted.splitlines() if line.endswith(" installed")})

    def newly_enabled(self):
        """Units that would run at the next boot and are not systemd's own."""
        new = set(self.run("sh", "-c", OFF)[1].splitlines()) - set(self.enabled.splitlines())
        owned = self.run("sh", "-c", "dpkg-query -L systemd udev libpam-systemd systemd-timesyncd 2>/dev/null")[1]
        return sorted(line for line in new if os.path.basename(line.split()[1]) not in
                      {os.path.basename(path) for path in owned.splitlines()})


def clone(target):
    """The commit, and uncommitted changes."""
    nspawn.Machine.must("git", "clone", "-q", nspawn.SOURCE, target)
    changed = subprocess.run(["git", "-C", nspawn.SOURCE, "ls-files", "-mo", "-z", "--exclude-standard"],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in filter(None, changed.split("\0")):
        if os.path.exists(f"{nspawn.SOURCE}/{name}"):
            os.makedirs(os.path.dirname(f"{target}/{name}"), exist_ok=True)
            shutil.copy2(f"{nspawn.SOURCE}/{name}", f"{target}/{name}")
        else:
            os.unlink(f"{target}/{name}")


class Newcomer:
    """What is promised, counted."""

    def __init__(self, work):
        self.work = work
        self.passed = self.failed = 0
        self.lock = threading.Lock()

    def keep(self, name, good, detail=""):
        with self.lock:
            print(f"{'kept' if good else 'NOT KEPT'}: {name}", flush=True)
            self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
            if not good:
                print("".join(f"  | {line}\n" for line in str(detail).splitlines()[-60:]), end="", flush=True)
        return good

    def bootstrap(self, suite):
        base = f"{self.work}/{suite}"
        status, output = nspawn.debootstrap(suite, base, ",".join(GIVEN))
        self.keep(f"debootstrap makes a minimal Debian ({suite})", status == 0, output)
        if status == 0:
            os.chmod(base + "/root", 0o700)
        return status == 0

    def tree(self, suite, name, place):
        return Tree(f"{self.work}/{suite}", suite, name, place)

    def leaves_off(self, tree, what):
        new = "\n".join(tree.newly_enabled())
        self.keep(f"after {what} nothing is enabled that was not before", not new, new)

    def check(self, suite, place):
        """Its output is shown: the last line counts its tests."""
        tree = self.tree(suite, "check", place)
        status, _ = tree.run("make", "check", stdout=None)
        if status != 0:
            shutil.copytree(f"{tree.clone}/build/logs", f"{nspawn.BUILD}/logs-newcomer-{suite}", dirs_exist_ok=True)
        self.keep("make check is the first command, and succeeds", status == 0,
                  f"see above, and build/logs-newcomer-{suite}")
        self.leaves_off(tree, "make check")

    def demo(self):
        tree = self.tree("bookworm", "demo", "/srv")
        status, output = tree.run("make", "demo")
        self.keep("make demo is the first command, and succeeds", status == 0, output)
        self.keep("it says beforehand how much it installs",
                  re.search(r"^packaging/deps: build demo: \d+ packages will be installed: [\d.]+ [kM]?B to download",
                            output, re.M), output)
        self.keep("it installs nothing that a demo has no use for", not tree.has(NOT_FOR_A_DEMO),
                  tree.has(NOT_FOR_A_DEMO))
        self.leaves_off(tree, "make demo")
        shutil.rmtree(tree.root)

    def deb(self):
        """With its tests. The tests of booted systems install these packages."""
        made = debs.made_of()
        tree = self.tree("bookworm", "deb", "/root")
        status, output = tree.run("make", "deb")
        if self.keep("make deb is the first command, and succeeds", status == 0, output):
            debs.keep("bookworm", f"{tree.clone}/build/deb", made)
        self.keep("it installs nothing that does not build packages", not tree.has(NOT_FOR_A_DEB),
                  tree.has(NOT_FOR_A_DEB))
        self.leaves_off(tree, "make deb")
        shutil.rmtree(tree.root)

    def short(self):
        """The suite that is not this machine's: the demo first, then what only a build shows."""
        tree = self.tree("trixie", "short", "/srv")
        status, output = tree.run("make", "demo")
        self.keep("make demo is the first command, and succeeds", status == 0, output)
        built = output
        status, output = tree.run("sh", "-c", "packaging/deps package && make -j2 all tests")
        self.keep("all of it builds with what packages are built with, without a warning",
                  status == 0 and not WARNING.search(built + output), built + output)
        self.leaves_off(tree, "these")
        status, output = tree.run("sh", "-c", f"{APT_INSTALL} {' '.join(HELD_KEYS)}")
        self.keep("what holds keys on Debian 13 is installed", status == 0, output)
        status, output = tree.run("make", "check-unit")
        self.keep("the unit and module tests pass", status == 0, output)
        status, output = tree.run("python3", "tests/e2e/test_held_keys.py")
        self.keep("keys in a PKCS#11 token and in a TPM are used through OpenSSL's providers",
                  status == 0 and "SKIP" not in output, output)
        shutil.rmtree(tree.root)

    def packages(self):
        """That suite's packages without their tests, which have passed, and on an older systemd, where the packages
        need systemd-dev. They are stored like those of deb().
        """
        made = debs.made_of()
        tree = self.tree("trixie", "packages", "/root")
        status, output = tree.run("sh", "-c", f"apt-get update -qq && {APT_INSTALL} systemd")
        self.keep("Debian 13 has systemd", status == 0, output)
        status, output = tree.run("env", *[f"{name}={value}" for name, value in debs.OPTIONS.items()], "make", "deb")
        if not self.keep("make deb succeeds on Debian 13", status == 0, output):
            return
        built = f"{tree.inside}/build/deb"
        status, output = tree.run("sh", "-c", f"{APT_INSTALL} lintian >/dev/null && {debs.lintian('trixie', built)}")
        if self.keep("the lintian of Debian 13 finds nothing", status == 0 and not output.strip(), output):
            debs.keep("trixie", f"{tree.clone}/build/deb", made)
        shutil.rmtree(tree.root)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", metavar="PLACE", help="make check alone, with the clone in PLACE")
    parser.add_argument("suites", nargs="+", choices=nspawn.SUITES)
    options = parser.parse_args()
    suites = options.suites
    with nspawn.Root() as work, concurrent.futures.ThreadPoolExecutor(2) as pool:
        newcomer = Newcomer(work)
        made = dict(zip(suites, pool.map(newcomer.bootstrap, suites)))
        if options.check:
            lanes = [[functools.partial(newcomer.check, suite, options.check) for suite in suites if made[suite]]]
        else:
            bookworm, trixie = (made.get(suite, False) for suite in nspawn.SUITES)
            lanes = [[functools.partial(newcomer.check, "bookworm", "/root")] if bookworm else [],
                     ([newcomer.demo, newcomer.deb] if bookworm else [])
                     + ([newcomer.short, newcomer.packages] if trixie else [])]
        list(pool.map(lambda lane: [promise() for promise in lane], lanes))
    print(f"newcomer: {newcomer.passed} passed, {newcomer.failed} failed")
    return 1 if newcomer.failed else 0


if __name__ == "__main__":
    sys.exit(main())
