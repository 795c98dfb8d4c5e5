#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Shows I15 (docs/design.md, "Invariants").
"""The units in a booted Debian: all steps under their filters, where a forbidden call kills instead of being refused;
what the processes may do; what systemd does when they die or hang; and a machine that loses power meanwhile.

    test_units_booted.py bookworm|trixie

The programs are those built here; the libraries, which make their system calls, are those of that Debian. Google is
emulated outside of the machine. Needs root, systemd-nspawn, a Debian 12 and a Debian mirror. Prints TAP.
"""
import os
import re
import sys
import time

import nspawn

sys.path.insert(0, os.path.join(nspawn.SOURCE, "tests", "e2e"))
from harness import Emulator  # pylint: disable=wrong-import-position

NAMES = ("collector", "dispatcher")
WORST = {"collector": 0.4, "dispatcher": 1.2}  # the worst allowed score of systemd-analyze
PEOPLE = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan")
SETTINGS = """
[google]
customer = {google.customer}
subject = {google.subject}
credentials = /etc/cloudinvite/private/google.json
ca_file = /etc/cloudinvite/ca.pem
endpoint = {endpoint}
token_endpoint = {google.url}/token
requests_per_minute = 0
[people]
address = {{user}}@example.com
domains = example.com
[invitations]
mode = send
creation_delay = 1s
resync_interval = 5s
"""
# A forbidden call kills, a late program is noticed at once, and a dead one is restarted soon.
STRICT = "[Service]\nSystemCallErrorNumber=kill\nWatchdogSec=4s\nRestartSec=1s\n"
PROBE = "[Service]\nExecStartPost=-/usr/bin/perl /usr/local/lib/probe\n"
# Runs inside the unit's isolation, like what the unit starts: prints its properties, and tries to write everywhere.
PROBING = r"""
use strict; use warnings; use Socket; use Fcntl;
$| = 1;
open my $status, '<', '/proc/self/status' or die;
while (<$status>) { s/\s+/ /g, print "probe $_\n" if /^(Cap\w+|NoNewPrivs|Seccomp|Uid):/ }
my %families = (inet => AF_INET, inet6 => AF_INET6, netlink => 16, packet => 17, bluetooth => 31);
for my $name (sort keys %families) {
	print "probe socket $name ", (socket(my $s, $families{$name}, SOCK_DGRAM, 0) ? 'yes' : 'no'), "\n";
}
my %seen;
sub try {
	my ($path) = @_;
	return if $path =~ m{^/(proc|sys)(/|$)};
	my @stat = lstat $path or return;
	if (-f _) {
		sysopen(my $f, $path, O_WRONLY | O_APPEND | O_NONBLOCK) and print "probe writes $path\n";
		return;
	}
	return if !-d _;
	opendir my $dir, $path or do { print "probe shut out of $path\n"; return };
	return if $seen{"$stat[0]:$stat[1]"}++;
	my $mine = ($path eq '/' ? '' : $path) . "/.probe$$";
	if (sysopen my $f, $mine, O_WRONLY | O_CREAT | O_EXCL) {
		print "probe writes $path/\n";
		unlink $mine;
	}
	try(($path eq '/' ? '' : $path) . "/$_") for grep { !/^\.\.?$/ } readdir $dir;
}
try('/');
print "probe done\n";
"""
# A private /tmp, the world-writable paths of /dev and /run, and its own.
COMMON = {"/tmp/", "/var/tmp/", "/dev/shm/", "/dev/mqueue/", "/run/lock/"}
OWN = {"collector": ("/var/lib/cloudinvite/", "/run/cloudinvite/collector."),
       "dispatcher": ("/var/lib/cloudinvite/", "/var/cache/cloudinvite/",
                      "/run/cloudinvite/dispatcher.")}
# The other program's files, from the first start on.
SHUT = {"collector": "/var/cache/cloudinvite", "dispatcher": "/var/spool/cloudinvite"}


def become(name):
    return (f"setpriv --reuid=cloudinvite-{name} --regid=cloudinvite-{name} "
            "--groups=cloudinvite-ledger")


class Journey:
    """A machine, and Google outside of it."""

    def __init__(self, debian, google):
        self.debian, self.google = debian, google

    def furnish(self):
        self.debian.install_tree()
        for name in ("credentials.json", "ca.pem"):
            with open(self.google.file(name), "rb") as file:
                self.debian.put("/etc/cloudinvite/" + name.replace("credentials", "private/google"),
                                file.read())
        self.settings(self.google.url)
        self.debian.put("/usr/local/lib/probe", PROBING)
        for name in NAMES:
            self.debian.put(f"/etc/systemd/system/cloudinvite-{name}.service.d/probe.conf", PROBE)
        self.debian.boot()
        self.debian.do("chown root:cloudinvite-dispatcher /etc/cloudinvite/private/google.json; "
                       "chmod 640 /etc/cloudinvite/private/google.json; useradd -m carol; useradd -m grace;"
                       "systemctl disable --now cloudinvite-collector cloudinvite-dispatcher "
                       "cloudinvite-keeper.socket cloudinvite-keeper;"
                       "rm -rf /var/*/cloudinvite /run/cloudinvite")

    def settings(self, endpoint):
        self.debian.put("/etc/cloudinvite/cloudinvite.conf",
                        SETTINGS.format(google=self.google, endpoint=endpoint))

    def pid(self, name):
        number = int(self.debian.do(f"systemctl show -P MainPID cloudinvite-{name}"))
        assert number > 1, f"the {name} does not run"
        return number

    def becomes(self, who, state):
        self.debian.wait(f"cloudinvite status --json {who}@example.com | grep '\"state\":\"{state}\"'")

    def mailed(self, *people):
        counts = self.google.mailbox()["counts"]
        assert counts == {f"{who}@example.com": 1 for who in people}, counts

    def said(self, name, what="", since="-b"):
        text = self.debian.do(f"journalctl --no-pager -o cat {since} -u cloudinvite-{name}")
        return [line for line in text.splitlines() if what in line]

    # As shipped.

    def start_as_shipped(self):
        """One after the other: what the other one owns does not exist yet when the first one starts."""
        for name in NAMES:
            self.debian.do(f"systemctl start cloudinvite-{name}")
            self.debian.wait(f"journalctl -u cloudinvite-{name} -o cat | grep '^probe done'")

    def no_capability(self):
        for name in NAMES:
            status = self.debian.do(f"cat /proc/{self.pid(name)}/status")
            for line in ("CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "Seccomp:\t2",
                         "CapBnd:\t0000000000000000", "CapInh:\t0000000000000000", "NoNewPrivs:\t1",
                         "CapAmb:\t0000000000000000"):
                assert line in status, f"{name}: no {line} in\n{status}"
            assert not re.search(r"^Uid:.*\b0\b", status, re.M), status

    def keeper(self):
        """It is root without root's powers, and the spool is its own."""
        status = self.debian.do(f"cat /proc/{self.pid('keeper')}/status")
        for line in ("CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "Seccomp:\t2",
                     "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"):
            assert line in status, f"the keeper: no {line} in\n{status}"
        modes = self.debian.do("stat -c '%U:%G %a' /var/spool/cloudinvite /var/spool/cloudinvite/*/")
        assert set(modes.splitlines()) == {"root:root 700"}, modes
        assert self.debian.do("stat -c '%U:%G %a' /run/cloudinvite-keeper/socket").split() == [
            "root:cloudinvite-collector", "660"]
        status, said = self.debian.run(
            f"nsenter -t {self.pid('collector')} -m {become('collector')} ls /var/spool/cloudinvite")
        assert status == 2, f"the spool is open to the collector: {said}"
        self.debian.do("ls -l /proc/1/fd | grep -q /var/spool/cloudinvite/pin")

    def sockets(self):
        for name, allowed in (("collector", set()), ("dispatcher", {"inet", "inet6"})):
            got = {line.split()[2] for line in self.said(name, "probe socket") if line.endswith("yes")}
            assert got == allowed, f"the {name} gets sockets {sorted(got)}"
        networks = self.debian.do(f"readlink /proc/1/ns/net /proc/{self.pid('collector')}/ns/net")
        assert len(set(networks.split())) == 2, networks

    def writes(self, name):
        wrote = {line.split(" ", 2)[2] for line in self.said(name, "probe writes ")}
        strange = {path for path in wrote if path not in COMMON and not path.startswith(OWN[name])
                   and not path.startswith(("/tmp/", "/var/tmp/"))}
        assert wrote and not strange, sorted(strange)
        status, said = self.debian.run(
            f"nsenter -t {self.pid(name)} -m {become(name)} ls {SHUT[name]}")
        assert status == 2, f"{SHUT[name]} is open to it: {said}"

    def exposure(self, name):
        said = self.debian.do(f"systemctl cat cloudinvite-{name} >/dev/null;"
                              f"systemd-analyze security --no-pager cloudinvite-{name}")
        level = float(re.search(r"level for \S+: ([\d.]+)", said)[1])
        print(f"# {self.debian.suite}: the {name}'s exposure is {level}", flush=True)
        assert level <= WORST[name], said

    def apart(self):
        """The collector's account may not read what is the dispatcher's, and its isolation hides it, even for the
        dispatcher's account and for later files; nothing leads into the dispatcher.
        """
        self.debian.do("cp -p /etc/cloudinvite/private/google.json /etc/cloudinvite/private/later.json")
        other = f"/proc/{self.pid('dispatcher')}"
        inside = f"nsenter -t {self.pid('collector')} -m "
        drop = " --bounding-set=-all --inh-caps=-all "
        secrets = ("/etc/cloudinvite/private/google.json", "/etc/cloudinvite/private/later.json",
                   "/var/lib/cloudinvite/private/.", "/var/cache/cloudinvite/.")
        doors = (f"{other}/root/etc/cloudinvite/cloudinvite.conf", f"{other}/environ", f"{other}/fd/0")
        for walls, name, paths in ((inside, "collector", secrets + doors),
                                   (inside, "dispatcher", secrets + doors),
                                   ("", "collector", secrets + doors), ("", "dispatcher", doors)):
            as_it = walls + become(name) + drop
            self.debian.do(as_it + "cat /etc/cloudinvite/cloudinvite.conf /etc/passwd")
            for path in paths:
                status, said = self.debian.run(as_it + "ls -l " + path + "/. 2>&1; " + as_it + "cat " + path)
                assert status != 0 and "total" not in said, f"{path} is open to the {name}: {said}"

    def unreadable(self):
        """A program that its account cannot read is closed from its first instruction; one that it can read is not."""
        mode = self.debian.do("stat -c %a $(command -v cloudinvite-dispatcher)").strip()
        for wanted, mode in ((True, "755"), (False, mode)):
            self.debian.do(f"install -m {mode} /bin/sleep /usr/local/lib/sleeper; systemd-run --quiet "
                           "--unit=sleeper -p User=cloudinvite-dispatcher -p NoNewPrivileges=yes "
                           "-p CapabilityBoundingSet= /usr/local/lib/sleeper 60")
            self.debian.wait("grep sleeper /proc/$(systemctl show -P MainPID sleeper)/comm")
            status, _ = self.debian.run(
                f"{become('dispatcher')} --inh-caps=-all --bounding-set=-all "
                "ls /proc/$(systemctl show -P MainPID sleeper)/root/etc")
            self.debian.do("systemctl stop sleeper")
            assert (status == 0) == wanted, f"mode {mode}: {status}"

    # Under filters that kill.

    def kills(self):
        said = self.debian.run(
            "systemd-run --wait -p SystemCallFilter=@system-service -p SystemCallErrorNumber=kill "
            "-p 'SystemCallFilter=~@privileged @resources' chroot / true")[1]
        assert "SYS" in said, said

    def restart_strictly(self):
        for name in NAMES:
            self.debian.do(f"rm /etc/systemd/system/cloudinvite-{name}.service.d/probe.conf")
            self.debian.put(f"/etc/systemd/system/cloudinvite-{name}.service.d/strict.conf", STRICT)
        self.debian.put("/etc/systemd/system/cloudinvite-keeper.service.d/strict.conf",
                        "[Service]\nSystemCallErrorNumber=kill\n")
        self.debian.do("systemctl daemon-reload; systemctl enable cloudinvite-collector "
                       "cloudinvite-dispatcher; systemctl restart cloudinvite-keeper "
                       "cloudinvite-collector cloudinvite-dispatcher; pam-auth-update --enable cloudinvite;"
                       "grep -q pam_cloudinvite /etc/pam.d/common-session")

    def account(self):
        self.debian.do("useradd -m alice")
        self.becomes("alice", "invited")

    def prepare_ssh(self):
        self.debian.do("mkdir -p /run/sshd /home/carol/.ssh /home/grace/.ssh && ssh-keygen -qA && "
                       "ssh-keygen -q -t ed25519 -N '' -f /root/key && "
                       "for who in carol grace; do cp /root/key.pub /home/$who/.ssh/authorized_keys; "
                       "chown -R $who: /home/$who; done; "
                       "systemctl disable --now ssh.socket 2>/dev/null; systemctl restart ssh")

    def login(self, who):
        said = self.debian.do("ssh -i /root/key -o StrictHostKeyChecking=no -o BatchMode=yes "
                              f"-o UserKnownHostsFile=/dev/null {who}@127.0.0.1 id -un")
        assert said.split()[-1] == who, said

    def first_login(self):
        self.prepare_ssh()
        self.login("carol")
        self.becomes("carol", "invited")

    def outcome(self):
        self.google.accept("alice@example.com")
        self.google.decline("carol@example.com")
        self.becomes("alice", "accepted")
        self.becomes("carol", "declined")
        self.mailed("alice", "carol")

    def resolve(self, hosts, who):
        """By name, and with reloaded settings."""
        self.debian.do(f"sed -i 's/^hosts:.*/hosts: {hosts}/' /etc/nsswitch.conf; "
                       "systemctl restart systemd-resolved")
        self.settings(f"https://cloudidentity.googleapis.com:{self.google.port}")
        self.debian.do("grep -q cloudidentity /etc/hosts || "
                       "echo '127.0.0.1 cloudidentity.googleapis.com' >>/etc/hosts; "
                       "systemctl reload cloudinvite-collector; systemctl restart cloudinvite-dispatcher;"
                       f"useradd -m {who}")
        self.becomes(who, "invited")

    def reload(self):
        """An error is reported and the old settings stay; then the new ones are used."""
        self.debian.put("/etc/cloudinvite/conf.d/wrong.conf", "[google]\nno_such_key = 1\n")
        try:
            self.debian.do("systemctl reload cloudinvite-dispatcher")
            self.debian.wait("journalctl -u cloudinvite-dispatcher -o cat | grep no_such_key")
        finally:
            self.debian.do("rm /etc/cloudinvite/conf.d/wrong.conf")
        self.debian.do("systemctl reload cloudinvite-dispatcher; useradd -m erin")
        self.becomes("erin", "invited")
        self.settings(self.google.url)

    def no_restart(self):
        for name in NAMES:
            assert self.debian.do(f"systemctl show -P NRestarts cloudinvite-{name}").strip() == "0"
            assert not self.said(name, "SYS"), self.said(name)

    # They die and hang.

    def back(self, name, old):
        self.debian.wait(f"pid=$(systemctl show -P MainPID cloudinvite-{name}); [ $pid != {old} ] && "
                         f"[ $pid != 0 ] && systemctl is-active cloudinvite-{name}")

    def killed(self, name):
        old = self.pid(name)
        self.debian.do(f"kill -KILL {old}")
        self.back(name, old)

    def hangs(self, name):
        old = self.pid(name)
        self.debian.do(f"kill -STOP {old}")
        self.back(name, old)
        assert self.said(name, "atchdog"), self.said(name)

    def patient(self):
        """Nothing to do for longer than the watchdog waits."""
        before = [self.pid(name) for name in NAMES]
        time.sleep(5)
        assert before == [self.pid(name) for name in NAMES]

    def stops(self):
        began = time.monotonic()
        self.debian.do("systemctl stop cloudinvite-collector cloudinvite-dispatcher")
        assert time.monotonic() - began < 10
        for name in NAMES:
            assert self.debian.do(f"systemctl show -P Result cloudinvite-{name}").strip() == "success"

    # The machine loses power.

    def switched_off(self):
        """One arrival while the collector is down; one person whose request Google does not answer."""
        self.debian.do("systemctl start cloudinvite-collector cloudinvite-dispatcher")
        self.google.latency({"route": "check", "ms": 20000})
        self.debian.do("useradd -m frank")
        self.debian.wait("cloudinvite status --json frank@example.com | grep '\"user\":\"frank\"'")
        self.debian.do("systemctl kill --signal=KILL cloudinvite-collector; "
                       "systemctl stop cloudinvite-collector")
        self.login("grace")
        self.debian.crash()
        self.google.latency({"route": "check", "ms": 0})
        self.debian.boot()
        self.becomes("frank", "invited")
        self.becomes("grace", "invited")

    def rebooted(self):
        self.debian.reboot()
        for name in NAMES:
            self.debian.wait(f"systemctl is-active cloudinvite-{name}")
        self.debian.do("useradd -m heidi")
        self.becomes("heidi", "invited")
        self.becomes("alice", "accepted")

    def nobody_twice(self):
        self.mailed("alice", "carol", "bob", "dave", "ivan", "erin", "frank", "grace", "heidi")
        self.no_restart()


def travel(steps, journey):
    if not steps.promise("it is installed, and boots", journey.furnish):
        return
    nspawn.each(steps, journey.debian,
                "journalctl --no-pager -b -u 'cloudinvite-*' | grep -v probe; cloudinvite status", (
        ("as shipped, they start for the first time", journey.start_as_shipped),
        ("they have no capability and can get none", journey.no_capability),
        ("the keeper is root without powers, and the spool is its own", journey.keeper),
        ("the collector has no network, the dispatcher no more than it needs", journey.sockets),
        ("the collector can write its own places only", journey.writes, "collector"),
        ("the dispatcher can write its own places only", journey.writes, "dispatcher"),
        ("the collector sees no credential and does not get into the dispatcher", journey.apart),
        ("the dispatcher is shut from its first instruction on", journey.unreadable),
        ("the collector's exposure", journey.exposure, "collector"),
        ("the dispatcher's exposure", journey.exposure, "dispatcher"),
        ("a forbidden call kills here", journey.kills),
        ("they start where it does", journey.restart_strictly),
        ("an account is created: its owner is invited", journey.account),
        ("a first login through the machine's own sshd and PAM", journey.first_login),
        ("accepted and declined are found out, nobody mailed twice", journey.outcome),
        ("names are resolved by files", journey.resolve, "files", "bob"),
        ("names are resolved by nss-resolve", journey.resolve, "resolve", "dave"),
        ("names are resolved by DNS", journey.resolve, "dns", "ivan"),
        ("settings are read again", journey.reload),
        ("no filter killed, none was restarted", journey.no_restart),
        ("a killed collector is started again", journey.killed, "collector"),
        ("a killed dispatcher is started again", journey.killed, "dispatcher"),
        ("a killed keeper is started again", journey.killed, "keeper"),
        ("a collector that hangs is killed and started again", journey.hangs, "collector"),
        ("a dispatcher that hangs is killed and started again", journey.hangs, "dispatcher"),
        ("with nothing to do they honour the watchdog", journey.patient),
        ("they stop when they are asked to", journey.stops),
        ("power loss: no person is lost", journey.switched_off),
        ("after a reboot in order they are there and know what they knew", journey.rebooted),
        ("no person was mailed twice, nothing was killed by a filter", journey.nobody_twice)))


def main():
    suite = nspawn.suite_of_arguments("the units in a booted Debian")
    steps = nspawn.Steps()
    if nspawn.make_image(steps, suite):
        nspawn.own_network()
        with Emulator(nspawn.accounts(PEOPLE)) as google, nspawn.Machine(suite) as debian:
            travel(steps, Journey(debian, google))
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
