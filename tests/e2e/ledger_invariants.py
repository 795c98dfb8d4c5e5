# SPDX-License-Identifier: Apache-2.0
"""No person is forgotten: finds people in the ledger for which nothing would ever happen any more."""
import contextlib
import sqlite3
import time

WAITING = ("queued", "sending", "unconfirmed")
DECIDED = ("held", "failed")  # an administrator must decide, and must be told what
FINAL = ("not_invitable", "invited", "accepted", "declined", "cancelled", "gone")
LONGEST = 8 * 86400  # the longest possible wait: for a window of one day a week


def is_ledger(path):
    """A test may have put something else in its place."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name IN ('person', 'send')").fetchone() == (2,)
    except sqlite3.Error:
        return False


def violations(path):
    """What is wrong with people in the ledger (if there is one): a list, which should be empty."""
    found = []
    if not is_ledger(path):
        return found
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
        people = connection.execute(
            "SELECT address, state, reason, next_attempt, runnable_at, intent_at, fault_text FROM person").fetchall()
        opened = dict(connection.execute(
            "SELECT address, count(*) FROM send WHERE outcome = 'open' GROUP BY address"))
    now = time.time()
    for address, state, reason, due, ready, intent_at, fault in people:
        who = f"{address} is {state} ({reason})"
        if not reason:
            found.append(f"{who}: does not say why")
        if state in WAITING and not 0 < due <= ready <= now + LONGEST:
            found.append(f"{who}: due {due}, ready {ready}: no program would continue it")
        if state == "failed" and not fault:
            found.append(f"{who}: without a fault")
        if state in ("sending", "unconfirmed") and not intent_at:
            found.append(f"{who}: without an intent nothing can resolve it")
        if opened.pop(address, 0) and state != "sending":
            found.append(f"{who}: its send is still open in the journal")
        if state not in WAITING + DECIDED + FINAL:
            found.append(f"{who}: no such state")
    found += [f"{address}: an open send of nobody" for address in opened if address]
    return found
