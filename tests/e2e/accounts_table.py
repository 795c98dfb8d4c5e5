# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/security.md: accounts, places and verbs."""
import collections
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs/security.md")
ACCOUNTS = ("collector", "dispatcher", "ledger")  # the columns of the places, and "others"

Place = collections.namedtuple("Place", "path owner group mode rights")


def rows(head):
    """The rows of the table with this head, as lists of cells."""
    with open(PAGE, encoding="utf-8") as page:
        lines = page.read().split(head, 1)[1].splitlines()[2:]
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def words(cell):
    return re.findall(r"`([^`]+)`", cell)


def accounts():
    """{account: [groups besides its own]}"""
    return {words(name)[0]: words(groups)
            for name, groups, _ in rows("| account | is also in the group | what it is for |")}


def places():
    """`rights`: {column: "", "r" or "rw"}"""
    head = "| place | owner | group | mode | collector | dispatcher | ledger | others |"
    for path, owner, group, mode, *rights in rows(head):
        yield Place(words(path)[0], "".join(words(owner)), words(group)[0], int(mode, 8),
                    dict(zip((*ACCOUNTS, "others"), rights)))


def verbs():
    """{verb: (stays root, {accounts})}"""
    found = {}
    for names, becomes in rows("| verb, typed by root | becomes |"):
        for name in words(names):
            found[name] = ("root" in becomes, set(words(becomes)))
    return found
