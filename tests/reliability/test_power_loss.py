#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I4, I6 (docs/design.md, "Invariants"). Shows L1 (common/ledger/README.md).
"""Power loss at any moment: what module, collector and dispatcher do to the disk is recorded, and every legal state of
the disk afterwards is checked. See power_loss.py.

Each state is checked as it is: the ledger is intact, and knows every mail that was sent and every user with a marker.
For a sample of them the host starts again: both programs run, all users log in once more, days pass; then every user is
known and no person has two mails.

CLOUDINVITE_CRASHES=N: so many of those (default 40), a larger sample of states, and torn sectors.
"""
import contextlib
import ctypes
import itertools
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import ledger_invariants  # pylint: disable=wrong-import-position
import harness  # pylint: disable=wrong-import-position
import power_loss  # pylint: disable=wrong-import-position
import power_trace  # pylint: disable=wrong-import-position
from harness import BUILD, Emulator, Site  # pylint: disable=wrong-import-position

CRASHES = int(os.environ.get("CLOUDINVITE_CRASHES", "40"))
LONG = "CLOUDINVITE_CRASHES" in os.environ
SEED = 20261123
FEW = 20
VARIANTS = {"ordered": {"ordered": True}, "strict": {}}
if LONG:
    VARIANTS["strict, torn sectors"] = {"block": 512}
    power_loss.SAMPLE = 64
# Google shows accounts that are two days old; `carol` has none.
PEOPLE = {"alice": "30d", "bob": "1h", "carol": None, "dave": "1h", "erin": "30d", "frank": "1h"}
EMITTED = "dave"
PARTS = ("ledger.db", "ledger.db-wal", "ledger.db-journal")
MEMORY = "/dev/shm"
KEPT = ("spool", "state", "tokens")
MODULE = os.path.join(BUILD, "pam_cloudinvite.so")


def address(user):
    return user + "@example.com"


# ---- recording


def log_in(root, *users):
    """What login processes do with the module. The trace shows that they have ended."""
    class Conversation(ctypes.Structure):
        _fields_ = [("function", ctypes.c_void_p), ("data", ctypes.c_void_p)]

    pam, module = ctypes.CDLL("libpam.so.0"), ctypes.CDLL(MODULE)
    arguments = (ctypes.c_char_p * 2)(f"spool={root}/spool".encode(), b"network_users")
    for user in users:
        handle = ctypes.c_void_p()
        if pam.pam_start_confdir(b"sshd", user.encode(), ctypes.byref(Conversation()),
                                 f"{root}/pam".encode(), ctypes.byref(handle)) != 0:
            raise AssertionError("pam_start_confdir")
        if module.pam_sm_open_session(handle, 0, 2, arguments) != 0:
            raise AssertionError("the login failed")
        pam.pam_end(handle, 0)
        mark("login/" + user)


def mark(name):
    os.path.exists(power_trace.MARK + name)


def workload(root, conf):
    """Runs under strace: first starts, logins while the services run, a stop, a second start."""
    def program(name, *arguments):
        subprocess.run([os.path.join(BUILD, name), "-c", conf, *arguments], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def await_word(user, *words):
        def there():
            with contextlib.suppress(FileNotFoundError):
                with open(f"{root}/spool/seen/{user}", encoding="ascii") as file:
                    return file.read().strip() in words
        harness.wait_for(there, f"the mark of {user}")

    @contextlib.contextmanager
    def services():
        running = [subprocess.Popen([os.path.join(BUILD, name), "-c", conf],
                                    stdin=subprocess.DEVNULL)
                   for name in ("cloudinvite-collector", "cloudinvite-dispatcher")]
        yield
        for service in running:
            harness.stop(service)

    for name in ("cloudinvite-collector", "cloudinvite-dispatcher"):
        program(name, "--prepare")
    with services():
        log_in(root, "alice")
        await_word("alice", "invited")
        log_in(root, "bob", "carol")
        program("cloudinvite", "emit", "--trigger", "login", EMITTED)
        mark("emitted")
        await_word(EMITTED, "invited")
    log_in(root, "alice", "erin")
    program("cloudinvite-collector", "--once")
    program("cloudinvite-dispatcher", "--once")
    with services():
        log_in(root, "frank")
        await_word("frank", "invited")


def place_mails(events, log):
    """Inserts them into the events, at the last network event before Google had them."""
    said = [event for event in events if event["do"] == "net"]
    boot = time.time() - time.monotonic()
    for entry in log:
        had = boot + (entry["at_ms"] + 1) / 1000
        sent = [event for event in said if event["at"] < had][-1]
        sent["do"] = "mail"
        sent["addresses"] = (*sent.get("addresses", ()), entry["address"])


def record(google, site):
    """The events of the workload, with the mails that went out."""
    os.mkdir(site.path("pam"))
    site.write("pam/sshd", "session required pam_permit.so\n")
    for name in ("spool", "state", "tokens", "run"):
        shutil.rmtree(site.path(name))
    trace = site.path("trace")
    done = subprocess.run(
        power_trace.command(trace, sys.executable, os.path.abspath(__file__), "--workload",
                            site.root, site.conf),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"the workload ended with {done.returncode}: {done.stdout[-4000:]}")
    events = power_trace.read(trace, site.root, KEPT)
    place_mails(events, google.log(route="send"))
    return events


# ---- checking a state


class Ledger:
    """A ledger as SQLite finds it after the cut."""

    cache = {}

    def __init__(self, *parts):
        self.error, self.id, self.known, self.sends, self.states, self.begun, self.reports = \
            None, None, set(), {}, {}, 0, 0
        if not any(parts):
            return
        with tempfile.TemporaryDirectory(prefix="cloudinvite-power.") as place:
            path = os.path.join(place, "ledger.db")
            for part, content in zip(PARTS, parts):
                if content is not None:
                    with open(os.path.join(place, part), "wb") as file:
                        file.write(content)
            try:
                with contextlib.closing(sqlite3.connect(path)) as connection:
                    self.read(connection)
            except sqlite3.Error as error:
                self.error = str(error)

    @classmethod
    def of(cls, tree):
        parts = tuple(tree.get("state/" + part) for part in PARTS)
        if parts not in cls.cache:
            cls.cache[parts] = cls(*parts)
        return cls.cache[parts]

    def read(self, connection):
        verdict = connection.execute("PRAGMA integrity_check").fetchall()
        if verdict != [("ok",)] or connection.execute("PRAGMA foreign_key_check").fetchall():
            self.error = str(verdict)
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'ledger_info'").fetchall():
            return
        (self.id,), = connection.execute("SELECT ledger FROM ledger_info")
        self.known = {user for user, in connection.execute("SELECT account FROM sighting")}
        for to, outcome in connection.execute("SELECT address, outcome FROM send"):
            self.sends.setdefault(to, []).append(outcome)
        self.states = dict(connection.execute("SELECT address, state FROM person"))
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        self.begun = int(meta.get("sends_begun", 0))
        self.reports = int(meta.get("report_revision", 0))


def names(tree, directory):
    return {path[len(directory):] for path in tree
            if path.startswith(directory) and "/" not in path[len(directory):]}


def send_journal(tree):
    """(ledger, sends), or None if the journal cannot be read."""
    line = tree.get("tokens/last-mail") or b""
    words = line.split()
    return (words[0].decode(), int(words[1])) if len(line) == 1024 and len(words) == 5 else None


def bound(tree):
    """To which ledger the markers belong, and the revision of its last report."""
    belongs, _, revision = (tree.get("spool/seen/.ledger") or b"").decode().strip().partition(" ")
    return belongs, revision


def judge(state):
    """What is wrong with it on the disk."""
    tree, ledger = state.tree, Ledger.of(state.tree)
    wrong = [f"the ledger is broken: {ledger.error}"] if ledger.error else []
    for to in set(state.mails):
        if len(ledger.sends.get(to, [])) < state.mails.count(to):
            wrong.append(f"{to} has a mail of which the ledger does not know")
    belongs, revision = bound(tree)
    marked = {name for name in names(tree, "spool/seen/") if not name.startswith(".")}
    if belongs == ledger.id and marked - ledger.known:
        wrong.append(f"marked, but unknown: {marked - ledger.known}")
    if "emitted" in state.marks and EMITTED not in ledger.known and \
            EMITTED + ".login" not in names(tree, "spool/new/"):
        wrong.append(f"{EMITTED} was emitted and is forgotten")
    said = send_journal(tree)
    if said and (said[0] != ledger.id or said[1] > ledger.begun):
        wrong.append(f"the send_journal {said} is ahead of the ledger {ledger.id, ledger.begun}")
    host = tree.get("state/collector/host")
    if host is not None and not re.fullmatch(rb"cloudinvite-host 1\n(.*\n)*end \d+\n", host):
        wrong.append("the host's state is torn")
    if belongs and not re.fullmatch(r"[0-9a-f]{32}:(\d{20})?", f"{belongs}:{revision}"):
        wrong.append("the marks' ledger is torn")
    elif belongs == ledger.id and int(revision or 0) > ledger.reports:
        wrong.append("the markers know of a report that the ledger has lost")
    return wrong


def traceless(state):
    """Users who logged in before the cut without leaving a trace."""
    known = Ledger.of(state.tree).known | \
        {name.partition(".")[0] for name in names(state.tree, "spool/new/")}
    return {name[len("login/"):] for name in state.marks if name.startswith("login/")} - known


def outline(state):
    """States with the same outline look the same to every program."""
    tree, ledger = state.tree, Ledger.of(state.tree)
    belongs, revision = bound(tree)
    marks = tuple((name, tree["spool/seen/" + name]) for name in sorted(names(tree, "spool/seen/"))
                  if not name.startswith("."))
    return (state.mails, frozenset(traceless(state)), marks,
            tuple(sorted(names(tree, "spool/new/"))), belongs == ledger.id, revision, ledger.id is None,
            tuple(sorted(ledger.known)), tuple(sorted(ledger.states.items())),
            repr(sorted(ledger.sends.items())), send_journal(tree), tree.get("state/collector/host"),
            tuple(sorted(len(content or b"") for path, content in tree.items()
                         if path.startswith("tokens/") and not path.endswith("last-mail"))))


# ---- starting the host again


def mode_of(path, content):
    """As --prepare and the programs set it. A journal keeps the order of changes to names and modes, so what is in a
    directory was put there after the directory got its mode.
    """
    if content is None:
        return 0o3770 if path == "state" else 0o700
    return 0o660 if path.startswith("state/ledger.db") else 0o600


class Host:
    """Starts again with the content of a state."""

    def __init__(self, google, site):
        self.google, self.site = google, site

    def lay_out(self, state):
        for name in ("spool", "state", "tokens", "run"):
            shutil.rmtree(self.site.path(name), ignore_errors=True)
        for path in sorted(state.tree):
            place, content = self.site.path(path), state.tree[path]
            first = next(name for name in sorted(state.tree) if state.inodes[name] == state.inodes[path])
            if content is None:
                os.mkdir(place)
            elif first != path:
                os.link(self.site.path(first), place)
            else:
                with open(place, "wb") as file:
                    file.write(content)
            os.chmod(place, mode_of(path, content))

    def google_knows(self, state):
        self.google.reset()
        for user, age in PEOPLE.items():
            mails = state.mails.count(address(user))
            if age:
                self.google.accounts({"address": address(user), "created": age, "mails": mails,
                                      "state": "INVITED" if mails else "NOT_YET_SENT"})

    def ledger(self, statement):
        with contextlib.closing(sqlite3.connect(self.site.path("state/ledger.db"), timeout=30)) as \
                connection, connection:
            return connection.execute(statement).fetchall()

    def mails(self, state):
        counts = self.google.mailbox()["counts"]
        return {address(user): state.mails.count(address(user)) + counts.get(address(user), 0)
                for user in PEOPLE}

    def round(self):
        self.site.collector_once()
        self.site.dispatcher_once()

    def days_pass(self):
        self.google.advance("73h")
        self.ledger("UPDATE person SET next_attempt = 1, runnable_at = 1, lease_until = 0 WHERE runnable_at > 0")
        self.site.dispatcher_once()

    def start_again(self, state):
        """What is wrong in the end."""
        self.lay_out(state)
        self.google_knows(state)
        for name in ("cloudinvite-collector", "cloudinvite-dispatcher"):
            self.site.program(name, "--prepare")
        self.round()
        log_in(self.site.root, *PEOPLE)
        self.round()
        for _ in range(4):
            self.days_pass()
        self.site.collector_once()
        return self.complaints(state)

    def complaints(self, state):
        wrong = ledger_invariants.violations(self.site.path("state/ledger.db"))
        verdict = self.ledger("PRAGMA integrity_check")
        wrong += [] if verdict == [("ok",)] else [str(verdict)]
        known = {user for user, in self.ledger("SELECT account FROM sighting")}
        wrong += [f"{user} is forgotten" for user in set(PEOPLE) - known]
        wrong += [f"{user} has no mark" for user in PEOPLE
                  if not os.path.exists(self.site.path("spool/seen/" + user))]
        if os.listdir(self.site.path("spool/new")):
            wrong.append("arrivals are left")
        people = dict((to, (word, why)) for to, word, why in
                      self.ledger("SELECT address, state, reason FROM person"))
        for to, count in self.mails(state).items():
            word = people.get(to)
            if count > 1:
                wrong.append(f"{to} has {count} mails")
            if PEOPLE[to.partition("@")[0]] is None:
                wrong += [] if word[0] == "not_invitable" else [f"{to}: {word}"]
            elif count == 1 and word[0] != "invited" or \
                    count == 0 and word != ("held", "unconfirmed"):
                wrong.append(f"{to} has {count} mails and is {word}")
        return wrong


def can_trace():
    return shutil.which("strace") is not None and subprocess.run(
        ["strace", "-o", "/dev/null", "true"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=False).returncode == 0


@unittest.skipUnless(os.geteuid() == 0, "needs root: for anybody else the module does nothing")
@unittest.skipUnless(can_trace(), "needs strace, and the right to trace")
class PowerLoss(harness.Test):

    @classmethod
    def setUpClass(cls):
        if os.path.isdir(MEMORY):  # the record is the same, and nothing waits for a disk
            tempfile.tempdir = MEMORY
            cls.addClassCleanup(setattr, tempfile, "tempdir", None)
        cls.google = Emulator().__enter__()
        cls.addClassCleanup(cls.google.__exit__)
        for user, age in PEOPLE.items():
            if age:
                cls.google.accounts({"address": address(user), "created": age})
        cls.site = Site(cls.google).__enter__()
        cls.addClassCleanup(lambda: cls.site.__exit__(True))
        for user in PEOPLE:
            cls.site.add_user(user)
        cls.events = record(cls.google, cls.site)

    def states(self, variant):
        """Every state once, with what is wrong with it; returns how many there were."""
        seen, chosen, wrong = set(), {}, {}
        for cut in power_loss.Disk(self.events, **variant).cuts():
            for state in cut.states():
                if state.key in seen:
                    continue
                seen.add(state.key)
                for problem in judge(state):
                    wrong.setdefault(problem, cut.number)
                chosen.setdefault(outline(state), state)
        return len(seen), chosen, wrong

    def start_all(self, chosen):
        """How many were started, and in how many of them a login had left no trace."""
        host, states = Host(self.google, self.site), list(chosen.values())
        random.Random(SEED).shuffle(states)
        states.sort(key=lambda state: not traceless(state))
        few = CRASHES // len(VARIANTS)
        states = states[:few // 4] + states[few // 4:][-(few - few // 4):]
        for state in states:
            wrong = host.start_again(state)
            self.assertEqual(wrong, [], (state.mails, sorted(state.tree)))
        return len(states), sum(bool(traceless(state)) for state in states)

    def found(self, kept):
        """What would be wrong if the programs made only the syncs for which `kept` is true."""
        wrong = set()
        events = [event for event in self.events if event["do"] != "sync" or kept(event)]
        for cut in power_loss.Disk(events).cuts():
            for state in itertools.islice(cut.states(), FEW):
                wrong |= {re.sub("^[a-z.@]+ |[{(:].*", "", problem) for problem in judge(state)}
        return wrong

    def test_a_sync_that_is_missing_would_be_noticed(self):
        """Tests the test itself: without any sync, and without those of the directory around all others."""
        for kept in (lambda _: False, lambda event: event["inode"] != power_trace.ROOT):
            self.assertLessEqual({"has a mail of which the ledger does not know",
                                  "was emitted and is forgotten"}, self.found(kept))

    def test_no_state_that_a_power_cut_may_leave_breaks_a_promise(self):
        self.assertEqual(sorted(to for event in self.events for to in event.get("addresses", ())),
                         sorted(address(user) for user, age in PEOPLE.items() if age))
        for name, variant in VARIANTS.items():
            began = time.monotonic()
            count, chosen, wrong = self.states(variant)
            took = time.monotonic() - began
            self.assertEqual(wrong, {}, name)
            began = time.monotonic()
            started, lost = self.start_all(chosen)
            self.assertGreater(lost, 0, "the module forces nothing to the disk")
            print(f"# {name}: {len(self.events)} events, {count} states, {len(chosen)} that differ "
                  f"to a program ({took:.0f} s), {started} started again, {lost} of them after "
                  f"logins without a trace ({time.monotonic() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--workload"]:
        workload(*sys.argv[2:])
    else:
        harness.main()
