#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The module inside the real sshd, login, su, sudo, cron, newusers and passwd: which of them cause an arrival, which
must not, and that every user gets in.
"""
import os
import shutil
import subprocess
import sys
import unittest

import host as hosts
from host import PASSWORD, ROOM, SPOOL, at_terminal, output, write
from module import harness

host = None  # pylint: disable=invalid-name


def setUpModule():  # pylint: disable=invalid-name
    global host  # pylint: disable=global-statement
    host = hosts.Host()


def needs(program):
    return unittest.skipUnless(shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"),
                               f"needs {program}")


class Applications(harness.Test):
    def setUp(self):
        host.fresh()
        host.pam()

    def assert_arrivals(self, *expected):
        self.assertEqual(host.arrivals(), sorted(expected))


class Sshd(Applications):
    """Each way to log in over the network."""

    @classmethod
    def setUpClass(cls):
        host.pam()
        host.start_sshd()

    @classmethod
    def tearDownClass(cls):
        host.stop_sshd()

    def assert_in(self, done, said=None):
        self.assertEqual(done.returncode, 0, done.stderr + host.sshd_log()[-2000:])
        if said is not None:
            self.assertEqual(done.stdout, said)

    def test_a_command_with_a_key(self):
        self.assert_in(host.ssh("alice", "127.0.0.1", "id -un"), "alice\n")
        self.assert_arrivals("alice.login")

    def test_a_command_with_a_password(self):
        self.assert_in(host.ssh("bob", "127.0.0.1", "id -un", password=PASSWORD), "bob\n")
        self.assert_arrivals("bob.login")

    def test_a_shell_at_a_terminal(self):
        said, status = at_terminal(host.ssh_command("alice", "-tt", "127.0.0.1"),
                                   [("$ ", "echo in-$((40+2)); exit 7")])
        self.assertEqual(status, 7, said)
        self.assertIn("in-42", said)
        self.assert_arrivals("alice.login")

    def test_sftp(self):
        self.assert_in(host.ssh("alice", "-b", "-", "127.0.0.1", program="sftp",
                                standard_input="mkdir uploaded\n"))
        self.assertTrue(os.path.isdir("/home/alice/uploaded"))
        self.assert_arrivals("alice.login")

    def test_a_tunnel_without_a_command(self):
        client = subprocess.Popen(host.ssh_command("alice", "-N", "127.0.0.1"))
        try:
            harness.wait_for(host.arrivals, "the arrival")
            self.assertIsNone(client.poll())
        finally:
            client.terminate()
            client.wait()
        self.assert_arrivals("alice.login")

    def test_an_odd_name(self):
        with open("/etc/passwd", "a", encoding="utf-8") as file:
            file.write("eve@evil.example:x:1777:100::/home/alice:/bin/sh\n")
        with open("/etc/shadow", "a", encoding="utf-8") as file:
            file.write("eve@evil.example:*:19000:0:99999:7:::\n")
        self.assert_in(host.ssh("eve@evil.example", "127.0.0.1", "id -u"), "1777\n")
        self.assert_arrivals("eve%40evil.example.login")

    def test_a_second_login_makes_no_second_arrival(self):
        self.assert_in(host.ssh("alice", "127.0.0.1", "true"))
        first = os.stat(SPOOL + "/new/alice.login")
        self.assert_in(host.ssh("alice", "127.0.0.1", "true"))
        again = os.stat(SPOOL + "/new/alice.login")
        self.assertEqual((first.st_ino, first.st_mtime_ns), (again.st_ino, again.st_mtime_ns))
        self.assert_arrivals("alice.login")

    def test_a_storm_of_logins_makes_one_arrival(self):
        clients = [subprocess.Popen(host.ssh_command("alice", "127.0.0.1", "true"),
                                    stdin=subprocess.DEVNULL) for _ in range(8)]
        self.assertEqual([client.wait(harness.TIMEOUT) for client in clients], [0] * 8)
        self.assert_arrivals("alice.login")

    def test_an_account_with_a_mark_is_not_reported(self):
        host.mark("alice", "not_invitable")
        self.assert_in(host.ssh("alice", "127.0.0.1", "true"))
        self.assert_arrivals()

    def test_a_person_who_does_not_get_in_is_not_reported(self):
        self.assertNotEqual(
            host.ssh("alice", "127.0.0.1", "true", password="wrong").returncode, 0)
        self.assertNotEqual(
            host.ssh("nobody-here", "127.0.0.1", "true", password=PASSWORD).returncode, 0)
        output("usermod", "--expiredate", "1", "carol")
        self.assertNotEqual(host.ssh("carol", "127.0.0.1", "true").returncode, 0)
        output("usermod", "--expiredate", "", "carol")
        self.assert_arrivals()

    def test_root_and_system_accounts_are_not_reported(self):
        if subprocess.run(["id", "machine"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode != 0:
            host.add_user("machine", "--system")
        self.assert_in(host.ssh("root", "127.0.0.1", "id -un"), "root\n")
        self.assert_in(host.ssh("machine", "127.0.0.1", "id -un"), "machine\n")
        self.assert_arrivals()

    def test_the_module_alone_in_its_stack_allows_logins(self):
        """If every module of a stack returns PAM_IGNORE, or a single one fails, sshd ends the session."""
        alone = "auth required pam_unix.so\naccount required pam_unix.so\n" \
                "session {control} {{ours}}\n{{rootok:.0}}"
        for control in ("required", "optional", "requisite", "sufficient"):
            with self.subTest(control=control):
                host.pam(services=["sshd"], stack=alone.format(control=control))
                self.assert_in(host.ssh("alice", "127.0.0.1", "id -un"), "alice\n")

    def test_the_module_gives_no_access(self):
        """It is the only authentication module of the stack, and called sufficient: it still gives no access."""
        stack = "auth sufficient {ours}\naccount required pam_unix.so\nsession optional {ours}\n" \
                "{rootok:.0}"
        host.pam(services=["sshd"], stack=stack)
        done = host.ssh("alice", "127.0.0.1", "id -un", password=PASSWORD)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        self.assert_arrivals()

    def test_a_broken_spool_keeps_no_user_out(self):
        def gone():
            shutil.rmtree(SPOOL + "/new")

        def pipe():
            gone()
            os.mkfifo(SPOOL + "/new")

        def read_only():
            output("mount", "-n", "-t", "tmpfs", "-o", "ro", "tmpfs", SPOOL)

        def no_inodes():
            output("mount", "-n", "-t", "tmpfs", "-o", "nr_inodes=3,mode=0755", "tmpfs", SPOOL)
            os.mkdir(SPOOL + "/new")
            os.mkdir(SPOOL + "/seen")

        for breaking in (gone, pipe, read_only, no_inodes):
            with self.subTest(spool=breaking.__name__):
                host.fresh()
                breaking()
                try:
                    for arguments in ("", "sync notify debug", "silent"):
                        host.pam(arguments)
                        self.assert_in(host.ssh("alice", "127.0.0.1", "id -un"), "alice\n")
                finally:
                    subprocess.run(["umount", "-n", SPOOL], stderr=subprocess.DEVNULL, check=False)

    def test_invited_users_see_the_message_at_a_terminal_only(self):
        host.pam("notify", services=["sshd"])
        host.mark("alice", "invited")
        self.assert_in(host.ssh("alice", "127.0.0.1", "true"), "")
        said, status = at_terminal(host.ssh_command("alice", "-tt", "127.0.0.1"), [("$ ", "exit")])
        self.assertEqual(status, 0)
        self.assertIn("Google has sent you an invitation by mail", said)
        host.mark("alice", "declined")
        said, _ = at_terminal(host.ssh_command("alice", "-tt", "127.0.0.1"), [("$ ", "exit")])
        self.assertNotIn("Google", said)


    @staticmethod
    def copies():
        """Four programs that use a protocol of their own through a login."""
        scp = host.ssh_command("alice", "-q", "127.0.0.1:file", f"{ROOM}/got", program="scp")
        scp[scp.index("-p")] = "-P"
        login = " ".join(host.ssh_command("alice"))
        return (host.ssh_command("alice", "-q", "-b", "-", "127.0.0.1", program="sftp"), scp,
                [scp[0], "-O", *scp[1:]],
                ["rsync", "--quiet", "-e", login, "127.0.0.1:file", f"{ROOM}/got"])

    @staticmethod
    def without_a_terminal(everything):
        """A shell that reads its commands from a pipe, and a tunnel without any command."""
        shell = subprocess.run(
            host.ssh_command("alice", "-q", "-T", "127.0.0.1"), input=b"cat file\nexit 5\n",
            capture_output=True, timeout=harness.TIMEOUT, check=False)
        tunnel = ROOM + "/tunnel"
        with subprocess.Popen(host.ssh_command(
                "alice", "-q", "-N", "-L", f"{tunnel}:127.0.0.1:{host.port}", "127.0.0.1"),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as forward:
            harness.wait_for(lambda: os.path.exists(tunnel), "the tunnel")
            forward.terminate()
            said = forward.communicate(timeout=harness.TIMEOUT)
        os.unlink(tunnel)
        # A login shell gets what sshd shows at every login, like the message of the day.
        return (shell.returncode, shell.stdout.endswith(everything), shell.stderr, said)

    def test_what_a_program_reads_is_what_it_was_without_the_module(self):
        """Exit status, both outputs and files, byte for byte, although there would be a message to show."""
        host.mark("alice", "invited")
        everything = bytes(range(256)) * 64
        with open("/home/alice/file", "wb") as file:
            file.write(everything)
        results = []
        for stack in (hosts.STACK, hosts.STACK.replace("session optional {ours}\n", "")):
            host.pam("notify", services=["sshd"], stack=stack)
            command = subprocess.run(
                host.ssh_command("alice", "127.0.0.1", "cat file; cat file >&2; exit 7"),
                stdin=subprocess.DEVNULL, capture_output=True, timeout=harness.TIMEOUT, check=False)
            results.append((command.returncode, command.stdout, command.stderr))
            results.append(self.without_a_terminal(everything))
            for copy in self.copies():
                with self.subTest(copy=copy[0]):
                    done = subprocess.run(copy, input=f"get file {ROOM}/got\n", capture_output=True,
                                          text=True, timeout=harness.TIMEOUT, check=False)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    with open(ROOM + "/got", "rb") as file:
                        self.assertEqual(file.read(), everything)
                    os.unlink(ROOM + "/got")
        self.assertEqual(results[0], (7, everything, everything))
        self.assertEqual(results[2:], results[:2])


class Switching(Applications):
    """Changing to another user is not a login of that user."""

    def test_su_reports_no_user(self):
        self.assertEqual(output("su", "alice", "-c", "id -un"), "alice\n")
        self.assertEqual(output("su", "-", "alice", "-c", "id -un"), "alice\n")
        self.assert_arrivals()

    def test_su_from_one_user_to_another_reports_no_user(self):
        said, status = at_terminal(["su", "alice", "-c", "su bob -c 'id -un'"],
                                   [("assword", PASSWORD)])
        self.assertEqual(status, 0, said)
        self.assertIn("bob", said)
        self.assert_arrivals()

    @needs("runuser")
    def test_runuser_reports_no_user(self):
        self.assertEqual(output("runuser", "-u", "alice", "--", "id", "-un"), "alice\n")
        self.assertEqual(output("runuser", "-l", "alice", "-c", "id -un"), "alice\n")
        self.assert_arrivals()

    @needs("sudo")
    def test_sudo_reports_no_user(self):
        write("/etc/sudoers.d/test", "alice ALL=(ALL) NOPASSWD: ALL\nbob ALL=(ALL) ALL\n", 0o440)
        self.assertEqual(output("su", "alice", "-c", "sudo -n id -un"), "root\n")
        self.assertEqual(output("su", "alice", "-c", "sudo -n -u bob id -un"), "bob\n")
        self.assertEqual(output("su", "alice", "-c", "sudo -n -i -u carol id -un"), "carol\n")
        said, status = at_terminal(
            ["su", "--session-command", "sudo -k -u carol id -un", "bob"],
            [("assword", PASSWORD)])
        self.assertEqual(status, 0, said)
        self.assertIn("carol", said)
        self.assert_arrivals()

    def test_on_demand_they_count(self):
        """So the filter kept them out, and the module did run."""
        host.pam("skip_services=")
        output("su", "alice", "-c", "true")
        self.assert_arrivals("alice.login")
        if shutil.which("sudo"):
            output("sudo", "-n", "-u", "bob", "true")
            self.assert_arrivals("alice.login", "bob.login")


class Console(Applications):
    @needs("login")
    def test_login_with_a_password(self):
        said, status = at_terminal(["login", "-p", "--", "alice"],
                                   [("assword", PASSWORD), ("$ ", "exit")])
        self.assertEqual(status, 0, said)
        self.assert_arrivals("alice.login")

    @needs("login")
    def test_login_without_one(self):
        said, status = at_terminal(["login", "-f", "bob"], [("$ ", "exit")])
        self.assertEqual(status, 0, said)
        self.assert_arrivals("bob.login")

    @needs("login")
    def test_a_wrong_password_is_not_a_login(self):
        said, _ = at_terminal(["login", "-p", "--", "alice"], [("assword", "wrong")],
                              until="ncorrect")
        self.assertIn("ncorrect", said)
        self.assert_arrivals()


class Machinery(Applications):
    @needs("cron")
    def test_cron_reports_no_user(self):
        write("/etc/cron.d/test", "@reboot alice id -un > /home/alice/cron\n", 0o644)
        with open(ROOM + "/cron.log", "w", encoding="utf-8") as log:
            cron = subprocess.Popen(["cron", "-f"], stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log)

        def ran():
            try:
                with open("/home/alice/cron", encoding="utf-8") as file:
                    return file.read()
            except FileNotFoundError:
                return ""

        try:
            self.assertEqual(harness.wait_for(ran, "the job ran"), "alice\n")
        finally:
            cron.terminate()
            cron.wait(harness.TIMEOUT)
        self.assert_arrivals()

    def test_new_accounts_and_passwords_are_not_logins(self):
        output("newusers", input=f"dora:{PASSWORD}:::Dora:/home/dora:/bin/sh\n")
        output("chpasswd", input="dora:another word for it\n")
        said, status = at_terminal(["passwd", "dora"], [("assword:", PASSWORD),
                                                        ("etype", PASSWORD)])
        self.assertEqual(status, 0, said)
        self.assert_arrivals()
        output("userdel", "-r", "-f", "dora")


if __name__ == "__main__":
    reason = hosts.enter()
    if reason:
        print(f"ok 1 - the module in real programs # SKIP {reason}\n1..1")
        sys.exit(0)
    harness.main()
