#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How much an unprivileged user can make the programs write: chsh as often as possible, with both services running."""
import os
import sqlite3

import harness
from harness import Emulator, Site

CHANGES = 200
COLLECTOR, DISPATCHER = "cloudinvite-collector.log", "cloudinvite-dispatcher.log"


class Chsh(harness.Test):

    def has_shell(self, site, shell):
        """A line of passwd, written as chsh does."""
        lines = [f"{line.rpartition(':')[0]}:{shell}" if line.startswith("mallory:") else line
                 for line in site.read("etc/passwd").splitlines()]
        site.write("etc/passwd+", "\n".join(lines) + "\n")
        os.rename(site.path("etc/passwd+"), site.path("etc/passwd"))

    def ask(self, site, sql):
        connection = sqlite3.connect(site.path("state/ledger.db"), timeout=30)
        try:
            return connection.execute(sql).fetchone()[0]
        finally:
            connection.close()

    def shell(self, site):
        return self.ask(site, "SELECT shell FROM sighting WHERE account = 'mallory'")

    def test_hundreds_of_changes_are_a_handful_of_lines_and_the_last_one_is_not_lost(self):
        with Emulator() as google, Site(google, {}) as site:
            site.arrive_account("mallory")
            collector = site.start_collector()
            site.start_dispatcher()
            harness.wait_for(lambda: "mallory@" in site.read(DISPATCHER), "mallory is evaluated")
            self.has_shell(site, "/bin/first")
            harness.wait_for(lambda: self.shell(site) == "/bin/first", "the first change counts")
            for number in range(CHANGES):
                self.has_shell(site, f"/bin/shell{number}")
                # The collector has run: it reads passwd for every arrival.
                if number % 20 == 0:
                    site.arrive_account(f"other{number}")
                    harness.wait_for(lambda: os.listdir(site.path("spool/new")) == [], "taken")
            self.assertEqual(self.shell(site), "/bin/first")
            rows = self.ask(site, "SELECT count(*) FROM history WHERE subject LIKE 'mallory@%'")
            self.assertLessEqual(rows, 4)
            said = site.read(COLLECTOR) + site.read(DISPATCHER)
            self.assertEqual(said.count("mallory@"), 1, said)

            # A user who becomes excluded does not wait.
            self.has_shell(site, "/usr/sbin/nologin")
            harness.wait_for(lambda: self.ask(
                site, "SELECT verdict FROM sighting WHERE account = 'mallory'") == "excluded",
                "nologin counts at once")
            self.has_shell(site, "/bin/last")

            # Changes that wait survive the process.
            harness.stop(collector)
            site.start_collector()
            harness.wait_for(lambda: self.shell(site) == "/bin/last", "the last change counts")


if __name__ == "__main__":
    harness.main()
