#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The report in Chromium: wide and narrow, light and dark, on paper, and as a screen reader reads it.

CLOUDINVITE_PICTURES=DIR stores a picture of every variant.
"""
import contextlib
import itertools
import os
import sqlite3
import unittest

import browser
import harness
from report_page import fill, person

PICTURES = os.environ.get("CLOUDINVITE_PICTURES", "")
WIDTHS = (1280, 360, 320)
LONG = "w" * 255  # a name without a place for a line break


@unittest.skipIf(browser.PROGRAM is None, "no Chromium here")
class Looks(harness.Test):
    """Three ledgers in one browser: empty; a year of work; paused in dry run, with names, each name and reason as long
    as possible.
    """

    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as stack:
            google = stack.enter_context(harness.Emulator())
            cls.site = site = stack.enter_context(harness.Site(google))
            site.collector_once()
            cls.pages = {"empty": cls.write("empty")}
            fill(site.path("state/ledger.db"), 300)
            cls.pages["full"] = cls.write("full")
            cls.pages["year"] = cls.write("year", "--weeks", "53")
            with contextlib.closing(sqlite3.connect(site.path("state/ledger.db"))) as database, \
                    database:
                person(database, "a" * 64 + "@" + "b" * 180 + ".com", "failed", "refused",
                       fault="f" * 300, seen_on=(LONG,), user="u" * 255)
            site.run("pause", "--reason", "r" * 300)
            site.write_settings({"invitations": {"mode": "dry-run"}})
            cls.pages["paused"] = cls.write("paused", "--people")
            cls.chromium = stack.enter_context(browser.Browser())
            cls.addClassCleanup(stack.pop_all().close)

    @classmethod
    def write(cls, name, *options):
        path = cls.site.path(name + ".html")
        done = cls.site.run("report", "--output", path, *options)
        if done.returncode:
            raise AssertionError(done.stderr)
        return path

    def look(self, name, width, dark, media=""):
        self.chromium.look("file://" + self.pages[name], width=width, dark=dark, media=media)
        if PICTURES:
            self.chromium.picture(os.path.join(
                PICTURES, f"{name}-{width}{'-dark' if dark else ''}{media}.png"))

    def test_it_loads_nothing_and_complains_of_nothing(self):
        for name in self.pages:
            self.look(name, 1280, False)
            self.assertEqual(self.chromium.requests, ["file://" + self.pages[name]])
            self.assertEqual(self.chromium.complaints, [])

    def test_the_policy_allows_no_script_and_no_loading(self):
        self.look("full", 1280, False)
        self.chromium.value("""(() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'ran'";
            document.body.append(script);
            const image = new Image();
            image.src = "http://127.0.0.1:9/beacon";
            document.body.append(image); })()""")
        self.assertEqual(self.chromium.value("document.title"), "Invitations at example.com")
        self.assertIn("Content Security Policy", " ".join(self.chromium.complaints))

    def test_no_window_is_too_narrow(self):
        for name, width in itertools.product(self.pages, WIDTHS):
            self.look(name, width, False)
            is_wide = self.chromium.value(browser.WIDTH)
            self.assertEqual((is_wide["page"], is_wide["out"]), (width, []), name)

    def test_every_text_has_contrast_in_light_and_in_dark(self):
        for name, (width, dark) in itertools.product(
                self.pages, ((1280, True), (360, True), (360, False))):
            self.look(name, width, dark)
            # Closed parts would not be checked.
            self.chromium.value("document.querySelectorAll('details').forEach(d => d.open = true)")
            contrast = self.chromium.value(browser.CONTRAST)
            self.assertGreater(contrast["texts"], 30)
            self.assertEqual(contrast["poor"], [], (name, width, dark))

    def test_light_is_light_and_dark_is_dark_and_paper_is_white(self):
        colour = "getComputedStyle(document.body).backgroundColor"
        self.look("full", 1280, False)
        light = self.chromium.value(colour)
        self.look("full", 1280, True)
        dark = self.chromium.value(colour)
        self.assertEqual((light, dark), ("rgb(252, 252, 251)", "rgb(20, 23, 27)"))
        self.look("full", 794, True, media="print")
        self.assertEqual(self.chromium.value(colour), "rgb(255, 255, 255)")
        self.assertEqual(self.chromium.value(browser.CONTRAST)["poor"], [])

    def test_pictures_and_tables_are_read_out_with_their_names(self):
        for width in (1280, 360):
            self.look("full", width, False)
            self.chromium.value("document.querySelectorAll('details').forEach(d => d.open = true)")
            named = self.chromium.names()
            pictures = [(name, said) for role, name, said in named if role == "image"]
            self.assertEqual([name for name, _ in pictures],
                             ["Progress of people", "People by week"])
            self.assertRegex(pictures[0][1], r"^Seen: 300 people\. Unmanaged: \d+ people\. Invited")
            self.assertRegex(pictures[1][1], r"^Totals of the last 12 weeks: \d+ First seen, ")
            tables = [name for role, name, _ in named if role == "table"]
            self.assertEqual(sorted(tables)[1:], ["From first seen to the answer",
                                                  "People by week"])
            self.assertRegex(sorted(tables)[0], r"^\d+ accounts on 9 hosts$")
            heads = [name for role, name, _ in named if role == "columnheader"]
            at = heads.index("Host")
            self.assertEqual(heads[at + 1:at + 7], ["Accounts", "Unmanaged", "Invited", "Accepted",
                                                    "Declined", "Stuck"])
            self.assertEqual([name for role, name, _ in named if role == "heading"], [
                "Invitations at example.com", "From first seen to the answer",
                "What needs you", "Nothing to do", "By week", "By host",
                "Operation"])

    def test_the_keyboard_reaches_the_tables_and_nothing_else(self):
        self.look("full", 1280, False)
        reached = []
        for _ in range(4):
            for kind in ("keyDown", "keyUp"):
                self.chromium.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab",
                                   windowsVirtualKeyCode=9)
            reached.append(self.chromium.value(
                "document.activeElement.tagName + ' ' + getComputedStyle("
                "document.activeElement).outlineStyle"))
        self.assertEqual(reached[:2], ["SUMMARY solid"] * 2)
        self.assertEqual(set(reached) - {"SUMMARY solid", "BODY none"}, set())


if __name__ == "__main__":
    harness.main()
