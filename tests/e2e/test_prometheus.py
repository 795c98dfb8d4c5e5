#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The metrics in a real Prometheus, read by a real node_exporter from the file that the dispatcher writes: the shipped
alerts are evaluated, one of them fires, and every query of the shipped dashboard has a result.
"""
import contextlib
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import unittest
import urllib.parse
import urllib.request

import harness
from harness import Emulator, Site

CONFIG = os.path.join(harness.SOURCE, "config")
RULES = os.path.join(CONFIG, "prometheus", "cloudinvite.rules.yml")
NEEDED = ("promtool", "prometheus", "prometheus-node-exporter")
# On a host that runs for a minute, nothing of the kind has happened: no series, or none with a rate.
YOUNG = ("histogram_quantile", "rate(", "increase(")


def promtool(*words, page=None):
    done = subprocess.run(["promtool", *words], input=page, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=10 * harness.TIMEOUT,
                          check=False)
    return done.returncode, done.stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def dashboard_queries():
    """(title, query) of every panel, as Grafana would ask for all hosts."""
    with open(os.path.join(CONFIG, "grafana", "cloudinvite.json"), encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    return [(panel["title"], target["expr"].replace("$instance", ".*"))
            for panel in panels for target in panel.get("targets", [])]


@unittest.skipUnless(all(map(shutil.which, NEEDED)), "needs " + ", ".join(NEEDED))
class Monitoring(harness.Test):

    def setUp(self):
        self.programs = []
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = Site(self.google).__enter__()
        self.addCleanup(lambda: self.site.__exit__())  # pylint: disable=unnecessary-lambda
        self.folder = tempfile.mkdtemp(prefix="cloudinvite-prometheus.")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.stop)

    def start(self, *words):
        with open(os.path.join(self.folder, os.path.basename(words[0]) + ".log"), "wb") as log:
            self.programs.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log,
                                                  stderr=log))

    def stop(self):
        for program in self.programs:
            program.terminate()
        for program in self.programs:
            program.wait(30)

    def invite(self):
        """One mail, a pause, and the file as the dispatcher writes it."""
        self.site.write_settings({"storage": {
            "metrics_file": os.path.join(self.folder, "text", "cloudinvite.prom")}})
        os.mkdir(os.path.join(self.folder, "text"))
        self.google.accounts([{"address": "alice@example.com", "kind": "consumer"}])
        self.site.arrive_account("alice")
        self.site.collector_once()
        self.site.dispatcher_once()
        self.site.run("pause", "--reason", "test")
        self.site.dispatcher_once()

    def ask(self, path, **words):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?" + urllib.parse.urlencode(words)
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def start_both(self):
        exporter, self.port = free_port(), free_port()
        with open(RULES, encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(self.folder, "rules.yml"), "w", encoding="utf-8") as file:
            file.write(text.replace("for: 24h", "for: 1s"))  # this test cannot wait for a day
        with open(os.path.join(self.folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                       "rule_files": ["rules.yml"],
                       "scrape_configs": [{"job_name": "node", "static_configs": [
                           {"targets": [f"127.0.0.1:{exporter}"]}]}]}, file)
        self.start("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{exporter}",
                   "--collector.disable-defaults", "--collector.textfile",
                   "--collector.textfile.directory=" + os.path.join(self.folder, "text"))
        self.start("prometheus", "--config.file=" + os.path.join(self.folder, "prometheus.yml"),
                   "--storage.tsdb.path=" + os.path.join(self.folder, "data"),
                   f"--web.listen-address=127.0.0.1:{self.port}")

        def scraped():
            with contextlib.suppress(OSError):
                return len(self.query("cloudinvite_mails_sent_total")) == 1
            return False
        harness.wait_for(scraped, "the first scrape")

    def test_the_page_is_what_promtool_wants(self):
        self.invite()
        page = self.site.run("metrics", "--format", "text").stdout
        self.assertEqual((0, ""), promtool("check", "metrics", page=page))

    def test_a_hostile_ledger_writes_no_series_of_its_own(self):
        self.invite()
        for payload in ('"} 1\nup{job="ssh"} 0\n#', 'x\\', "x\x1b[2J\u202e", "1.0\n", ""):
            connection = sqlite3.connect(self.site.path("state/ledger.db"))
            connection.execute("UPDATE OR IGNORE worker SET program = ?1, version = ?1", (payload,))
            connection.commit()
            connection.close()
            page = self.site.run("metrics", "--format", "text").stdout
            self.assertEqual((0, ""), promtool("check", "metrics", page=page))
            self.assertEqual([], [line for line in page.splitlines()
                                  if not line.startswith(("# ", "cloudinvite_"))])

    def test_the_alerts_fire_when_they_must_and_only_then(self):
        tests = os.path.join(CONFIG, "prometheus", "cloudinvite.rules.test.yml")
        status, said = promtool("test", "rules", tests)
        self.assertEqual(0, status, said)
        with open(RULES, encoding="utf-8") as file:
            alerts = re.findall(r"alert: (\w+)", file.read())
        with open(tests, encoding="utf-8") as file:
            text = file.read()
        for alert in alerts:
            self.assertIn(f"name: {alert} is heard\n", text)
            self.assertIn(f"name: {alert} is silent\n", text)
        with open(os.path.join(harness.SOURCE, "docs", "monitoring.md"), encoding="utf-8") as file:
            page = file.read()
        self.assertEqual([], [alert for alert in alerts if f"### {alert}\n" not in page])

    def test_prometheus_reads_them_through_node_exporter_and_an_alert_fires(self):
        self.invite()
        self.start_both()
        self.assertEqual(1, int(self.query("cloudinvite_mails_sent_total")[0]["value"][1]))
        self.assertEqual(0, int(self.query("node_textfile_scrape_error")[0]["value"][1]))

        def firing():
            return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"]
                    if alert["state"] == "firing"}
        harness.wait_for(firing, "an alert")
        self.assertEqual({"CloudinvitePausedByOperator"}, firing())
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        self.assertEqual([], [(rule["name"], rule.get("lastError")) for rule in rules
                              if rule["health"] != "ok"])
        for title, query in dashboard_queries():
            with self.subTest(title):
                result = self.query(query)
                if not any(word in query for word in YOUNG):
                    self.assertNotEqual([], result, query)


if __name__ == "__main__":
    harness.main()
