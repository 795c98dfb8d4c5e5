# SPDX-License-Identifier: Apache-2.0
"""The real host with overlay mounts: /etc, /usr and /var can be written, and the changes end with the namespace. For
tests of programs that change the host's own files.

    overlay.main(build)    starts the calling script again in it, calls build(), runs the tests
"""
import os
import shutil
import subprocess
import sys

import harness
import sandbox

OVERLAY = "/run/overlay"
PLACES = ("etc", "usr", "var")


def mount_overlays():
    """The upper layers are in memory; the build directory stays visible."""
    sandbox.tmpfs("/run")
    os.makedirs(OVERLAY + "/bin")
    for name in ("cloudinvite", "cloudinvite-collector", "cloudinvite-dispatcher",
                 "pam_cloudinvite.so", "cloudinvite-emulator"):
        shutil.copy(os.path.join(harness.BUILD, name), OVERLAY + "/bin")
    shutil.copytree(harness.SOURCE + "/config", OVERLAY + "/config", symlinks=True)
    harness.BUILD = OVERLAY + "/bin"
    os.chdir("/")
    for place in PLACES:
        for part in ("upper", "work"):
            os.makedirs(f"{OVERLAY}/{part}/{place}")
        sandbox.output("mount", "-n", "-t", "overlay", "-o",
                    f"lowerdir=/{place},upperdir={OVERLAY}/upper/{place},"
                    f"workdir={OVERLAY}/work/{place}", "overlay", "/" + place)


def why_not():
    reason = sandbox.why_not()
    if reason:
        return reason
    probe = f"mkdir {OVERLAY}.probe && mount -n -t tmpfs tmpfs {OVERLAY}.probe && " \
            f"cd {OVERLAY}.probe && mkdir u w && " \
            "mount -n -t overlay -o lowerdir=/etc,upperdir=$PWD/u,workdir=$PWD/w overlay /etc"
    done = subprocess.run([*sandbox.UNSHARE, "sh", "-c", "mount -n -t tmpfs tmpfs /run && " + probe],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return None if done.returncode == 0 else "needs the right to mount overlays"


def main(build):
    if not os.environ.get(sandbox.INSIDE):
        reason = why_not()
        if reason:
            print(f"ok 1 - {os.path.basename(sys.argv[0])} # SKIP {reason}\n1..1")
            sys.exit(0)
        os.environ[sandbox.INSIDE] = "1"
        sys.stdout.flush()
        os.execvp(sandbox.UNSHARE[0],
                  [*sandbox.UNSHARE, sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])
    os.environ.update(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      LC_ALL="C.UTF-8")
    mount_overlays()
    build()
    harness.main()
