# SPDX-License-Identifier: Apache-2.0
"""The environment of every test, for any user and in any place.

    enter()             starts the calling script again where this machine's log cannot be written
    environment()       the caller's environment without the variables that our programs obey
    programs(build)     the built files, in a directory that every user can reach, while it is open
"""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

INSIDE = "CLOUDINVITE_SURROUNDINGS"
UNSHARE = ["unshare", "--mount", "--propagation", "private", "--"]
JOURNAL, LOG = "/run/systemd/journal", "/dev/log"

# The user of sudo, systemd as the parent, a desktop, a terminal's size, smartcards, the time zone.
OBEYED = ("COLUMNS", "CREDENTIALS_DIRECTORY", "DISPLAY", "JOURNAL_STREAM", "LANG", "LANGUAGE", "LINES",
          "NOTIFY_SOCKET", "NO_COLOR", "PKCS11_MODULE_PATH", "PKCS11_PROVIDER_MODULE", "SUDO_COMMAND",
          "SUDO_GID", "SUDO_UID", "SUDO_USER", "TMPDIR", "TZ", "WATCHDOG_PID", "WATCHDOG_USEC",
          "WAYLAND_DISPLAY")


def hide_log():
    """Logins and decisions of the tests would only disturb the administrator of this machine."""
    if os.path.isdir(JOURNAL):
        subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", JOURNAL], check=True)
    if os.path.exists(LOG):
        subprocess.run(["mount", "-n", "--bind", "/dev/null", LOG], check=True)


def enter():
    """Only root writes such lines, and only root can do this."""
    if os.geteuid() != 0 or os.environ.get(INSIDE) == "no":
        return
    if os.environ.get(INSIDE):
        hide_log()
        os.environ[INSIDE] = "no"  # a tests/run that a test starts is inside already
        return
    if subprocess.run([*UNSHARE, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                      check=False).returncode != 0:
        print("no mount namespace can be made here: what the tests log goes to this machine's log",
              file=sys.stderr)
        return
    os.environ[INSIDE] = "yes"
    sys.stdout.flush()
    os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])


def environment():
    """Debian's root has the directories of sbin in PATH; a `su` without `-` does not."""
    kept = {name: value for name, value in os.environ.items()
            if name not in OBEYED and not name.startswith("LC_")}
    kept.setdefault("HOME", "/root" if os.geteuid() == 0 else "/nonexistent")
    return {**kept, "LC_ALL": "C.UTF-8", "PATH": kept.get("PATH", os.defpath) + ":/usr/sbin:/sbin"}


@contextlib.contextmanager
def programs(build):
    """The directory's name: it has programs, module and flags, and a link `tests` to the drivers. It is removed at the
    end. So a clone in /root, which others cannot enter, does not fail the tests that become another user.
    """
    with tempfile.TemporaryDirectory(prefix="cloudinvite-programs.", dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        for name in os.listdir(build):
            path = os.path.join(build, name)
            if os.path.isfile(path) and (os.access(path, os.X_OK) or name == "flags"):
                shutil.copy(path, directory)
                os.chmod(os.path.join(directory, name), 0o755)
        os.symlink(os.path.abspath(os.path.join(build, "tests")), os.path.join(directory, "tests"))
        yield directory
