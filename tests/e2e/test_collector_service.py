#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The collector as its unit runs it: the service's account, the default places, systemd's socket.

The accounts are those of a passwd file of the test's own; whoever stands only in /etc/passwd is a
network user, whom NSS knows.
"""
import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import harness
import room
from room import BIN, CONF, SPOOL

STATE = "/var/lib/cloudinvite"
LEDGER = STATE + "/ledger.db"
LOG = "/run/room/collector.log"
PASSWD = "/etc/site/passwd"
SETTINGS = {"people": {"address": "{user}@example.com", "domains": "example.com"},
            "invitations": {"settle": "0"},
            "storage": {"passwd": PASSWD, "group": "/etc/site/group"}}
DAY = 24 * 3600


def build():
    room.output("useradd", "--system", "--no-create-home", "cloudinvite")
    room.output("useradd", "--no-create-home", "--groups", "users", "netty")
    os.mkdir("/etc/site")


class Service(harness.Test):
    """A fresh service for each test; alice and bob are there before it."""

    def setUp(self):
        self.process = None
        self.addCleanup(self.stop)
        for place in (SPOOL, STATE, "/var/cache/cloudinvite", "/run/cloudinvite"):
            shutil.rmtree(place, ignore_errors=True)
        room.write(LOG, "")
        self.settings()
        self.uid = 1000
        room.write(PASSWD, "root:x:0:0:root:/root:/bin/bash\n")
        room.write("/etc/site/group", "root:x:0:\n")
        self.add_users("alice", "bob")
        room.output(f"{BIN}/cloudinvite-collector", "--prepare")
        self.once()

    def settings(self, **sections):
        whole = {name: dict(keys) for name, keys in SETTINGS.items()}
        for name, keys in sections.items():
            whole.setdefault(name, {}).update(keys)
        room.write(CONF, "".join(
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
        room.write(PASSWD + "+", text)
        os.rename(PASSWD + "+", PASSWD)

    def arrive(self, *users, reason="login"):
        for user in users:
            os.close(os.open(f"{SPOOL}/new/{user}.{reason}", os.O_WRONLY | os.O_CREAT, 0o600))

    def arrivals(self):
        return sorted(os.listdir(SPOOL + "/new"))

    def once(self, code=0):
        done = subprocess.run([f"{BIN}/cloudinvite-collector", "--once"], text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=harness.PATIENCE)
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
        return dict(self.ledger("SELECT account, reason FROM sighting WHERE gone_day IS NULL"))

    def mark(self, user):
        with contextlib.suppress(FileNotFoundError):
            with open(f"{SPOOL}/seen/{user}", encoding="utf-8") as file:
                return file.read().strip()

    def wait_until_seen(self, *users):
        harness.wait_for(lambda: set(users) <= set(self.seen()), f"{users} in the ledger", 20)


class Storms(Service):

    def test_thousands_of_first_logins_are_taken_each_once(self):
        users = [f"user{number}" for number in range(5000)]
        self.add_users(*users)
        os.unlink(STATE + "/host")  # they are the baseline, as after the installation
        self.once()
        self.start()
        self.arrive(*users)
        harness.wait_for(lambda: not self.arrivals(), "an empty spool", 30)
        self.assertEqual(len(self.seen()), 5000)
        self.assertEqual(self.ledger("SELECT count(*) FROM history WHERE what = 'seen'"), [(5000,)])
        self.assertEqual(len(os.listdir(SPOOL + "/seen")), 5001)

    def test_stopped_in_the_middle_it_ends_soon_and_forgets_nobody(self):
        users = [f"user{number}" for number in range(20000)]
        self.add_users(*users)
        os.unlink(STATE + "/host")
        self.once()
        self.arrive(*users)
        self.start()
        harness.wait_for(lambda: len(self.arrivals()) < 20000, "the first group")
        began = time.monotonic()
        self.stop()
        self.assertLess(time.monotonic() - began, 5)
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


class Disks(Service):

    @contextlib.contextmanager
    def full(self, place, **owner):
        """The directory, moved to a small file system on which nothing is left."""
        files = {}
        for name in os.listdir(place):
            with open(f"{place}/{name}", "rb") as file:
                files[name] = file.read()
        status = os.stat(place)
        room.tmpfs(place, f"mode=0{status.st_mode & 0o777:o},uid={status.st_uid},"
                          f"gid={status.st_gid},size=1m")
        try:
            for name, content in files.items():
                with open(f"{place}/{name}", "wb") as file:
                    file.write(content)
                    os.fchmod(file.fileno(), 0o600)
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
            with contextlib.suppress(OSError), open(place + "/ballast", "wb", 0) as ballast:
                while ballast.write(b"x" * 4096):
                    pass
            yield place + "/ballast"
        finally:
            self.stop()
            room.output("umount", place)

    def test_with_a_full_disk_arrivals_wait_and_nobody_is_forgotten(self):
        users = [f"user{number}" for number in range(2000)]
        self.add_users(*users)
        os.unlink(STATE + "/host")
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

    def test_a_ledger_that_may_not_be_written_is_said_and_waited_for(self):
        self.arrive("alice")
        for name in os.listdir(STATE):
            os.chmod(f"{STATE}/{name}", 0o400)
        os.chmod(STATE, 0o500)
        self.assertIn("ledger.db", self.once(code=8))
        self.start()
        self.said("waiting")
        self.assertEqual(self.arrivals(), ["alice.login"])
        for name in os.listdir(STATE):
            os.chmod(f"{STATE}/{name}", 0o600)
        os.chmod(STATE, 0o700)
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
        self.assertEqual(self.ledger("SELECT count(*) FROM history WHERE what = 'seen'"), [(1,)])

    def test_a_spool_that_is_taken_away_ends_it_so_that_its_unit_makes_a_new_one(self):
        for take in (lambda: shutil.rmtree(SPOOL), lambda: os.rmdir(SPOOL + "/new"),
                     lambda: os.rename(SPOOL + "/new", SPOOL + "/old"),
                     lambda: os.rename(SPOOL, "/var/spool/old")):
            self.start()
            process, self.process = self.process, None
            take()
            self.assertEqual(process.wait(20), 8)
            self.assertIn("was taken away", self.log())
            shutil.rmtree(SPOOL, ignore_errors=True)
            room.output(f"{BIN}/cloudinvite-collector", "--prepare")

    def test_a_spool_that_others_could_write_is_refused(self):
        os.chmod(SPOOL + "/new", 0o777)
        self.assertIn("--prepare", self.once(code=8))

    def test_only_one_runs(self):
        self.start()
        done = subprocess.run([f"{BIN}/cloudinvite-collector"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=20)
        self.assertEqual(done.returncode, 8)
        self.assertIn(f"runs already (process {self.process.pid})", done.stderr)


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

    def test_a_clone_begins_anew(self):
        self.arrive("alice")
        self.once()
        with open("/etc/machine-id", encoding="ascii") as file:
            self.addCleanup(room.write, "/etc/machine-id", file.read(), 0o444)
        room.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0o444)
        self.assertIn("machine-id", self.once())
        self.assertEqual(self.seen(), {})
        self.assertIsNone(self.mark("alice"))
        self.arrive("alice")
        self.once()
        self.assertEqual(self.seen(), {"alice": "login"})


class NetworkUsers(Service):

    def test_they_do_not_count_unless_the_settings_say_so(self):
        self.arrive("netty")
        self.once()
        self.assertEqual((self.seen(), self.arrivals()), ({}, []))
        self.settings(people={"network_users": "yes"})
        self.arrive("netty")
        self.once()
        self.assertEqual(self.ledger("SELECT account, local, reason FROM sighting"),
                         [("netty", 0, "login")])
        self.assertEqual(self.mark("netty"), "seen")

    def test_their_groups_are_asked_of_nss_too(self):
        self.settings(people={"network_users": "yes", "include_groups": "users sudo"})
        self.arrive("netty")
        self.once()
        self.assertEqual(self.ledger("SELECT member_of FROM sighting"), [("users",)])

    def test_who_cannot_be_found_is_looked_for_a_day_long(self):
        self.settings(people={"network_users": "yes"})
        self.arrive("ghost")
        self.once()
        self.assertEqual(self.arrivals(), ["ghost.login"])
        os.utime(f"{SPOOL}/new/ghost.login", (1, time.time() - DAY - 60))
        self.assertIn("given up", self.once())
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
        os.unlink(STATE + "/host")
        self.arrive("netty")
        self.once()
        self.assertEqual(self.ledger("SELECT local, uid FROM sighting"), [(1, self.uid)])


class Daemon(Service):

    @contextlib.contextmanager
    def systemd(self):
        """What is said to $NOTIFY_SOCKET."""
        path, said = "/run/room/notify", []
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

    def test_systemd_is_told_when_it_is_ready_reloads_stops_and_lives(self):
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
        time.sleep(1)  # until its own wake-up has been heard
        trace = "/run/room/trace"
        with subprocess.Popen(["strace", "-f", "-o", trace, "-p", str(self.process.pid)],
                              stderr=subprocess.PIPE) as strace:
            strace.stderr.readline()  # attached
            time.sleep(3)
            strace.send_signal(signal.SIGINT)
        with open(trace, encoding="utf-8") as file:
            calls = [line for line in file if "(" in line]
        self.assertLessEqual(len(calls), 1, calls)

    def test_it_runs_with_no_right_but_its_accounts(self):
        self.start()
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            status = dict(line.rstrip().split(":\t", 1) for line in file if ":\t" in line)
        uid = room.output("id", "-u", "cloudinvite").strip()
        gid = room.output("id", "-g", "cloudinvite").strip()
        self.assertEqual(set(status["Uid"].split()), {uid})
        self.assertEqual(set(status["Gid"].split()), {gid})
        self.assertLessEqual(set(status["Groups"].split()), {gid})
        self.assertEqual(int(status["CapEff"], 16) | int(status["CapPrm"], 16), 0)

    def test_a_reload_takes_a_spool_in_another_place(self):
        self.start()
        self.settings(storage={"spool": "/var/spool/elsewhere"})
        self.process.send_signal(signal.SIGHUP)
        self.said("config_reload_failed")
        self.assertIn("--prepare", self.log())
        self.arrive("alice")  # the old one counts
        self.wait_until_seen("alice")
        room.output(f"{BIN}/cloudinvite-collector", "--prepare")
        self.addCleanup(shutil.rmtree, "/var/spool/elsewhere")
        self.addCleanup(self.stop)
        self.process.send_signal(signal.SIGHUP)
        self.said("config_reloaded")
        os.close(os.open("/var/spool/elsewhere/new/bob.login", os.O_WRONLY | os.O_CREAT, 0o600))
        self.wait_until_seen("bob")

    def test_what_only_a_restart_can_change_is_said(self):
        self.start()
        self.settings(storage={"run": "/run/elsewhere"})
        self.process.send_signal(signal.SIGHUP)
        self.said("Restart the service")
        self.add_users("carol")
        self.wait_until_seen("carol")

    def test_a_host_that_only_dispatches_has_no_collector(self):
        self.settings(worker={"role": "dispatcher"})
        self.assertIn("cloudinvite-collector.service", self.once(code=3))

    def test_wrong_settings_for_google_do_not_stop_it(self):
        self.settings(google={"endpoint": "rubbish", "timeout": "never"})
        self.arrive("alice")
        self.once()
        self.assertEqual(self.seen(), {"alice": "login"})


if __name__ == "__main__":
    room.main(build)
