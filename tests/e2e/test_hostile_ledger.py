#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I19, I20 (docs/design.md, "Invariants").
"""The ledger belongs to the service's account, which may be hostile, while root types commands. Whatever is in any
column, no command and no program writes anything that a terminal obeys or that deceives a reader, in any medium; none
crashes or hangs.
"""
import os
import shutil
import sqlite3

import harness
import hostile
from harness import Emulator, Site

OFFLINE = ("doctor", "--offline")
READERS = (("status", "--all"), ("history", "alice"), ("explain", "alice"), OFFLINE,
           ("report", "--people"))
JSON = (("status", "--json"), ("history", "--json", "alice"), ("explain", "--json", "alice"),
        (*OFFLINE, "--json"))
METRICS = (("metrics",), ("metrics", "--format", "text"))
WRITERS = (("approve", "--all", "--yes"), ("resume",))
# Texts for readers: no decision depends on them, so all may be hostile at once.
TEXTS = {"sighting": ("shell", "member_of", "first_name", "last_name", "rule", "sentence"),
         "person": ("fault_code", "fault_text"), "history": ("subject", "cause", "actor", "event"),
         "send": ("actor",), "block": ("text", "actor"), "pause": ("text", "remedy", "actor"),
         "worker": ("version", "status_text", "host")}


class Columns(hostile.Test):

    def read(self, site, readers=READERS, json=JSON, metrics=METRICS):
        """Every reader in every medium: the strings of each JSON output."""
        answers = []
        for verb in readers:
            self.check(hostile.run(site, *verb), verb)
        for verb in json:
            done = self.check(hostile.run(site, *verb), verb)
            # With an unreadable ledger the output may end in the middle, with a special exit status.
            if done.returncode != 8:
                answers.append(set(hostile.strings(hostile.documents(done.stdout))))
        for verb in metrics:
            done = self.check(hostile.run(site, *verb), verb)
            self.assertIsNone(hostile.not_exposition(done.stdout), verb)
        return answers

    def furnish(self, google, site):
        """A row in every table that a week of work fills."""
        google.accounts([{"address": "alice@example.com"}, {"address": "bob@example.com"}])
        for user in ("alice", "bob"):
            site.arrive_account(user, gecos=f"{user.title()} Smith")
        site.collector_once()
        site.dispatcher_once()
        for verb in (("block", "--reason", "left", "carol@example.com"),
                     ("pause", "--reason", "holidays")):
            self.assertEqual(site.run(*verb).returncode, 0, verb)
        shutil.copytree(site.path("state"), site.path("kept"))

    def restore(self, site):
        shutil.rmtree(site.path("state"))
        shutil.copytree(site.path("kept"), site.path("state"))

    def sql(self, site, *statements):
        connection = sqlite3.connect(site.path("state/ledger.db"))
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement, *values in statements:
            connection.execute(statement, values)
        connection.commit()
        connection.close()

    def columns(self, site):
        """(table, column) of every column with a text in it."""
        connection = sqlite3.connect(site.path("state/ledger.db"))
        found = [(table, column[1]) for (table,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
            for column in connection.execute(f"PRAGMA table_info({table})")
            if connection.execute(f"SELECT count(*) FROM {table} "
                                  f"WHERE typeof({column[1]}) = 'text'").fetchone()[0]]
        connection.close()
        return found

    def test_one_kind_of_problem_in_every_text_passes_no_medium(self):
        with Emulator() as google, Site(google, {"privacy": {"log_addresses": "full"}}) as site:
            self.furnish(google, site)
            site.write_settings({"storage": {"metrics_file": site.path("run/cloudinvite.prom")}})
            for name in hostile.PAYLOADS:
                with self.subTest(name):
                    self.sql(site, *[(f"UPDATE OR IGNORE {table} SET {column} = CAST(? AS TEXT)",
                                      hostile.raw(name))
                                     for table, columns in TEXTS.items() for column in columns])
                    answers = self.read(site)
                    if name in hostile.INVALID:
                        self.assertTrue(any("\\x" in text for said in answers for text in said))
                    else:  # unchanged, for a script
                        self.assertGreaterEqual(
                            sum(hostile.PAYLOADS[name] in said for said in answers), 3)
                    for verb in WRITERS:
                        self.check(hostile.run(site, *verb), verb)
                    for program in ("cloudinvite-collector", "cloudinvite-dispatcher"):
                        self.check(hostile.run(site, "--once", program=program), program)
                    with open(site.path("run/cloudinvite.prom"), "rb") as file:
                        self.assertIsNone(hostile.not_exposition(file.read()))
                self.restore(site)

    def test_no_content_of_a_column_passes_any_medium(self):
        """Includes names, addresses and states, which decide what is found at all."""
        whole = "".join(text for text in hostile.PAYLOADS.values() if isinstance(text, str)).encode()
        broken = b"".join(hostile.raw(name) for name in hostile.INVALID)
        with Emulator() as google, Site(google, {"privacy": {"log_addresses": "full"}}) as site:
            self.furnish(google, site)
            columns = self.columns(site)
            self.assertGreater(len(columns), 15, columns)
            for table, column in columns:
                for payload, verbs in ((whole, (READERS, JSON, METRICS[:1])),
                                       (broken, (READERS[:1], JSON[:1], ()))):
                    with self.subTest(f"{table}.{column}"):
                        self.sql(site, (
                            f"UPDATE OR IGNORE {table} SET {column} = CAST(? AS TEXT) "
                            f"WHERE {column} = (SELECT {column} FROM {table} "
                            f"WHERE typeof({column}) = 'text' LIMIT 1)", payload))
                        self.read(site, *verbs)
                    self.restore(site)

    def test_what_is_neither_a_program_nor_a_version_is_unknown(self):
        with Emulator() as google, Site(google) as site:
            self.furnish(google, site)
            self.sql(site, ("UPDATE worker SET version = '1.0\" 1' WHERE program = 'dispatcher'",),
                     ("INSERT INTO worker SELECT 'hub', host, version, pid, last_heartbeat + 9, started, status_text "
                      "FROM worker WHERE program = 'collector'",))
            page = hostile.run(site, "metrics").stdout.decode()
            self.assertIn('build_info{version="unknown",program="dispatcher"} 1\n', page)
            self.assertIn('build_info{version="0.1.0",program="collector"} 1\n', page)
            self.assertIn('build_info{version="0.1.0",program="unknown"} 1\n', page)
            self.assertEqual(3, page.count("\ncloudinvite_heartbeat_timestamp_seconds{"))
            self.sql(site, ("DELETE FROM worker WHERE program = 'collector'",))
            programs = site.json("status", "--json")["service"]["programs"]
            self.assertEqual(["collector", None],
                             [programs[0]["program"], programs[0]["last_heartbeat"]])

    def test_numbers_that_cannot_be_leave_a_page_that_parses(self):
        with Emulator() as google, Site(google) as site:
            self.furnish(google, site)
            for number in (-1, -1500001, 2**63 - 1, -2**63):
                self.sql(site, ("UPDATE meta SET value = ? WHERE key LIKE 'counter%'", str(number)))
                for verb in METRICS:
                    done = self.check(hostile.run(site, *verb), verb)
                    self.assertIsNone(hostile.not_exposition(done.stdout), (number, verb))


ENDLESS = ("CREATE TRIGGER evil BEFORE INSERT ON sighting BEGIN WITH RECURSIVE n(x) AS "
           "(SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n; END")


class Schema(harness.Test):
    """Collector and dispatcher share the file, so what one writes into its schema could run in the other."""

    def change(self, site, sql):
        connection = sqlite3.connect(site.path("state/ledger.db"))
        connection.execute(sql)
        connection.commit()
        connection.close()

    def test_a_trigger_without_an_end_keeps_no_program_and_loses_no_arrival(self):
        with Emulator() as google, Site(google, {}) as site:
            site.arrive_account("alice")
            site.collector_once()
            self.change(site, ENDLESS)
            site.arrive_account("bob")
            for program in ("cloudinvite-collector", "cloudinvite-dispatcher"):
                with self.assertRaisesRegex(AssertionError, "ended with 8:(.|\n)*trigger 'evil'"):
                    site.program(program, "--once")
            done = site.run("status")
            self.assertEqual(done.returncode, 8, done.stdout + done.stderr)
            self.assertIn("trigger 'evil'", done.stderr)
            self.change(site, "DROP TRIGGER evil")
            site.collector_once()
            self.assertEqual(os.listdir(site.path("spool/new")), [])

    def test_a_running_collector_goes_on_once_the_trigger_is_gone(self):
        with Emulator() as google, Site(google, {}) as site:
            site.start_collector()
            log = "cloudinvite-collector.log"
            harness.wait_for(lambda: "baseline" in site.read(log), "the collector is at work")
            self.change(site, ENDLESS)
            site.arrive_account("alice")
            harness.wait_for(lambda: "trigger 'evil'" in site.read(log), "the trigger is named")
            self.change(site, "DROP TRIGGER evil")
            harness.wait_for(lambda: os.listdir(site.path("spool/new")) == [], "it works again")


if __name__ == "__main__":
    harness.main()
