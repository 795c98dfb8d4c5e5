#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ways out of the units' isolation in a booted Debian that has dbus, polkit, libpam-systemd, sshd, cron and at, as
servers have: programs outside of the isolation that act on a file or a request from inside. Each way is tried as the
collector and as the dispatcher within their units, and as their accounts outside of them. An ordinary user, who has
the same way, shows that it would work.

    test_escapes.py bookworm|trixie

Google is emulated outside of the machine. Needs root, systemd-nspawn, a Debian 12, a C compiler and a Debian mirror.
Prints TAP.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

import nspawn

sys.path.insert(0, os.path.join(nspawn.SOURCE, "tests", "e2e"))
from harness import Emulator  # pylint: disable=wrong-import-position

NAMES = ("collector", "dispatcher")
PEOPLE = ("alice", "bob")
CONTROL = "mallory"  # an ordinary user
SETTINGS = """
[google]
customer = {google.customer}
subject = {google.subject}
key = pkcs11:token=cloudinvite;object=inviter?pin-source=file:/etc/cloudinvite/private/pin
service_account = {account}
key_id = f00d
ca_file = /etc/cloudinvite/ca.pem
endpoint = {google.url}
token_endpoint = {google.url}/token
requests_per_minute = 0
[people]
address = {{user}}@example.com
domains = example.com
[invitations]
mode = send
creation_delay = 1s
"""
# Below each directory that a program can write, and below its home: files that others would read there.
DOT_FILES = {
    ".config/systemd/user/evil.service":
        "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'id -un >>/var/tmp/evil'\n",
    ".config/pkcs11/modules/evil.module": "module: {place}/evil.so\n",
    ".config/pkcs11/pkcs11.conf": "user-config: only\n",
    ".config/softhsm2/softhsm2.conf": "directories.tokendir = {place}/tokens\n",
    ".config/opensc/opensc.conf": "app default {{ card_drivers = evil; }}\n",
    ".config/tpm2-tss/fapi-config.json": "{{}}\n",
    ".tpm2_pkcs11/tpm2_pkcs11.sqlite3": "",
    "openssl.cnf": "openssl_conf = evil\n[evil]\nengines = e\n[e]\ne = e\n[e]\ndynamic_path = {place}/evil.so\n",
    ".ssh/authorized_keys": "{key}",
    ".ssh/rc": "id -un >>/var/tmp/evil\n",
    ".forward": "|/bin/sh -c 'id -un >>/var/tmp/evil'\n",
}
# A module that no program may load: it leaves a file where the dispatcher can write.
MODULE = r"""
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void leave(void)
{
	close(open("/var/cache/cloudinvite/loaded", O_WRONLY | O_CREAT, 0600));
}
"""
# Puts a copy of itself into each named directory, maps it as code and executes it; then does the same with a file
# without a file system. Prints what succeeded.
RUNNER = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char code[1 << 21];
static ssize_t length;

static void run(int fd, const char *place)
{
	char path[64], *const none[] = {NULL};
	pid_t child;
	int status = 1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED)
		printf("maps %s\n", place);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		execve(path, (char *const[]){(char *)"ran", NULL}, none);
		_exit(1);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
		printf("runs %s\n", place);
}

int main(int argc, char **argv)
{
	char path[4096];
	int fd = argc > 1 ? open("/usr/local/lib/runner", O_RDONLY) : -1;

	if (fd < 0)
		return argc > 1;
	length = read(fd, code, sizeof(code));
	for (int i = 1; i < argc; i++) {
		snprintf(path, sizeof(path), "%s/.ran", argv[i]);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0755);
		if (fd < 0)
			continue;
		if (write(fd, code, (size_t)length) == length && close(fd) == 0) {
			printf("writes %s\n", argv[i]);
			fd = open(path, O_RDONLY);
			run(fd, argv[i]);
		}
		close(fd);
		unlink(path);
	}
	fd = memfd_create("ran", 0);
	if (fd >= 0 && write(fd, code, (size_t)length) == length) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		run(open(path, O_RDONLY), "memory");
	}
	printf("tried\n");
	return 0;
}
"""
# Prints the sockets on its input to which this process can connect, one on each line.
SOCKETS = r"""
use strict; use warnings; use Socket;
while (my $path = <STDIN>) {
	chomp $path;
	next if !-S $path; # find believes the directory, which has a plain file where one is mounted
	for my $type (SOCK_STREAM, SOCK_DGRAM, 5) {
		socket(my $s, AF_UNIX, $type, 0) or next;
		connect($s, sockaddr_un($path)) and print("reaches $path\n"), last;
	}
}
print "looked\n";
"""
# What stays allowed: journal and notifications for both; the resolver for the dispatcher; NSS for the collector.
REACHES = {
    "collector": r"/dev/log|/run/systemd/(notify|journal/.*|userdb/.*)|/run/cloudinvite(-keeper)?/.*",
    "dispatcher": r"/dev/log|/run/systemd/(notify|journal/.*|resolve/.*)|/run/cloudinvite/.*",
}
# The dispatcher's own files in the directories that it can write.
OWN_FILES = re.compile(
    r"/(var/lib|var/cache|run)/cloudinvite(/?|/(ledger\.db(-wal|-shm|-journal)?|blocks(/[^/]*)?|token[^/]*|"
    r"last-(mail|request)[^/]*|pin-refused-[^/]*|commands\.wake|collector[^/]*|dispatcher[^/]*|metrics[^/]*|"
    r"private(/[^/]*)?|\.?[^/.]+\.new))$")
WRITABLE = ("/var/lib/cloudinvite", "/var/cache/cloudinvite", "/run/cloudinvite", "/var/spool/cloudinvite",
            "/tmp", "/var/tmp", "/dev/shm", "/run/lock")


class Escapes:
    """A machine, and Google outside of it."""

    def __init__(self, debian, google):
        self.debian, self.google = debian, google
        self.accounts = {}  # the account of each program, from its unit

    # ---- the machine ----

    def furnish(self):
        self.debian.install_tree()
        with open(self.google.file("ca.pem"), "rb") as file:
            self.debian.put("/etc/cloudinvite/ca.pem", file.read())
        with tempfile.TemporaryDirectory(prefix="cloudinvite-escapes.") as folder:
            for name, source, options in (("runner", RUNNER, ["-static"]),
                                          ("evil.so", MODULE, ["-shared", "-fPIC"])):
                subprocess.run(["cc", *options, "-o", f"{folder}/{name}", "-x", "c", "-"], check=True,
                               input=source, text=True)
                with open(f"{folder}/{name}", "rb") as file:
                    self.debian.put(f"/usr/local/lib/{name}", file.read(), 0o755)
        self.debian.put("/usr/local/lib/sockets.pl", SOCKETS)
        self.debian.boot()
        for name in NAMES:
            self.accounts[name] = self.debian.do(f"systemctl show -P User cloudinvite-{name}").strip()
        # As docs/install.md says, and the packages do.
        self.debian.do("/usr/share/cloudinvite/close-accounts")
        self.debian.do(f"useradd -m -s /bin/bash {CONTROL}; mkdir -p /run/sshd; ssh-keygen -qA;"
                       "ssh-keygen -q -t ed25519 -N '' -f /root/key;"
                       "systemctl disable --now ssh.socket 2>/dev/null; systemctl restart ssh")

    def settle(self):
        """Both programs run, and the dispatcher has signed once with the key in the token."""
        self.debian.do("usermod -aG softhsm " + self.accounts["dispatcher"])
        user = shlex.quote(self.accounts["dispatcher"])
        p11 = "pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label cloudinvite"
        become = f"setpriv --reuid={user} --regid=softhsm --clear-groups env HOME=/nonexistent"
        self.debian.do(
            f"{become} sh -c 'umask 007; softhsm2-util --init-token --free --label cloudinvite "
            f"--so-pin 4321 --pin 482913' && {become} {p11} --login --pin 482913 --keypairgen "
            f"--key-type rsa:2048 --id 01 --label inviter && {p11} --read-object --type pubkey --id 01 "
            "-o /root/public.der && openssl pkey -pubin -inform der -in /root/public.der -out /root/public.pem "
            f"&& install -m 640 -g {user} /dev/null /etc/cloudinvite/private/pin "
            "&& echo 482913 >/etc/cloudinvite/private/pin")
        with open(self.debian.root + "/root/public.pem", encoding="ascii") as file:
            account = dict(self.google.state()["service_accounts"][0],
                           keys=[{"kid": "f00d", "public_key": file.read()}])
        self.google.state({"service_accounts": [account]})
        self.debian.put("/etc/cloudinvite/cloudinvite.conf",
                        SETTINGS.format(google=self.google, account=account["email"]))
        self.debian.do("d=/etc/systemd/system/cloudinvite-dispatcher.service.d; mkdir -p $d; "
                       "cp /usr/share/doc/cloudinvite/systemd/softhsm.conf $d; systemctl daemon-reload; "
                       "systemctl restart cloudinvite-collector cloudinvite-dispatcher")
        # Accounts that exist before the baseline are not new.
        self.debian.wait("journalctl -b -u cloudinvite-collector -o cat | grep baseline", 40)
        self.invite("alice")

    def invite(self, who):
        self.debian.do(f"useradd -m {who}")
        self.debian.wait(f"cloudinvite status --json {who}@example.com | grep '\"state\":\"invited\"'", 40)

    def within(self, name, script):
        """A shell script as a program's account, inside the isolation of its unit: its output."""
        unit = f"/run/systemd/system/attempt-{name}.service"
        self.debian.put("/usr/local/lib/attempt", script)
        self.debian.do(
            f"{{ sed -E '/^(ExecStart|ExecReload|Type=|Watchdog|Restart)/d' "
            f"$(systemctl show -P FragmentPath cloudinvite-{name}); printf '%s\n' '[Service]' Type=oneshot "
            "'ExecStart=/bin/sh /usr/local/lib/attempt' StandardOutput=truncate:/attempt "
            f"StandardError=inherit; }} >{unit}; systemctl daemon-reload")
        self.debian.run(f"systemctl start attempt-{name}")
        return self.debian.do("cat /attempt")

    def outside(self, account, script):
        """The same as an account outside of the isolation: exit status and output."""
        home = self.debian.do(f"getent passwd {account} | cut -d: -f6").strip()
        return self.debian.run(
            f"cd /; setpriv --reuid={account} --regid=$(id -g {account}) --init-groups "
            f"env HOME={home} sh -c {shlex.quote(script)}")

    # ---- what is planted ----

    def plant(self, place, owner):
        with open(self.debian.root + "/root/key.pub", encoding="ascii") as file:
            key = file.read()
        lines = [f"cp /usr/local/lib/evil.so {place}/evil.so"]
        for name, text in DOT_FILES.items():
            path = f"{place}/{name}"
            lines.append(f"mkdir -p {os.path.dirname(path)} && printf %s "
                         f"{shlex.quote(text.format(place=place, key=key))} >{path}")
        units = f"{place}/.config/systemd/user"
        lines.append(f"mkdir -p {units}/default.target.wants && "
                     f"ln -sf {units}/evil.service {units}/default.target.wants")
        return self.outside(owner, "; ".join(lines))

    def plant_everywhere(self):
        """Writes wherever an account can write, including its home. (In the spool the files would be arrivals, in
        SoftHSM's directory tokens.)
        """
        for account in sorted(set(self.accounts.values())):
            _, places = self.outside(account, "find / -xdev -path /proc -prune -o -path /sys -prune -o "
                                              "-type d -writable -print 2>/dev/null")
            assert "/var/lib/cloudinvite" in places, places
            for place in places.split():
                if not re.search(r"/\.(config|ssh|tpm2)|^/var/(spool/cloudinvite|lib/softhsm)", place):
                    self.plant(place, account)
            self.debian.do("test -e /var/lib/cloudinvite/.ssh/authorized_keys -a "
                           "-e /var/lib/cloudinvite/.config/pkcs11/modules/evil.module")

    def home(self):
        for account in set(self.accounts.values()):
            status, said = self.outside(account, "echo $HOME; test -w ~")
            assert status != 0, f"{account} can write its home {said}"

    # ---- what an ordinary user can do ----

    LINGER = ("busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager "
              "SetUserLinger ubb $(id -u) true false 2>&1; loginctl enable-linger 2>&1; true")
    JOBS = ("echo '* * * * * touch /var/tmp/cron-$(id -un)' | crontab -; "
            "echo 'touch /var/tmp/at-$(id -un)' | at now")
    REFUSED = "ccess denied|nteractive authentication"
    # logind 257 refuses every user, even root, with control groups of version 1, which may be used here.
    NO_ANSWER = "Protocol driver not attached"
    RESOLVE = ("busctl call org.freedesktop.resolve1 /org/freedesktop/resolve1 "
               "org.freedesktop.resolve1.Manager ResolveHostname isit 0 localhost 0 0 2>&1")

    def ssh(self, account, *options):
        """A session, or only a forwarded port: the exit status, 124 while the port is forwarded."""
        return self.debian.run(
            "timeout 8 ssh -i /root/key -o StrictHostKeyChecking=no -o BatchMode=yes "
            f"-o UserKnownHostsFile=/dev/null {' '.join(options)} {account}@127.0.0.1")

    def control(self):
        self.plant(f"/home/{CONTROL}", CONTROL)
        self.outside(CONTROL, "chmod 700 ~/.ssh; rm ~/.ssh/rc")
        _, said = self.outside(CONTROL, self.LINGER)
        if self.NO_ANSWER in said:
            self.force_manager(CONTROL)
        self.debian.wait(f"grep {CONTROL} /var/tmp/evil", 40)
        status, said = self.outside(CONTROL, self.RESOLVE)
        assert status == 0, said
        status, said = self.ssh(CONTROL, "-N", "-L", "2222:127.0.0.1:22")
        assert status == 124, f"{status}: {said}"
        self.end_manager(CONTROL)
        self.debian.do("rm -f /var/tmp/evil")
        self.outside(CONTROL, self.JOBS)
        self.debian.wait(f"test -e /var/tmp/at-{CONTROL}")

    # ---- H1a: the user manager ----

    def not_escaped(self):
        for account in set(self.accounts.values()):
            status, said = self.debian.run(
                f"grep -x {account} /var/tmp/evil; ls /var/lib/systemd/linger/{account} 2>/dev/null; "
                f"systemctl is-active user@$(id -u {account})")
            assert account not in said and status != 0, said

    def linger(self):
        for name in NAMES:
            self.within(name, self.LINGER)
            self.not_escaped()
            _, said = self.outside(self.accounts[name], self.LINGER)
            assert re.search(f"{self.REFUSED}|{self.NO_ANSWER}", said), said
            self.not_escaped()

    def force_manager(self, account):
        """Starts its user manager, as root: returns when that has started, or failed."""
        self.debian.run(f"loginctl enable-linger {account}; systemctl start user@$(id -u {account})")

    def end_manager(self, account):
        self.debian.run(f"loginctl disable-linger {account}; "
                        f"systemctl kill --signal=KILL user@$(id -u {account})")
        self.debian.wait(f"! systemctl is-active user@$(id -u {account})", 60)

    def forced_linger(self):
        """Even if root allows it to linger, its user manager finds nothing that it wrote."""
        for account in set(self.accounts.values()):
            self.force_manager(account)
            said = self.debian.run("sleep 3; cat /var/tmp/evil")[1]
            self.end_manager(account)
            assert account not in said, said

    # ---- D-Bus, polkit, sockets ----

    def bus(self):
        for name in NAMES:
            said = self.within(name, f"busctl list && echo reached; {self.RESOLVE} && echo resolved; "
                                     "systemctl list-units && echo listed; "
                                     "resolvectl query localhost && echo queried")
            wanted = {"dispatcher": ["queried"]}.get(name, [])
            got = [word for word in ("reached", "resolved", "listed", "queried") if word in said.split()]
            assert set(got) <= set(wanted), f"{name}: {got}\n{said}"

    def sockets(self):
        for name in NAMES:
            said = self.within(name, "find / -path /proc -prune -o -path /sys -prune -o ! -type d -print "
                                     "2>/dev/null | perl /usr/local/lib/sockets.pl")
            reached = re.findall(r"(?m)^reaches (.*)$", said)
            unexpected = [path for path in reached if not re.fullmatch(REACHES[name], path)]
            assert "looked" in said and "/run/systemd/notify" in reached and not unexpected, said

    def polkit(self):
        actions = self.debian.do("pkaction --verbose")
        open_to_all = [one.split(":")[0] for one in actions.split("\n\n")
                       if re.search(r"implicit any: +yes", one)]
        assert "org.freedesktop.login1.set-self-linger" in open_to_all, actions
        ask = "for action in " + " ".join(open_to_all) + \
            "; do pkcheck --action-id $action --process $$ >/dev/null 2>&1 && echo allowed $action; done; true"
        _, said = self.outside(CONTROL, ask)
        assert len(re.findall("allowed", said)) == len(open_to_all), said
        for account in set(self.accounts.values()):
            _, said = self.outside(account, ask)
            assert "allowed" not in said, said

    # ---- H1b: configuration of libraries ----

    def traced(self):
        """Traced from its first instruction, including a signature by the PKCS#11 token: the files that it opened."""
        where = "/etc/systemd/system/cloudinvite-dispatcher.service.d"
        program = self.debian.do("command -v cloudinvite-dispatcher").strip()
        self.debian.put(where + "/halt.conf", "[Service]\nExecStart=\n"
                        f"ExecStart=/bin/sh -c 'kill -STOP $$$$; exec {program}'\n")
        self.debian.do("rm -f /var/cache/cloudinvite/token*; systemctl daemon-reload; "
                       "systemctl restart --no-block cloudinvite-dispatcher")
        halted = self.debian.wait("p=$(systemctl show -P MainPID cloudinvite-dispatcher); "
                                  "grep -q '^State:.T' /proc/$p/status && echo $p").strip()
        self.debian.do(f"strace -f -qq -s 4096 -e trace=%file -o /trace -p {halted} >/dev/null 2>&1 & "
                       f"sleep 1; kill -CONT {halted}")
        self.invite("bob")
        self.debian.do(f"rm {where}/halt.conf; systemctl daemon-reload; "
                       "systemctl restart cloudinvite-dispatcher")
        return self.debian.do("cat /trace")

    def libraries(self):
        trace = self.traced()
        paths = set(re.findall(r'"(/[^"]*)"', trace))
        for known in ("/etc/softhsm/softhsm2.conf", "/usr/share/p11-kit/modules/softhsm2.module"):
            assert any(path.endswith(os.path.basename(known)) for path in paths), sorted(paths)
        unexpected = sorted(path for path in paths if path.startswith(tuple(f"{top}/" for top in WRITABLE))
                         and not OWN_FILES.match(path) or "evil" in path)
        assert not unexpected, unexpected
        status, said = self.debian.run("ls -l /var/cache/cloudinvite/loaded")
        assert status != 0, said

    # ---- H1c: sshd, cron, at ----

    def keys(self):
        for account in sorted(set(self.accounts.values())):
            status, said = self.ssh(account, "-N", "-L", "2222:127.0.0.1:22")
            assert status == 255 and "Permission denied" in said, f"{status}: {said}"
            # A key that root puts where its home would have it does not help either.
            self.debian.do("mkdir -m 755 /.ssh; cp /root/key.pub /.ssh/authorized_keys")
            status, said = self.ssh(account, "-N", "-L", "2222:127.0.0.1:22")
            self.debian.do("rm -r /.ssh")
            assert status == 255, f"{status}: {said}"

    def schedules(self):
        for account in sorted(set(self.accounts.values())):
            self.outside(account, self.JOBS)
        for name in NAMES:
            self.within(name, self.JOBS)
        # When cron has run a later job of the ordinary user, it has had the chance to run theirs.
        self.debian.do(f"rm -f /var/tmp/cron-{CONTROL}")
        self.outside(CONTROL, self.JOBS)
        self.debian.wait(f"test -e /var/tmp/cron-{CONTROL}", 150)
        for account in set(self.accounts.values()):
            status, said = self.debian.run(f"ls /var/tmp/cron-{account} /var/tmp/at-{account} 2>/dev/null")
            assert not said, f"{status}: {said}"
            self.debian.do(f"crontab -r -u {account}")

    # ---- code ----

    def code(self):
        for name in NAMES:
            said = self.within(name, "/usr/local/lib/runner $(find / -path /proc -prune -o -path /sys -prune "
                                     "-o -type d -writable -print 2>/dev/null)")
            got = re.findall(r"(?m)^(?:maps|runs) .*$", said)
            assert "writes /var/lib/cloudinvite\n" in said and "writes /tmp\n" in said, said
            assert "tried" in said and not got, got
        status, said = self.outside(CONTROL, "/usr/local/lib/runner /tmp")
        assert {"maps /tmp", "runs /tmp", "maps memory", "runs memory"} <= set(said.split("\n")), said

    # ---- doctor ----

    def doctor(self):
        status, said = self.debian.run("cloudinvite doctor --offline")
        assert not re.search(r"(?m)^(BAD|note) +isolation", said), f"{status}: {said}"
        account = self.accounts["collector"]
        self.debian.do(f"mkdir -p /var/lib/systemd/linger; touch /var/lib/systemd/linger/{account}")
        try:
            said = self.debian.run("cloudinvite doctor --offline")[1]
        finally:
            self.debian.do(f"rm /var/lib/systemd/linger/{account}")
        assert re.search(rf"(?m)^BAD +isolation .*{account}", said), said


def travel(steps, escapes):
    if not steps.promise("it is installed, and boots", escapes.furnish):
        return
    nspawn.each(steps, escapes.debian, "journalctl --no-pager -n 20", (
        ("an ordinary user can do all that the accounts must not", escapes.control),
        ("the dispatcher signs with a key in a PKCS#11 token", escapes.settle),
        ("their accounts leave dot files wherever they can write", escapes.plant_everywhere),
        ("none of them has a home that it can write", escapes.home),
        ("no user manager starts for them", escapes.linger),
        ("a user manager that root starts for them runs nothing of theirs", escapes.forced_linger),
        ("neither program reaches D-Bus; the collector resolves no name", escapes.bus),
        ("neither program reaches a socket that it does not need", escapes.sockets),
        ("polkit allows their accounts nothing that it allows everybody", escapes.polkit),
        ("no library reads a configuration, or code, where a service can write", escapes.libraries),
        ("sshd lets nobody in as their accounts", escapes.keys),
        ("cron and at run nothing for their accounts", escapes.schedules),
        ("nothing that they can write can be run or mapped as code", escapes.code),
        ("the doctor has nothing to say of their accounts, and finds a linger file", escapes.doctor)))


def main():
    suite = nspawn.suite_of_arguments("the ways out of the units in a booted Debian")
    steps = nspawn.Steps()
    if nspawn.make_image(steps, suite):
        nspawn.own_network()
        with Emulator(nspawn.accounts(PEOPLE)) as google, nspawn.Machine(suite) as debian:
            travel(steps, Escapes(debian, google))
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
