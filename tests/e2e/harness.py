# SPDX-License-Identifier: Apache-2.0
"""What every end-to-end test uses: an emulated Google, a host in a directory, and TAP.

    import harness

    class Invitations(harness.Test):
        def test_a_first_login_sends_one_mail(self):
            with harness.Emulator() as google, harness.Site(google) as site:
                google.accounts({"address": "alice@example.com"})
                site.arrive_account("alice")
                site.collector_once()
                site.dispatcher_once()
                self.assertEqual(google.mailbox()["counts"], {"alice@example.com": 1})

    if __name__ == "__main__":
        harness.main()

The programs are those of $CLOUDINVITE_PROGRAMS, as tests/run sets it, or of $CLOUDINVITE_BUILD (default:
build beside tests/).
"""
import configparser
import contextlib
import http.client
import json
import os
import shutil
import signal
import sqlite3
import ssl
import subprocess
import tempfile
import time
import urllib.parse

import ledger_invariants
from tap import Test, main  # pylint: disable=unused-import

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("CLOUDINVITE_PROGRAMS") or os.environ.get("CLOUDINVITE_BUILD")
                        or os.path.join(SOURCE, "build"))
# Otherwise another program could load the module.
SANITIZED = any("-fsanitize" in open(flags, encoding="utf-8").read()
                for flags in (os.path.join(BUILD, "flags"),) if os.path.exists(flags))
TIMEOUT = 60  # seconds; longer than anything for which a test waits


def accounts(user):
    """The section [worker] in which one user does everything."""
    return {"collector_user": user, "dispatcher_user": user, "ledger_user": user}


def wait_for(condition, what, seconds=TIMEOUT):
    """Waits until condition() is true; returns its value."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def stop(program, seconds=TIMEOUT):
    """SIGTERM, then its exit status; one that does not end is killed, which is a failure."""
    if program.poll() is None:
        program.send_signal(signal.SIGTERM)
    try:
        return program.wait(seconds)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
        raise AssertionError(f"{program.args[0]} did not stop on SIGTERM") from None


class Emulator:
    """An emulated Google. `url`, `directory`, `customer`, `subject` and `domain` describe it; the methods are its
    /emulator/ endpoints.
    """

    customer = "C01234567"
    subject = "admin@example.com"
    domain = "example.com"

    def __init__(self, scenario=None, arguments=()):
        self.directory = tempfile.mkdtemp(prefix="cloudinvite-emulator.")
        self.arguments = list(arguments)
        self.process = None
        self.connection = None
        if scenario is not None:
            path = os.path.join(self.directory, "scenario.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(scenario, file)
            self.arguments += ["--scenario", path]

    def __enter__(self):
        output = os.path.join(self.directory, "output")
        try:
            with open(output, "w", encoding="utf-8") as file:
                self.process = subprocess.Popen(
                    [os.path.join(BUILD, "cloudinvite-emulator"), "--quiet", "--directory",
                     self.directory, *self.arguments],
                    stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
            wait_for(lambda: os.path.exists(self.file("port")) or self.process.poll() is not None,
                     "the emulator's port")
            with open(output, encoding="utf-8") as file:
                said = file.read()
            if self.process.poll() is not None:
                raise AssertionError(f"the emulator ended with {self.process.returncode}: {said}")
        except BaseException as error:
            self.__exit__(error)
            raise
        with open(self.file("port"), encoding="ascii") as file:
            self.port = int(file.read())
        self.tls = "--http" not in self.arguments
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        return self

    def __exit__(self, failure=None, *_):
        if self.connection:
            self.connection.close()
        said = ""
        try:
            status = stop(self.process) if self.process else 0
            if os.path.exists(self.file("output")):
                with open(self.file("output"), encoding="utf-8", errors="replace") as file:
                    said = file.read()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)
        if status not in (0, -signal.SIGKILL) and failure is None:
            raise AssertionError(f"the emulator ended with {status}: {said[-4000:]}")

    def file(self, name):
        return os.path.join(self.directory, name)

    def connect(self, timeout=TIMEOUT):
        """A connection of the caller's own."""
        if not self.tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout,
                                           context=context)

    def request(self, method, path, body=None, headers=None):
        """One request on a connection of its own: (status, headers, body as bytes)."""
        connection = self.connect()
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def control(self, method, name, document=None):
        """Calls an /emulator/ endpoint and returns its JSON. A refusal is an AssertionError."""
        body = None if document is None else json.dumps(document)
        self.connection = self.connection or self.connect()
        try:
            self.connection.request(method, "/emulator/" + name, body=body)
            reply = self.connection.getresponse()
            answer = json.loads(reply.read())
        except (http.client.HTTPException, OSError, ValueError):
            self.connection.close()
            self.connection = None
            raise
        if reply.status != 200:
            raise AssertionError(f"{method} /emulator/{name}: {answer['error']}")
        return answer

    def ready(self):
        return self.control("GET", "ready")

    @property
    def metadata_url(self):
        """The metadata server's URL; None without one."""
        return self.ready()["metadata"]

    def subject_token(self, **wishes):
        """A token of the emulated identity provider: {"subject_token", "audience"}."""
        return self.control("POST", "subject-tokens", wishes)

    def reset(self):
        self.control("POST", "reset")

    def state(self, document=None):
        """Reads the state, or changes what the document names."""
        return self.control("GET", "state") if document is None \
            else self.control("PATCH", "state", document)

    def accounts(self, accounts):
        """One account, a list of them, or a series (prefix, count, domain)."""
        return self.control("POST", "accounts", accounts)["count"]

    def account(self, address):
        return self.control("GET", "accounts?address=" + urllib.parse.quote(address))

    def clock(self, document=None):
        return self.control("GET", "clock") if document is None \
            else self.control("POST", "clock", document)

    def advance(self, duration):
        return self.clock({"advance": duration})

    def accept(self, address):
        return self.control("POST", "accept", {"address": address})

    def decline(self, address):
        return self.control("POST", "decline", {"address": address})

    def faults(self, faults=None):
        """Adds one or a list of them; without an argument, returns the remaining ones."""
        return self.control("GET", "faults") if faults is None \
            else self.control("POST", "faults", faults)

    def clear_faults(self):
        self.control("DELETE", "faults")

    def latency(self, latency):
        return self.control("POST", "latency", latency)

    def quota(self, quota):
        return self.control("POST", "quota", quota)

    def switches(self, switches):
        return self.control("POST", "switches", switches)

    def log(self, since=0, route=None):
        """The requests after the `since`-th, of one route or all."""
        requests = self.control("GET", f"log?since={since}")["requests"]
        return [entry for entry in requests if route in (None, entry["route"])]

    def mailbox(self):
        return self.control("GET", "mailbox")

    def stats(self):
        return self.control("GET", "stats")

    def revoke_tokens(self):
        self.control("DELETE", "tokens")


class Site:
    """A host in a directory: passwd, group, spool, state and a cloudinvite.conf that points at the emulator.
    `overrides` is {section: {key: value}}. By default, invitations are sent at once and without a rate limit, which
    suits most tests.
    """

    def __init__(self, emulator, overrides=None):
        self.emulator = emulator
        self.root = tempfile.mkdtemp(prefix="cloudinvite-site.")
        self.conf = self.path("etc/cloudinvite.conf")
        self.programs = []
        self.uid = 1000
        self.settings = configparser.ConfigParser(interpolation=None, delimiters="=")
        self.settings.optionxform = str
        self.settings.read(emulator.file("cloudinvite.conf"))
        self.settings["google"]["requests_per_minute"] = "0"
        self.settings["people"] = {"address": "{user}@example.com", "domains": "example.com",
                                   "map": self.path("etc/addresses.map")}
        self.settings["invitations"] = {"mode": "send", "creation_delay": "0", "sends_per_day": "100000"}
        self.settings["storage"] = {
            "ledger": "sqlite:" + self.path("state/ledger.db"), "spool": self.path("spool"),
            "state": self.path("state"), "tokens": self.path("tokens"), "run": self.path("run"),
            "passwd": self.path("etc/passwd"), "group": self.path("etc/group")}
        self.settings["worker"] = accounts("root")
        self.settings.read_dict(overrides or {})

    def __enter__(self):
        try:
            os.mkdir(self.path("etc"), 0o755)
            self.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
            self.write("etc/group", "root:x:0:\nusers:x:100:\n")
            self.write("etc/addresses.map", "")
            self.write_settings()
            for program in ("cloudinvite-collector", "cloudinvite-dispatcher"):
                self.program(program, "--prepare")
        except BaseException as error:
            self.__exit__(error)
            raise
        return self

    def __exit__(self, failure=None, *_):
        """The test fails if a daemon does not stop, has ended on its own, or has lost a person."""
        complaints = []
        for program in self.programs:
            try:
                status = stop(program)
            except AssertionError as error:
                complaints.append(str(error))
                continue
            if status not in (0, -signal.SIGKILL):
                complaints.append(f"{program.args[0]} ended with {status}")
        if failure is None:
            complaints += ledger_invariants.violations(self.path("state/ledger.db"))
        logs = "".join(self.read(name) for name in sorted(os.listdir(self.root))
                       if name.endswith(".log"))
        shutil.rmtree(self.root, ignore_errors=True)
        if complaints and failure is None:
            raise AssertionError("; ".join(complaints) + "\n" + logs[-4000:])

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def write_settings(self, overrides=None):
        """Writes cloudinvite.conf again, with further overrides."""
        self.settings.read_dict(overrides or {})
        with open(self.conf, "w", encoding="utf-8") as file:
            self.settings.write(file)

    def add_user(self, name, uid=None, gecos="", shell="/bin/bash"):
        """Adds a line of passwd as useradd does: a new file, renamed into place."""
        self.uid = self.uid + 1 if uid is None else self.uid
        line = f"{name}:x:{self.uid if uid is None else uid}:100:{gecos}:/home/{name}:{shell}\n"
        passwd = self.read("etc/passwd")
        self.write("etc/passwd+", passwd + line)
        os.rename(self.path("etc/passwd+"), self.path("etc/passwd"))

    def remove_user(self, name):
        lines = self.read("etc/passwd").splitlines(keepends=True)
        self.write("etc/passwd+", "".join(l for l in lines if not l.startswith(name + ":")))
        os.rename(self.path("etc/passwd+"), self.path("etc/passwd"))

    def arrive(self, user, reason="login"):
        """Does what the PAM module does: makes an empty file. `user` is not escaped."""
        os.close(os.open(self.path(f"spool/new/{user}.{reason}"),
                         os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def arrive_account(self, user, reason="login", **account):
        self.add_user(user, **account)
        self.arrive(user, reason)

    def run(self, *verb, timeout=TIMEOUT, stdin=None):
        """cloudinvite -c FILE VERB…: the completed process, output as text."""
        return subprocess.run([os.path.join(BUILD, "cloudinvite"), "-c", self.conf, *verb],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              input=stdin or "", timeout=timeout, check=False)

    def json(self, *verb):
        """The one JSON document that a verb prints."""
        done = self.run(*verb)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"{verb} printed no JSON (exit {done.returncode}): "
                                 f"{done.stdout}{done.stderr}") from None

    def program(self, name, *arguments, timeout=TIMEOUT):
        """Runs a program to its end; a failure shows what it logged."""
        done = subprocess.run([os.path.join(BUILD, name), "-c", self.conf, *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{name} {' '.join(arguments)} ended with {done.returncode}:\n"
                                 f"{done.stdout}")
        return done.stdout

    def collector_once(self, timeout=TIMEOUT):
        return self.program("cloudinvite-collector", "--once", timeout=timeout)

    def dispatcher_once(self, timeout=TIMEOUT):
        return self.program("cloudinvite-dispatcher", "--once", timeout=timeout)

    def start(self, name):
        """Starts a daemon whose log is the file NAME.log. It is stopped at the end at the latest."""
        with open(self.path(name + ".log"), "a", encoding="utf-8") as log:
            program = subprocess.Popen([os.path.join(BUILD, name), "-c", self.conf],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.programs.append(program)
        return program

    def start_collector(self):
        return self.start("cloudinvite-collector")

    def start_dispatcher(self):
        return self.start("cloudinvite-dispatcher")


class ResetEmulator(Test):
    """One emulator for all tests of a class, reset before each."""

    @classmethod
    def setUpClass(cls):
        cls.google = Emulator().__enter__()
        cls.addClassCleanup(cls.google.__exit__)

    def setUp(self):
        self.google.reset()


class SharedSite(Test):
    """One emulator and one site for all tests of a class, without a rate limit."""

    @classmethod
    def setUpClass(cls):
        cls.google = Emulator().__enter__()
        cls.addClassCleanup(cls.google.__exit__)
        cls.site = Site(cls.google, {"google": {"requests_per_minute": "0"}}).__enter__()
        cls.addClassCleanup(cls.site.__exit__)


class NewSite(Test):
    """One emulator and one site for each test; Google knows unmanaged accounts at the addresses of `unmanaged`."""
    overrides = {}
    unmanaged = ()

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = Site(self.google, self.overrides).__enter__()
        self.addCleanup(self.site.__exit__)
        self.google.accounts([{"address": address} for address in self.unmanaged])


class NewEmulator(Test):
    """One emulator for each test, which makes its sites with settings of its own."""

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)

    def make_site(self, **sections):
        site = Site(self.google, sections).__enter__()
        self.addCleanup(site.__exit__)
        self.ledger_path = site.path("state/ledger.db")
        return site

    def ledger(self, statement, *values):
        """The rows of an SQL statement on the last site's ledger, which may also write; [] without a ledger."""
        if not os.path.exists(self.ledger_path):
            return []
        with contextlib.closing(sqlite3.connect(self.ledger_path, timeout=30)) as connection, connection:
            return connection.execute(statement, values).fetchall()
