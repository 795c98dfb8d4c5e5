#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs fuzz targets side by side, by default one on each processor, and adds up the results.

    run.py --seconds N [--jobs N] BUILD TARGET…

What a target has found is stored in BUILD/corpus/NAME, where the next run continues; an input that breaks something is
stored in BUILD/crashes. Prints TAP and `N passed, N failed`; exit status 1 if anything broke.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
SLOW = 10  # seconds for one input, with a processor for the target alone
LIMITS = ["-rss_limit_mb=1024", "-max_len=16384", "-print_final_stats=1"]


def run(target, build, seconds, slow):
    """(name, whether nothing broke, a sentence)."""
    name = os.path.basename(target).removesuffix("_fuzz")
    corpus = os.path.join(build, "corpus", name)
    crashes = os.path.join(build, "crashes", name + "-")
    words = os.path.join(HERE, name + ".dict")
    os.makedirs(corpus, exist_ok=True)
    os.makedirs(os.path.dirname(crashes), exist_ok=True)
    command = [os.path.abspath(target), f"-max_total_time={seconds}", f"-timeout={slow}",
               f"-artifact_prefix={crashes}", *LIMITS, corpus, os.path.join(HERE, "seeds", name)]
    if os.path.exists(words):
        command.insert(1, f"-dict={words}")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    runs = re.search(r"stat::number_of_executed_units: (\d+)", done.stdout)
    covered = re.findall(r"cov: (\d+)", done.stdout)
    if done.returncode == 0 and runs and int(runs[1]) > 0:
        return name, True, f"{int(runs[1]):,} inputs, {covered[-1] if covered else '?'} edges"
    return name, False, done.stdout[-4000:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("build")
    parser.add_argument("targets", nargs="+")
    options = parser.parse_args()
    if not shutil.which("clang"):
        sys.exit("run.py: clang is missing: packaging/deps lint")
    failed = 0
    slow = SLOW * -(-options.jobs // os.cpu_count())
    with ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda t: run(t, os.path.abspath(options.build), options.seconds, slow),
                           options.targets)
        for number, (name, good, said) in enumerate(results, 1):
            print(f"{'ok' if good else 'not ok'} {number} - fuzz {name}"
                  + (f": {said}" if good else ""), flush=True)
            if not good:
                failed += 1
                print("".join(f"# {line}\n" for line in said.splitlines()), end="", flush=True)
    print(f"1..{len(options.targets)}")
    print(f"{len(options.targets) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
