#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation test: changes the code in one place at a time, and looks whether a test notices.

    make mutants
    tests/mutants/mutants.py [--jobs N] [--sample N --seed S] [--file PATH]... [--id ID]... [--list]

subjects.tsv says which files are changed and which tests concern them; operators.py has the changes. A mutant is
compiled into an object file of its own and linked in front of the archive that has the real one. A test kills it if
the test fails, dies or runs too long. Mutants that do not compile are not counted. Those that no test can kill,
because they do the same, are listed in equivalent.tsv with the reason; an entry there that is killed, or that does not
exist any more, is an error. Fails if fewer than 95 % of all others are killed. Prints TAP and a line that CI adds up.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import glob
import itertools
import os
import random
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time

from c_source import Names
from operators import Mutations

LEAST = 95  # per cent
# What C leaves undefined (an index outside of an array, a shift by a negative number) ends the program.
TRAPS = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")
LINK_SECONDS = 0.05  # what a test costs besides its own time, about
KILLED, TIMEOUT, SURVIVED, EQUIVALENT, BROKEN = "killed", "too long", "survived", "equivalent", "does not compile"
SHOWN = (KILLED, TIMEOUT, SURVIVED, EQUIVALENT)
FOLDER = "tests/mutants"
number = 0
failures = 0


def report(name, findings):
    """One TAP line; findings make it a failure."""
    global number, failures
    number += 1
    print(f"{'not ok' if findings else 'ok'} {number} - {name}", flush=True)
    failures += bool(findings)
    for finding in findings[:60]:
        print(f"# {finding}")


def rows(path):
    """The rows of a table of words between tabulators; lines that begin with # are comments."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]


class Limits:
    """How long a test may run: processor time, so that a busy machine kills nothing; and a bound on the clock for a
    test that only waits."""

    def __init__(self, seconds):
        self.processor = int(seconds * 5) + 2
        self.clock = 60 + 20 * self.processor


class Test:
    """One test program: its object file is compiled once, and linked with each mutant."""

    def __init__(self, source, build):
        self.name = os.path.splitext(os.path.basename(source))[0]
        self.object = os.path.join(build, os.path.splitext(source)[0] + ".o")
        self.seconds, self.limits = 0.0, None
        self.runs, self.kills = collections.Counter(), collections.Counter()  # of mutants of a file

    def worth(self, path):
        """The kills to be expected in a second, if a mutant of this file is to be killed."""
        return (self.kills[path] + 1) / (self.runs[path] + 2) / (self.seconds + LINK_SECONDS)


@dataclasses.dataclass
class Subject:
    """Files that are changed, the tests that concern them, and what these are linked with."""
    name: str
    sources: list
    tests: list
    archives: list
    libraries: list


class Workshop:
    """Compiles, links and runs, in a directory of its own for each mutant."""

    def __init__(self, options, directory):
        self.root, self.build, self.directory = options.root, os.path.abspath(options.build), directory
        self.compiler = shlex.split(os.environ.get("CC", "cc"))
        self.flags = shlex.split(os.environ.get("CLOUDINVITE_DEFS", "-I. -Icommon -D_GNU_SOURCE")) \
            + shlex.split(os.environ.get("CLOUDINVITE_CFLAGS", "-std=gnu11"))
        self.numbers = itertools.count()
        self.environment = {**os.environ, "CCACHE_DISABLE": "1", "CMOCKA_TEST_ABORT": "1", "LC_ALL": "C"}
        # A mutant dies often, and a core file of each would fill the disk.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def call(self, command, **more):
        return subprocess.run(command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, **more)

    def compile(self, source, text, place):
        """The object file, or None. The text comes by standard input. -O0: compiling takes longer than running."""
        path = f"{place}/{source.replace('/', '-')}.o"
        done = self.call([*self.compiler, *self.flags, *TRAPS, "-iquote", os.path.dirname(source), "-O0", "-w", "-fPIE",
                          "-c", "-x", "c", "-o", path, "-"], input=text.encode())
        return path if done.returncode == 0 else None

    def link(self, subject, test, objects, place):
        """Objects before archives: what they define is not taken from there."""
        archives = [os.path.join(self.build, name) for name in subject.archives]
        done = self.call([*self.compiler, "-pie", "-o", place + "/" + test.name, *objects, test.object, *archives,
                          "-Wl,--as-needed", *subject.libraries])
        return done.returncode == 0

    def run(self, test, place):
        """None if the test passes, else how the mutant ends; and how long it took."""
        limits = test.limits
        before = time.monotonic()
        child = subprocess.Popen(["prlimit", f"--cpu={limits.processor}", f"--as={4 << 30}", place + "/" + test.name],
                                 cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            status = child.wait(limits.clock)
        except subprocess.TimeoutExpired:
            status = -signal.SIGXCPU
        try:
            os.killpg(child.pid, signal.SIGKILL)  # whatever a changed program left behind
        except ProcessLookupError:
            pass
        child.wait()
        ends = TIMEOUT if status in (-signal.SIGXCPU, -signal.SIGKILL) else KILLED if status else None
        return ends, time.monotonic() - before

    def place(self):
        place = os.path.join(self.directory, str(next(self.numbers)))
        os.mkdir(place)
        return place

    def remove(self, place):
        for name in os.listdir(place):
            os.unlink(os.path.join(place, name))
        os.rmdir(place)


class Trial:
    """All mutants of one subject and what becomes of them."""

    def __init__(self, workshop, subject):
        self.workshop, self.subject = workshop, subject
        self.lock = threading.Lock()

    def baseline(self, texts):
        """The tests pass with the code as it is, compiled as the mutants are; what does not."""
        place = self.workshop.place()
        objects = [self.workshop.compile(source, texts[source], place) for source in self.subject.sources]
        if None in objects:
            yield f"{self.subject.sources[objects.index(None)]}: does not compile"
            return
        if not self.subject.tests:
            yield "there is no test"
        for test in self.subject.tests:
            test.limits = Limits(600)
            if not self.workshop.link(self.subject, test, objects, place):
                yield f"{test.name}: does not link: is {test.object} built?"
                continue
            ends, test.seconds = self.workshop.run(test, place)
            test.limits = Limits(test.seconds)
            if ends:
                yield f"{test.name}: fails before anything is changed"
        self.workshop.remove(place)

    def judge(self, mutant, text):
        """What becomes of one mutant, and which test killed it."""
        place = self.workshop.place()
        try:
            changed = self.workshop.compile(mutant.path, mutant.apply(text), place)
            if not changed:
                return BROKEN, None
            with self.lock:
                tests = sorted(self.subject.tests, key=lambda test: test.worth(mutant.path), reverse=True)
            for test in tests:
                if not self.workshop.link(self.subject, test, [changed], place):
                    return BROKEN, None
                ends, _ = self.workshop.run(test, place)
                with self.lock:
                    test.runs[mutant.path] += 1
                    test.kills[mutant.path] += bool(ends)
                if ends:
                    return ends, test.name
            return SURVIVED, None
        finally:
            self.workshop.remove(place)


class Progress:
    """One line on a terminal, written again and again; nothing elsewhere."""

    def __init__(self, count):
        self.count, self.done, self.survivors, self.shown = count, 0, 0, sys.stderr.isatty()
        self.began = time.monotonic()

    def step(self, ends):
        self.done += 1
        self.survivors += ends == SURVIVED
        if self.shown:
            left = (time.monotonic() - self.began) / self.done * (self.count - self.done)
            print(f"\r{self.done} of {self.count} mutants, {self.survivors} survive, {left:.0f} s left ", end="",
                  file=sys.stderr, flush=True)

    def close(self):
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def subjects(options):
    """The rows of subjects.tsv: patterns of sources, patterns of tests, archives, libraries."""
    build = os.path.abspath(options.build)
    for sources, tests, archives, libraries in rows(os.path.join(options.root, FOLDER, "subjects.tsv")):
        programs = [Test(path, build) for path in matching(options.root, tests)]
        yield Subject(sources, matching(options.root, sources), programs, archives.split(), libraries.split())


def matching(root, patterns):
    """The files that match one of the patterns; those that match one after a ! are taken away."""
    found = set()
    for pattern in patterns.split():
        files = set(glob.glob(pattern.lstrip("!"), root_dir=root))
        found = found - files if pattern.startswith("!") else found | files
    return sorted(found)


def read(options, path):
    with open(os.path.join(options.root, path), encoding="utf-8") as file:
        return file.read()


def all_mutants(options, found):
    """[(subject, mutant)], and the text of each file."""
    names = Names()
    texts = {path: read(options, path) for subject in found for path in subject.sources}
    for path in sorted(glob.glob("**/*.h", root_dir=options.root, recursive=True)):
        if not path.startswith("build"):  # copies of a package, perhaps old ones
            names.read(read(options, path))
    for text in texts.values():
        names.read(text)
    names.close()
    return [(subject, mutant) for subject in found for path in subject.sources
            for mutant in Mutations(path, texts[path], names)], texts


def chosen(options, mutants, texts):
    for path in options.file:
        if path not in texts:
            sys.exit(f"mutants: {path} is not among the files of {FOLDER}/subjects.tsv")
    if options.file:
        mutants = [pair for pair in mutants if pair[1].path in options.file]
    if options.id:
        for name in set(options.id) - {mutant.name for _, mutant in mutants}:
            sys.exit(f"mutants: there is no mutant {name!r}; --list shows all")
        mutants = [pair for pair in mutants if pair[1].name in options.id]
    if options.sample and options.sample < len(mutants):
        mutants = random.Random(options.seed).sample(mutants, options.sample)
    return mutants


def show(mutant, text, prefix=""):
    line, before, after = mutant.diff(text)
    print(f"{prefix}{mutant.name}\n{prefix}  {mutant.path}:{line}\n{prefix}  -{before}\n{prefix}  +{after}")


def run_all(options, mutants, texts, directory):
    """What becomes of each mutant: {mutant: (what, which test)}; the tests must pass without a change first."""
    workshop = Workshop(options, directory)
    trials = {id(subject): Trial(workshop, subject) for subject, _ in mutants}
    for trial in trials.values():
        report(f"the tests of {trial.subject.name} pass while nothing is changed", list(trial.baseline(texts)))
    if failures:
        return None
    results, progress = {}, Progress(len(mutants))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = {pool.submit(trials[id(subject)].judge, mutant, texts[mutant.path]): mutant
                   for subject, mutant in mutants}
        try:
            for done in concurrent.futures.as_completed(waiting):
                results[waiting[done]] = done.result()
                progress.step(done.result()[0])
        except BaseException:  # interrupted: those that have not begun are not run
            pool.shutdown(cancel_futures=True)
            raise
    progress.close()
    return results


def table(results):
    """A row for each file, and one for all."""
    counts = collections.defaultdict(collections.Counter)
    for mutant, (what, _) in results.items():
        counts[mutant.path][what] += 1
        counts["all"][what] += 1
    print(f"{'file':34} {'mutants':>8} " + " ".join(f"{word:>10}" for word in SHOWN))
    for path in sorted(set(counts) - {"all"}) + ["all"]:
        row = counts[path]
        print(f"{path:34} {sum(row[word] for word in SHOWN):8} " + " ".join(f"{row[word]:10}" for word in SHOWN))
    return counts["all"]


def conclude(results, texts, reasons, known):
    """Prints the survivors, the table and the TAP lines."""
    wrong = [f"{name}: there is no such mutant" for name in sorted(set(reasons) - known)]
    wrong += [f"{name}: has no reason" for name in sorted(reasons) if not reasons[name]]
    for mutant, (what, test) in sorted(results.items(), key=lambda result: result[0].name):
        if mutant.name in reasons and what == SURVIVED:
            results[mutant] = (EQUIVALENT, None)
        elif mutant.name in reasons:
            wrong.append(f"{mutant.name}: {what}{f' by {test}' if test else ''}")
        elif what == SURVIVED:
            show(mutant, texts[mutant.path], "# ")
    counts = table(results)
    killed, counted = counts[KILLED] + counts[TIMEOUT], counts[KILLED] + counts[TIMEOUT] + counts[SURVIVED]
    print(f"{counts[BROKEN]} more do not compile")
    share = 100 * killed / counted if counted else 100
    report(f"at least {LEAST} % of the mutants are killed", [] if share >= LEAST else [f"{share:.1f} % are killed"])
    report(f"each entry of {FOLDER}/equivalent.tsv survives", wrong)
    print(f"killed {killed} of {counted} ({share:.1f} %)")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=".", help="the tree (the working directory)")
    parser.add_argument("--build", default="build", help="where its tests and archives are built (build)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="so many mutants at once (2)")
    parser.add_argument("--sample", type=int, metavar="N", help="N mutants by lot instead of all")
    parser.add_argument("--seed", default="0", metavar="S", help="the lot: the same S draws the same mutants")
    parser.add_argument("--file", action="append", default=[], metavar="PATH", help="only mutants of this file")
    parser.add_argument("--id", action="append", default=[], metavar="ID", help="only this mutant; shows it")
    parser.add_argument("--list", action="store_true", help="shows the mutants and runs none")
    return parser.parse_args()


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and the directory is removed
    started = time.monotonic()
    found = list(subjects(options))
    mutants, texts = all_mutants(options, found)
    known = {mutant.name for _, mutant in mutants}
    mutants = chosen(options, mutants, texts)
    if options.list or options.id:
        for _, mutant in mutants:
            show(mutant, texts[mutant.path])
        if options.list:
            return 0
    reasons = {row[0]: "".join(row[1:]) for row in rows(os.path.join(options.root, FOLDER, "equivalent.tsv"))}
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        results = run_all(options, mutants, texts, directory)
    if results is not None:
        if options.id:
            for mutant, (what, test) in results.items():
                print(f"{mutant.name}: {what}{f' by {test}' if test else ''}")
        conclude(results, texts, reasons, known)
    print(f"in {time.monotonic() - started:.0f} s")
    print(f"mutants: {number - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
