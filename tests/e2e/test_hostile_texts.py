#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I20 (docs/design.md, "Invariants").
"""Texts from a host's accounts, from Google, from the command line and the environment: no command writes anything of
them that a terminal obeys, a spreadsheet runs, or that deceives a reader.
"""
import csv
import io
import json

import harness
import hostile
from harness import Emulator, Site


class Elsewhere(hostile.Test):

    def test_a_hosts_accounts(self):
        with Emulator() as google, Site(google, {"people": {"gecos": "yes"}}) as site:
            for name in hostile.PAYLOADS:
                if b"\n" in hostile.raw(name) or b":" in hostile.raw(name):
                    continue
                with self.subTest(name), open(site.path("etc/passwd"), "ab") as file:
                    file.write(b"%s:x:1001:100:%s:/home/x:/bin/%s\n" % ((hostile.raw(name),) * 3))
                    file.write(b"bob:x:1002:100:%s:/home/bob:/bin/%s\n" % ((hostile.raw(name),) * 2))
                    file.flush()
                    for verb in (("scan", "--dry-run"), ("explain", "bob"), ("doctor", "--offline")):
                        self.check(hostile.run(site, *verb), verb)
                    for verb in (("scan", "--dry-run", "--json"), ("explain", "--json", "bob")):
                        hostile.documents(self.check(hostile.run(site, *verb), verb).stdout)
                    file.truncate(0)

    def test_hostile_arguments_and_environment(self):
        with Emulator() as google, Site(google) as site:
            for name in ("escape", "new line", "delete", "C1, control sequence", "turned round",
                         "tag", "byte"):
                with self.subTest(name):
                    word = hostile.raw(name)
                    environment = {b"SUDO_USER": word, b"NOTIFY_SOCKET": word, b"JOURNAL_STREAM": word}
                    for verb in ((word,), ("explain", word), ("history", word), ("check", word),
                                 ("block", "--reason", word, "carol@example.com"),
                                 ("pause", "--reason", word), ("resume",), ("forget", word),
                                 ("list", "--state", word), ("emit", "--trigger", "manual", word),
                                 ("report", "--output", b"/nowhere/" + word),
                                 (b"--" + word,), ("status", b"--" + word),
                                 ("pause", b"--reason=" + word, "--no")):
                        self.check(hostile.run(site, *verb, environment=environment), verb)

    def test_what_google_lists(self):
        with Emulator() as google, Site(google) as site:
            addresses = [(payload + "@example.com").lower() for name, payload in hostile.PAYLOADS.items()
                         if name not in hostile.INVALID and name != "format"]  # it does not escape %
            google.accounts([{"address": address} for address in addresses])
            self.assertEqual(self.check(hostile.run(site, "list"), "list").returncode, 0)
            done = self.check(hostile.run(site, "list", "--json"), "list --json")
            listed = [line["address"] for line in hostile.documents(done.stdout)]
            self.assertEqual(sorted(listed), sorted(addresses))
            done = self.check(hostile.run(site, "list", "--csv"), "list --csv", "\r\n")
            for line in done.stdout.decode().split("\r\n")[:-1]:
                self.assertRegex(line, r'^("([^"]|"")*",){3}"([^"]|"")*"$')
            rows = list(csv.reader(io.StringIO(done.stdout.decode(), newline="")))
            self.assertEqual(len(rows), 1 + len(addresses))
            for row in rows:
                self.assertRegex(row[0], r"^('|[A-Za-z0-9])")

    def test_what_google_says_of_a_refusal(self):
        with Emulator() as google, Site(google) as site:
            for name, payload in hostile.PAYLOADS.items():
                if name in hostile.INVALID:
                    continue
                with self.subTest(name):
                    said = {"code": 400, "message": payload, "status": payload,
                            "details": [{"reason": payload, "domain": payload}]}
                    google.faults({"route": "check", "status": 400, "times": 2,
                                   "body": json.dumps({"error": said})})
                    self.check(hostile.run(site, "check", "alice@example.com"), "check")
                    done = self.check(hostile.run(site, "check", "--json", "alice@example.com"), name)
                    hostile.documents(done.stdout)


if __name__ == "__main__":
    harness.main()
