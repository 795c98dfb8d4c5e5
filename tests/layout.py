#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layout: which folder may include which, no circles of includes or of calls between files, and a head in each file.

A file calls another one if its object file uses a symbol that the other one's defines. Prints TAP and closes with a
line that CI adds up.
"""
import argparse
import collections
import os
import re
import subprocess
import sys

AREAS = ("common", "cli", "worker", "pam_module", "emulator")

# Each folder, and the folders whose headers it may include besides its own. A folder that is not there is ignored.
BASE = {"common/base"}
TELEMETRY = {"common/telemetry"}  # what the programs count, and the events with a MESSAGE_ID
SETTINGS = BASE | {"common/settings"}
PEOPLE = SETTINGS | {"common/people"}
TYPES = {"common/google"}  # methods and states of invitations
HTTP = SETTINGS | TYPES | {"common/google/http"}
AUTH = HTTP | TELEMETRY | {"common/google/auth"}
GOOGLE = AUTH | {"common/google/auth/hsm", "common/google/api"}
PERSON = BASE | TYPES | {"common/person"}
LEDGER = PEOPLE | PERSON | TELEMETRY | {"common/ledger"}
ENGINE = LEDGER | GOOGLE | {"common/ratelimit", "common/engine"}
WORKER = PEOPLE | TELEMETRY | {"worker", "common/ledger", "common/spool"}
VERB = {"cli/common"} | PEOPLE
FOLDERS = {
    "common/base": set(),
    "common/telemetry": BASE,
    "common/pam": BASE,
    "common/spool": BASE,
    "common/settings": BASE,
    "common/people": SETTINGS,
    "common/google": GOOGLE | {"common/people"},
    "common/google/http": HTTP,
    "common/google/auth": AUTH | {"common/google/auth/hsm"},
    "common/google/auth/hsm": AUTH,
    "common/google/api": GOOGLE,
    "common/person": PERSON,
    "common/ledger": PEOPLE | PERSON | TELEMETRY,
    "common/ratelimit": LEDGER,
    "common/engine": ENGINE,
    "common/metrics": LEDGER | {"common/ratelimit", "common/google/api"},
    "pam_module": BASE | {"common/pam", "common/spool"},
    "worker": WORKER,
    "worker/collector": WORKER,
    "worker/dispatcher": WORKER | ENGINE | {"common/metrics"},
    "worker/keeper": {"worker", "common/spool"} | SETTINGS,
    "cli": BASE | TELEMETRY | {"common/google/auth/hsm", "cli/api", "cli/common", "cli/doctor", "cli/ops", "cli/pam",
                               "cli/people", "cli/report", "cli/setup", "cli/status"},
    "cli/common": LEDGER | {"common/google/api"},
    "cli/people": VERB | LEDGER | {"common/spool"},
    "cli/api": VERB | ENGINE,
    "cli/status": VERB | LEDGER | {"common/ratelimit"},
    "cli/report": VERB | LEDGER | {"cli/status"},
    "cli/doctor": VERB | ENGINE | {"common/spool", "cli/pam"},
    "cli/pam": VERB | {"common/pam"},
    "cli/setup": VERB | GOOGLE | {"cli/doctor", "cli/pam"},
    "cli/ops": VERB | LEDGER | {"common/metrics", "common/spool"},
    "emulator": BASE,
}
# Only these files may include the header. A verb that included the table of verbs would call all other verbs.
ONLY = {"cli/verbs.h": {"cli/main.c", "cli/verbs.c"}}

# A .c file begins with its licence and with a head that says what the file is for.
HEAD = re.compile(r"/\* SPDX-License-Identifier: Apache-2\.0 \*/\n/\*\n \* \S")

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
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


def sources(root):
    """Every .c and .h file of the areas, by its path below the root."""
    found = set()
    for area in AREAS:
        for folder, _, names in os.walk(os.path.join(root, area)):
            found |= {os.path.relpath(os.path.join(folder, name), root)
                      for name in names if name.endswith((".c", ".h"))}
    return sorted(found)


def includes(root, files):
    """Our own files that each file includes."""
    known, graph = set(files), {}
    for path in files:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            names = INCLUDE.findall(file.read())
        graph[path] = set()
        for name in names:
            places = (os.path.normpath(os.path.join(place, name)) for place in ("", "common", os.path.dirname(path)))
            graph[path] |= set(next(([place] for place in places if place in known), []))
    return graph


def program(path):
    """The emulator shares no file with the product, so both may define the same name."""
    return "emulator" if path.startswith("emulator/") else "product"


def calls(objects, files):
    """The files whose symbols each .c file uses, and these symbols; the files that are not built."""
    by_object, absent = {}, []
    for path in files:
        if path.endswith(".c"):
            places = [os.path.join(objects, folder, path[:-2] + ".o") for folder in ("", "pic")]
            there = [place for place in places if os.path.exists(place)]
            by_object.update({there[0]: path} if there else {})
            absent += [] if there else [f"{path}: has no object file below {objects}"]
    output = subprocess.run(["nm", "-A", "-P", "-g", *by_object], stdout=subprocess.PIPE, text=True,
                            check=True).stdout if by_object else ""
    defined, used = collections.defaultdict(set), collections.defaultdict(set)
    for line in output.splitlines():
        name, symbol, kind = line.split()[:3]
        path = by_object[name.rstrip(":")]
        if kind in "Uvw":
            used[path].add(symbol)
        else:
            defined[program(path), symbol].add(path)
    graph, symbols = {path: set() for path in by_object.values()}, collections.defaultdict(set)
    for path, names in used.items():
        for symbol in names:
            for target in defined[program(path), symbol] - {path}:
                graph[path].add(target)
                symbols[path, target].add(symbol)
    return graph, symbols, absent


def circles(graph):
    """The strongly connected components of more than one file (Tarjan's algorithm, without recursion)."""
    index, low, stack, waiting, found = {}, {}, [], set(), []
    for start in sorted(graph):
        work = [] if start in index else [(start, iter(sorted(graph[start])))]
        if work:
            index[start] = low[start] = len(index)
            stack.append(start)
            waiting.add(start)
        while work:
            node, targets = work[-1]
            target = next(targets, None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = set(stack[stack.index(node):])
                    del stack[stack.index(node):]
                    waiting -= component
                    if len(component) > 1:
                        found.append(component)
            elif target not in index:
                index[target] = low[target] = len(index)
                stack.append(target)
                waiting.add(target)
                work.append((target, iter(sorted(graph.get(target, ())))))
            elif target in waiting:
                low[node] = min(low[node], index[target])
    return found


def not_allowed(graph):
    for path, targets in sorted(graph.items()):
        folder = os.path.dirname(path)
        if folder not in FOLDERS:
            yield f"{path}: {folder}/ is not in the table FOLDERS"
            continue
        for target in sorted(targets):
            if os.path.dirname(target) not in FOLDERS[folder] | {folder}:
                yield f"{path}: includes {target}; {folder}/ may not include {os.path.dirname(target)}/"
            if path not in ONLY.get(target, {path}):
                yield f"{path}: includes {target}, which only {', '.join(sorted(ONLY[target]))} may"


def headless(root, files):
    """The .c files without a head."""
    for path in files:
        if path.endswith(".c"):
            with open(os.path.join(root, path), encoding="utf-8") as file:
                if not HEAD.match(file.read()):
                    yield f"{path}: does not begin with its licence and a head"


def describe(circle, graph, symbols):
    yield f"a circle of {len(circle)} files: {' '.join(sorted(circle))}"
    for path in sorted(circle):
        for target in sorted(graph[path] & circle):
            names = sorted(symbols[path, target])
            yield f"  {path} -> {target}{': ' if names else ''}{' '.join(names[:4])}"


def all_circles(graph, symbols):
    return [line for circle in circles(graph) for line in describe(circle, graph, symbols)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=".", help="the tree (the working directory)")
    parser.add_argument("--objects", required=True, help="where its object files are")
    options = parser.parse_args()
    files = sources(options.root)
    graph = includes(options.root, files)
    report("folders include what they may", list(not_allowed(graph)))
    report("no circle of includes", all_circles(graph, collections.defaultdict(set)))
    graph, symbols, absent = calls(options.objects, files)
    report("each file is built", absent)
    report("no circle of calls between files", all_circles(graph, symbols))
    report("each .c file has a head", list(headless(options.root, files)))
    print(f"layout: {number - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
