#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds and runs the unit and module tests on Debian 13, in a tree made by debootstrap, and those of
the keys that a token holds, which OpenSSL reaches otherwise there than on Debian 12.

Needs root and a Debian mirror. The mirror is that of this machine's own apt sources. Prints TAP."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from machine import Steps, mirror, run

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITE = "trixie"
# Debian 13 has a PKCS#11 provider for OpenSSL; its predecessor, the engine, stays away.
HELD_KEYS = ["openssl", "pkcs11-provider", "p11-kit-modules", "softhsm2", "opensc", "tpm2-openssl",
             "tpm2-tools", "swtpm", "libtss2-tcti-swtpm0t64"]


def skip(reason):
    print(f"1..1\nok 1 - builds and passes on Debian 13 # SKIP {reason}")
    sys.exit(0)


def build_dependencies():
    """The packages that packaging/deps names for building, and what the unit tests need."""
    with open(f"{SOURCE}/packaging/deps", encoding="utf-8") as file:
        text = file.read()
    build = re.search(r"apt-build\)\s*echo (.*?);;", text, re.DOTALL).group(1)
    build = build.replace("\\", " ").split()
    return build + ["libcmocka-dev", "binutils", "python3", "passwd", "libpam-modules", "valgrind"] \
        + HELD_KEYS


def main():
    if os.geteuid() != 0:
        skip("needs root")
    if not shutil.which("debootstrap"):
        skip("debootstrap is not installed")
    root = tempfile.mkdtemp(prefix="cloudinvite-debian13.")
    os.chmod(root, 0o755)  # tests that become somebody else must get in
    steps = Steps()
    try:
        status, output = run("debootstrap", "--variant=minbase",
                             "--include=" + ",".join(build_dependencies()), SUITE, root, mirror())
        if steps.step("debootstrap makes a Debian 13 with the packages named", status, output):
            with open(f"{root}/etc/machine-id", "w", encoding="ascii") as file:
                file.write("0123456789abcdef0123456789abcdef\n")  # as every installed system has one
            tree = f"{root}/src"
            status, output = run("git", "clone", "-q", SOURCE, tree)
            for name in subprocess.run(["git", "-C", SOURCE, "ls-files", "-mo", "--exclude-standard"],
                                       stdout=subprocess.PIPE, text=True, check=True).stdout.split():
                os.makedirs(os.path.dirname(f"{tree}/{name}"), exist_ok=True)
                shutil.copy2(f"{SOURCE}/{name}", f"{tree}/{name}")
            # Tests mount things in namespaces of their own, for which / must be a mount.
            inside = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                      f"mount --bind {root} {root} && mount -t tmpfs tmpfs {root}/tmp && exec unshare "
                      f"--mount --pid --fork --kill-child --root {root} --mount-proc --wd /src \"$@\"", "sh",
                      "env", "-u", "CLOUDINVITE_BUILD"]
            status, output = run(*inside, "make", "-j2", "WERROR=1", "all", "tests")
            steps.step("it builds without a warning", status, output)
            if status == 0:
                status, output = run(*inside, "make", "check-unit")
                steps.step("the unit and module tests pass", status, output)
                print("".join(f"# {line}\n" for line in output.splitlines()
                              if "FAIL" in line or "SKIP" in line or "skipped" in line), end="")
                print(f"# {output.splitlines()[-1]}")
                status, output = run(*inside, "python3", "tests/e2e/test_held_keys.py")
                steps.step("keys in a PKCS#11 token and in a TPM are used through OpenSSL's providers",
                           status or "SKIP" in output, output)
    finally:
        if not os.environ.get("CLOUDINVITE_KEEP"):
            shutil.rmtree(root, ignore_errors=True)
    print(f"1..{steps.number}")
    return 1 if steps.failures else 0


if __name__ == "__main__":
    sys.exit(main())
