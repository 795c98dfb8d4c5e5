# SPDX-License-Identifier: Apache-2.0
"""The real host with a sheet over it: /etc, /usr and /var can be written, and what is written is
gone with the namespace. For tests of programs that change the host's own files.

    overlay.main(build)    starts the calling script anew in there, calls build(), runs the tests
"""
import os
import shutil
import subprocess
import sys

import harness
import room

SHEET = "/run/sheet"
PLACES = ("etc", "usr", "var")


def cover():
    """The sheets lie in memory; what was built is kept in sight."""
    room.tmpfs("/run")
    os.makedirs(SHEET + "/bin")
    for name in ("cloudinvite", "cloudinvite-collector", "cloudinvite-dispatcher",
                 "pam_cloudinvite.so", "cloudinvite-emulator"):
        shutil.copy(os.path.join(harness.BUILD, name), SHEET + "/bin")
    shutil.copytree(harness.SOURCE + "/config", SHEET + "/config", symlinks=True)
    harness.BUILD = SHEET + "/bin"
    os.chdir("/")
    for place in PLACES:
        for part in ("upper", "work"):
            os.makedirs(f"{SHEET}/{part}/{place}")
        room.output("mount", "-n", "-t", "overlay", "-o",
                    f"lowerdir=/{place},upperdir={SHEET}/upper/{place},"
                    f"workdir={SHEET}/work/{place}", "overlay", "/" + place)


def why_not():
    reason = room.why_not()
    if reason:
        return reason
    probe = f"mkdir {SHEET}.probe && mount -n -t tmpfs tmpfs {SHEET}.probe && " \
            f"cd {SHEET}.probe && mkdir u w && " \
            "mount -n -t overlay -o lowerdir=/etc,upperdir=$PWD/u,workdir=$PWD/w overlay /etc"
    done = subprocess.run([*room.UNSHARE, "sh", "-c", "mount -n -t tmpfs tmpfs /run && " + probe],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return None if done.returncode == 0 else "needs the right to mount overlays"


def main(build):
    if not os.environ.get(room.INSIDE):
        reason = why_not()
        if reason:
            print(f"ok 1 - {os.path.basename(sys.argv[0])} # SKIP {reason}\n1..1")
            sys.exit(0)
        os.environ[room.INSIDE] = "1"
        sys.stdout.flush()
        os.execvp(room.UNSHARE[0],
                  [*room.UNSHARE, sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])
    os.environ.update(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      LC_ALL="C.UTF-8")
    cover()
    build()
    harness.main()
