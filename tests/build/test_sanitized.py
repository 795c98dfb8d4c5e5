#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""End-to-end tests with programs that were built with the sanitizers (make SANITIZE=…). Any report of a sanitizer is a
failure, even if a test expects a program to fail.

    test_sanitized.py BUILD TEST...

A test may leave out what cannot work with a sanitizer; that is printed. Prints TAP.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import surroundings  # pylint: disable=wrong-import-position

SEEN_EVERYWHERE = "/dev/shm"  # the same for programs with another /tmp, /run, /var or /home
COUNTED = re.compile(r"^ok \d+ - (.*)$", re.MULTILINE)
OPTIONS = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
           "UBSAN_OPTIONS": "print_stacktrace=1", "TSAN_OPTIONS": "halt_on_error=1"}

# Leaks are not searched for in these.
LEAKS = {"test_held_keys.py": "OpenSC's pkcs11-spy and libp11's engine lose memory of their own",
         "test_hook.py": "LeakSanitizer cannot work under strace",
         "test_one_mail.py": "LeakSanitizer cannot work under strace"}


def environment(build, programs, test, reports):
    """No program of ours uses exit code 99."""
    options = {name: f"{more}:exitcode=99:log_path={reports}/report"
               for name, more in OPTIONS.items()}
    if os.path.basename(test) in LEAKS:
        options["ASAN_OPTIONS"] += ":detect_leaks=0"
    return {**os.environ, "CLOUDINVITE_BUILD": os.path.abspath(build), "CLOUDINVITE_PROGRAMS": programs,
            "PYTHONUNBUFFERED": "1", **options}


def run(build, programs, test):
    """(whether it is good, what to print about it)"""
    place = SEEN_EVERYWHERE if os.path.isdir(SEEN_EVERYWHERE) else None
    with tempfile.TemporaryDirectory(prefix="cloudinvite-sanitized.", dir=place) as reports:
        os.chmod(reports, 0o1777)
        done = subprocess.run(["/usr/bin/python3", test], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                              errors="replace", env=environment(build, programs, test, reports),
                              check=False)
        found = []
        for name in sorted(os.listdir(reports)):
            with open(os.path.join(reports, name), encoding="utf-8", errors="replace") as file:
                found += file.read().splitlines()[:60]
    promises = COUNTED.findall(done.stdout)
    left_out = [promise for promise in promises if "# SKIP" in promise]
    good = done.returncode == 0 and not found and promises
    said = [f"left out: {promise}" for promise in left_out]
    if os.path.basename(test) in LEAKS:
        said.append("leaks are not looked for: " + LEAKS[os.path.basename(test)])
    if not good:
        said += [line for line in done.stdout.splitlines() if not COUNTED.match(line)] + found
    return good, len(promises) - len(left_out), said


def main():
    build, tests = sys.argv[1], sys.argv[2:]
    failures = 0
    with surroundings.programs(build) as programs, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda test: run(build, programs, test), tests)
        for number, (test, (good, count, said)) in enumerate(zip(tests, results), 1):
            failures += not good
            print(f"{'ok' if good else 'not ok'} {number} - {os.path.basename(test)}: {count} "
                  "promises under the sanitizers", flush=True)
            print("".join(f"# {line}\n" for line in said), end="", flush=True)
    print(f"1..{len(tests)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
