#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The statements of docs/security.md about the module's parts are true. Its system calls: test_system_calls.py."""
import os
import re
import tempfile

import module
import test_symbols
from module import harness, output, symbols

UNIT = re.compile(r"DW_AT_name\s*:\s*(?:\(.*?\): )?(\S+\.c)$", re.M)
INCLUDE = re.compile(r'^#include "(.+)"', re.M)
COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def linked():
    """The source files that were linked, according to the debugging information."""
    return set(UNIT.findall(output("readelf", "--debug-dump=info", "--dwarf-depth=1", module.PATH)))


def headers():
    """The headers of this tree that these files include, and those that these include."""
    found, left = set(), list(linked())
    while left:
        for text in texts([left.pop()]):
            for name in INCLUDE.findall(text):
                path = name if os.path.exists(os.path.join(harness.SOURCE, name)) else "common/" + name
                if path not in found:
                    found.add(path)
                    left.append(path)
    return found


def texts(paths):
    for path in paths:
        with open(os.path.join(harness.SOURCE, path), encoding="utf-8") as file:
            yield file.read()


def code(text):
    """Without comments and blank lines."""
    return [line for line in COMMENTS.sub("", text).splitlines() if line.strip()]


class Bounds(harness.Test):
    def at_most(self, part, count):
        bound = re.fullmatch(r"at most ([\d,]+)( bytes)?", module.figures()[part])
        self.assertIsNotNone(bound, part)
        self.assertGreater(count, 0, part)
        self.assertLessEqual(count, int(bound.group(1).replace(",", "")), part)


class Page(Bounds):
    def test_it_names_the_files_that_are_linked(self):
        self.assertEqual(sorted(linked()), sorted(module.named("source files")))

    def test_they_have_no_more_lines_than_it_says(self):
        self.at_most("lines of code in them", sum(len(code(text)) for text in texts(linked())))
        self.at_most("lines of code in their headers", sum(len(code(text)) for text in texts(headers())))
        self.at_most("all lines of both, with comments",
                     sum(len(text.splitlines()) for text in texts(linked() | headers())))

    def test_it_names_the_libraries(self):
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-dW", module.PATH))
        self.assertEqual(sorted(name for name in needed if not test_symbols.SANITIZER.match(name)),
                         sorted(module.named("libraries")))

    def test_it_names_the_symbols_that_are_exported(self):
        self.assertEqual(sorted(symbols("--defined-only")), sorted(module.named("exported symbols")))

    def test_it_names_what_the_module_may_use_of_libc_and_libpam(self):
        """test_symbols.py compares that list with the built module."""
        self.assertEqual(sorted(module.named("symbols of libc and libpam")), sorted(test_symbols.ALLOWED))


class Sizes(Bounds):
    """The sizes of the shipped module."""
    def test_sizes_are_within_its_bounds(self):
        text, data, bss = map(int, output("size", module.PATH).splitlines()[1].split()[:3])
        sections = test_symbols.section_sizes()
        written = sections.get(".data", 0) + sections.get(".bss", 0)
        self.at_most("code and constants (`text` of `size`)", text)
        self.at_most("data and bss of `size`", data + bss)
        self.at_most("of these, still writable after loading", written)
        with tempfile.NamedTemporaryFile() as stripped:
            output("strip", "-o", stripped.name, module.PATH)
            self.at_most("the file, stripped", os.path.getsize(stripped.name))

    def test_the_stack_is_within_its_bound(self):
        frames, calls = test_symbols.frames_and_calls()
        self.at_most("stack, without libc and libpam", test_symbols.deepest("pam_sm_open_session", frames, calls))


if __name__ == "__main__":
    if module.is_sanitized():  # its sizes are the sanitizer's
        del Sizes
    harness.main()
