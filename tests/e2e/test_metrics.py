#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I23 (docs/design.md, "Invariants").
"""`cloudinvite metrics` and the dispatcher's file for node_exporter: the names on which alerts rely, counters that
continue over restarts, no person in a label.
"""
import os
import re
import time

import harness
from harness import Emulator, Site

SERIES = re.compile(r'^(cloudinvite_[a-z_]+)(\{[^}]*\})? (-?[0-9.]+)$')
# What rules, dashboards and docs/monitoring.md name.
FAMILIES = """
    build_info mode heartbeat_timestamp_seconds paused guard_trips_total config_last_reload_successful
    arrivals_total spool_files spool_oldest_arrival_age_seconds accounts people queued_people
    queue_delay_seconds google_requests_total google_request_duration_seconds_bucket
    google_request_duration_seconds_sum google_request_duration_seconds_count
    google_last_success_timestamp_seconds google_throttled_requests_total rate_limit_requests_per_minute
    clock_skew_seconds token_mints_total token_expiry_timestamp_seconds mails_sent_total daily_limit_remaining
    foreign_mails_total unexplained_mails_total unconfirmed_oldest_age_seconds invitation_results_total
    resync_last_success_timestamp_seconds ledger_errors_total ledger_size_bytes ledger_schema_version
    """.split()
ASKING = "queue google_ rate_ daily_limit clock_skew token_ resync_".split()


def parse(text):
    """{series: value}; every line must be valid, and no series may appear twice."""
    found, typed = {}, set()
    for line in text.splitlines():
        words = line.split()
        if line.startswith("# TYPE "):
            if words[2] in typed:
                raise AssertionError(f"typed twice: {line}")
            typed.add(words[2])
        elif not line.startswith("#"):
            match = SERIES.match(line)
            if not match or line.rsplit(" ", 1)[0] in found:
                raise AssertionError(f"no line of a metric, or one too many: {line}")
            found[line.rsplit(" ", 1)[0]] = float(match[3])
    return found


class Metrics(harness.Test):

    def setUp(self):
        self.google = Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = Site(self.google).__enter__()
        self.addCleanup(lambda: self.site.__exit__())  # pylint: disable=unnecessary-lambda

    def metrics(self, *options):
        return parse(self.site.run("metrics", *options).stdout)

    def invite(self, name):
        self.google.accounts([{"address": f"{name}@example.com", "kind": "consumer"}])
        self.site.add_user(name)
        self.site.arrive(name)
        self.site.collector_once()
        self.site.dispatcher_once()

    def test_every_name_that_an_alert_uses_is_there_after_one_invitation(self):
        self.invite("alice")
        self.site.collector_once()
        names = {series.split("{")[0] for series in self.metrics()}
        self.assertEqual([], [name for name in FAMILIES if "cloudinvite_" + name not in names])

    def test_an_invitation_is_counted_once_also_by_the_programs_after_a_restart(self):
        self.invite("alice")
        self.site.dispatcher_once()
        self.invite("bob")
        self.site.collector_once()
        seen = self.metrics()
        self.assertEqual(2, seen["cloudinvite_mails_sent_total"])
        self.assertEqual(2, seen['cloudinvite_arrivals_total{trigger="login"}'])
        self.assertEqual(2, seen['cloudinvite_people{state="invited"}'])
        for method in ("check", "get", "send"):
            self.assertEqual(2, seen[
                f'cloudinvite_google_requests_total{{method="{method}",outcome="ok"}}'], method)
            self.assertEqual(2, seen[
                f'cloudinvite_google_request_duration_seconds_count{{method="{method}"}}'])
            self.assertGreater(seen[
                f'cloudinvite_google_request_duration_seconds_sum{{method="{method}"}}'], 0)
        self.assertEqual(1, seen['cloudinvite_token_mints_total{outcome="ok"}'])

    def test_buckets_are_cumulative_and_end_with_all(self):
        self.invite("alice")
        seen = self.metrics()
        buckets = [value for series, value in seen.items()
                   if series.startswith("cloudinvite_google_request_duration_seconds_bucket")
                   and 'method="check"' in series]
        self.assertEqual(sorted(buckets), buckets)
        self.assertEqual(1, buckets[-1])

    def test_what_became_of_invitations_is_counted(self):
        for name in ("alice", "bob"):
            self.invite(name)
        self.google.accept("alice@example.com")
        self.google.decline("bob@example.com")
        for name in ("alice", "bob"):
            self.site.run("get", f"{name}@example.com")
        self.site.run("cancel", "--reason", "left", "bob@example.com")
        seen = self.metrics()
        self.assertEqual(1, seen['cloudinvite_invitation_results_total{result="accepted"}'])
        self.assertEqual(1, seen['cloudinvite_invitation_results_total{result="declined"}'])
        self.assertEqual(2, seen['cloudinvite_google_requests_total{method="get",outcome="ok"}'] - 2)

    def test_mails_of_others_are_told_apart_from_those_that_nothing_explains(self):
        self.invite("alice")
        self.google.accounts([{"address": "bob@example.com", "kind": "consumer",
                               "state": "INVITED", "mails": 2, "updated": "1h"}])
        self.site.arrive_account("bob")
        self.site.collector_once()
        self.site.dispatcher_once()
        seen = self.metrics()
        self.assertEqual(2, seen["cloudinvite_foreign_mails_total"])
        self.assertEqual(0, seen["cloudinvite_unexplained_mails_total"])
        self.google.accounts([{"address": "alice@example.com", "kind": "consumer",
                               "state": "INVITED", "mails": 2, "updated": "0s"}])
        self.site.run("get", "alice@example.com")
        seen = self.metrics()
        self.assertEqual(2, seen["cloudinvite_foreign_mails_total"])
        self.assertEqual(1, seen["cloudinvite_unexplained_mails_total"])

    def test_a_pause_is_shown_with_its_kind(self):
        self.invite("alice")
        self.assertEqual(0, self.metrics()['cloudinvite_paused{kind="operator"}'])
        self.site.run("pause", "--reason", "moving")
        self.assertEqual(1, self.metrics()['cloudinvite_paused{kind="operator"}'])
        self.assertEqual(0, self.metrics()['cloudinvite_paused{kind="breaker"}'])

    def test_openmetrics_names_counters_without_their_suffix_and_ends(self):
        self.invite("alice")
        page = self.site.run("metrics").stdout
        self.assertTrue(page.endswith("# EOF\n"))
        self.assertIn("# TYPE cloudinvite_mails_sent counter\n", page)
        text = self.site.run("metrics", "--format", "text").stdout
        self.assertIn("# TYPE cloudinvite_mails_sent_total counter\n", text)
        self.assertNotIn("# EOF", text)
        self.assertEqual(2, self.site.run("metrics", "--format", "json").returncode)

    def test_no_label_contains_a_person_or_a_host(self):
        self.invite("zenobia")
        page = self.site.run("metrics").stdout
        self.assertNotIn("zenobia", page)
        self.assertNotIn(os.uname().nodename, page)
        labels = set(re.findall(r'[{,]([a-z]+)="', page))
        self.assertEqual(labels, {"version", "program", "mode", "trigger", "guard", "directory",
                                  "verdict", "state", "priority", "method", "outcome", "le", "kind",
                                  "result"})

    def test_a_host_that_only_collects_is_silent_about_google(self):
        self.invite("alice")
        self.site.write_settings({"worker": {"role": "host"}})
        result = self.site.run("metrics")
        if result.returncode:  # the settings refuse that role without a shared ledger
            self.assertIn("role", result.stderr)
            return
        self.assertEqual([], [series for series in parse(result.stdout)
                              if series.split("cloudinvite_")[1].startswith(tuple(ASKING))])

    def test_the_dispatcher_writes_the_file_for_node_exporter(self):
        path = self.site.path("run/cloudinvite.prom")
        self.site.write_settings({"storage": {"metrics_file": path}})
        self.invite("alice")
        written = os.stat(path)
        with open(path, encoding="ascii") as file:
            seen = parse(file.read())
        self.assertEqual(0o644, written.st_mode & 0o7777)
        self.assertEqual(1, seen["cloudinvite_mails_sent_total"])
        self.assertLess(abs(time.time() - seen['cloudinvite_heartbeat_timestamp_seconds{program='
                                               '"dispatcher"}']), 60)
        self.assertEqual([], [name for name in os.listdir(os.path.dirname(path))
                              if name.startswith(".cloudinvite.prom")])

    def test_a_file_that_cannot_be_written_is_logged_and_delays_nothing(self):
        self.site.write_settings({"storage": {"metrics_file": "/proc/cloudinvite.prom"}})
        self.invite("alice")
        self.assertEqual(1, self.metrics()["cloudinvite_mails_sent_total"])


if __name__ == "__main__":
    harness.main()
