#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two builds give the same bytes: in two directories, by two users, at two times, with another -j, umask, time zone and
locale. Compared are Debian's packages, RPM packages, and what `make` builds once it is stripped. Needs root. Prints
TAP."""
import concurrent.futures
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

import rpms
from steps import SOURCE, check, end

BUILT = ("cloudinvite", "cloudinvite-keeper", "cloudinvite-collector", "cloudinvite-dispatcher", "cloudinvite-emulator",
         "pam_cloudinvite.so")
NOBODY = 65534
# The directory, the user, -j, and what else differs.
BUILDS = (("one", 0, 1, ["env", "TZ=UTC", "LC_ALL=C"], 0o022),
          ("another/place/with-a-longer-name", NOBODY, 2,
           ["faketime", "-f", "+400d", "env", "TZ=Pacific/Auckland", "LC_ALL=C.UTF-8"], 0o077))


def copy(tree):
    listed = subprocess.run(["git", "-C", SOURCE, "ls-files", "-co", "-z", "--exclude-standard"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if os.path.exists(f"{SOURCE}/{name}"):
            os.makedirs(os.path.dirname(f"{tree}/{name}"), exist_ok=True)
            shutil.copy(f"{SOURCE}/{name}", f"{tree}/{name}")


def build(work, place, user, jobs, before, umask):
    """The builds in that place: (status, output)."""
    tree = f"{work}/{place}"
    copy(tree)
    rpms.pack(tree, tree + "-rpm")
    subprocess.run(["chown", "-R", f"{user}:{user}", tree, tree + "-rpm"], check=True)
    environment = {"PATH": os.environ["PATH"], "HOME": tree, "USER": str(user), "DEB_BUILD_PROFILES": "nocheck",
                   "DEB_BUILD_OPTIONS": f"nocheck parallel={jobs}"}
    output = ""
    for command in (["make", f"-j{jobs}", "all"], ["make", f"-j{jobs}", "deb"],
                    rpms.command(tree, tree + "-rpm", "-bb", _smp_mflags=f"-j{jobs}")):
        done = subprocess.run([*before, *command], cwd=tree, env=environment, umask=umask, user=user,
                              group=user, extra_groups=[], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        output += done.stdout
        if done.returncode != 0:
            return done.returncode, output
    for name in BUILT:
        subprocess.run(["strip", f"{tree}/build/{name}"], check=True)
    return 0, output


def digests(paths):
    """A digest of the contents, by name."""
    found = {}
    for path in paths:
        with open(path, "rb") as file:
            found[os.path.basename(path)] = hashlib.sha256(file.read()).hexdigest()
    return found


def compare(name, wanted, *found):
    differ = sorted(set(found[0].items()) ^ set(found[1].items()))
    check(name, not differ and len(found[0]) >= wanted, "\n".join(map(str, differ)) or found[0])


def main():
    if os.geteuid() != 0:
        print("1..1\nok 1 - reproducible builds # SKIP needs root to be two users")
        return 0
    with tempfile.TemporaryDirectory(prefix="cloudinvite-reproducible.") as work:
        os.chmod(work, 0o755)
        with concurrent.futures.ThreadPoolExecutor(len(BUILDS)) as pool:
            results = list(pool.map(lambda one: build(work, *one), BUILDS))
        built = [check(f"it builds in {one[0]}, as user {one[1]}", status == 0, output)
                 for one, (status, output) in zip(BUILDS, results)]
        if all(built):
            trees = [f"{work}/{one[0]}/build" for one in BUILDS]
            compare("what make builds is the same, stripped", len(BUILT),
                    *[digests(f"{tree}/{name}" for name in BUILT) for tree in trees])
            compare("Debian's packages are the same", 3, *[digests(glob.glob(f"{tree}/deb/*.deb")) for tree in trees])
            compare("RPM packages are the same", 4,
                    *[digests(glob.glob(f"{work}/{one[0]}-rpm/RPMS/*/*.rpm")) for one in BUILDS])
    return end()


if __name__ == "__main__":
    sys.exit(main())
