# SPDX-License-Identifier: Apache-2.0
"""Calls to an emulated Google through tests/e2e/google_driver.c, as the dispatcher makes them."""
import configparser
import json
import os
import shutil
import subprocess
import tempfile

import harness

DRIVER = os.path.join(harness.BUILD, "tests/e2e/google_driver")


class Caller:
    """google_driver in a directory of its own; `overrides` are of [google]."""

    def __init__(self, google, **overrides):
        self.google = google
        self.root = tempfile.mkdtemp(prefix="cloudinvite-google.")
        self.conf = os.path.join(self.root, "cloudinvite.conf")
        self.tokens = os.path.join(self.root, "tokens")
        self.key = os.path.join(self.root, "credentials.json")
        os.mkdir(self.tokens, 0o700)
        shutil.copy(google.file("credentials.json"), self.key)
        os.chmod(self.key, 0o600)
        self.settings = configparser.ConfigParser(interpolation=None, delimiters="=")
        self.settings.read(google.file("cloudinvite.conf"))
        self.settings["google"]["credentials"] = self.key
        self.settings["storage"] = {"tokens": self.tokens}
        self.settings["worker"] = harness.accounts("root")
        self.write(overrides)
        self.environment = dict(os.environ)
        self.process = None
        self.skew = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def write(self, overrides):
        self.settings["google"].update(overrides)
        with open(self.conf, "w", encoding="utf-8") as file:
            self.settings.write(file)

    def stop(self):
        process, self.process = self.process, None
        if process:
            process.stdin.close()
            assert process.wait(harness.TIMEOUT) == 0, self.said()

    def again(self, **overrides):
        """A new process with other settings, and the token of the old one."""
        self.stop()
        self.write(overrides)
        return self

    def start(self):
        with open(os.path.join(self.root, "log"), "a", encoding="utf-8") as log:
            return subprocess.Popen([DRIVER, self.conf], stdin=subprocess.PIPE, text=True,
                                    stdout=subprocess.PIPE, stderr=log, env=self.environment)

    def said(self):
        with open(os.path.join(self.root, "log"), encoding="utf-8") as file:
            return file.read()

    def round(self, *calls, now=False, stop_after_ms=-1):
        """The replies, in the order of the calls; each call had exactly one."""
        self.process = self.process or self.start()
        line = {"calls": list(calls), "now": now, "stop_after_ms": stop_after_ms}
        print(json.dumps(line), file=self.process.stdin, flush=True)
        replies = []
        while True:
            text = self.process.stdout.readline()
            assert text, f"the driver ended: {self.said()}"
            reply = json.loads(text)
            if "end" in reply:
                self.skew = reply["skew"]
                break
            replies.append(reply)
        assert sorted(r["index"] for r in replies) == list(range(len(calls))), replies
        assert all(r["answers"] == 1 for r in replies), replies
        return sorted(replies, key=lambda r: r["index"])

    def one(self, method, address=None, **more):
        return self.round(dict(more, method=method, address=address))[0]

    def token_files(self):
        return [name for name in os.listdir(self.tokens) if name.endswith(".json")]


def calls(method, *addresses):
    return [{"method": method, "address": address} for address in addresses]


class Google(harness.Test):
    def setUp(self):
        self.google = harness.Emulator()
        self.google.__enter__()
        self.addCleanup(self.google.__exit__)

    def caller(self, **overrides):
        caller = Caller(self.google, **overrides)
        self.addCleanup(caller.__exit__)
        return caller

    def tokens_minted(self):
        return self.google.stats()["token"]
