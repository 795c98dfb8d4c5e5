#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The report: its figures are those of status, its page is valid for any data, it names no person unless asked, and its
file replaces nothing else. test_report_browser.py tests its appearance.

CLOUDINVITE_PEOPLE=100000 measures page, memory and time with as many people.
"""
import base64
import contextlib
import hashlib
import os
import re
import sqlite3
import stat
import subprocess
import time

import harness
from harness import Emulator, Site
from report_page import HISTORY, Page, SIGHTING, fill, person

# All elements that a page may have.
ELEMENTS = set("html head meta style title body header h1 h2 h3 p time div strong code main dl dt dd "
               "section figure svg desc text tspan rect ul li span b details summary table caption "
               "thead tbody tr th td footer".split())
PEOPLE = int(os.environ.get("CLOUDINVITE_PEOPLE", "20000"))
PROGRAM = os.path.join(harness.BUILD, "cloudinvite")


class Reports(harness.Test):
    mode = "send"

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = Site(self.google, {"invitations": {"mode": self.mode}}).__enter__()
        self.addCleanup(lambda: self.site.__exit__())  # pylint: disable=unnecessary-lambda
        self.site.collector_once()

    def database(self):
        return contextlib.closing(sqlite3.connect(self.site.path("state/ledger.db"), timeout=30))

    def page(self, *options):
        done = self.site.run("report", *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return Page(done.stdout)

    def log_in(self, *users):
        for user in users:
            self.site.arrive_account(user)
        self.site.collector_once()
        self.site.dispatcher_once()

    def assert_sane(self, page):
        """Nothing that runs, loads, or comes from elsewhere."""
        self.assertEqual(page.names() - ELEMENTS, set())
        for name, attributes in page.elements:
            for key, value in attributes.items():
                self.assertFalse(key.startswith("on") or key in ("style", "src", "href", "action"),
                                 (name, key, value))
        self.assertNotIn("url(", page.source)
        self.assertNotIn("@import", page.source)
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        self.assertEqual(len(ids), len(set(ids)))
        for _, attributes in page.elements:
            for key in ("aria-labelledby", "aria-describedby"):
                self.assertLessEqual(set(attributes.get(key, "").split()), set(ids))


class Figures(Reports):

    def test_the_funnel_and_the_hosts_agree_with_status_on_invited_people(self):
        self.google.accounts([{"address": f"{user}@example.com"}
                              for user in ("alice", "bob", "carol")])
        self.log_in("alice", "bob", "carol", "dave", "postmaster")
        self.google.accept("alice@example.com")
        self.google.decline("bob@example.com")
        self.google.advance("49h")
        with self.database() as database, database:
            database.execute("UPDATE meta SET value = value - 200000 WHERE key = 'resync_at'")
        self.site.dispatcher_once()
        summary = self.site.json("status", "--json")["summary"]
        self.assertEqual((summary["accepted"], summary["declined"], summary["invited"],
                          summary["not_invitable"]), (1, 1, 1, 1))
        page = self.page()
        self.assertEqual(page.table("Stage"), {
            "Seen": [4, ""], "Unmanaged": [3, "75 %"], "Invited": [3, "100 %"],
            "accepted": [1, "33 %"], "declined": [1, "33 %"], "no answer yet": [1, "33 %"],
            "cancelled": [0, "0 %"]})
        host, = page.table("Host").values()
        self.assertEqual(host, [5, 3, 3, 1, 1, 0])
        weeks = [sum(row[at] for row in page.table("Week of").values()) for at in range(4)]
        self.assertEqual(weeks, [4, 3, 1, 1])
        self.assertIn("The collector and the dispatcher are not running:", page.text("header"))
        self.assert_sane(page)

    def test_they_agree_with_status_for_every_state_and_with_the_ledger_week_by_week(self):
        fill(self.site.path("state/ledger.db"), 300)
        status = self.site.json("status", "--json", "--all")
        summary = status["summary"]
        page = self.page("--weeks", "14")
        funnel = page.table("Stage")
        invited = sum(summary[s] for s in ("invited", "accepted", "declined", "cancelled"))
        reasons = {(w["state"], w["reason"]): w["count"] for w in status["service"]["waiting"]}
        self.assertEqual(funnel["Seen"][0], sum(summary.values()))
        self.assertEqual(funnel["Unmanaged"][0],
                         invited + reasons["held", "discovered"] + reasons["queued", "daily_limit"])
        self.assertEqual(funnel["Invited"][0], invited)
        for row, state in (("accepted", "accepted"), ("declined", "declined"),
                           ("no answer yet", "invited"), ("cancelled", "cancelled")):
            self.assertEqual(funnel[row][0], summary[state])
        hosts = page.table("Host")
        seen = [(s["host"], p["state"]) for p in status["people"] for s in p["sightings"]]
        for host, figures in hosts.items():
            states = [state for at, state in seen if at == host]
            self.assertEqual(figures[2:5], [
                sum(s in ("invited", "accepted", "declined", "cancelled") for s in states),
                states.count("accepted"), states.count("declined")], host)
        self.assertEqual(sum(figures[0] for figures in hosts.values()),
                         sum(status["service"]["verdicts"].values()))
        weeks = [sum(row[at] for row in page.table("Week of").values()) for at in range(4)]
        self.assertEqual(weeks, [funnel["Seen"][0], invited, summary["accepted"],
                                 summary["declined"]])

    def test_a_word_that_comes_again_in_a_story_counts_in_its_first_week(self):
        now = int(time.time())
        with self.database() as database, database:
            person(database, "alice@example.com", "invited", "sent", first=now - 30 * 86400)
            for weeks_ago in (3, 1, 0):
                database.execute(HISTORY, (now - weeks_ago * 7 * 86400, "alice@example.com",
                                           "invited"))
        weeks = list(self.page("--weeks", "4").table("Week of").values())
        self.assertEqual([row[1] for row in weeks], [0, 0, 0, 1])  # the newest is first


class States(Reports):
    mode = "dry-run"

    def test_an_empty_ledger_gives_a_page_that_says_so(self):
        page = self.page()
        for sentence in ("No people yet. They appear here after their first login.",
                         "Nothing: no person is stuck.", "Nothing has happened in the last 12 weeks.",
                         "No accounts have been seen yet."):
            self.assertIn(sentence, page.text())
        self.assertEqual(page.having("svg", role="img"), [])
        self.assert_sane(page)

    def test_dry_run_and_a_pause_stand_on_top_without_a_name(self):
        self.google.accounts({"address": "alice@example.com"})
        self.log_in("alice")
        self.site.run("pause", "--reason", "the mail server moves, ask dana@example.com")
        page = self.page()
        header = page.text("header")
        self.assertIn("Paused by an administrator, just now:", header)
        self.assertIn("ask d***a@example.com", header)
        self.assertIn("cloudinvite resume", header)
        self.assertIn("Dry run: no invitations go out. 1 person would be invited.", header)
        self.assertIn("1 person would be invited Dry run: no invitations are sent yet.",
                      page.text("section"))
        self.assertIn("cloudinvite approve --reason dry_run", page.text("code"))
        for name in ("alice", "dana"):
            self.assertNotIn(name, page.source)

    def test_stuck_people_are_named_on_request(self):
        with self.database() as database, database:
            person(database, "alice@example.com", "held", "discovered", seen_on=("h1",))
            person(database, "bob@example.com", "failed", "refused", fault="403: bob@example.com")
            person(database, "carol@example.com", "held", "blocked")
        self.assertNotRegex(self.page().source, "alice|bob|carol")
        people = self.page("--people").table("Address")
        self.assertEqual(people, {
            "bob@example.com": ["failed: 403: bob@example.com",
                                "cloudinvite retry bob@example.com"],
            "alice@example.com": ["held: found by a resync, not by a login",
                                  "cloudinvite approve alice@example.com"]})

    def test_at_most_two_hundred_stuck_people_and_the_largest_hosts_are_named(self):
        with self.database() as database, database:
            for number in range(230):
                person(database, f"user{number}@example.com", "held", "discovered",
                       seen_on=[f"h{n}" for n in range(number % 40 + 1)])
        page = self.page("--people")
        self.assertEqual(len(page.table("Address")), 200)
        self.assertIn("And 30 more: cloudinvite status --state held", page.text())
        hosts = page.table("Host")
        self.assertEqual(len(hosts), 26)
        self.assertEqual(hosts["h0"][0], 230)
        accounts = sum(number % 40 + 1 for number in range(230))
        self.assertEqual(sum(row[0] for row in hosts.values()), accounts)
        self.assertIn("15 other hosts", hosts)


class Hostile(Reports):
    TEXTS = ('<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onload='x",
             '</style></title></svg></table><b>', '&lt;&amp;&#60;', '<!--', ']]>', 'a\x01b\x1bc\x7f',
             '\u202egnp.exe', '\u0085\u009b31m', 'x' * 5000, '=cmd()', 'javascript:alert(1)')

    def test_whatever_host_account_and_fault_are_called_the_page_stays_a_page(self):
        raw = b"\xff\xfe<\xc0\xaf\xed\xa0\x80script>"
        with self.database() as database, database:
            for number, text in enumerate(self.TEXTS):
                person(database, f"user{number}@example.com", "failed", "refused", fault=text,
                       seen_on=(text,), user=text)
                database.execute("UPDATE person SET reason = ?, fault_code = ? WHERE address = ?",
                                 (text[:40] or "x", str(number), f"user{number}@example.com"))
                person(database, text[:200] + "@" + str(number), "held", "discovered")
            database.execute(SIGHTING, ("plain", "u", 0, "unmapped", ""))
            database.execute("UPDATE sighting SET host = CAST(? AS TEXT) WHERE host = 'plain'", (raw,))
            database.execute("INSERT INTO pause VALUES (1, 'operator', ?, '', ?, 1, 0, 0)",
                             ("<script>pause</script>", "<i>root</i>"))
        plain = self.page()
        for page in (plain, self.page("--people")):
            self.assert_sane(page)
            self.assertLess(len(page.source.encode()), 300000)
            self.assertNotRegex(page.source, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufffd]")
            hosts = set(page.table("Host"))
            for text in ('<script>alert(1)</script>', '"><img src=x onerror=alert(1)>',
                         "' onload='x", '&lt;&amp;&#60;', '<!--', r'a\x01b\x1bc\x7f',
                         r'\xe2\x80\xaegnp.exe', r'\xff\xfe<\xc0\xaf\xed\xa0\x80script>'):
                self.assertIn(text, hosts)
            self.assertIn("<script>pause</script>", page.text("header"))
        self.assertNotIn("user0@example.com", plain.source)

    def test_the_policy_allows_the_one_style_that_is_there_and_nothing_else(self):
        page = self.page()
        policy = page.having("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
        style = re.search("<style>(.*?)</style>", page.source, re.DOTALL).group(1)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.assertEqual(policy, f"default-src 'none'; style-src 'sha256-{digest}'; "
                                 "base-uri 'none'; form-action 'none'")
        self.assertEqual(page.having("html"), [{"lang": "en"}])


class Where(Reports):

    def write(self, name, *options):
        return self.site.run("report", "--output", self.site.path(name), *options)

    def refuses(self, name):
        done = self.write(name)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("a file that is not a report would be overwritten", done.stderr)
        self.assertIn("Name another file with --output", done.stderr)

    def rights(self, name):
        return stat.S_IMODE(os.lstat(self.site.path(name)).st_mode)

    def test_the_file_is_its_owners_alone_unless_another_mode_is_named(self):
        self.assertEqual(self.write("report.html").returncode, 0)
        self.assertEqual(self.rights("report.html"), 0o600)
        before = os.stat(self.site.path("report.html")).st_ino
        self.assertEqual(self.write("report.html", "--mode", "0644").returncode, 0)
        self.assertEqual(self.rights("report.html"), 0o644)
        self.assertNotEqual(os.stat(self.site.path("report.html")).st_ino, before)
        Page(self.site.read("report.html"))
        self.assertEqual([name for name in os.listdir(self.site.root) if "report" in name],
                         ["report.html"])

    def test_nothing_but_a_report_is_replaced_and_no_link_is_followed(self):
        self.site.write("mine", "mine")
        self.refuses("mine")
        os.mkdir(self.site.path("folder"))
        self.refuses("folder")
        os.mkfifo(self.site.path("pipe"))
        self.refuses("pipe")
        self.assertEqual(self.write("report.html").returncode, 0)
        os.symlink("report.html", self.site.path("link"))
        self.refuses("link")
        os.symlink("nowhere", self.site.path("dangling"))
        self.refuses("dangling")
        self.assertFalse(os.path.exists(self.site.path("nowhere")))
        self.assertEqual(self.site.read("mine"), "mine")

    def test_a_missing_directory_and_contradictory_options_are_reported(self):
        done = self.write("no/report.html")
        self.assertEqual(done.returncode, 8)
        self.assertIn("Create the directory first", done.stderr)
        for options, sentence in ((("--mode", "777"), "octal"), (("--mode", "0"), "octal"),
                                  (("--mode", "u+r"), "octal"), (("--weeks", "0"), "1 to 53"),
                                  (("--weeks", "54"), "1 to 53"), (("who",), "usage")):
            done = self.write("report.html", *options)
            self.assertEqual((done.returncode, os.path.exists(self.site.path("report.html"))),
                             (2, False), options)
            self.assertIn(sentence, done.stderr)

    def test_root_writes_where_the_services_account_may_not(self):
        os.chmod(self.site.root, 0o711)
        for name in ("state", "run", "tokens"):
            subprocess.run(["chown", "-R", "nobody:", self.site.path(name)], check=True)
        self.site.write_settings({"worker": harness.accounts("nobody")})
        os.chmod(self.site.conf, 0o644)
        os.mkdir(self.site.path("roots"), 0o700)
        done = self.write("roots/report.html")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(os.stat(self.site.path("roots/report.html")).st_uid, 0)
        self.assertEqual(os.listdir(self.site.path("roots")), ["report.html"])

    def test_without_a_ledger_nothing_is_written(self):
        os.rename(self.site.path("state/ledger.db"), self.site.path("away"))
        done = self.write("report.html")
        self.assertEqual(done.returncode, 8)
        self.assertIn("there is no ledger yet", done.stderr)
        self.assertFalse(os.path.exists(self.site.path("report.html")))


class Size(Reports):

    def measure(self):
        """(bytes of the page, KiB of the largest process, seconds)"""
        command = [PROGRAM, "-c", self.site.conf, "report", "--output", self.site.path("r.html")]
        done = subprocess.run(
            ["/usr/bin/python3", "-c", "import resource, subprocess, sys, time\n"
             "at = time.monotonic()\n"
             "assert subprocess.run(sys.argv[1:]).returncode == 0\n"
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, time.monotonic() - at)",
             *command], stdout=subprocess.PIPE, text=True, check=True, timeout=harness.TIMEOUT)
        memory, seconds = done.stdout.split()
        return os.path.getsize(self.site.path("r.html")), int(memory), float(seconds)

    def test_many_people_on_a_thousand_hosts_are_a_small_page_in_little_memory(self):
        fill(self.site.path("state/ledger.db"), 400)
        few = self.measure()
        with self.database() as database, database:
            for table in ("person", "sighting", "history"):
                database.execute(f"DELETE FROM {table}")
        fill(self.site.path("state/ledger.db"), PEOPLE, hosts=1000)
        many = self.measure()
        print(f"# 400 people: {few[0]} bytes, {few[1]} KiB, {few[2]:.2f} s; "
              f"{PEOPLE}: {many[0]} bytes, {many[1]} KiB, {many[2]:.2f} s")
        self.assertLess(many[0], 100000)
        self.assertLess(many[1] - few[1], 8192)


if __name__ == "__main__":
    harness.main()
