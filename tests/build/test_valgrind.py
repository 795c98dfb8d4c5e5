#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The unit and module tests under valgrind: no invalid access, no uninitialised value, no leak.

    test_valgrind.py PROGRAM...

Forked children are not followed: they end with _exit or a signal, with memory in use. Prints TAP.
"""
import concurrent.futures
import os
import subprocess
import sys

VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect",
            "--child-silent-after-fork=yes"]


def run(program):
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", CLOUDINVITE_VALGRIND="1",
                       CLOUDINVITE_ROUNDS="200")
    return subprocess.run([*VALGRIND, program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, env=environment, check=False)


def main():
    programs = sys.argv[1:]
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (program, done) in enumerate(zip(programs, pool.map(run, programs)), 1):
            good = done.returncode == 0
            failures += not good
            print(f"{'ok' if good else 'not ok'} {number} - {os.path.basename(program)} under valgrind",
                  flush=True)
            if not good:
                text = done.stdout.decode(errors="replace")
                print("".join(f"# {line}\n" for line in text.splitlines()
                              if not line.startswith("ok ")), end="")
    print(f"1..{len(programs)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
