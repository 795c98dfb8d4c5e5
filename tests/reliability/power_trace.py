# SPDX-License-Identifier: Apache-2.0
"""What programs did to files, from strace: a list of events in the order of the whole host.

    command(trace, …)    runs a program under strace
    read(trace, root, kept)    the events in the directories `kept` of `root`

An event is a dictionary of `do`, `at` (when it began), and its details:
    set      parent, name, inode, directory    something new, or another name of a file
    move     parent, old, name, inode, to    a rename: both sides at once
    drop     parent, name           a name is gone
    write    inode, offset, data    cut            inode, size
    sync     inode, since           what had begun before the event number `since` is on disk
    net                             data was sent over a socket
    mark     name                   the program under test looked up /power/NAME
"""
import bisect
import os
import re

CALLS = ("open,openat,creat,write,writev,pwrite64,pwritev,ftruncate,truncate,fallocate,rename,"
         "renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,"
         "fsync,fdatasync,sync_file_range,sync,syncfs,sendto,sendmsg,newfstatat,stat,access,"
         "faccessat,faccessat2")
MARK = "/power/"
ROOT = 0  # the inode of the directory around all others
LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)\n")
CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?).*", re.DOTALL)
RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)", re.DOTALL)
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
PLACE = re.compile(r"(?:-?\d+|AT_FDCWD)<([^>]*)>")
UNKNOWN = {"writev", "pwritev", "truncate", "fallocate", "link", "symlink", "symlinkat",
           "sync_file_range", "sync", "syncfs", "rmdir"}


def command(trace, *program):
    return ["strace", "-f", "-y", "-ttt", "-xx", "-s", "10000000", "--seccomp-bpf", "-o", trace,
            "-e", "trace=" + CALLS, "-e", "signal=none", *program]


def plain(text):
    """A string or a descriptor's path, which strace writes in hexadecimal."""
    return bytes.fromhex(text.replace("\\x", ""))


def whole_calls(trace):
    """(the lines in which it began and ended, time, name, arguments, result), in the order in which they ended."""
    begun = {}
    with open(trace, encoding="ascii") as file:
        for ended, line in enumerate(file):
            number = ended
            pid, at, text = LINE.fullmatch(line).groups()
            if text.endswith("<unfinished ...>"):
                begun[pid] = (ended, at, text[:-len("<unfinished ...>")])
                continue
            resumed = RESUMED.fullmatch(text)
            if resumed:
                number, at, first = begun.pop(pid)
                text = first.rstrip() + resumed[1]
            call = CALL.fullmatch(text)
            if call and call[3] not in ("-1", "?"):
                yield number, ended, float(at), call[1], call[2], int(call[3])
            elif call and MARK in named(call[2]):
                yield number, ended, float(at), "mark", call[2], 0


def named(arguments):
    """The first string of the arguments, as text."""
    string = STRING.search(arguments)
    return os.fsdecode(plain(string[1])) if string else ""


class Reader:
    """Follows names to the files that they denote at each moment."""

    def __init__(self, root, kept):
        self.root, self.kept = root, kept
        self.names = {root: ROOT}  # path: inode
        self.inodes = 1
        self.ends = {}  # inode: the position of the next ordinary write
        self.events = []
        self.lines = []         # in which line each event ended

    def path(self, directory, name):
        path = os.path.normpath(os.path.join(directory, name))
        below = path[len(self.root) + 1:].partition("/")[0]
        return path if path.startswith(self.root + "/") and below in self.kept else None

    def paths(self, arguments):
        """Every path of a call; a name is below the directory descriptor before it."""
        found, directory, at = [], "/", 0
        for piece in re.finditer(PLACE.pattern + "|" + STRING.pattern, arguments):
            if piece[1] is not None:
                directory = os.fsdecode(plain(piece[1])) if piece[1].startswith("\\x") else piece[1]
                at += 1
            else:
                found.append(self.path(directory, os.fsdecode(plain(piece[2]))))
        return found

    def file(self, text):
        """The inode of a call's first descriptor, or None."""
        place = PLACE.search(text)
        if not place:
            return None
        path = os.fsdecode(plain(place[1])) if place[1].startswith("\\x") else place[1]
        return self.names.get(path)

    def add(self, at, do, **what):
        self.events.append({"do": do, "at": at, **what})

    def parent(self, path):
        return self.names[os.path.dirname(path)], os.path.basename(path)

    def make(self, at, path, directory=False):
        self.names[path] = self.inodes
        self.ends[self.inodes] = 0
        parent, name = self.parent(path)
        self.add(at, "set", parent=parent, name=name, inode=self.inodes,
                 directory=directory)
        self.inodes += 1

    def call(self, began, ended, at, name, arguments, result):
        method = getattr(self, "on_" + name, None)
        if method:
            method(at, arguments, result)
        elif name in ("fsync", "fdatasync"):
            inode = self.file(arguments)
            if inode is not None:
                since = bisect.bisect_left(self.lines, began)
                self.add(at, "sync", inode=inode, since=since)
        elif name in UNKNOWN and self.file(arguments) is not None:
            raise AssertionError(f"a call that the recorder does not know: {name}({arguments})")
        self.lines += [ended] * (len(self.events) - len(self.lines))

    def read(self, trace):
        for call in whole_calls(trace):
            self.call(*call)
        return self.events

    def on_openat(self, at, arguments, _):
        path = (self.paths(arguments) or [None])[0]
        if path is None or path.endswith("-shm"):
            return
        if path not in self.names and "O_CREAT" in arguments:
            self.make(at, path)
        elif "O_TRUNC" in arguments:
            self.add(at, "cut", inode=self.names[path], size=0)
            self.ends[self.names[path]] = 0
        elif "O_WRONLY" in arguments and "O_APPEND" not in arguments:
            self.ends[self.names[path]] = 0

    on_open = on_openat

    def on_mkdir(self, at, arguments, _):
        path = self.paths(arguments)[0]
        if path is not None:
            self.make(at, path, directory=True)

    on_mkdirat = on_mkdir

    def on_unlink(self, at, arguments, _):
        path = self.paths(arguments)[0]
        if path is not None and self.names.pop(path, None) is not None:
            parent, name = self.parent(path)
            self.add(at, "drop", parent=parent, name=name)

    on_unlinkat = on_unlink

    def on_rename(self, at, arguments, _):
        old, new = self.paths(arguments)
        if new is None or old is None:
            return
        parent, name = self.parent(old)
        to, last = self.parent(new)
        self.names[new] = self.names.pop(old)
        self.add(at, "move", parent=parent, old=name, to=to, name=last, inode=self.names[new])

    on_renameat = on_renameat2 = on_rename

    def on_linkat(self, at, arguments, _):
        old, new = self.paths(arguments)
        if old is not None and new is not None:
            self.names[new] = self.names[old]
            parent, name = self.parent(new)
            self.add(at, "set", parent=parent, name=name, inode=self.names[new], directory=False)

    def on_write(self, at, arguments, result):
        inode = self.file(arguments)
        if inode is not None:
            self.add(at, "write", inode=inode, offset=self.ends[inode],
                     data=plain(STRING.search(arguments)[1])[:result])
            self.ends[inode] += result

    def on_pwrite64(self, at, arguments, result):
        inode = self.file(arguments)
        if inode is not None:
            self.add(at, "write", inode=inode, offset=int(arguments.rsplit(",", 1)[1]),
                     data=plain(STRING.search(arguments)[1])[:result])

    def on_ftruncate(self, at, arguments, _):
        inode = self.file(arguments)
        if inode is not None:
            self.add(at, "cut", inode=inode, size=int(arguments.rsplit(",", 1)[1]))

    def on_sendto(self, at, arguments, _):
        if self.file(arguments) is None:
            self.add(at, "net")

    on_sendmsg = on_sendto

    def on_mark(self, at, arguments, _):
        self.add(at, "mark", name=named(arguments)[len(MARK):])


def read(trace, root, kept):
    return Reader(root, kept).read(trace)
