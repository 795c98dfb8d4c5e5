# SPDX-License-Identifier: Apache-2.0
"""The report as html.parser reads it, and ledgers to report on."""
import contextlib
import html.parser
import random
import sqlite3
import time

VOID = {"meta", "rect", "link", "img", "br", "hr", "input", "base", "embed"}


class Page(html.parser.HTMLParser):
    """Elements, attributes, texts by element and the rows of each table; an element that is closed wrongly is an
    AssertionError.
    """

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.source = source
        self.open = []
        self.elements = []  # (name, attributes)
        self.texts = []     # (names of the open elements, text)
        self.tables = []    # rows of cells
        self.feed(source)
        self.close()
        if self.open:
            raise AssertionError(f"left open: {self.open}")

    def handle_starttag(self, tag, attrs):
        if len(dict(attrs)) != len(attrs):
            raise AssertionError(f"an attribute twice: {tag} {attrs}")
        self.elements.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        self.texts.append((tuple(self.open), data))
        if {"th", "td"} & set(self.open):
            self.tables[-1][-1][-1] += data

    def names(self):
        return {name for name, _ in self.elements}

    def having(self, name, **attributes):
        return [found for tag, found in self.elements if tag == name and
                all(found.get(key.rstrip("_")) == value for key, value in attributes.items())]

    def text(self, within=None):
        """All visible text, or the text of one kind of element; one blank for any space and between elements."""
        return " ".join(" ".join(data for open_, data in self.texts
                                if "style" not in open_ and (within is None or within in open_))
                        .replace("\xa0", " ").split())

    def table(self, head):
        """{first cell: the others} of the table with that first head; numbers are converted."""
        table = next(([[cell.strip() for cell in row] for row in rows]
                      for rows in self.tables if rows[0][0] == head), [[]])
        return {row[0]: [int(cell.replace(",", "")) if cell.replace(",", "").isdigit()
                         else cell.replace("\xa0", " ") for cell in row[1:]] for row in table[1:]}


# ---- ledgers ----

PERSON = ("INSERT INTO person (address, state, reason, next_attempt, runnable_at, priority, attempts, fault_code,"
          " fault_text, mails, our_mails, intent_at, intent_date, intent_mails, approved, resend,"
          " discovered, checked, first_day, changed)"
          " VALUES (?, ?, ?, ?, ?, 'new', 0, ?, ?, -1, 0, 0, 0, -1, 0, 0, 0, 0, ?, ?)")
SIGHTING = ("INSERT OR IGNORE INTO sighting (host, account, uid, trigger, first_day, local, shell,"
            " member_of, first_name, last_name, rules, verdict, from_template, address, facts_revision,"
            " revision) VALUES (?, ?, 1000, 'login', ?, 1, '/bin/bash', '', '', '', 1, ?, 1, ?, 1, 1)")
HISTORY = ("INSERT INTO history (at, address, event, cause, actor)"
           " VALUES (?, ?, ?, 'x', 'dispatcher')")
# How many of a hundred, and their steps.
COURSES = (("not_invitable", "not_invitable", 25, ()), ("accepted", "answered", 27, ("invited",)),
           ("declined", "answered", 8, ("invited",)), ("invited", "sent", 24, ()),
           ("cancelled", "by_admin", 1, ("invited",)), ("held", "discovered", 4, ()),
           ("held", "collision", 1, ()), ("held", "blocked", 1, ()), ("failed", "refused", 2, ()),
           ("queued", "daily_limit", 5, ()), ("queued", "first_check", 2, ()))


def person(database, address, state, reason, *, first=0, fault="", seen_on=(), user=None):
    """One person with accounts on hosts."""
    now = int(time.time())
    due = now + 3600 if state == "queued" else 0
    database.execute(PERSON, (address, state, reason, due, due, "refused" if fault else "", fault,
                              first, now))
    for host in seen_on:
        database.execute(SIGHTING, (host, user or address.split("@", maxsplit=1)[0], first,
                                    "mapped", address))


def fill(path, people, hosts=9, weeks=12):
    """So many people with some weeks of history, always the same."""
    chance = random.Random(20261123)
    now = int(time.time())
    today = now - now % 86400
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as database, database:
        for number in range(people):
            state, reason, _, before = chance.choices(COURSES, [c[2] for c in COURSES])[0]
            address = f"user{number:06d}@example.com"
            first = today - 86400 * int(chance.triangular(0, weeks * 7, weeks * 5))
            at = first
            database.execute(HISTORY, (at, address, "queued"))
            for word in (*before, state):
                at = min(now, at + chance.randrange(1, 10) * 86400)
                database.execute(HISTORY, (at, address, word))
            person(database, address, state, reason, first=first,
                   fault="403: Google refuses " + address if state == "failed" else "",
                   seen_on={f"host{int(chance.triangular(0, hosts, 0)):05d}.example.com"
                            for _ in range(chance.choice((1, 1, 1, 2)))})
        for number in range(4 + people // 50):
            database.execute(SIGHTING, (
                "host00000.example.com", f"service{number}", today,
                chance.choice(("excluded", "unmapped", "foreign_domain")), ""))
