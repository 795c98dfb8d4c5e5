# SPDX-License-Identifier: Apache-2.0
"""What a disk may contain after a power failure, from the events of power_trace.py.

    for cut in Disk(events).cuts(): for state in cut.states(): …

Before each event that makes something durable (a sync), or that is visible outside (a mail, a login), every legal state
of the disk is generated; the states of the moments in between are among them.

By default it is strict: only what POSIX promises. Of the writes to a file since its last sync, in pieces of a block,
any may be there and any may be missing; the same holds for the changes of a directory since *its* last sync. A rename
within a directory is there or not, as a whole. With `ordered` it does what ext4, xfs and btrfs do: changes of
directories reach the disk in their order, and any sync includes all changes of directories before it. Writes are as in
strict.

If there are too many subsets, these are chosen: everything at each moment, each single change missing, each single one
alone, nothing of one file, only one file, and a sample.
"""
import hashlib
import itertools
import random

BLOCK = 4096
EXHAUSTIVE = 8      # up to so many open changes: all their subsets
SAMPLE = 8
SEED = 20261123


def pieces(event, block):
    """A write, block by block."""
    offset, data = event["offset"], event["data"]
    while data:
        size = block - offset % block
        yield "write", event["inode"], offset, data[:size]
        offset, data = offset + size, data[size:]


def applied(content, change):
    """A file's bytes after one piece of a write, or a cut."""
    if change[0] == "cut":
        return content[:change[2]].ljust(change[2], b"\0")
    _, _, offset, data = change
    return content[:offset].ljust(offset, b"\0") + data + content[offset + len(data):]


def renamed(names, change):
    """A directory's names after one change of them."""
    names = dict(names)
    do, _, name, *more = change
    if do == "drop":
        names.pop(name, None)
    else:
        if do == "move":
            names.pop(more[1], None)
        names[name] = more[0]
    return names


class Cut:
    """One moment: what is certainly on disk, what may be, and what is visible outside."""

    def __init__(self, disk, number):
        self.number = number
        self.files, self.directories = dict(disk.files), dict(disk.directories)
        self.open = self.reachable(list(disk.open))
        self.ordered = disk.ordered
        self.marks = frozenset(disk.marks)
        self.mails = tuple(disk.mails)
        self.random = random.Random(SEED + number)
        self.contents = {}

    def content(self, inode, changes):
        """(bytes, their digest) of a file after some of its open changes."""
        which = (inode, *map(id, changes))
        if which not in self.contents:
            data = self.files.get(inode, b"")
            for change in changes:
                data = applied(data, change)
            self.contents[which] = data, hashlib.sha256(data).digest()
        return self.contents[which]

    def reachable(self, changes):
        """Without files that have no name any more and cannot get one again."""
        named = {inode for names in self.directories.values() for inode in names.values()}
        named |= {change[3] for _, change in changes if change[0] in ("set", "move")} | {0}
        return [change for _, change in changes
                if change[0] in ("set", "drop", "move") or change[1] in named]

    def subsets(self, changes):
        """One bit for each: which of the open changes are there."""
        count, everything = len(changes), (1 << len(changes)) - 1
        if count <= EXHAUSTIVE:
            yield from range(everything + 1)
            return
        yield from ((1 << n) - 1 for n in range(count + 1))
        yield from (1 << n for n in range(count))
        yield from (everything ^ 1 << n for n in range(count))
        for _, group in itertools.groupby(sorted(range(count), key=lambda n: changes[n][1]),
                                          key=lambda n: changes[n][1]):
            only = sum(1 << n for n in group)
            yield from (only, everything ^ only)
        for _ in range(SAMPLE):
            few = self.random.getrandbits(count)
            yield from (few, few & self.random.getrandbits(count),
                        few | self.random.getrandbits(count))

    def choices(self):
        """Lists of changes, in their order."""
        if not self.ordered:
            for bits in self.subsets(self.open):
                yield [change for n, change in enumerate(self.open) if bits >> n & 1]
            return
        writes = [change for change in self.open if change[0] in ("write", "cut")]
        names = [change for change in self.open if change[0] not in ("write", "cut")]
        for bits in self.subsets(writes):
            there = [change for n, change in enumerate(writes) if bits >> n & 1]
            for many in range(len(names) + 1):
                yield names[:many] + there

    def states(self):
        for choice in self.choices():
            yield State(self, choice)


class State:
    """One content of the disk."""

    def __init__(self, cut, changes):
        self.mails, self.marks = cut.mails, cut.marks
        directories, written = cut.directories, {}
        for change in changes:
            inode = change[1]
            if change[0] in ("write", "cut"):
                written.setdefault(inode, []).append(change)
            else:
                directories = {**directories,
                               inode: renamed(directories.get(inode, {}), change)}
        self.tree, digests = {}, []
        self.inodes = dict(walk("", 0, directories))
        for path, inode in self.inodes.items():
            self.tree[path], digest = (None, b"") if inode in directories \
                else cut.content(inode, written.get(inode, ()))
            digests.append((path, digest))
        self.key = hash((self.mails, self.marks, tuple(sorted(digests))))


def walk(path, inode, directories):
    """(path, inode) of everything below."""
    for name, child in directories.get(inode, {}).items():
        yield path + name, child
        if child in directories:
            yield from walk(path + name + "/", child, directories)


class Disk:
    def __init__(self, events, ordered=False, block=BLOCK):
        self.events, self.ordered, self.block = events, ordered, block
        self.files, self.directories = {}, {0: {}}
        self.open = []  # [(number of the event, change)]
        self.marks, self.mails = [], []
        self.directory_inodes = {event["parent"] for event in events if "parent" in event} | \
            {event["inode"] for event in events if event.get("directory")}
        self.directories.update((inode, {}) for inode in self.directory_inodes)

    def settle(self, change):
        """It has reached the disk."""
        inode = change[1]
        if change[0] in ("write", "cut"):
            self.files[inode] = applied(self.files.get(inode, b""), change)
        else:
            self.directories[inode] = renamed(self.directories[inode], change)

    def sync(self, inode, since):
        rest = []
        for number, change in self.open:
            in_order = self.ordered and change[0] in ("set", "drop", "move")
            if number < since and (change[1] == inode or in_order):
                self.settle(change)
            else:
                rest.append((number, change))
        self.open = rest

    def take(self, number, event):
        do = event["do"]
        if do == "write":
            self.open += [(number, piece) for piece in pieces(event, self.block)]
        elif do == "cut":
            self.open.append((number, ("cut", event["inode"], event["size"])))
        elif do == "set":
            self.open.append((number, ("set", event["parent"], event["name"], event["inode"])))
        elif do == "drop":
            self.open.append((number, ("drop", event["parent"], event["name"])))
        elif do == "move":
            if event["parent"] != event["to"]:
                raise AssertionError("the model knows no rename from one directory to another")
            self.open.append((number, ("move", event["parent"], event["name"], event["inode"],
                                       event["old"])))
        elif do == "sync":
            self.sync(event["inode"], event["since"])
        elif do == "mail":
            self.mails += event["addresses"]
        elif do == "mark":
            self.marks.append(event["name"])

    def cuts(self):
        for number, event in enumerate(self.events):
            if event["do"] in ("sync", "mail", "mark"):
                yield Cut(self, number)
            self.take(number, event)
        yield Cut(self, len(self.events))
