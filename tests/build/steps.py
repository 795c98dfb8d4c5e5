# SPDX-License-Identifier: Apache-2.0
"""What the tests of the build share: the path of the tree, and TAP with a line for each check."""
import os

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINES = 40  # of the details of a failure
results = []


def check(name, good, detail=""):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}", flush=True)
    if not good:
        print("".join(f"# {line}\n" for line in str(detail).splitlines()[-LINES:]), end="", flush=True)
    return good


def end():
    """The plan, and the exit code."""
    print(f"1..{len(results)}")
    return 0 if all(results) else 1
