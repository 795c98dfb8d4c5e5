# SPDX-License-Identifier: Apache-2.0
"""A Debian with systemd, booted in a container, for the tests of this folder.

    steps = nspawn.Steps()
    nspawn.make_image(steps, "trixie")             # by debootstrap the first time, then stored
    nspawn.own_network()                           # the machine shares it; it has no way out
    with nspawn.Machine("trixie") as debian:
        debian.install_tree()                       # make install, of what is built here
        debian.put("/etc/cloudinvite/x.conf", "…")
        debian.boot()
        status, output = debian.run("systemctl is-active ssh")
        debian.reboot()                             # in order; debian.crash() is not

At the end of the block the machine's process is stopped and its directory removed, unless CLOUDINVITE_KEEP is set.
"""
import ctypes
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("CLOUDINVITE_BUILD") or os.path.join(SOURCE, "build"))
SUITES = ("bookworm", "trixie")
TIMEOUT = 60  # seconds; a machine boots in 2 to 20
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
               "LANG": "C.UTF-8", "SYSTEMD_PAGER": "", "DEBIAN_FRONTEND": "noninteractive"}
BASE = ["systemd", "systemd-sysv", "dbus", "openssl"]
# What the programs link.
LIBRARIES = {
    "bookworm": ["libcurl4", "libjansson4", "libsqlite3-0", "libinih1", "libmicrohttpd12", "libp11-kit0",
                 "libpam0g"],
    "trixie": ["libcurl4t64", "libjansson4", "libsqlite3-0", "libinih1", "libmicrohttpd12t64",
               "libp11-kit0", "libpam0g"],
}
# Additional packages of a booted machine: one image serves all tests that boot that suite.
HELD_KEYS = {"bookworm": "libengine-pkcs11-openssl", "trixie": "pkcs11-provider"}
# dbus, polkit, libpam-systemd, cron and at act on requests or files of the services.
BOOTED = {suite: ["systemd-resolved", "libnss-resolve", "openssh-server", "openssh-client",
                  "libpam-runtime", "libpam-modules", "libpam-systemd", "polkitd", "cron", "at",
                  "util-linux", "procps", "strace", "softhsm2", "opensc", "p11-kit", held_keys]
          for suite, held_keys in HELD_KEYS.items()}

# For the tests of packages: no server except cron, which is enabled; logins work with PAM's client.
PLAIN = ["ca-certificates", "cron", "pamtester", "libpam-modules", "login", "passwd", "zlib1g"]


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, check=False, errors="replace", **more)
    return done.returncode, done.stdout


def mirror():
    """The first Debian archive that this machine's apt uses."""
    sources = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE)|$(CODENAME)|$(TRUSTED)"],
                             stdout=subprocess.PIPE, text=True, check=False).stdout
    for line in sources.splitlines():
        site = line.split("|")[0]
        if re.search(r"debian(/|$)", site) and "security" not in site:
            return site
    return "http://deb.debian.org/debian"


class Steps:
    """The steps of a test, as TAP."""

    def __init__(self):
        self.number = self.failures = 0

    def step(self, name, status, output):
        self.number += 1
        print(f"{'ok' if status == 0 else 'not ok'} {self.number} - {name}", flush=True)
        if status != 0:
            self.failures += 1
            for line in output.splitlines()[-60:]:
                print(f"# {line}")
        return status == 0

    def promise(self, name, keep, *arguments):
        """Kept if keep() returns."""
        try:
            keep(*arguments)
        except (AssertionError, OSError, subprocess.SubprocessError, ValueError) as error:
            return self.step(name, 1, f"{type(error).__name__}: {error}")
        return self.step(name, 0, "")

    def end(self):
        print(f"1..{self.number}")
        return 1 if self.failures else 0


def each(steps, debian, look, rows):
    """Runs the steps in order: (name, function, arguments…). After a failure, prints the output of `look` in the
    machine.
    """
    for name, keep, *arguments in rows:
        if not steps.promise(name, keep, *arguments) and debian.init:
            said = debian.run(look)[1]
            print("".join(f"# {line}\n" for line in said.splitlines()), flush=True)


def suite_of_arguments(what):
    """The suite on the command line (bookworm); ends the program if no machine can be made."""
    suite = sys.argv[1] if len(sys.argv) > 1 else "bookworm"
    if suite not in SUITES:
        sys.exit(f"{os.path.basename(sys.argv[0])} {' '.join(SUITES)}: one of them")
    skip_where_impossible(f"{what} ({suite})")
    return suite


def accounts(people):
    """A scenario in which each of them has an unmanaged account."""
    return {"accounts": [{"address": f"{who}@example.com"} for who in people]}


def skip(what, reason):
    print(f"1..1\nok 1 - {what} # SKIP {reason}")
    sys.exit(0)


def skip_where_impossible(what):
    if os.geteuid() != 0:
        skip(what, "needs root")
    for program in ("debootstrap", "systemd-nspawn"):
        if not shutil.which(program):
            skip(what, f"{program} is not installed")
    with open("/etc/os-release", encoding="utf-8") as file:
        if not re.search(r"^VERSION_CODENAME=bookworm$", file.read(), re.M):
            skip(what, "what is built here runs in that Debian only if this is a Debian 12")


def own_network():
    """Puts this process, and the machines that it boots, into a network of its own: only loopback."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def keep_packages(folder, other):
    """Copies every Debian package of `folder` to `other`, so that no package is downloaded twice."""
    for name in set(os.listdir(folder)) - set(os.listdir(other)):
        if name.endswith(".deb"):
            # Under another name first, because another process may write or read it.
            part = f"{other}/{os.getpid()}.{threading.get_ident()}.part"
            try:
                os.link(f"{folder}/{name}", part)
            except OSError:
                shutil.copyfile(f"{folder}/{name}", part)
            os.rename(part, f"{other}/{name}")


def downloaded(suite):
    """The folder of everything that was downloaded for that suite. apt and debootstrap compare it with their lists."""
    folder = f"{BUILD}/debs-{suite}"
    os.makedirs(folder, exist_ok=True)
    return folder


def debootstrap(suite, root, packages):
    """A minimal Debian with these packages in `root`: (status, output). After a power failure the tree is lost anyway,
    so dpkg need not wait for the disk.
    """
    with tempfile.TemporaryDirectory(prefix="debootstrap.", dir=BUILD) as cache:
        keep_packages(downloaded(suite), cache)
        done = run("debootstrap", "--variant=minbase", f"--cache-dir={cache}", f"--include={packages}", suite, root,
                   mirror(), env={**os.environ, "DPKG_FORCE": "security-mac,downgrade,unsafe-io"})
        keep_packages(cache, downloaded(suite))
    return done


def image(suite, packages, base=None):
    """Its path, which depends on the packages in it."""
    names = ",".join((BASE + LIBRARIES[suite] if base is None else base) + packages)
    return f"{BUILD}/{suite}-{hashlib.sha256(names.encode()).hexdigest()[:12]}.tar", names


def make_image(steps, suite, packages=None, base=None):
    """Made by debootstrap, unless it exists. `base` is what every Debian here has, unless another is named."""
    kept, names = image(suite, packages or BOOTED[suite], base)
    # Another test may be making the same.
    with open(kept + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(kept):
            return steps.step(f"a Debian ({suite}) is there from before", 0, "")
        return bootstrap(steps, suite, kept, names)


def bootstrap(steps, suite, kept, names):
    with Root() as root:
        status, output = debootstrap(suite, root, names)
        if status == 0:
            status, output = run("tar", "-C", root, "--one-file-system", "-cf", kept + ".new", ".")
        if status == 0:
            os.rename(kept + ".new", kept)
    return steps.step(f"debootstrap makes a Debian ({suite})", status, output)


def debian(steps, root, suite, packages, base=None):
    """Such a Debian unpacked, for a test that does not boot it."""
    if not make_image(steps, suite, packages, base):
        return False
    status, output = run("tar", "-C", root, "-xpf", image(suite, packages, base)[0])
    return steps.step("it is unpacked", status, output)


class Root:
    """A directory for a Debian, removed at the end unless CLOUDINVITE_KEEP is set."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="cloudinvite-machine.")
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *_):
        if not os.environ.get("CLOUDINVITE_KEEP"):
            shutil.rmtree(self.path, ignore_errors=True)


class Cgroups:
    """A control group for each machine, so that two at once do not confuse each other's units."""

    def __init__(self, name):
        trees = [tree for tree in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup")
                 if os.path.exists(f"{tree}/cgroup.procs")]
        self.paths = [f"{tree}/{name}" for tree in trees]
        for path in self.paths:
            os.mkdir(path)
        self.unified = "1" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else "0"

    def enter(self):
        for path in self.paths:
            with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
                file.write("0")

    def remove(self):
        for top in self.paths:
            for path, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(path)
                except OSError as error:
                    print(f"# {path} stays: {error}", flush=True)


def only_child(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
    except OSError:
        return None
    return int(children[0]) if len(children) == 1 else None


class Machine:
    """A Debian of `suite`, unpacked from the image for booted machines or from that with `packages`. A failure raises
    AssertionError.
    """

    def __init__(self, suite, packages=None):
        self.suite = suite
        self.image = image(suite, packages or BOOTED[suite])[0]
        self.place = Root()
        self.root = self.cgroups = self.process = self.init = None

    def __enter__(self):
        self.root = self.place.__enter__()
        try:
            self.must("tar", "-C", self.root, "-xpf", self.image)
            self.cgroups = Cgroups(os.path.basename(self.root))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            if self.cgroups:
                self.cgroups.remove()
            self.place.__exit__()

    @staticmethod
    def must(*command):
        status, output = run(*command)
        if status != 0:
            raise AssertionError(f"{' '.join(command)} ended with {status}:\n{output}")

    def install_tree(self):
        # One at a time: it writes to BUILD.
        with open(f"{BUILD}/install.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.must("make", "-C", SOURCE, "install", f"O={BUILD}", f"DESTDIR={self.root}",
                      "securedir=/lib/x86_64-linux-gnu/security")

    def put(self, path, content, mode=0o644):
        """A file in the machine, owned by root; `content` is text or bytes."""
        where = self.root + path
        os.makedirs(os.path.dirname(where), exist_ok=True)
        with open(where, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(where, mode)

    def boot(self):
        """Until systemd reports that it is up. The console goes to /console."""
        with open(f"{self.root}/console", "ab") as console:
            self.process = subprocess.Popen(
                ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc",
                 "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--kill-signal=SIGRTMIN+3",
                 "--capability=CAP_NET_ADMIN", "--boot", "-D", self.root,
                 "systemd.unified_cgroup_hierarchy=" + self.cgroups.unified,
                 "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                preexec_fn=self.before_boot,
                env=dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=self.cgroups.unified))
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until and self.process.poll() is None:
            self.init = self.find_init()
            if self.init and self.run("systemctl is-system-running")[1].split()[-1:] in (
                    ["running"], ["degraded"]):
                return
            time.sleep(0.2)
        raise AssertionError(f"it does not boot:\n{self.console()[-3000:]}")

    def before_boot(self):
        """In the new process: a control group of its own. It ends with the test, however that ends, together with
        everything that it has started, in its process namespace.
        """
        self.cgroups.enter()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def find_init(self):
        """The host's pid of the machine's process 1, the child of nspawn; None while there is none."""
        nspawn = only_child(self.process.pid)
        init = nspawn and only_child(nspawn)
        try:
            with open(f"/proc/{init}/status", encoding="utf-8") as file:
                return init if re.search(r"^NSpid:(\t\d+){2}\t1$", file.read(), re.M) else None
        except OSError:
            return None

    def console(self):
        with open(f"{self.root}/console", encoding="utf-8", errors="replace") as file:
            return file.read()

    def run(self, script, timeout=TIMEOUT):
        """A shell script, as root in the running machine: its exit status and its output."""
        return run("nsenter", "--target", str(self.init), "--mount", "--uts", "--ipc", "--pid", "--root",
                   "--wd", "/bin/sh", "-c", script, timeout=timeout, env=ENVIRONMENT,
                   start_new_session=True)

    def do(self, script, timeout=TIMEOUT):
        """The same for a script that must succeed: its output."""
        status, output = self.run(script, timeout)
        if status != 0:
            raise AssertionError(f"{script.strip()}\nended with {status}:\n{output}")
        return output

    def wait(self, script, seconds=20):
        """Until the script succeeds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            status, output = self.run(script)
            if status == 0:
                return output
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s: {script.strip()}\n{output}")

    def reboot(self):
        """Shut down in order, and booted again."""
        self.stop()
        self.boot()

    def crash(self):
        """All its processes die at once, as after a power failure; what they wrote stays."""
        os.kill(self.init, signal.SIGKILL)
        self.process.wait(TIMEOUT)
        self.process = self.init = None

    def stop(self):
        """In order if possible, otherwise at once."""
        if self.process and self.process.poll() is None:
            try:
                os.kill(only_child(self.process.pid) or self.process.pid, signal.SIGTERM)
                self.process.wait(TIMEOUT)
            except (subprocess.TimeoutExpired, OSError):
                self.process.kill()
                self.process.wait()
        self.process = self.init = None
