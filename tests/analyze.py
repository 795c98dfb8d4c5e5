#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gcc's analyzer over the product's C code.

    analyze.py [--jobs N] FILE...

A false finding is explained in the code: by a comment with "-fanalyzer" on its line or on one of the five above. Prints
TAP, and ends with a line that CI adds up.
"""
import argparse
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys

FINDING = re.compile(r"^([^:\n]+):(\d+):\d+: (warning|error): .*", re.MULTILINE)
COMMENT = "-fanalyzer"
ABOVE = 5


def is_explained(path, line):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    return any(COMMENT in text for text in lines[max(0, line - 1 - ABOVE):line])


def findings(path, compiler, flags):
    """The findings of a file that are not explained."""
    done = subprocess.run([*compiler, *flags, "-O2", "-fanalyzer", "-S", "-o", os.devnull, path],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    found = [match.group(0) for match in FINDING.finditer(done.stdout)
             if not is_explained(match.group(1), int(match.group(2)))]
    return found or ([done.stdout] if done.returncode else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    flags = shlex.split(os.environ.get("CLOUDINVITE_DEFS", "")) \
        + shlex.split(os.environ.get("CLOUDINVITE_CFLAGS", ""))
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda path: findings(path, compiler, flags), options.files)
        for number, (path, found) in enumerate(zip(options.files, results), 1):
            failures += bool(found)
            print(f"{'not ok' if found else 'ok'} {number} - {path}", flush=True)
            print("".join(f"# {line}\n" for text in found for line in text.splitlines()), end="")
    print(f"analyze: {len(options.files) - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
