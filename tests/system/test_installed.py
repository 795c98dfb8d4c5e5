#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The packages in a booted Debian, from installation to purge, as an administrator uses them: configured with options,
checked by `doctor`, accounts and logins through that machine's own sshd and PAM, invitations that are accepted and
declined, a reboot, a higher version and back, removal, installation again, and purge. While packages change, people log
in all the time, with a key and with a password, and no login may be refused.

    test_installed.py bookworm|trixie

The packages are built in a tree of that Debian (debs.py). Google is emulated outside of the machine, and once inside.
Needs root, systemd-nspawn, sshpass, a Debian 12 and a Debian mirror. Prints TAP.
"""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import debs
import nspawn

sys.path.insert(0, os.path.join(nspawn.SOURCE, "tests", "e2e"))
import accounts_table  # pylint: disable=wrong-import-position
from harness import Emulator  # pylint: disable=wrong-import-position

PEOPLE = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
CROWD = ("ruth", "karl")  # they log in all the time, with a key and with a password; Google knows neither
PASSWORD = "a long afternoon"
LIBRARIES = {
    "bookworm": {"libc6", "libcurl4", "libinih1", "libjansson4", "libp11-kit0", "libsqlite3-0", "libssl3"},
    "trixie": {"libc6", "libcurl4t64", "libinih1", "libjansson4", "libp11-kit0", "libsqlite3-0", "libssl3t64"},
}
SERVERS = {
    "bookworm": {"libc6", "libjansson4", "libmicrohttpd12", "libssl3", "zlib1g"},
    "trixie": {"libc6", "libjansson4", "libmicrohttpd12t64", "libssl3t64", "zlib1g"},
}
SETTINGS = """[google]
ca_file = /etc/ssl/emulated.pem
endpoint = https://cloudidentity.googleapis.com:{port}
token_endpoint = {url}/token
requests_per_minute = 60
[invitations]
creation_delay = 1s
resync_interval = 5s
"""
SETUP = ("cloudinvite setup --yes --json --pam --customer {customer} --domain example.com "
         "--subject {subject} --credentials /root/inviter.json --install-credentials")
APT = ("apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold "
       "-o Dpkg::Options::=--force-unsafe-io")
INVITED = "5ef3d1a47c5a4645af6eca8f2a6e0c39"  # MESSAGE_ID
UNITS = ("cloudinvite-collector", "cloudinvite-dispatcher")
# Every file and directory, with owner, mode and content, except those that others write meanwhile.
BUT = " -o ".join(f"-path ./{path}" for path in (
    "proc", "sys", "dev", "run", "tmp", "var/tmp", "var/log", "var/mail", "home", "console", "root/debs",
    "var/cache/apt", "var/cache/debconf", "var/lib/apt", "var/lib/dpkg", "var/lib/systemd/timers"))
LISTING = f"""cd / && find . -xdev \\( {BUT} \\) -prune -o -printf '%p %u %m %l\\n' &&
	find . -xdev \\( {BUT} \\) -prune -o -type f -print0 | xargs -0 md5sum |
	sed 's/^\\([^ ]*\\)  \\(.*\\)/\\2 \\1/'"""
# What stays: the account, what this test has added as an administrator, and what systemd, the loader and passwd store.
STAYS = re.compile(
    r"\./etc/(passwd|group|shadow|gshadow|subuid|subgid)-? |\./etc/ld\.so\.cache |\./var/cache/ldconfig/|"
    r"\./etc/cloudinvite(/conf\.d(/rehearsal\.conf)?|/private(/credentials\.json)?)? |"
    r"\./var/lib/systemd/catalog/database ")


class LoginLoop:
    """They log in during `with logins:`, one with a key, the other with a password."""

    def __init__(self, login):
        self.login = login
        self.going = threading.Event()
        self.count, self.refused = 0, []

    def __enter__(self):
        self.going.set()
        self.threads = [threading.Thread(target=self.go_on, args=(who, password))
                        for who, password in zip(CROWD, (None, PASSWORD))]
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_):
        self.going.clear()
        for thread in self.threads:
            thread.join()

    def go_on(self, who, password):
        while self.going.is_set():
            try:
                self.login(who, password)
                self.count += 1
            except (AssertionError, subprocess.TimeoutExpired) as error:
                self.refused.append(str(error))


class Afternoon:
    """A machine, the packages, and Google outside of the machine."""

    def __init__(self, debian, google, folder):
        self.debian, self.google, self.folder = debian, google, folder
        self.login_loop = LoginLoop(self.login)
        self.key = google.file("key")
        self.before = self.common_session = None

    # Helpers of the steps.

    def login(self, who, password=None):
        """Through the machine's sshd, from outside."""
        way = (["sshpass", "-p", password, "ssh", "-o", "PubkeyAuthentication=no"] if password else
               ["ssh", "-i", self.key, "-o", "BatchMode=yes"])
        status, said = nspawn.run(
            *way, "-F", "/dev/null", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o",
            "UserKnownHostsFile=/dev/null", "-o", "NumberOfPasswordPrompts=1", "-o", "LogLevel=ERROR",
            f"{who}@127.0.0.1", "id -un", timeout=nspawn.TIMEOUT)
        if status != 0 or said.split() != [who]:
            raise AssertionError(f"{who} ({'password' if password else 'key'}): {status}: {said}")

    def everybody_logs_in(self):
        self.login("ruth")
        self.login("karl", PASSWORD)

    def add(self, who):
        self.debian.do(f"useradd -m -s /bin/sh {who} && echo '{who}:{PASSWORD}' | chpasswd &&"
                       f"install -d -o {who} -m 700 /home/{who}/.ssh &&"
                       f"install -o {who} -m 600 /root/key.pub /home/{who}/.ssh/authorized_keys")

    def apt(self, *words):
        """With people who log in meanwhile; no question may be asked, as for configuration management."""
        with self.login_loop:
            said = self.debian.do(f"{APT} {' '.join(words)} </dev/null && dpkg --audit")
        self.everybody_logs_in()
        faulty = self.debian.run("journalctl -q --no-pager | grep -E 'faulty module|unable to dlopen'")[1]
        assert not faulty, faulty
        return said

    def install(self, number):
        files = debs.packages(self.folder, number).values()
        return self.apt("install --allow-downgrades", *[f"/root/debs/{os.path.basename(file)}" for file in files])

    def becomes(self, who, state):
        self.debian.wait(f"cloudinvite status --json {who}@example.com | grep '\"state\":\"{state}\"'", 30)

    def mailed(self, *people):
        counts = self.google.mailbox()["counts"]
        assert counts == {f"{who}@example.com": 1 for who in people}, counts

    def line(self):
        stack = self.debian.do("cat /etc/pam.d/common-session")
        return bool(re.search(r"^session\s+optional\s+pam_cloudinvite\.so\s*$", stack, re.M))

    def module(self):
        return self.debian.run("ls /usr/lib/*/security/pam_cloudinvite.so")[0] == 0

    def listing(self):
        return set(self.debian.do(LISTING).splitlines())

    def active(self):
        for unit in UNITS:
            self.debian.wait(f"systemctl is-active {unit}")

    # The steps.

    def furnish(self):
        shutil.copytree(self.folder, self.debian.root + "/root/debs")
        nspawn.Machine.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        for name, where in (("key.pub", "/root/key.pub"), ("ca.pem", "/etc/ssl/emulated.pem"),
                            ("credentials.json", "/root/inviter.json")):
            with open(self.google.file(name), "rb") as file:
                self.debian.put(where, file.read(), 0o600 if name == "credentials.json" else 0o644)
        self.debian.put("/etc/cloudinvite/conf.d/rehearsal.conf",
                        SETTINGS.format(port=self.google.port, url=self.google.url))
        self.debian.boot()
        self.debian.do("ssh-keygen -qA; systemctl disable --now ssh.socket 2>/dev/null; systemctl restart ssh;"
                       "echo '127.0.0.1 cloudidentity.googleapis.com' >>/etc/hosts")
        for who in (*CROWD, "bob", "carol"):
            self.add(who)
        self.everybody_logs_in()
        self.common_session = self.debian.do("md5sum /etc/pam.d/*")
        self.before = self.listing()

    def installed(self):
        self.install(debs.version())
        assert self.line() and self.module()
        assert "cloudinvite" not in self.debian.do("cat /etc/pam.d/common-session-noninteractive")
        for word in ("active", "enabled"):
            self.debian.do(f"systemctl is-{word} {UNITS[0]} && ! systemctl is-{word} {UNITS[1]}")
        said = self.debian.do("for file in /usr/bin/cloudinvite* /usr/sbin/cloudinvite* "
                              "/usr/lib/*/security/pam_cloudinvite.so; do ldd $file; done")
        assert "not found" not in said, said
        for program in ("cloudinvite", "cloudinvite-emulator", *UNITS):
            said = self.debian.do(f"{program} --version").split()
            assert said == [program, debs.version()], said
        assert self.google.mailbox()["counts"] == {}

    def set_up(self):
        command = SETUP.format(customer=self.google.customer, subject=self.google.subject)
        answer = json.loads(self.debian.do(command))
        assert answer["changed"], answer
        bad = [check for check in answer["checks"] if check["result"] != "ok"]
        assert answer["checks"] and not bad, bad
        again = json.loads(self.debian.do(command))
        assert not again["changed"], again
        assert self.debian.do(
            "stat -c '%U %G %a' /etc/cloudinvite/private/credentials.json") == \
            "root cloudinvite-dispatcher 640\n"

    def all_well(self, but=None):
        """According to the doctor, which may add one note."""
        answer = json.loads(self.debian.do("cloudinvite doctor --json"))
        wrong = [step for step in answer["steps"] if step["result"] not in ("ok", "skipped")
                 and step["code"] != but]
        assert answer["ok"] > 10 and not wrong, json.dumps(wrong, indent=1)

    def started(self):
        self.debian.do("systemctl enable --now cloudinvite-dispatcher")
        self.active()
        self.debian.do("cloudinvite pam status && cloudinvite config --check")
        pam = json.loads(self.debian.do("cloudinvite pam status --json"))
        assert pam["enabled"], pam
        self.all_well(but="dry_run")

    def as_documented(self):
        """Accounts, owners and modes are those of docs/security.md's tables."""
        for account, groups in accounts_table.accounts().items():
            mine = self.debian.do(f"id -nG {account}").split()
            assert sorted(mine) == sorted([account, *groups]), f"{account}: {mine}"
        for place in accounts_table.places():
            for line in self.debian.do(f"stat -c '%n %U %G %a' {place.path}").splitlines():
                name, owner, group, mode = line.split()
                assert place.owner in ("", owner) and (group, int(mode, 8)) == (place.group, place.mode), line

    def dry_run(self):
        self.add("alice")
        self.becomes("alice", "held")
        self.mailed()
        self.debian.do("cloudinvite enable --yes && cloudinvite approve --reason dry_run --yes")
        self.becomes("alice", "invited")
        self.mailed("alice")

    def logins(self):
        """Of accounts that existed before."""
        self.login("bob", PASSWORD)
        self.login("carol")
        self.becomes("bob", "invited")
        self.becomes("carol", "invited")
        self.debian.do("cloudinvite explain bob && cloudinvite history bob")

    def outcome(self):
        self.google.accept("alice@example.com")
        self.google.decline("bob@example.com")
        self.becomes("alice", "accepted")
        self.becomes("bob", "declined")
        self.mailed("alice", "bob", "carol")

    def journal(self):
        lines = self.debian.do(f"journalctl -q --no-pager -b -o json MESSAGE_ID={INVITED}").splitlines()
        assert len(lines) == 3, lines
        for entry in map(json.loads, lines):
            person = entry["CLOUDINVITE_PERSON"]
            assert entry["CLOUDINVITE_EVENT"] == "invited" and person.endswith("@example.com"), entry
            assert entry["_SYSTEMD_UNIT"] == "cloudinvite-dispatcher.service", entry
            assert not re.search("alice|carol", person), entry
        said = self.debian.do(f"journalctl -q --no-pager -x -b MESSAGE_ID={INVITED}")
        for text in ("Google has mailed an invitation to ", "Nothing changes until the person accepts."):
            assert said.count(text) == 3, said

    def rebooted(self):
        self.debian.reboot()
        self.everybody_logs_in()
        self.active()
        self.add("dave")
        self.becomes("dave", "invited")
        self.becomes("alice", "accepted")
        self.becomes("bob", "declined")
        self.all_well()

    def moved(self, number, who):
        """To another version: both programs run with it, and settings and ledger stay."""
        settings = self.debian.do("cat /etc/cloudinvite/cloudinvite.conf")
        old = {unit: self.debian.do(f"systemctl show -P MainPID {unit}") for unit in UNITS}
        self.install(number)
        self.active()
        for unit in UNITS:
            assert old[unit] != self.debian.do(f"systemctl show -P MainPID {unit}"), f"{unit} runs on as it was"
        got = self.debian.do("dpkg-query -W -f '${Version} ${db:Status-Status}\\n' " + " ".join(debs.NAMES))
        assert set(got.splitlines()) == {f"{number} installed"}, got
        assert settings == self.debian.do("cat /etc/cloudinvite/cloudinvite.conf")
        assert self.line() and self.module()
        self.add(who)
        self.login(who)
        self.becomes(who, "invited")
        self.becomes("alice", "accepted")
        self.all_well()

    def removed(self):
        self.apt("remove", *debs.NAMES)
        assert not self.line() and not self.module()
        assert self.debian.do("md5sum /etc/pam.d/*") == self.common_session
        left = self.debian.do("systemctl list-units --state=loaded --plain --no-legend 'cloudinvite*';"
                              "pgrep -u cloudinvite-collector,cloudinvite-dispatcher || :")
        assert not left, left
        self.debian.do("ls /etc/cloudinvite/cloudinvite.conf /var/lib/cloudinvite/ledger.db")

    def back(self):
        """Installed again after a removal: it continues where it was."""
        self.install(debs.version())
        self.active()
        self.add("grace")
        self.login("grace", PASSWORD)
        self.becomes("grace", "invited")
        self.becomes("alice", "accepted")
        self.all_well()

    def purged(self):
        self.apt("purge", *debs.NAMES)
        assert not self.line() and not self.module()
        self.debian.do("systemctl daemon-reload")
        now = self.listing()
        left = sorted(entry for entry in now - self.before if not STAYS.match(entry))
        gone = sorted(entry for entry in self.before - now if not STAYS.match(entry))
        assert not left and not gone, f"left or changed: {left}\nwas there: {gone}"
        assert not self.debian.run("journalctl --list-catalog | grep cloudinvite")[1]
        assert not self.debian.run("ls -d /run/cloudinvite* 2>/dev/null")[1]

    def smoke(self):
        """Debian's own smoke test, on a machine that has had all of it before."""
        self.install(debs.version())
        with open(nspawn.SOURCE + "/packaging/debian/tests/smoke", encoding="utf-8") as file:
            self.debian.put("/root/smoke", file.read(), 0o755)
        self.debian.do("cd /etc/cloudinvite && rm conf.d/rehearsal.conf private/credentials.json && /root/smoke &&"
                       "rm conf.d/test.conf test-ca.pem private/credentials.json /root/smoke && userdel -r clara")

    def nobody_twice(self):
        self.mailed("alice", "bob", "carol", "dave", "erin", "frank", "grace")

    def nobody_refused(self):
        print(f"# {self.debian.suite}: {self.login_loop.count} logins while packages changed", flush=True)
        assert self.login_loop.count > 20 and not self.login_loop.refused, "\n".join(self.login_loop.refused[:9])


def linked(folder, suite):
    """The packages depend on the suite's libraries, by their names there."""
    # close-accounts, which the package runs, uses usermod.
    wanted = {"cloudinvite": LIBRARIES[suite] | {"passwd"},
              "libpam-cloudinvite": {"libc6", "libpam0g", "libpam-runtime"},
              "cloudinvite-emulator": SERVERS[suite]}
    for name, file in debs.packages(folder).items():
        asked = nspawn.run("dpkg-deb", "-f", file, "Depends")[1]
        asked = {re.match(r"\s*([a-z0-9.+-]+)", one).group(1) for one in asked.split(",")}
        asked = {one for one in asked if "systemd" not in one}
        assert asked == wanted[name], f"{name} asks for {sorted(asked)}"


def spend(steps, afternoon):
    if not steps.promise("a Debian boots, and people log in there", afternoon.furnish):
        return
    number, higher = debs.version(), debs.higher()
    nspawn.each(steps, afternoon.debian, "journalctl --no-pager -b -u 'cloudinvite-*' | tail -30;cloudinvite status", (
        ("installed: there is the line, the collector runs, the dispatcher does not", afternoon.installed),
        ("it is set up by options, and a second time changes nothing", afternoon.set_up),
        ("the dispatcher is started, and the doctor finds all well", afternoon.started),
        ("accounts and places are as the documentation says", afternoon.as_documented),
        ("an account is created: held in the dry run, invited when that is ended", afternoon.dry_run),
        ("first logins with a password and with a key: they are invited", afternoon.logins),
        ("one accepts, another declines, and both are known", afternoon.outcome),
        ("the journal has the fields, and explains its lines", afternoon.journal),
        ("after a reboot all of it is as it was", afternoon.rebooted),
        ("a higher version goes on where the lower one was", afternoon.moved, higher, "erin"),
        ("so does the lower one again", afternoon.moved, number, "frank"),
        ("removed: line and module are gone, settings and ledger are kept", afternoon.removed),
        ("installed again, it continues where it was", afternoon.back),
        ("purged: nothing is left but the account and the administrator's own files", afternoon.purged),
        ("installed again, Debian's own test of the packages passes", afternoon.smoke),
        ("and purged again, nothing is left", afternoon.purged),
        ("no person was mailed twice", afternoon.nobody_twice),
        ("no login was refused while packages changed", afternoon.nobody_refused)))


def main():
    suite = nspawn.suite_of_arguments("the packages in a booted Debian")
    steps = nspawn.Steps()
    folder = debs.build(steps, suite)
    if folder and nspawn.make_image(steps, suite):
        debs.renumber(folder, debs.higher(), debs.newer_sample)
        steps.promise("the packages ask for the libraries that this Debian has", linked, folder, suite)
        nspawn.own_network()
        with contextlib.ExitStack() as stack:
            google = stack.enter_context(Emulator(nspawn.accounts(PEOPLE)))
            debian = stack.enter_context(nspawn.Machine(suite))
            spend(steps, Afternoon(debian, google, folder))
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
