#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The collector as its unit runs it: the service's account, the default places, systemd's socket.

The accounts are those of a passwd file of the test's own. A user who is only in /etc/passwd is a network user, because
NSS knows them.
"""
import contextlib
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import threading
import time

import harness
import sandbox
from sandbox import BIN, CONF, SPOOL

STATE = "/var/lib/cloudinvite"
LEDGER = STATE + "/ledger.db"
LOG = "/run/sandbox/collector.log"
PASSWD = "/etc/site/passwd"
SETTINGS = {"people": {"address": "{user}@example.com", "domains": "example.com"},
            "invitations": {"creation_delay": "0"},
            "storage": {"passwd": PASSWD, "group": "/etc/site/group"}}
DAY = 24 * 3600


def build():
    sandbox.make_accounts()
    sandbox.output("useradd", "--no-create-home", "--groups", "users", "netty")
    os.mkdir("/etc/site")


class Service(harness.Test):
    """A fresh service for each test; alice and bob exist before it."""

    def setUp(self):
        self.process = None
        self.addCleanup(self.stop)
        for place in (SPOOL, STATE, "/var/cache/cloudinvite", "/run/cloudinvite"):
            shutil.rmtree(place, ignore_errors=True)
        sandbox.write(LOG, "")
        self.settings()
        self.uid = 1000
        sandbox.write(PASSWD, "root:x:0:0:root:/root:/bin/bash\n")
        sandbox.write("/etc/site/group", "root:x:0:\n")
        self.add_users("alice", "bob")
        sandbox.output(f"{BIN}/cloudinvite-collector", "--prepare")
        self.once()

    def settings(self, **sections):
        whole = {name: dict(keys) for name, keys in SETTINGS.items()}
        for name, keys in sections.items():
            whole.setdefault(name, {}).update(keys)
        sandbox.write(CONF, "".join(
            f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
            for name, keys in whole.items()))

    def add_users(self, *names):
        with open(PASSWD, encoding="utf-8") as file:
            text = file.read()
        for name in names:
            self.uid += 1
            text += f"{name}:x:{self.uid}:100::/home/{name}:/bin/sh\n"
        self.replace(text)

    def remove_users(self, *names):
        with open(PASSWD, encoding="utf-8") as file:
            lines = file.read().splitlines(keepends=True)
        self.replace("".join(line for line in lines if line.split(":")[0] not in names))

    @staticmethod
    def replace(text):
        sandbox.write(PASSWD + "+", text)
        os.rename(PASSWD + "+", PASSWD)

    def arrive(self, *users, reason="login"):
        for user in users:
            os.close(os.open(f"{SPOOL}/new/{user}.{reason}", os.O_WRONLY | os.O_CREAT, 0o600))

    def arrivals(self):
        return sorted(os.listdir(SPOOL + "/new"))

    def once(self, code=0):
        done = subprocess.run([f"{BIN}/cloudinvite-collector", "--once"], text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=harness.TIMEOUT)
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout

    def start(self, **environment):
        before = self.log().count("started")
        with open(LOG, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [f"{BIN}/cloudinvite-collector"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=dict(os.environ, **environment))
        self.said("started", before + 1)

    def stop(self):
        if self.process:
            process, self.process = self.process, None
            self.assertEqual(harness.stop(process, 20), 0, self.log()[-2000:])

    def log(self):
        with open(LOG, encoding="utf-8", errors="replace") as log:
            return log.read()

    def said(self, word, times=1):
        harness.wait_for(lambda: self.log().count(word) >= times, f"'{word}' in the log", 20)

    def ledger(self, statement):
        with contextlib.closing(sqlite3.connect(f"file:{LEDGER}?mode=ro", uri=True,
                                                timeout=20)) as ledger:
            return ledger.execute(statement).fetchall()

    def seen(self):
        """{account: reason} of those that are there."""
        return dict(self.ledger("SELECT account, trigger FROM sighting WHERE gone_day IS NULL"))

    def mark(self, user):
        with contextlib.suppress(FileNotFoundError):
            with open(f"{SPOOL}/seen/{user}", encoding="utf-8") as file:
                return file.read().strip() or "seen"

    def wait_until_seen(self, *users):
        harness.wait_for(lambda: set(users) <= set(self.seen()), f"{users} in the ledger", 20)


class Storms(Service):

    def test_thousands_of_first_logins_are_taken_each_once(self):
        users = [f"user{number}" for number in range(5000)]
        self.add_users(*users)
        os.unlink(STATE + "/collector/host")  # they are the baseline, as after the installation
        self.once()
        self.start()
        self.arrive(*users)
        harness.wait_for(lambda: not self.arrivals(), "an empty spool")
        self.assertEqual(len(self.seen()), 5000)
        self.assertEqual(self.ledger("SELECT count(*) FROM history WHERE event = 'seen'"), [(5000,)])
        self.assertEqual(len(os.listdir(SPOOL + "/seen")), 5001)

    def test_stopped_during_work_it_ends_soon_and_forgets_no_person(self):
        users = [f"user{number}" for number in range(20000)]
        self.add_users(*users)
        os.unlink(STATE + "/collector/host")
        self.once()
        self.arrive(*users)
        self.start()
        harness.wait_for(lambda: len(self.arrivals()) < 20000, "the first group")
        began = time.monotonic()
        self.stop()
        self.assertLess(time.monotonic() - began, 30)
        self.once()
        self.assertEqual(self.arrivals(), [])
        self.assertEqual(len(self.seen()), 20000)

    def test_killed_while_accounts_come_and_go_it_tells_the_truth_in_the_end(self):
        for number in range(30):
            self.add_users(f"come{number}")
            if number % 3 == 2:
                self.remove_users(f"come{number - 1}")
            process = subprocess.Popen([f"{BIN}/cloudinvite-collector"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.002 * number)
            process.send_signal(signal.SIGKILL)
            process.wait()
        for _ in range(3):
            self.once()
        there = {f"come{number}" for number in range(30) if number % 3 != 1}
        self.assertEqual(set(self.seen()), there)
        self.assertEqual({user for user in there if not self.mark(user)}, set())
        self.assertEqual([user for user in os.listdir(SPOOL + "/seen")
                          if user.startswith("come") and user not in there], [])


    def test_an_arrival_during_a_listing_is_not_lost(self):
        """Announcements of the keeper between two requests are not lost."""
        users = [f"user{number}" for number in range(600)]
        self.add_users(*users)
        os.unlink(STATE + "/collector/host")
        self.once()
        self.start()
        for user in users:
            self.arrive(user)
            time.sleep(0.002)
        harness.wait_for(lambda: not self.arrivals(), "an empty spool", 20)


class Disks(Service):

    @contextlib.contextmanager
    def full(self, place, **owner):
        """The directory, moved to a small file system without free space."""
        kept = "/run/sandbox/kept"
        sandbox.output("cp", "-a", "-T", place, kept)
        sandbox.tmpfs(place, "size=1m")
        try:
            sandbox.output("cp", "-a", "-T", kept, place)
            shutil.rmtree(kept)
            with contextlib.suppress(OSError), open(place + "/ballast", "wb", 0) as ballast:
                while ballast.write(b"x" * 4096):
                    pass
            yield place + "/ballast"
        finally:
            self.stop()
            sandbox.output("umount", place)

    def test_with_a_full_disk_arrivals_wait_and_none_is_lost(self):
        users = [f"user{number}" for number in range(2000)]
        self.add_users(*users)
        os.unlink(STATE + "/collector/host")
        self.once()
        self.arrive(*users)
        with self.full(STATE) as ballast:
            said = self.once(code=8)
            self.assertEqual(len(self.arrivals()), 2000, said)
            self.start()
            self.said("waiting")
            self.assertIn("no space left", self.log())
            os.unlink(ballast)
            self.said("recovered")
            self.assertEqual(self.arrivals(), [])
            self.assertEqual(len(self.seen()), 2000)

    def test_a_read_only_ledger_is_reported_and_waited_for(self):
        self.arrive("alice")
        logs = [name for name in os.listdir(STATE) if name.startswith("ledger.db")]
        for name in logs:
            os.chmod(f"{STATE}/{name}", 0o440)
        os.chmod(STATE, 0o1550)
        self.assertIn("ledger.db", self.once(code=8))
        self.start()
        self.said("waiting")
        self.assertEqual(self.arrivals(), ["alice.login"])
        for name in logs:
            os.chmod(f"{STATE}/{name}", 0o660)
        os.chmod(STATE, 0o3770)
        self.said("recovered")
        self.assertEqual(self.seen(), {"alice": "login"})

    def test_marks_that_cannot_be_written_leave_the_arrival(self):
        self.arrive("alice")
        os.chmod(SPOOL + "/seen", 0o500)
        self.once(code=8)
        self.assertEqual(self.arrivals(), ["alice.login"])
        os.chmod(SPOOL + "/seen", 0o700)
        self.once()
        self.assertEqual((self.mark("alice"), self.arrivals()), ("seen", []))
        self.assertEqual(self.ledger("SELECT count(*) FROM history WHERE event = 'seen'"), [(1,)])

    def test_a_spool_that_is_taken_away_ends_it_so_that_its_unit_makes_a_new_one(self):
        for take in (lambda: shutil.rmtree(SPOOL), lambda: os.rmdir(SPOOL + "/new"),
                     lambda: os.rename(SPOOL + "/new", SPOOL + "/old"),
                     lambda: os.rename(SPOOL, "/var/spool/old")):
            self.start()
            process, self.process = self.process, None
            take()
            self.assertEqual(process.wait(20), 8)
            self.assertIn("was removed", self.log())
            shutil.rmtree(SPOOL, ignore_errors=True)
            sandbox.output(f"{BIN}/cloudinvite-collector", "--prepare")

    def test_a_spool_that_others_could_write_is_refused(self):
        os.chmod(SPOOL + "/new", 0o777)
        self.assertIn("--prepare", self.once(code=8))

    def test_only_one_runs(self):
        self.start()
        done = subprocess.run([f"{BIN}/cloudinvite-collector"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=20)
        self.assertEqual(done.returncode, 8)
        self.assertIn(f"is already running (process {self.process.pid})", done.stderr)


class Machines(Service):

    def name_host(self, name):
        before = socket.gethostname()
        socket.sethostname(name)
        return before

    def test_a_host_with_another_name_keeps_its_accounts(self):
        self.arrive("alice")
        self.once()
        self.addCleanup(socket.sethostname, self.name_host("renamed-host"))
        self.once()
        self.assertEqual(self.ledger("SELECT host, account FROM sighting WHERE gone_day IS NULL"),
                         [("renamed-host", "alice")])
        self.assertEqual(self.mark("alice"), "seen")
        self.add_users("carol")
        self.once()
        self.assertEqual(self.seen(), {"alice": "login", "carol": "created"})

    def test_a_clone_begins_again(self):
        self.arrive("alice")
        self.once()
        with open("/etc/machine-id", encoding="ascii") as file:
            self.addCleanup(sandbox.write, "/etc/machine-id", file.read(), 0o444)
        sandbox.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0o444)
        self.assertIn("machine-id", self.once())
        self.assertEqual(self.seen(), {})
        self.assertIsNone(self.mark("alice"))
        self.arrive("alice")
        self.once()
        self.assertEqual(self.seen(), {"alice": "login"})


class Keeper(Service):
    """The keeper as its unit runs it: systemd has the socket, and starts the keeper at the first connection."""

    SOCKET = "/run/cloudinvite-keeper/socket"

    def setUp(self):
        super().setUp()
        self.keeper = None
        self.account = pwd.getpwnam("cloudinvite-collector")
        os.makedirs(os.path.dirname(self.SOCKET), 0o755, exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.SOCKET)
        os.chown(self.SOCKET, 0, self.account.pw_gid)
        os.chmod(self.SOCKET, 0o660)
        self.listener.listen(16)
        self.addCleanup(self.close)
        self.start_keeper()

    def close(self):
        try:
            self.stop()
        finally:
            self.kill_keeper()
            self.listener.close()
            os.unlink(self.SOCKET)

    def start_keeper(self):
        """As systemd does: descriptor 3, with its owner."""
        self.keeper = os.fork()
        if self.keeper == 0:
            log = os.open(LOG, os.O_WRONLY | os.O_APPEND)
            os.dup2(log, 2)
            os.dup2(self.listener.fileno(), 3)
            os.set_inheritable(3, True)
            os.closerange(4, 64)
            os.execve(f"{BIN}/cloudinvite-keeper", ["cloudinvite-keeper"],
                      {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})

    def kill_keeper(self):
        if self.keeper:
            os.kill(self.keeper, signal.SIGKILL)
            os.waitpid(self.keeper, 0)
        self.keeper = None

    def connect(self, uid=None):
        """A connection from a process with that uid; by default the collector's."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        uid = self.account.pw_uid if uid is None else uid
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setresgid(self.account.pw_gid, self.account.pw_gid, self.account.pw_gid)
            os.setresuid(uid, uid, uid)
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            peer.connect(self.SOCKET)
            socket.send_fds(theirs, [b"x"], [peer.fileno()])
            os._exit(0)
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        peer = socket.socket(fileno=fds[0])
        peer.settimeout(20)
        self.addCleanup(peer.close)
        return peer

    def status(self):
        with open(f"/proc/{self.keeper}/status", encoding="ascii") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)

    @staticmethod
    def record(verb, name="", word="", count=0):
        return struct.pack("<c3xiqq168s64s", verb.encode(), 0, 0, count, name.encode(), word.encode())

    def test_it_serves_the_collector_and_is_root_without_powers(self):
        self.start()
        self.arrive("alice")
        self.wait_until_seen("alice")
        harness.wait_for(lambda: not self.arrivals(), "an empty spool")
        self.assertEqual(self.mark("alice"), "seen")
        status = self.status()
        self.assertEqual(set(status["Uid"].split()), {"0"})
        for kind in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb"):
            self.assertEqual(int(status[kind], 16), 0, kind)
        self.assertEqual(status["NoNewPrivs"], "1")

    def test_once_works_with_it_too(self):
        self.arrive("alice")
        self.once()
        self.assertEqual((self.seen(), self.arrivals()), ({"alice": "login"}, []))

    def test_after_a_kill_it_is_found_again_and_no_account_is_lost(self):
        self.start()
        for number in range(5):
            self.kill_keeper()
            users = [f"user{number}x{user}" for user in range(20)]
            self.add_users(*users)
            self.arrive(*users)
            self.start_keeper()
            self.wait_until_seen(*users)
        harness.wait_for(lambda: not self.arrivals(), "an empty spool", 30)

    def test_a_connection_of_another_account_is_closed_and_has_no_effect(self):
        self.start()
        self.arrive("alice")
        self.wait_until_seen("alice")
        for uid in (0, 12345):
            peer = self.connect(uid)
            self.assertEqual(peer.recv(1024), b"")
        self.arrive("bob")
        self.wait_until_seen("bob")
        self.assertIn("it is not the collector", self.log())

    def test_one_that_hangs_does_not_lock_out_the_next(self):
        hanging = self.connect()
        self.arrive("alice")
        self.once()
        self.assertEqual(self.seen(), {"alice": "login"})
        hanging.recv(1024)
        self.assertEqual(hanging.recv(1024), b"")

    def test_one_that_never_reads_costs_neither_memory_nor_logins(self):
        peer = self.connect()
        peer.recv(256)
        users = [f"user{number}" for number in range(10000)]
        self.arrive(*users)
        before = self.status()["VmRSS"]
        peer.send(self.record("N", count=65536))
        for user in users:
            with contextlib.suppress(BlockingIOError):
                peer.send(self.record("T", user + ".login"), socket.MSG_DONTWAIT)
        time.sleep(1)
        self.assertLess(int(self.status()["VmRSS"].split()[0]), int(before.split()[0]) + 4096)
        self.assertIn(self.status()["State"][0], "SR")
        for name in os.listdir(SPOOL + "/new"):
            os.unlink(f"{SPOOL}/new/{name}")

    def test_descriptors_that_are_sent_along_are_not_taken(self):
        peer = self.connect()
        peer.send(self.record("P"))
        while peer.recv(256)[:1] != b"E":  # until the keeper has opened everything that a connection takes
            pass
        before = len(os.listdir(f"/proc/{self.keeper}/fd"))
        with open("/dev/null", "rb") as null, contextlib.suppress(PermissionError):
            for _ in range(20):  # refused since Linux 6.16
                socket.send_fds(peer, [self.record("U", "alice")], [null.fileno()] * 10)
        peer.send(self.record("P"))
        while peer.recv(256)[:1] != b"E":
            pass
        self.assertEqual(len(os.listdir(f"/proc/{self.keeper}/fd")), before)

    def test_marks_without_arrivals_are_capped(self):
        for number in range(100000):
            os.close(os.open(f"{SPOOL}/seen/u{number}", os.O_WRONLY | os.O_CREAT, 0o600))
        peer = self.connect()
        for verb in "MF":
            peer.send(self.record(verb, "one-more-" + verb, "seen"))
        self.arrive("alice")
        peer.send(self.record("D", "alice.login"))
        peer.send(self.record("P"))
        while peer.recv(256)[:1] != b"E":
            pass
        self.assertIsNone(self.mark("one-more-M"))
        self.assertIsNone(self.mark("one-more-F"))
        self.assertEqual(self.mark("alice"), "seen")
        peer.send(self.record("M", "alice", "invited"))
        peer.send(self.record("M", "u1", "invited"))
        peer.send(self.record("P"))
        while peer.recv(256)[:1] != b"E":  # the keeper may also tell of alice's arrival, which came late
            pass
        self.assertEqual((self.mark("alice"), self.mark("u1")), ("invited", "invited"))

    def test_without_its_socket_it_names_the_unit_that_starts_it(self):
        done = subprocess.run([f"{BIN}/cloudinvite-keeper"], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, check=False, timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertIn("cloudinvite-keeper.socket", done.stderr)

    def test_a_collector_whose_keeper_does_not_answer_says_so(self):
        self.kill_keeper()
        self.listener.close()
        self.assertIn("cloudinvite-keeper.socket", self.once(code=8))
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class NetworkUsers(Service):

    def test_they_do_not_count_unless_the_settings_say_so(self):
        self.arrive("netty")
        self.once()
        self.assertEqual((self.seen(), self.arrivals()), ({}, []))
        self.settings(people={"network_users": "yes"})
        self.arrive("netty")
        self.once()
        self.assertEqual(self.ledger("SELECT account, local, trigger FROM sighting"),
                         [("netty", 0, "login")])
        self.assertEqual(self.mark("netty"), "seen")

    def test_their_groups_are_asked_of_nss_too(self):
        self.settings(people={"network_users": "yes", "include_groups": "users sudo"})
        self.arrive("netty")
        self.once()
        self.assertEqual(self.ledger("SELECT member_of FROM sighting"), [("users",)])

    def test_a_user_who_cannot_be_found_is_looked_up_for_a_day(self):
        self.settings(people={"network_users": "yes"})
        self.arrive("ghost")
        self.once()
        self.assertEqual(self.arrivals(), ["ghost.login"])
        os.utime(f"{SPOOL}/new/ghost.login", (1, time.time() - DAY - 60))
        self.assertIn("discarded after 24 h", self.once())
        self.assertEqual(self.arrivals(), [])

    def test_a_month_later_their_next_login_counts_again(self):
        self.settings(people={"network_users": "yes"})
        self.arrive("netty", "alice")
        self.once()
        for user in ("netty", "alice"):
            os.utime(f"{SPOOL}/seen/{user}", (1, time.time() - 31 * DAY))
        self.once()
        self.assertIsNone(self.mark("netty"))
        self.assertEqual(self.mark("alice"), "seen")

    def test_a_local_account_of_that_name_goes_first(self):
        self.settings(people={"network_users": "yes"})
        self.add_users("netty")
        os.unlink(STATE + "/collector/host")
        self.arrive("netty")
        self.once()
        self.assertEqual(self.ledger("SELECT local, uid FROM sighting"), [(1, self.uid)])


class Daemon(Service):

    @contextlib.contextmanager
    def systemd(self):
        """The messages to $NOTIFY_SOCKET."""
        path, said = "/run/sandbox/notify", []
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(path)
            os.chmod(path, 0o666)
            listener.settimeout(0.1)
            ended = threading.Event()

            def listen():
                while not ended.is_set():
                    with contextlib.suppress(TimeoutError, socket.timeout):
                        said.append(listener.recv(4096).decode())
            thread = threading.Thread(target=listen)
            thread.start()
            try:
                yield path, said
            finally:
                self.stop()
                ended.set()
                thread.join()

    def test_systemd_is_notified_of_ready_reload_stop_and_watchdog(self):
        with self.systemd() as (path, said):
            self.start(NOTIFY_SOCKET=path, WATCHDOG_USEC="400000")
            harness.wait_for(lambda: any("READY=1" in line for line in said), "READY")
            harness.wait_for(lambda: said.count("WATCHDOG=1") >= 4, "pings", 10)
            self.process.send_signal(signal.SIGHUP)
            harness.wait_for(lambda: any("RELOADING=1" in line for line in said), "RELOADING")
            reloading = next(n for n, line in enumerate(said) if "RELOADING=1" in line)
            self.assertIn("MONOTONIC_USEC=", said[reloading])
            harness.wait_for(lambda: any("READY=1" in line for line in said[reloading:]), "READY")
            self.stop()
            harness.wait_for(lambda: "STOPPING=1" in said, "STOPPING")

    def test_idle_it_sleeps(self):
        self.arrive("alice")
        self.start()
        self.wait_until_seen("alice")
        harness.wait_for(lambda: len(self.calls_in_three_seconds()) <= 1, "three seconds of sleep")

    def calls_in_three_seconds(self):
        trace = "/run/sandbox/trace"
        with subprocess.Popen(["strace", "-f", "-o", trace, "-p", str(self.process.pid)],
                              stderr=subprocess.PIPE) as strace:
            strace.stderr.readline()  # attached
            time.sleep(3)
            strace.send_signal(signal.SIGINT)
        with open(trace, encoding="utf-8") as file:
            return [line for line in file if "(" in line]

    def test_it_runs_with_no_right_but_its_accounts(self):
        self.start()
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            status = dict(line.rstrip().split(":\t", 1) for line in file if ":\t" in line)
        uid = sandbox.output("id", "-u", "cloudinvite-collector").strip()
        gid = sandbox.output("id", "-g", "cloudinvite-collector").strip()
        ledger = sandbox.output("id", "-g", "cloudinvite-ledger").strip()
        self.assertEqual(set(status["Uid"].split()), {uid})
        self.assertEqual(set(status["Gid"].split()), {gid})
        self.assertEqual(set(status["Groups"].split()), {gid, ledger})
        self.assertEqual(int(status["CapEff"], 16) | int(status["CapPrm"], 16), 0)

    def test_a_spool_in_another_place_needs_a_restart(self):
        self.start()
        self.settings(storage={"spool": "/var/spool/elsewhere"})
        self.process.send_signal(signal.SIGHUP)
        self.said("config_reload_failed")
        self.assertIn("Restart cloudinvite-keeper", self.log())
        self.arrive("alice")  # the old one counts
        self.wait_until_seen("alice")
        self.stop()
        sandbox.output(f"{BIN}/cloudinvite-collector", "--prepare")
        self.addCleanup(shutil.rmtree, "/var/spool/elsewhere")
        self.addCleanup(self.stop)
        self.start()
        os.close(os.open("/var/spool/elsewhere/new/bob.login", os.O_WRONLY | os.O_CREAT, 0o600))
        self.wait_until_seen("bob")

    def test_a_change_that_needs_a_restart_is_reported(self):
        self.start()
        self.settings(storage={"run": "/run/elsewhere"})
        self.process.send_signal(signal.SIGHUP)
        self.said("Restart the service")
        self.add_users("carol")
        self.wait_until_seen("carol")

    def test_the_role_of_a_hub_is_refused(self):
        self.settings(worker={"role": "hub"})
        self.assertIn("not available in version", self.once(code=3))

    def test_wrong_settings_for_google_do_not_stop_it(self):
        self.settings(google={"endpoint": "rubbish", "timeout": "never"})
        self.arrive("alice")
        self.once()
        self.assertEqual(self.seen(), {"alice": "login"})


if __name__ == "__main__":
    sandbox.main(build)
