#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I15 (docs/design.md, "Invariants").
"""The files of config/ that other programs read: units, sysusers, the PAM profile. systemd's own tools check how
systemd reads them.
"""
import configparser
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import harness

CONFIG = os.path.join(harness.SOURCE, "config")
UNITS = ("cloudinvite-collector", "cloudinvite-dispatcher")
KEEPER = "cloudinvite-keeper"
ACCOUNTS = sorted([*UNITS, "cloudinvite-ledger"])


def tool(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=harness.TIMEOUT,
                          env=dict(os.environ, SYSTEMD_PAGER="", MANPATH="/nowhere"))
    return done.returncode, done.stdout


class Unit:
    """A unit as `make install` writes it, with the programs of the build directory."""

    def __init__(self, directory, name, kind="service"):
        with open(f"{CONFIG}/systemd/{name}.{kind}", encoding="utf-8") as file:
            self.text = file.read()
        for word, place in (("bindir", harness.BUILD), ("sbindir", harness.BUILD),
                            ("sysconfdir", "/etc"), ("localstatedir", "/var"),
                            ("runstatedir", "/run")):
            self.text = self.text.replace(f"@{word}@", place)
        self.path = f"{directory}/{name}.{kind}"
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(self.text)

    def all(self, key):
        return re.findall(rf"^{key}=(.*)$", self.text, re.M)


class Units(harness.Test):

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="cloudinvite-units.")
        self.addCleanup(shutil.rmtree, self.directory)
        self.collector, self.dispatcher = (Unit(self.directory, name) for name in UNITS)
        self.units = (self.collector, self.dispatcher)
        self.keeper = Unit(self.directory, KEEPER)
        self.socket = Unit(self.directory, KEEPER, "socket")
        self.every = (*self.units, self.keeper, self.socket)

    def test_no_place_is_left_to_fill_in(self):
        for unit in self.every:
            self.assertNotIn("@", re.sub(r"@(system-service|privileged|resources|default|basic-io|"
                                         r"file-system|io-event|sync|network-io)", "", unit.text))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_systemd_understands_every_line(self):
        for unit in self.every:
            _, said = tool("systemd-analyze", "verify", "--recursive-errors=no", "--man=no", unit.path)
            self.assertEqual([line for line in said.splitlines() if "cloudinvite" in line], [])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_they_are_as_isolated_as_the_design_says(self):
        for unit, bound in ((self.collector, 0.4), (self.dispatcher, 1.2), (self.keeper, 0.8)):
            _, said = tool("systemd-analyze", "security", "--offline=true", "--no-pager", unit.path)
            score = float(re.search(r"exposure level for \S+: ([\d.]+)", said).group(1))
            self.assertLessEqual(score, bound, said)

    def test_neither_has_a_capability_nor_may_get_one(self):
        for unit in (*self.units, self.keeper):
            self.assertEqual(unit.all("CapabilityBoundingSet"), [""])
            self.assertEqual(unit.all("AmbientCapabilities"), [""])
            self.assertEqual(unit.all("NoNewPrivileges"), ["yes"])

    def test_the_collector_has_no_network_and_no_credential(self):
        self.assertEqual(self.collector.all("PrivateNetwork"), ["yes"])
        self.assertEqual(self.collector.all("RestrictAddressFamilies"), ["AF_UNIX"])
        hidden = " ".join(self.collector.all("InaccessiblePaths")).split()
        self.assertEqual(hidden, ["-/var/cache/cloudinvite", "-/var/lib/cloudinvite/private",
                                  "-/etc/cloudinvite/private", "-/etc/cloudinvite/credentials.json",
                                  "-/var/spool/cloudinvite"])
        self.assertNotIn("cache", self.collector.all("ReadWritePaths")[0])

    def test_the_keeper_has_the_spool_and_nothing_of_the_services(self):
        self.assertEqual(self.keeper.all("ReadWritePaths"), ["-/var/spool/cloudinvite"])
        hidden = " ".join(self.keeper.all("InaccessiblePaths")).split()
        for place in ("/var/lib/cloudinvite", "/var/cache/cloudinvite", "/run/cloudinvite",
                      "/etc/cloudinvite/private"):
            self.assertIn("-" + place, hidden)
        self.assertEqual(self.keeper.all("PrivateNetwork"), ["yes"])
        self.assertEqual(self.keeper.all("RestrictAddressFamilies"), ["AF_UNIX"])
        self.assertNotIn("@process", self.keeper.text)

    def test_the_keepers_socket_is_the_collectors_and_holds_the_way_to_the_spool(self):
        self.assertEqual(self.socket.all("ListenSequentialPacket"), ["/run/cloudinvite-keeper/socket"])
        self.assertEqual(self.socket.all("SocketMode"), ["0660"])
        self.assertEqual(self.socket.all("SocketUser"), ["root"])
        self.assertEqual(self.socket.all("SocketGroup"), self.collector.all("Group"))
        self.assertEqual(self.socket.all("ListenFIFO"), ["/var/spool/cloudinvite/pin"])
        self.assertIn("cloudinvite-keeper.socket", " ".join(self.collector.all("Wants")))
        self.assertIn("cloudinvite-keeper.socket", " ".join(self.collector.all("After")))

    def test_the_dispatcher_has_no_spool(self):
        self.assertEqual(self.dispatcher.all("InaccessiblePaths")[0],
                         "-/var/spool/cloudinvite -/var/lib/cloudinvite/collector")
        self.assertNotIn("spool", self.dispatcher.all("ReadWritePaths")[0])

    def test_nothing_that_they_can_write_can_be_run_or_mapped(self):
        for unit in (*self.units, self.keeper):
            refused, written = ({one.lstrip("-") for one in " ".join(paths).split()} for paths in (
                unit.all("NoExecPaths"), unit.all("ReadWritePaths") + unit.all("BindPaths")))
            # NoExecPaths= of the same path would take precedence over TemporaryFileSystem=.
            self.assertFalse({one.split(":")[0] for one in unit.all("TemporaryFileSystem")} & refused)
            self.assertTrue(written)
            self.assertLessEqual({"/", "/dev", "/dev/shm", "/tmp", "/var/tmp", *written}, refused)
            for path in " ".join(unit.all("ExecPaths")).split():
                self.assertRegex(path, rf"^-?(/usr|/bin|(/usr)?/lib|(/usr)?/lib64|/opt|{harness.BUILD}(/.*)?)$")
            self.assertEqual(unit.all("MemoryDenyWriteExecute"), ["yes"])
        for unit in self.units:
            self.assertIn("memfd_create", unit.all("SystemCallFilter")[1])

    def test_no_home_is_in_their_environment(self):
        for unit in self.units:
            self.assertEqual(unit.all("Environment"), [
                "HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent XDG_RUNTIME_DIR=/nonexistent"])

    def test_what_acts_for_others_is_out_of_reach(self):
        self.assertEqual(self.collector.all("TemporaryFileSystem"), ["/run:ro,noexec"])
        self.assertEqual(self.dispatcher.all("TemporaryFileSystem"), ["/run/systemd:ro,noexec"])
        shown = " ".join(self.collector.all("BindPaths") + self.collector.all("BindReadOnlyPaths"))
        self.assertNotRegex(shown, "dbus|resolve|private")
        self.assertIn("-/run/dbus", self.dispatcher.all("InaccessiblePaths")[1].split())

    def test_only_prepare_runs_as_root(self):
        for unit, name in zip(self.units, UNITS):
            self.assertEqual(unit.all("User") + unit.all("Group"), [name, name])
            self.assertEqual(unit.all("UMask"), ["0077"])
            before = f"+{harness.BUILD}/{name} --prepare"
            if unit is self.collector:
                before = f"+/usr/bin/nsenter --target 1 --mount {before[1:]}"
            self.assertEqual(unit.all("ExecStartPre"), [before])
            self.assertEqual(unit.all("ExecStart"), [f"{harness.BUILD}/{name}"])
        self.assertEqual(len(re.findall(r"^Exec.*=[+!]", self.collector.text, re.M)), 1)

    def test_systemd_gets_the_status_and_never_stops_restarting(self):
        for unit in self.units:
            self.assertEqual(unit.all("Type"), ["notify"])
            self.assertEqual(len(unit.all("WatchdogSec")), 1)
            self.assertEqual(unit.all("StartLimitIntervalSec"), ["0"])


class Policies(harness.Test):
    """SELinux and AppArmor. tests/system/test_rpm.py shows that they compile."""

    def label(self, path):
        """SELinux's, by the expression with the longest literal part."""
        best = (-1, None)
        with open(f"{CONFIG}/selinux/cloudinvite.fc", encoding="utf-8") as file:
            for line in file:
                if line.strip() and line[0] != "#":
                    expression, label = line.split()[0], re.search(r"object_r:(\w+)", line).group(1)
                    if re.fullmatch(expression, path):
                        best = max(best, (len(re.split(r"[.*?+()\[|\\\\]", expression)[0]), label))
        return best[1]

    def test_what_is_private_has_the_credentials_label(self):
        for place, label in (("/etc/cloudinvite", "cloudinvite_conf_t"),
                             ("/var/lib/cloudinvite", "cloudinvite_var_lib_t")):
            for name in ("", "/ledger.db", "/private2/x"):
                self.assertEqual(self.label(place + name), label, name)
            for name in ("/private", "/private/credentials.json", "/private/a/b", "/private/login.json"):
                self.assertEqual(self.label(place + name), "cloudinvite_credential_t", name)

    def test_the_collector_has_no_right_to_it(self):
        with open(f"{CONFIG}/selinux/cloudinvite.te", encoding="utf-8") as file:
            text = file.read()
        both = text[text.index("define(`cloudinvite_program'"):text.index("# ---- the collector ----")]
        self.assertNotIn("credential", both)
        for line in text.splitlines():
            self.assertFalse("cloudinvite_collector_t" in line and "credential_t" in line, line)

    def test_nothing_that_apparmor_allows_them_to_write_can_be_mapped_or_run(self):
        for name in UNITS:
            with open(f"{CONFIG}/apparmor/usr.sbin.{name}", encoding="utf-8") as file:
                rules = re.findall(r"(?m)^  (?!deny)(/\S+|@\S+) ([a-zA-Z]+),$", file.read())
            self.assertGreater(len(rules), 10)
            for path, rights in rules:
                if set(rights) & set("wa"):
                    self.assertFalse(set(rights) & set("mxiPpCcUu"), f"{path} {rights}")


class Others(harness.Test):

    def test_sysusers_makes_accounts_without_a_shell_or_a_home(self):
        with open(f"{CONFIG}/sysusers.conf", encoding="utf-8") as file:
            lines = [line.split() for line in file.read().splitlines() if line and line[0] != "#"]
        made = {line[1]: line[-2:] for line in lines if line[0].startswith("u")}
        self.assertEqual(made, {name: ["/", "/usr/sbin/nologin"] for name in ACCOUNTS})
        members = sorted(line[1:] for line in lines if line[0] == "m")
        self.assertEqual(members, [[name, "cloudinvite-ledger"] for name in UNITS])

    @unittest.skipUnless(shutil.which("systemd-sysusers"), "needs systemd-sysusers")
    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_systemd_sysusers_makes_it(self):
        with tempfile.TemporaryDirectory(prefix="cloudinvite-root.") as root:
            os.mkdir(root + "/etc")
            os.makedirs(root + "/usr/lib/sysusers.d")
            shutil.copy(f"{CONFIG}/sysusers.conf", root + "/usr/lib/sysusers.d/cloudinvite.conf")
            code, said = tool("systemd-sysusers", "--root=" + root)
            self.assertEqual(code, 0, said)
            with open(root + "/etc/passwd", encoding="utf-8") as file:
                passwd = file.read()
            with open(root + "/etc/group", encoding="utf-8") as file:
                group = file.read()
            for name in ACCOUNTS:
                self.assertRegex(passwd, rf"(?m)^{name}:x:\d+:\d+:[^:]*:/:/usr/sbin/nologin$")
                self.assertRegex(group, rf"(?m)^{name}:x:\d+:")
            self.assertRegex(group, r"(?m)^cloudinvite-ledger:x:\d+:" + ",".join(UNITS) + "$")

    def test_the_profile_is_for_interactive_sessions_and_can_only_be_optional(self):
        with open(f"{CONFIG}/pam-configs/cloudinvite", encoding="utf-8") as file:
            head, body = file.read().split("Session:\n")
        profile = configparser.ConfigParser(delimiters=":")
        profile.read_string("[profile]\n" + head)
        self.assertEqual(profile["profile"]["Session-Interactive-Only"], "yes")
        self.assertEqual(profile["profile"]["Session-Type"], "Additional")
        self.assertEqual([line.split() for line in body.splitlines()],
                         [["optional", "pam_cloudinvite.so"]])


if __name__ == "__main__":
    harness.main()
