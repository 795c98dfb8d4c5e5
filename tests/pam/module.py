# SPDX-License-Identifier: Apache-2.0
"""The module under test, for the Python tests of this folder."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import accounts_table  # pylint: disable=wrong-import-position
import harness  # pylint: disable=wrong-import-position

PATH = os.path.join(harness.BUILD, "pam_cloudinvite.so")


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def symbols(*options):
    """The names of `nm -D OPTIONS`, without versions."""
    return {line.split()[-1].split("@")[0]
            for line in output("nm", "-D", *options, PATH).splitlines()}


def figures():
    """{part of the module: its row in docs/security.md}"""
    return {part: says for part, says, _ in accounts_table.rows("| part of the module | figure | the test |")}


def named(part):
    """The names in a row of that table, in their order."""
    return accounts_table.words(figures()[part])


def is_sanitized():
    """Then it contains what is otherwise forbidden, and only programs built the same way can load it."""
    return any(re.match("__(asan|ubsan|tsan)_", name) for name in symbols("--undefined-only"))
