#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The words part of lint: what names, sentences and messages may not contain.

    wording.py                  checks the tree; exits 1 and names each violation that is too many
    wording.py --show [RULE]    every violation, the pending ones too
    wording.py --shrink         lowers the numbers of wording_pending.tsv to what the tree has; never raises one

Rules: words (English that is translated word for word), names (private metaphors as identifiers or file names),
null (comparison with NULL), array_size, columns (documents and Python up to 120), message (the form of messages),
joined (a message and its remedy printed by one format, which cannot know whether a full stop is missing).

tests/wording_pending.tsv lists, for each rule and path, how many violations are still allowed, and why. The numbers
may only shrink. A path that ends with * stands for all that begin so; the longest that fits counts.
"""
import argparse
import collections
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import messages  # pylint: disable=wrong-import-position

PENDING = "tests/wording_pending.tsv"
COLUMNS = 120
# Texts of others, data, and the files that must quote what they ban.
LEFT_OUT = re.compile(r"^(LICENSE$|tests/e2e/discovery/|tests/fuzz/seeds/|tests/fuzz/.*\.dict$|tests/wording|"
                      r"tests/build/test_wording\.py$|docs/glossary\.md$|packaging/debian/copyright$)")

# A blank also stands for a line break, with a comment's star after it.
WORDS = [(re.compile(pattern.replace(" ", r"(?:\s+(?:[*#]\s+)?)"), re.IGNORECASE), better) for pattern, better in (
    (r"\bwhom\b", "name the person"),
    (r"\bwho(so)?ever\b", "name the person"),
    (r"\bnobody (is|was|are|has|can|may|would|will)\b", "say what is not done"),
    (r"\banew\b", "again"),
    (r"\bmend(s|ed|ing)?\b", "fix, repair"),
    (r"\ball the same\b", "still, nevertheless, or nothing"),
    (r"\bby (it|him|her|them)sel(f|ves)\b", "automatically, or alone"),
    (r"(?<!there\s)\b(is|are|was|were) no (?!longer|more|less|fewer|better|worse|different|later|earlier|"
     r"other|such|one|sooner|need|way|reason|point)[a-z]+", "is not a …"),
    (r"\bset-up\b", "configuration (setup, the noun)"),
)]
# Private metaphors (docs/glossary.md has the words of the field), as a part of an identifier or a file's name.
NAMES = {
    "pace": "rate_limit", "brake": "breaker, change_guard", "wave": "pipeline", "course": "job",
    "errand": "global_call",
    "census": "snapshot", "desk": "runtime", "books": "store", "witness": "send_journal", "sweep": "resync",
    "sweeps": "resync", "ruling": "policy_decision", "strangers": "unmanaged", "comer": "added", "leaver": "removed",
    "neighbour": "local_plaintext", "doors": "addresses", "rotation": "refresh_store",
    "dyed": "styled", "ink": "style", "clerk": "timer thread", "treacherous": "bidi_control",
    "sky": "policy_fixture", "world": "fake_google, tenant", "everybody": "ledger_invariants", "sheet": "overlay",
    "floors": "layers", "mend": "repair, reschedule", "beat": "heartbeat", "strange": "unexpected",
    "bulk": "backlog", "unjudged": "unclassified", "complain": "set an error", "complaint": "value_error",
    "doubt": "error_scope", "doubtful": "incomplete", "stirred": "did_work", "unseen": "orphan",
}
NULL = re.compile(r"[!=]= *NULL\b|\bNULL *[!=]=")
DIVISION = re.compile(r"\bsizeof\b[^;,]{1,60}/ *sizeof\b")
IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*\b")
C_TEXT = re.compile(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/', re.DOTALL)
PYTHON_TEXT = re.compile(r'"""(?:.|\n)*?"""|f?r?"(?:\\.|[^"\\\n])*"|f?r?\'(?:\\.|[^\'\\\n])*\'|#[^\n]*')
# A sentence that begins without a full stop before it.
RUN_TOGETHER = re.compile(r"\b[a-z][\w']*\)? (Set|Run|Check|Use|Write|Add|Put|Remove|Give|Start|Stop|Make|Wait) [a-z]")
SENTENCE = re.compile(r"[A-Z].* ")
TWO_TEXTS = re.compile(r'"[^"\n]*%(?:[.\d]*)s\.? %(?:[.\d]*)s[^"\n]*"\s*,(?P<rest>[^;]*)')

Violation = collections.namedtuple("Violation", "rule path line text")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def check_words(path, source):
    for pattern, better in WORDS:
        for found in pattern.finditer(source):
            line = source.count("\n", 0, found.start()) + 1
            yield Violation("words", path, line, f"'{' '.join(found.group(0).split())}': {better}")


def metaphor(name):
    """The better word for a part of an identifier or path, or None."""
    name = re.sub(r"(?i)bulk_action", "", name)  # the usual name of an action on many people
    for part in re.split(r"[_\W\d]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name)):
        if part.lower() in NAMES:
            return part.lower(), NAMES[part.lower()]
    return None


def check_names(path, source):
    found = metaphor(os.path.splitext(path)[0].replace("/", "_"))
    if found:
        yield Violation("names", path, 0, f"the file's name says '{found[0]}': {found[1]}")
    if not path.endswith((".c", ".h", ".py")):
        return
    code = (PYTHON_TEXT if path.endswith(".py") else C_TEXT).sub(blank, source)
    for at, line in enumerate(code.splitlines(), 1):
        if line.lstrip().startswith("#include"):
            continue
        for name in IDENTIFIER.findall(line):
            found = metaphor(name)
            if found:
                yield Violation("names", path, at, f"{name}: {found[1]}")


def check_code(path, source):
    if not path.endswith((".c", ".h")):
        return
    for at, line in enumerate(C_TEXT.sub(blank, source).splitlines(), 1):
        if NULL.search(line):
            yield Violation("null", path, at, "comparison with NULL: write p or !p")
        if DIVISION.search(line) and "define ARRAY_SIZE" not in line:
            yield Violation("array_size", path, at, "division of sizeof: ARRAY_SIZE (base/array.h)")


def check_columns(path, source):
    """Tables, code, the directives of the tests, and lines with one long word are exempt."""
    if not path.endswith((".md", ".py")) and path != "tests/run":
        return
    fenced = False
    for at, line in enumerate(source.splitlines(), 1):
        if path.endswith(".md"):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            if fenced or line.lstrip().startswith(("|", "<!-- meanwhile:")) or re.search(r"https?://\S{40,}", line):
                continue
        if len(line) > COLUMNS:
            yield Violation("columns", path, at, f"{len(line)} columns, at most {COLUMNS}")


def check_messages(path, source):
    """A fault's sentence has no full stop (the printer adds it before the remedy, text_sentences). A remedy in words
    has one, unless it ends with a command after a colon. No sentence begins without a full stop before it.
    """
    if not path.endswith((".c", ".h")) or path.startswith("tests/"):
        return
    for message in messages.messages_of(path, source):
        text = message.text
        if message.kind in ("fault", "remedy", "log", "print", "text") and RUN_TOGETHER.search(text):
            yield Violation("message", path, message.line, f"two sentences run together: {text}")
        if message.kind == "remedy" and SENTENCE.match(text) and ": " not in text \
                and not re.search(r"([.?!:,…)]|%\w*s|>)\s*$| = ", text):
            yield Violation("message", path, message.line, f"a remedy without a full stop: {text}")
        if message.kind == "fault" and message.calls[-1:] and message.calls[-1][0] == "fault_set" \
                and re.search(r"[a-z]\.$", text) and not text.endswith("etc."):
            yield Violation("message", path, message.line, f"a fault's sentence ends without a full stop: {text}")
    for found in TWO_TEXTS.finditer(source):
        if re.search(r"remedy\b", found.group("rest").split(")")[0]):
            line = source.count("\n", 0, found.start()) + 1
            yield Violation("joined", path, line, "a message and its remedy in one format: text_sentences joins them")


CHECKS = (check_words, check_names, check_code, check_columns, check_messages)


def is_text(path):
    return not re.search(r"\.(png|ico|gz|svg|json|xml|dict)$", path) and not LEFT_OUT.search(path)


def violations_of(path, source):
    return [violation for check in CHECKS for violation in check(path, source)]


def violations():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout.split("\n")
    for path in sorted(filter(None, listed)):
        if not is_text(path) or not os.path.isfile(path) or os.path.islink(path):
            continue
        try:
            source = messages.read(path)
        except UnicodeDecodeError:
            continue
        yield from violations_of(path, source)


def read_pending():
    """{(rule, path): [number, why]} in the file's order."""
    pending = {}
    if os.path.exists(PENDING):
        for line in messages.read(PENDING).splitlines():
            if line and not line.startswith("#"):
                rule, path, number, why = line.split("\t")
                pending[rule, path] = [int(number), why]
    return pending


def row_of(pending, violation):
    """The row for it: its own path's, else the longest prefix."""
    rows = [path for rule, path in pending if rule == violation.rule and
            (path == violation.path or (path.endswith("*") and violation.path.startswith(path[:-1])))]
    return (violation.rule, max(rows, key=len)) if rows else (violation.rule, violation.path)


def count(found, pending):
    rows = collections.defaultdict(list)
    for violation in found:
        rows[row_of(pending, violation)].append(violation)
    return rows


def too_many(found, pending):
    """A line for each violation in a row that has more than allowed."""
    rows = count(found, pending)
    lines = []
    for row, here in sorted(rows.items()):
        allowed = pending.get(row, [0])[0]
        if len(here) > allowed:
            lines += [f"{v.path}:{v.line}: {v.rule}: {v.text}" for v in here]
            if allowed:
                lines.append(f"{row[1]}: {row[0]}: {len(here)}, and {PENDING} allows {allowed}")
    return lines


def group(path):
    """The beginning of a path that one row of a new table speaks of."""
    parts = path.split("/")
    return "/".join(parts[:2 if parts[0] in ("common", "tests", "worker") and len(parts) > 2 else 1]) \
        + ("/*" if len(parts) > 1 else "")


def write_pending(found, pending, first):
    """Only lowers the numbers, except the first time."""
    if first:
        pending.update({(v.rule, group(v.path)): [0, "the core is built again next" if "invite" in group(v.path) else
                                               "not reworded yet"] for v in found
                        if row_of(pending, v) not in pending})
    rows = count(found, pending)
    head = [line for line in messages.read(PENDING).splitlines() if line.startswith("#")] \
        if os.path.exists(PENDING) else []
    with open(PENDING, "w", encoding="utf-8") as file:
        for line in head:
            print(line, file=file)
        for row in sorted(set(pending) | set(rows if first else ())):
            number = len(rows.get(row, ()))
            if not first:
                number = min(number, pending[row][0])
            if number:
                why = pending[row][1]
                print(*row, number, why, sep="\t", file=file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", nargs="?", const="", metavar="RULE")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--init", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    found, pending = list(violations()), read_pending()
    if options.show is not None:
        for violation in found:
            if options.show in ("", violation.rule):
                print(f"{violation.path}:{violation.line}: {violation.rule}: {violation.text}")
        return 0
    if options.shrink or options.init:
        write_pending(found, pending, options.init)
        return 0
    lines = too_many(found, pending)
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
