#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The words part of lint: what names, sentences and messages may not contain.

    wording.py              checks the tree; exits 1 and names each violation
    wording.py --rule RULE  only this rule

Rules: words (English that is translated word for word), names (private metaphors as identifiers or file names),
null (comparison with NULL), array_size, columns (documents and Python up to 120), message (the form of messages),
joined (a message and its remedy printed by one format, which cannot know whether a full stop is missing).
"""
import argparse
import collections
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import messages  # pylint: disable=wrong-import-position

COLUMNS = 120
# Texts of others, data, and the files that must quote what they ban.
LEFT_OUT = re.compile(r"^(LICENSE$|tests/e2e/discovery/|tests/fuzz/seeds/|tests/fuzz/.*\.dict$|tests/wording\.py$|"
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rule", metavar="RULE")
    options = parser.parse_args()
    found = [violation for violation in violations() if options.rule in (None, violation.rule)]
    for violation in found:
        print(f"{violation.path}:{violation.line}: {violation.rule}: {violation.text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
