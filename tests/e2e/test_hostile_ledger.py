#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ledger belongs to the service's account, which may be hostile; who types commands is root. So
whatever stands in any column, no command says anything that a terminal obeys, crashes, or hangs."""
import os
import re
import shutil
import sqlite3
import subprocess

import harness
from harness import Emulator, Site

# Markup for the report; clears the screen, sets the title, C1 in UTF-8 and as a byte, a new line of its own, a delete.
HOSTILE = b"<q>x\x1b[2J\x1b]0;title\x07\xc2\x9b31m\x9b31m\r\nroot# \x7f\x08"
OBEYED = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
VERBS = (("status",), ("status", "--all"), ("status", "--json"), ("history",), ("explain", "alice"),
         ("doctor", "--offline"), ("report", "--people"))
ALICE = "alice@example.com"


class Columns(harness.Test):

    def furnish(self, google, site):
        """A row in every table that a week of work fills."""
        google.accounts([{"address": ALICE}, {"address": "bob@example.com"}])
        for user in ("alice", "bob"):
            site.arrive_account(user)
        site.collector_once()
        site.dispatcher_once()
        for verb in (("block", "--reason", "left", "carol@example.com"),
                     ("pause", "--reason", "holidays")):
            self.assertEqual(site.run(*verb).returncode, 0, verb)

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

    def poison(self, site, table, column):
        connection = sqlite3.connect(site.path("state/ledger.db"))
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(f"UPDATE OR IGNORE {table} SET {column} = CAST(? AS TEXT) WHERE {column} "
                           f"= (SELECT {column} FROM {table} WHERE typeof({column}) = 'text' LIMIT 1)",
                           (HOSTILE,))
        connection.commit()
        connection.close()

    @staticmethod
    def run_verb(site, verb):
        return subprocess.run([os.path.join(harness.BUILD, "cloudinvite"), "-c", site.conf, *verb],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=harness.PATIENCE, check=False)

    def test_whatever_stands_in_a_column_no_terminal_obeys_it(self):
        with Emulator() as google, Site(google, {"privacy": {"log_addresses": "full"}}) as site:
            self.furnish(google, site)
            columns = self.columns(site)
            self.assertGreater(len(columns), 15, columns)
            kept = site.path("kept")
            shutil.copytree(site.path("state"), kept)
            shown = 0
            for table, column in columns:
                with self.subTest(f"{table}.{column}"):
                    self.poison(site, table, column)
                    for verb in VERBS:
                        done = self.run_verb(site, verb)
                        self.assertIn(done.returncode, range(9), (verb, done.stderr))
                        said = done.stdout + done.stderr
                        self.assertIsNone(OBEYED.search(said), (verb, said))
                        self.assertTrue(verb[0] != "report" or b"<q>" not in done.stdout)
                        shown += b"\\x1b[2J" in said or b"\\u001b[2J" in said
                shutil.rmtree(site.path("state"))
                shutil.copytree(kept, site.path("state"))
            self.assertGreater(shown, 10, "hardly anything of it was shown")


if __name__ == "__main__":
    harness.main()
