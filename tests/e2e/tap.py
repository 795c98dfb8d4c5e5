# SPDX-License-Identifier: Apache-2.0
"""TAP for unittest: one line for each test method, with its name."""
import sys
import traceback
import unittest


class Test(unittest.TestCase):
    """A group of tests. Long differences are shown in full."""
    maxDiff = None


class TapResult(unittest.TestResult):
    """One TAP line for each test method."""

    def __init__(self):
        super().__init__()
        self.number = 0

    def say(self, verdict, test, note=""):
        self.number += 1
        name = getattr(test, "_testMethodName", str(test))
        name = name[5:] if name.startswith("test_") else name
        print(f"{verdict} {self.number} - {type(test).__name__}: {name.replace('_', ' ')}{note}",
              flush=True)

    def explain(self, error):
        for line in "".join(traceback.format_exception(*error)).splitlines():
            print(f"# {line}", flush=True)

    def addSuccess(self, test):
        self.say("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.say("not ok", test)
        self.explain(err)

    def addError(self, test, err):
        super().addError(test, err)
        self.say("not ok", test)
        self.explain(err)

    def addSubTest(self, test, subtest, err):
        """A failed part fails its test, which then prints no `ok`."""
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.say("not ok", test, f" {subtest._subDescription()}")
            self.explain(err)


def main():
    """Runs the tests of the calling script (or those named on its command line)."""
    names = sys.argv[1:] or None
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    result = TapResult()
    suite.run(result)
    print(f"1..{result.number}", flush=True)
    sys.exit(0 if result.wasSuccessful() and result.number else 1)
