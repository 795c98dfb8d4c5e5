#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""packaging/deps leaves nothing running: in a booted Debian 12 the same units, except systemd's own, are enabled and
active before and after it has installed the packages of the demo, the tests and the packaging. Needs root, debootstrap
and a Debian mirror. Prints TAP.
"""
import os
import re
import shutil
import sys

import nspawn

SUITE = "bookworm"
BROUGHT = ("ssh.service", "nginx.service", "prometheus.service", "prometheus-node-exporter.service")
ENABLED = "systemctl list-unit-files --no-legend --state=enabled,enabled-runtime"
ACTIVE = "systemctl list-units --no-legend --plain --state=active --type=service,socket,timer,path"
CRON = "find /etc/cron.* -type f ! -name '*.*' | sort"
# Runs the real apt-get, and then sends the Ctrl-C.
INTERRUPTING = """#!/bin/sh
/usr/bin/apt-get "$@"
status=$?
case "$*" in *print-uris*) ;; *) kill -INT $PPID ;; esac
exit $status
"""


# apt needs a network with a way out; the booted machine has another one.
OUTSIDE = os.open("/proc/self/ns/net", os.O_RDONLY)


def enter(root, script):
    """A shell script in a tree that is not booted, with this machine's network."""
    return nspawn.run(
        "nsenter", f"--net=/proc/{os.getpid()}/fd/{OUTSIDE}", "unshare", "--mount", "--pid", "--fork", "--kill-child",
        "sh", "-c",
        'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"', root,
        "env", "-i", *[f"{name}={value}" for name, value in nspawn.ENVIRONMENT.items()], "sh", "-c", script)


def must(root, script):
    status, output = enter(root, script)
    if status != 0:
        raise AssertionError(f"{script}\nended with {status}:\n{output[-4000:]}")
    return output


def names(output):
    return {line.split()[0] for line in output.splitlines() if line.strip()}


def foreign(debian, units):
    """The units that are not systemd's own."""
    left = set()
    for unit in units:
        script = f"""path=$(systemctl show --property=FragmentPath --value '{unit}')
            for path in "$path" "/usr$path" "${{path#/usr}}"; do
                dpkg-query -S "$path" 2>/dev/null && exit
            done | cut -d: -f1 | xargs -r dpkg-query -W -f '${{source:Package}}'"""
        if debian.run(script)[1].strip() != "systemd":
            left.add(unit)
    return left


def furnish(root):
    """The packages that packaging/deps needs there, and those that others have downloaded."""
    shutil.copy("/etc/resolv.conf", root + "/etc/resolv.conf")
    shutil.copytree(nspawn.SOURCE + "/packaging", root + "/packaging")
    nspawn.keep_packages(nspawn.downloaded(SUITE), root + "/var/cache/apt/archives")
    with open(root + "/etc/dpkg/dpkg.cfg.d/unsafe-io", "w", encoding="ascii") as file:
        file.write("force-unsafe-io\n")  # the tree is temporary


class Trial:
    def __init__(self, steps, debian):
        self.steps, self.debian = steps, debian
        self.before = {}
        self.said = ""

    def look(self):
        return {question: names(self.debian.do(question)) for question in (ENABLED, ACTIVE, CRON)}

    def installs(self):
        furnish(self.debian.root)
        self.said = must(self.debian.root, "/packaging/deps demo test package 2>&1")

    def says_how_much(self):
        if not re.search(r"^packaging/deps: demo test package: \d+ packages will be installed: "
                         r"[\d.]+ [kM]?B to download, [\d.]+ [kMG]B on disk$", self.said, re.M):
            raise AssertionError(self.said[:3000])

    def nothing_is_missing(self):
        output = must(self.debian.root, "/packaging/deps --missing demo test package")
        if output:
            raise AssertionError(output)

    def an_upgrade_leaves_it_off(self):
        must(self.debian.root, "cd /usr/sbin && printf '#!/bin/sh\nexit 101\n' >policy-rc.d && chmod 755 policy-rc.d"
                               " && dpkg-reconfigure openssh-server && rm policy-rc.d")

    def same(self, question):
        now = self.look()[question]
        more, less = now - self.before[question], self.before[question] - now
        if question != CRON:
            more = foreign(self.debian, more)
        if more or less:
            raise AssertionError(f"new: {sorted(more)}, gone: {sorted(less)}")

    def brought_units_can_be_started(self):
        """They are installed, and only disabled."""
        for unit in BROUGHT:
            state = self.debian.run(f"systemctl is-enabled {unit}")[1].strip()
            if state != "disabled":
                raise AssertionError(f"{unit} is {state}")

    def an_interrupt(self):
        with nspawn.Root() as root:
            nspawn.Machine.must("tar", "-C", root, "-xpf", nspawn.image(SUITE, nspawn.PLAIN)[0])
            furnish(root)
            with open(root + "/usr/local/sbin/apt-get", "w", encoding="ascii") as file:
                file.write(INTERRUPTING)
            os.chmod(root + "/usr/local/sbin/apt-get", 0o755)
            status, output = enter(root, "/packaging/deps demo")
            left = [path for path in ("/etc/systemd/system/sshd.service", "/usr/sbin/policy-rc.d",
                                      "/etc/systemd/system/multi-user.target.wants/ssh.service")
                    if os.path.lexists(root + path)]
            if status != 130 or left or not os.path.exists(root + "/usr/sbin/sshd"):
                raise AssertionError(f"ended with {status}, left {left}:\n{output[-2000:]}")


def main():
    nspawn.skip_where_impossible("packaging/deps leaves nothing on")
    steps = nspawn.Steps()
    if not nspawn.make_image(steps, SUITE, nspawn.PLAIN):
        return steps.end()
    nspawn.own_network()
    with nspawn.Machine(SUITE, nspawn.PLAIN) as debian:
        trial = Trial(steps, debian)
        debian.boot()
        trial.before = trial.look()
        debian.stop()
        steps.promise("the packages of demo, test and package are installed", trial.installs)
        steps.promise("it says beforehand how much that is", trial.says_how_much)
        steps.promise("nothing is missing afterwards", trial.nothing_is_missing)
        steps.promise("a package is configured again, as by an upgrade", trial.an_upgrade_leaves_it_off)
        steps.promise("they are off, too, when the installation is interrupted", trial.an_interrupt)
        debian.boot()
        steps.promise("the same units are enabled as before, but for systemd's own", trial.same, ENABLED)
        steps.promise("the same units are active as before, but for systemd's own", trial.same, ACTIVE)
        steps.promise("cron has the same to do as before", trial.same, CRON)
        steps.promise("the servers that were brought are there, and disabled", trial.brought_units_can_be_started)
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
