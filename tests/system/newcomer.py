#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""README's first commands, as they are typed on a machine that has nothing: a Debian made for this run
(debootstrap's minbase, and git, make, ca-certificates), no line for the host in /etc/hosts, no systemd
that runs, the clone in /root, which only root may enter.

    tests/system/newcomer.py [bookworm] [trixie]

Debian 12: make check in one copy, make demo and make deb in others of it. Debian 13: in one, make demo, build,
unit tests, keys that a token holds. What computes goes side by side with what waits.

Not for tests/run: what `make check` says is shown as it comes, and its tests are counted by its own
closing line. The closing line here counts what this file promises beyond that. Needs root and a mirror."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import threading

import machine

GIVEN = ["git", "make", "ca-certificates"]
HOST = "newcomer"
# What a demo does not need, and once brought.
NOT_FOR_A_DEMO = ("chromium", "nginx-light", "prometheus", "cron", "valgrind", "strace", "libcmocka-dev", "sqlite3")
NOT_FOR_A_DEB = ("lintian", "rpm", "debootstrap", "openssh-server", "selinux-policy-dev", "apparmor")
# Debian 13 has a PKCS#11 provider for OpenSSL; its predecessor, the engine, stays away. The unit tests use valgrind.
HELD_KEYS = ("openssl", "pkcs11-provider", "p11-kit-modules", "softhsm2", "opensc", "tpm2-openssl", "tpm2-tools",
             "swtpm", "libtss2-tcti-swtpm0t64", "valgrind", "binutils")
ENTER = f"""hostname {HOST} && mount --bind "$0" "$0" && mount -t proc proc "$0/proc" &&
mount --rbind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/run" &&
exec unshare --root "$0" --wd /root/cloudinvite "$@" """
PROXIES = ("http_proxy", "https_proxy", "no_proxy")
OFF = """find /etc/systemd/system /etc/rc?.d -type l ! -lname /dev/null ! -name 'K*' -printf '%p %l\\n'"""


class Tree:
    """A copy of that Debian with a clone of the tree as it is."""

    def __init__(self, base, debs, name):
        self.root, self.debs = f"{base}.{name}", debs
        machine.Machine.must("cp", "-a", "--reflink=auto", base, self.root)
        clone(f"{self.root}/root/cloudinvite")
        # The machine may lose its power: the tree goes anyway, and dpkg need not wait for the disk.
        with open(f"{self.root}/etc/dpkg/dpkg.cfg.d/unsafe-io", "w", encoding="ascii") as file:
            file.write("force-unsafe-io\n")
        self.packages = f"{self.root}/var/cache/apt/archives"
        for deb in os.listdir(debs):
            shutil.copyfile(f"{debs}/{deb}", f"{self.packages}/{deb}")
        self.enabled = self.run("sh", "-c", OFF)[1]

    def run(self, *command, **more):
        environment = {**machine.ENVIRONMENT, "LC_ALL": "C.UTF-8",
                       **{name: os.environ[name] for name in PROXIES if name in os.environ}}
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child", "sh", "-c", ENTER, self.root,
             "env", "-i", *[f"{name}={value}" for name, value in environment.items()], *command],
            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
            **{"stdout": subprocess.PIPE, **more})
        self.keep_packages()
        return done.returncode, done.stdout

    def keep_packages(self):
        """What one copy has downloaded the next need not."""
        for name in os.listdir(self.packages):
            if name.endswith(".deb") and not os.path.exists(f"{self.debs}/{name}"):
                # Under a name of its own first: two copies may be at it.
                shutil.copyfile(f"{self.packages}/{name}", f"{self.root}.{name}")
                shutil.move(f"{self.root}.{name}", f"{self.debs}/{name}")

    def has(self, packages):
        wanted = self.run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n")[1]
        return sorted(set(packages) & {line.split()[0] for line in wanted.splitlines() if line.endswith(" installed")})

    def newly_enabled(self):
        """What would run at the next boot and is not systemd's own."""
        new = set(self.run("sh", "-c", OFF)[1].splitlines()) - set(self.enabled.splitlines())
        owned = self.run("sh", "-c", "dpkg-query -L systemd udev libpam-systemd systemd-timesyncd 2>/dev/null")[1]
        return sorted(line for line in new if os.path.basename(line.split()[1]) not in
                      {os.path.basename(path) for path in owned.splitlines()})


def clone(target):
    """The commit, and what is not committed yet."""
    machine.Machine.must("git", "clone", "-q", machine.SOURCE, target)
    changed = subprocess.run(["git", "-C", machine.SOURCE, "ls-files", "-mo", "-z", "--exclude-standard"],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in filter(None, changed.split("\0")):
        if os.path.exists(f"{machine.SOURCE}/{name}"):
            os.makedirs(os.path.dirname(f"{target}/{name}"), exist_ok=True)
            shutil.copy2(f"{machine.SOURCE}/{name}", f"{target}/{name}")
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

    def bootstrap(self, suite):
        base = f"{self.work}/{suite}"
        status, output = machine.run("debootstrap", "--variant=minbase", "--include=" + ",".join(GIVEN), suite, base,
                                     machine.mirror())
        self.keep(f"debootstrap makes a minimal Debian ({suite})", status == 0, output)
        if status == 0:
            os.chmod(base + "/root", 0o700)
        return status == 0

    def tree(self, suite, name):
        return Tree(f"{self.work}/{suite}", f"{machine.BUILD}/debs-{suite}", name)

    def leaves_off(self, tree, what):
        new = "\n".join(tree.newly_enabled())
        self.keep(f"after {what} nothing is enabled that was not before", not new, new)

    def check(self):
        """Its output is shown: the last line counts its tests."""
        tree = self.tree("bookworm", "check")
        status, _ = tree.run("make", "check", stdout=None)
        if status != 0:
            shutil.copytree(f"{tree.root}/root/cloudinvite/build/logs", f"{machine.BUILD}/logs-newcomer",
                            dirs_exist_ok=True)
        self.keep("make check is the first command, and succeeds", status == 0, "see above, and build/logs-newcomer")
        self.leaves_off(tree, "make check")

    def demo(self):
        tree = self.tree("bookworm", "demo")
        status, output = tree.run("make", "demo")
        self.keep("make demo is the first command, and succeeds", status == 0, output)
        self.keep("it says beforehand how much it installs",
                  re.search(r"^packaging/deps: build demo: \d+ packages will be installed: \S+ MB to download", output,
                            re.M), output)
        self.keep("it installs nothing that a demo has no use for", not tree.has(NOT_FOR_A_DEMO),
                  tree.has(NOT_FOR_A_DEMO))
        self.leaves_off(tree, "make demo")
        shutil.rmtree(tree.root)

    def deb(self):
        tree = self.tree("bookworm", "deb")
        status, output = tree.run("make", "deb")
        self.keep("make deb is the first command, and succeeds", status == 0, output)
        self.keep("it installs nothing that does not build packages", not tree.has(NOT_FOR_A_DEB),
                  tree.has(NOT_FOR_A_DEB))
        self.leaves_off(tree, "make deb")
        shutil.rmtree(tree.root)

    def beside(self, bookworm, trixie):
        if bookworm:
            self.demo()
            self.deb()
        if trixie:
            self.short()

    def short(self):
        """The suite that is not this machine's: the demo first, then what building alone shows."""
        if not self.bootstrap("trixie"):
            return
        tree = self.tree("trixie", "short")
        status, output = tree.run("make", "demo")
        self.keep("make demo is the first command, and succeeds", status == 0, output)
        status, output = tree.run("sh", "-c", "packaging/deps package && make -j2 WERROR=1 all tests")
        self.keep("all of it builds with what packages are built with, without a warning", status == 0, output)
        self.leaves_off(tree, "these")
        status, output = tree.run("apt-get", "install", "-qq", "-y", "--no-install-recommends", *HELD_KEYS)
        self.keep("what holds keys on Debian 13 is installed", status == 0, output)
        status, output = tree.run("make", "WERROR=1", "check-unit")
        self.keep("the unit and module tests pass", status == 0, output)
        status, output = tree.run("python3", "tests/e2e/test_held_keys.py")
        self.keep("keys in a PKCS#11 token and in a TPM are used through OpenSSL's providers",
                  status == 0 and "SKIP" not in output, output)


def main():
    suites = sys.argv[1:]
    if not suites or set(suites) - set(machine.SUITES):
        sys.exit(f"usage: tests/system/newcomer.py {' '.join(f'[{suite}]' for suite in machine.SUITES)}")
    for suite in suites:
        os.makedirs(f"{machine.BUILD}/debs-{suite}", exist_ok=True)
    with machine.Root() as work:
        newcomer = Newcomer(work)
        there = "bookworm" in suites and newcomer.bootstrap("bookworm")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            begun = [pool.submit(newcomer.check)] if there else []
            begun += [pool.submit(newcomer.beside, there, "trixie" in suites)]
            for one in begun:
                one.result()
    print(f"newcomer: {newcomer.passed} passed, {newcomer.failed} failed")
    return 1 if newcomer.failed else 0


if __name__ == "__main__":
    sys.exit(main())
