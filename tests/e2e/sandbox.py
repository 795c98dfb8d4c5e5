# SPDX-License-Identifier: Apache-2.0
"""A sandbox: a host of its own for tests that make real accounts. /etc is a copy, /home, /run and /var are empty, in a
mount namespace; it has its own name, which resolves without a network; processes are in a PID namespace and end with
it. The real host is not changed.

    sandbox.main(build)    starts the calling script again in it, calls build(), runs the tests
"""
import os
import shutil
import socket
import subprocess
import sys

import harness

INSIDE = "CLOUDINVITE_SANDBOX"
UNSHARE = ["unshare", "--mount", "--propagation", "private", "--uts", "--pid", "--fork",
           "--kill-child", "--mount-proc", "--"]
NAME = "sandbox1"
SELF = "/run/sandbox"
BIN = SELF + "/bin"
CONFIG = SELF + "/config"
SPOOL = "/var/spool/cloudinvite"
CONF = "/etc/cloudinvite/cloudinvite.conf"
HOOKS = "/etc/shadow-maint"


def output(*command, **more):
    """Runs a command that must succeed; its output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=harness.TIMEOUT, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout}")
    return done.stdout


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)


def tmpfs(place, options="mode=0755"):
    output("mount", "-n", "-t", "tmpfs", "-o", options, "tmpfs", place)


def populate():
    """Makes the directories, and copies the programs, which may be in a /home that is then hidden."""
    tmpfs("/run")
    os.makedirs(BIN, 0o755)
    for name in ("cloudinvite", "cloudinvite-keeper", "cloudinvite-collector",
                 "cloudinvite-dispatcher"):
        shutil.copy(os.path.join(harness.BUILD, name), BIN)
    shutil.copytree(harness.SOURCE + "/config", CONFIG, symlinks=True)
    harness.BUILD = BIN
    os.chdir("/")
    for place in ("/home", "/var"):
        tmpfs(place)
    output("cp", "-a", "/etc", SELF + "/etc")
    output("mount", "-n", "--bind", SELF + "/etc", "/etc")
    for place in ("/var/log", "/var/mail", "/var/lib", "/var/cache", "/var/spool"):
        os.makedirs(place, 0o755)
    os.symlink("/run", "/var/run")
    socket.sethostname(NAME)
    write("/etc/hosts", f"127.0.0.1 localhost {NAME}\n")
    os.makedirs(os.path.dirname(CONF), 0o755, exist_ok=True)
    shutil.rmtree(HOOKS, ignore_errors=True)


def install_hooks():
    """Both hooks, as `make install` writes them and an administrator copies them."""
    for name in ("useradd-post", "userdel-post"):
        with open(f"{CONFIG}/hooks/{name}", encoding="utf-8") as file:
            hook = file.read().replace("@bindir@", BIN)
        os.makedirs(f"{HOOKS}/{name}.d", 0o755, exist_ok=True)
        write(hook_path(name), hook, 0o755)


def make_accounts():
    """The accounts of cloudinvite, as systemd-sysusers makes them."""
    with open(CONFIG + "/sysusers.conf", encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and line[0] != "#"]
    for kind, name, *rest in lines:
        if kind[0] == "u":
            output("useradd", "--system", "--user-group", "--home-dir", rest[-2], "--shell",
                   rest[-1], name)
        else:
            output("usermod", "--append", "--groups", rest[0], name)


def hook_path(name):
    return f"{HOOKS}/{name}.d/90-cloudinvite"


def why_not():
    """Why it cannot be done here, or None."""
    if os.geteuid() != 0:
        return "needs root for a mount namespace"
    if subprocess.run([*UNSHARE, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                      check=False).returncode != 0:
        return "needs the right to make mount and PID namespaces"
    return None


def main(build):
    if not os.environ.get(INSIDE):
        reason = why_not()
        if reason:
            print(f"ok 1 - {os.path.basename(sys.argv[0])} # SKIP {reason}\n1..1")
            sys.exit(0)
        os.environ[INSIDE] = "1"
        sys.stdout.flush()
        os.execvp(UNSHARE[0],
                  [*UNSHARE, sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])
    os.environ.update(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      LC_ALL="C.UTF-8")
    populate()
    build()
    harness.main()
