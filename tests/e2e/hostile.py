# SPDX-License-Identifier: Apache-2.0
"""Hostile texts that a ledger, a host or Google may contain, one kind of problem each, and what no writer may let
through.
"""
import json
import os
import re
import subprocess
import unicodedata

import harness

# One kind of problem each: two in one payload hide each other, because invalid UTF-8 is written differently.
PAYLOADS = {
    "escape": "x\x1b[2J",
    "bell": "x\x07",
    "carriage return": "x\rroot",
    "new line": "x\nroot# ",
    "tab": "x\ty",
    "delete": "x\x7f",
    "C1, control sequence": "x\u009b31m",
    "C1, operating system command": "x\u009d0;t",
    "C1, next line": "x\u0085y",
    "turned round": "x\u202etxt.exe",
    "Arabic letter mark": "x\u061cy",
    "zero width": "x\u200by",
    "byte order mark": "x\ufeffy",
    "soft hyphen": "x\u00ady",
    "line separator": "x\u2028y",
    "tag": "x\U000e0041y",
    "variation selector": "x\U000e0100y",
    "Hangul filler": "x\u3164y",
    "no-break space": "x\u00a0",
    "ideographic space": "x\u3000",
    "markup": "x<q title='a'>\"&amp;",
    "series": 'x"} 1\nup{job="ssh"} 0\n#',
    "label": 'x\\",le="1"} 9 #',
    "formula": "=1+1;x",
    "format": "%s%n%9999d",
    "byte": b"x\x9b31m",
    "overlong": b"x\xc0\x8a",
    "cut": b"x\xe2\x80",
}
INVALID = [name for name, text in PAYLOADS.items() if isinstance(text, bytes)]

# The exposition format: name{label="value",…} number; in a value \ is followed by \, " or n.
LABEL = r'[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"'
SERIES = re.compile(rf"cloudinvite_[a-z_]+(\{{{LABEL}(,{LABEL})*\}})? -?[0-9]+(\.[0-9]+)?")
COMMENT = re.compile(r"# (HELP|TYPE) cloudinvite_[a-z_]+ [ -~]+|# EOF")


def raw(name):
    text = PAYLOADS[name]
    return text if isinstance(text, bytes) else text.encode()


def is_deceptive(character):
    """A terminal obeys it, or it is invisible and changes what a reader sees."""
    return unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") or \
        (unicodedata.category(character) == "Zs" and character != " ") or \
        0xfe00 <= ord(character) <= 0xfe0f or 0xe0000 <= ord(character) <= 0xe0fff or \
        ord(character) in (0x034f, 0x115f, 0x1160, 0x3164, 0xffa0)


def run(site, *verb, program="cloudinvite", environment=None):
    """The completed process, output as bytes."""
    return subprocess.run([os.path.join(harness.BUILD, program), "-c", site.conf, *verb],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=harness.TIMEOUT, check=False,
                          env={**os.environ, **(environment or {})})


def found(output, line_end="\n"):
    """What is in the bytes of an output that no writer may let through: a sentence, or None."""
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        return f"no UTF-8: {error}"
    for line in text.replace(line_end, "\n").split("\n"):
        bad = [c for c in line if is_deceptive(c)]
        if bad:
            return f"{bad[0]!r} in {line!r}"
    return None


def strings(document):
    """Every string of a JSON document, keys too."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            yield from strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from strings(value)
    elif isinstance(document, str):
        yield document


def documents(output):
    """The JSON documents of an output: the whole, or one on each line."""
    text = output.decode("ascii")
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def not_exposition(page):
    """The first line of a page of metrics that is invalid or a duplicate; None if all are good."""
    seen = set()
    for line in page.decode("ascii").splitlines():
        if COMMENT.fullmatch(line):
            continue
        name = line.rsplit(" ", 1)[0]
        if not SERIES.fullmatch(line) or name in seen:
            return line
        seen.add(name)
    return None


class Test(harness.Test):

    def check(self, done, verb, line_end="\n"):
        """The process, which must have ended with an exit status and written nothing harmful."""
        self.assertIn(done.returncode, range(9), (verb, done.stderr))
        for output in (done.stdout, done.stderr):
            self.assertIsNone(found(output, line_end), verb)
        return done
