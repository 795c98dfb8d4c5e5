#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo shows what it promises and leaves nothing behind. Prints TAP; needs root."""
import glob
import os
import subprocess
import sys
import time

from steps import SOURCE, check, end


def traces():
    """What a demo could leave on this machine."""
    with open("/etc/passwd", encoding="utf-8") as passwd, open("/proc/mounts", encoding="utf-8") as mounts:
        return (passwd.read(), mounts.read().count("cloudinvite-demo"),
                sorted(glob.glob("/tmp/cloudinvite-demo.*")), sorted(os.listdir("/home")),
                os.path.exists("/etc/cloudinvite"), os.path.exists("/var/spool/cloudinvite"))


def main():
    if os.geteuid() != 0:
        print("1..1\nok 1 - the demo # SKIP needs root for its namespaces")
        return 0
    before, started = traces(), time.monotonic()
    done = subprocess.run([f"{SOURCE}/tests/demo/demo.py"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, check=False)
    print(f"# it took {time.monotonic() - started:.1f} s")
    check("the demo ends well", done.returncode == 0, done.stdout)
    check("a login leads to an invitation", "the mailbox of alice@example.com: 1 invitation" in done.stdout,
          done.stdout)
    check("a created account leads to an invitation",
          "the mailbox of bob@example.com: 1 invitation" in done.stdout, done.stdout)
    check("no person is mailed twice, and no managed one at all",
          "still one invitation for alice, one for bob, none for carol" in done.stdout, done.stdout)
    check("it shows the status", "● All is well" in done.stdout or "All is well" in done.stdout, done.stdout)
    check("it leaves nothing behind", traces() == before, f"{before}\n{traces()}")
    return end()


if __name__ == "__main__":
    sys.exit(main())
