#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What tests/run promises to a test: it cannot reach this machine's log, the caller's environment does not count, and
every user can reach the programs, wherever they were built.
"""
import glob
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

import module
from module import harness

INSIDE = "CLOUDINVITE_TEST_INSIDE"
UNSHARE = ["unshare", "--mount", "--propagation", "private", "--"]
LOG, JOURNAL = "/dev/log", "/run/systemd/journal"
NODES = ("full", "null", "random", "tty", "urandom", "zero")
RUN = os.path.join(harness.SOURCE, "tests/run")
TESTS = os.path.join(harness.BUILD, "tests/pam")

# It logs in both ways: as the module does, and as our programs do under systemd.
LOGS = f"""import socket, syslog
syslog.syslog("a line of the log")
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as entry:
    try:
        entry.sendto(b"MESSAGE=an entry of the journal\\n", "{JOURNAL}/socket")
    except OSError:
        pass
print("ok 1 - logged")
"""
LOOKS = """import os
found = [name for name in ("SUDO_USER", "TZ", "NO_COLOR", "JOURNAL_STREAM", "TMPDIR") if name in os.environ]
open("made", "w").close()
mode = os.stat("made").st_mode & 0o777
print("not ok" if found or mode != 0o644 else "ok", "1 -", found, oct(mode))
"""


def enter():
    """Why it cannot be done, or None in a namespace with a /dev and a /run of its own."""
    if os.environ.get(INSIDE):
        os.chdir("/")
        subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run"], check=True)
        os.makedirs("/run/dev/shm")
        for name in NODES:
            open("/run/dev/" + name, "w", encoding="ascii").close()
            subprocess.run(["mount", "-n", "--bind", "/dev/" + name, "/run/dev/" + name], check=True)
        subprocess.run(["mount", "-n", "--rbind", "/run/dev", "/dev"], check=True)
        return None
    if os.geteuid() != 0:
        return "needs root for a mount namespace"
    if subprocess.run([*UNSHARE, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return "needs the right to make a mount namespace"
    os.environ[INSIDE] = "1"
    sys.stdout.flush()
    os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])


class Surroundings(harness.Test):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cloudinvite-surroundings.")
        self.addCleanup(shutil.rmtree, self.folder)
        self.heard = []

    def script(self, text):
        path = os.path.join(self.folder, "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_tests(self, *tests, build=harness.BUILD, **environment):
        """With a tests/run that does not know of the outer one; returns its output."""
        surroundings = {"PATH": os.environ["PATH"], "CLOUDINVITE_BUILD": build, **environment}
        done = subprocess.run([RUN, "--log", self.folder + "/logs", *tests], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=surroundings, cwd=self.folder,
                              umask=0o077, check=False, timeout=10 * harness.TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def listen(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ear.bind(path)
        self.addCleanup(os.unlink, path)
        threading.Thread(target=self.hear, args=(ear,), daemon=True).start()

    def hear(self, ear):
        """At once: syslog() waits if nothing is read."""
        while True:
            self.heard.append(ear.recv(4096))

    def log_alone(self, lines):
        subprocess.run([sys.executable, self.script(LOGS)], stdout=subprocess.DEVNULL, check=True)
        harness.wait_for(lambda: len(self.heard) == lines, "what is logged outside of tests/run")
        self.heard.clear()

    def log_under_run(self):
        self.run_tests(self.script(LOGS), *sorted(glob.glob(TESTS + "/*_test")))
        return self.heard

    def test_systemds_log_hears_nothing_of_a_test(self):
        self.listen(JOURNAL + "/dev-log")
        self.listen(JOURNAL + "/socket")
        os.symlink(JOURNAL + "/dev-log", LOG)
        self.addCleanup(os.unlink, LOG)
        self.log_alone(lines=2)
        self.assertEqual(self.log_under_run(), [])

    def test_another_log_hears_nothing_of_a_test(self):
        self.listen(LOG)
        self.log_alone(lines=1)
        self.assertEqual(self.log_under_run(), [])

    def test_the_callers_environment_and_umask_do_not_count(self):
        self.run_tests(self.script(LOOKS), SUDO_USER="mallory", TZ="Asia/Tokyo", NO_COLOR="1",
                       JOURNAL_STREAM="8:1", TMPDIR="/nonexistent")

    def test_other_users_reach_what_was_built_where_only_root_does(self):
        shutil.copy(module.PATH, self.folder)
        self.run_tests(TESTS + "/session_test", TESTS + "/unprivileged_test", build=self.folder)
        self.run_tests(self.script('import os\nopen("where", "w").write(os.environ["CLOUDINVITE_PROGRAMS"])\n'
                                   'print("ok 1 - ", os.listdir(os.environ["CLOUDINVITE_PROGRAMS"]))\n'))
        with open(self.folder + "/where", encoding="utf-8") as file:
            self.assertFalse(os.path.exists(file.read()))


if __name__ == "__main__":
    WHY_NOT = enter()
    if WHY_NOT:
        print(f"ok 1 - surroundings # SKIP {WHY_NOT}\n1..1")
    else:
        harness.main()
